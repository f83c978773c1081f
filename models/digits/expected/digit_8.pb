
BprobabilitiesJ(П"^0Ѓ#.ыШҐ2¦¤•0p|С)"Г”/ мs5~
X-ря?7J3