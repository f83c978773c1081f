
BprobabilitiesJ(ã‘~-I7gw-×ï1^ş?"/,õ‘Œ0ïT7ÂÖ›1Ë<°.