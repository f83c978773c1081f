
BprobabilitiesJ(ø‚/Í8»/şÿ? 0Ÿ3şg$n25+MùÉ+‡	Ú.w:õ1CcÂ,