
BprobabilitiesJ(Hä-Xù?-ºX20`ˆ0™Ê8Ş˜Ÿ-‹§/®Ëà5P~26çO&5