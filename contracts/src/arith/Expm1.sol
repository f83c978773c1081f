// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {Exp} from "./Exp.sol";
import {F32} from "./F32.sol";

/// exp(a) - 1, correctly rounded.
library Expm1 {
    function expm1(uint256 a) internal pure returns (uint256) {
        unchecked {
            uint256 e = a >> 23 & 0xff;
            // Below 2^-24 the distance a^2 / 2 is less than half a unit.
            if (e < 103) return a;
            if (e >= 134) {
                if (F32.isNan(a)) return F32.NAN;
                return a & F32.SIGN == 0 ? F32.INF : 0xbf800000;
            }
            int256 x = int256(Exp.fixedPoint(a, e));
            if (a & F32.SIGN != 0) {
                (uint256 y, int256 j) = Exp.exp2k(-x);
                return F32.pack(1, (1 << 126) - (y >> uint256(-j)), 23);
            }
            // The exponent of large results is kept apart.
            (uint256 p, int256 k) = Exp.exp2k(x);
            return F32.pack(0, p - ((1 << 126) >> uint256(k)), uint256(k + 23));
        }
    }
}
