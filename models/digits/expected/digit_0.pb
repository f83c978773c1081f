
BprobabilitiesJ(şÿ?lu­+ñ3ÑèS/uŠ.Ò¸œ2ìÁ47VQ/GÀX1é/