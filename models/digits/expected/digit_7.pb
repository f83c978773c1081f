
BprobabilitiesJ(‚O¸)BY$)_¡ú3|¼¯5IÜ–0•.÷:Å$èÿ?üzÍ- D0