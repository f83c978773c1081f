// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {Exp} from "./Exp.sol";
import {F32} from "./F32.sol";
import {Log} from "./Log.sol";

/// ln(1 + exp(a)), correctly rounded.
library Softplus {
    function softplus(uint256 a) internal pure returns (uint256) {
        unchecked {
            uint256 e = a >> 23 & 0xff;
            if (e >= 134) {
                if (F32.isNan(a)) return F32.NAN;
                return a & F32.SIGN == 0 ? a : 0;
            }
            uint256 x = Exp.fixedPoint(a, e);
            (uint256 p, int256 k) = Exp.exp2k(-int256(x));
            uint256 y = p >> uint256(-k);
            if (a & F32.SIGN != 0) {
                if (k < -24) {
                    // y (1 - y / 2 + y^2 / 3 - y^3 / 4) with the exponent of y apart, so that small results keep their precision.
                    uint256 t = 0x15555555555555555555555555555555 - (y >> 2);
                    t = (1 << 125) - (y * t >> 126);
                    t = (1 << 126) - (y * t >> 126);
                    return F32.pack(0, p * t >> 126, uint256(k + 23));
                }
                x = 0;
            }
            return F32.pack(0, (x << 4) + uint256(Log.ln((1 << 126) + y, -126)), 25);
        }
    }
}
