// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {Exp} from "./Exp.sol";
import {F32} from "./F32.sol";

/// sinh, correctly rounded: (p - 1 / p) / 2 with p = exp |a|.
library Sinh {
    function sinh(uint256 a) internal pure returns (uint256) {
        unchecked {
            uint256 e = a >> 23 & 0xff;
            // Below 2^-12 the distance a^3 / 6 is less than half a unit.
            if (e < 115) return a;
            if (e >= 134) return F32.isNan(a) ? F32.NAN : a & F32.SIGN | F32.INF;
            (uint256 p, uint256 inverse, uint256 k) = pair(a, e);
            return F32.pack(a >> 31, p - inverse, k + 22);
        }
    }

    /// exp |a| = p * 2^(k - 126) and its inverse in the same unit, for an exponent field e < 134.
    function pair(uint256 a, uint256 e) internal pure returns (uint256 p, uint256 inverse, uint256 k) {
        unchecked {
            int256 power;
            (p, power) = Exp.exp2k(int256(Exp.fixedPoint(a, e)));
            k = uint256(power);
            inverse = (1 << 252) / p >> 2 * k;
        }
    }
}
