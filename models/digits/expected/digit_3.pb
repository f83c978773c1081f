
BprobabilitiesJ(l™1µ82E*3îv?Ù\Â/X=2,3ª®4[º9­#Å3