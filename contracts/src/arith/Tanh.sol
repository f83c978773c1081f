// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {Exp} from "./Exp.sol";
import {F32} from "./F32.sol";

/// tanh, correctly rounded: (1 - y) / (1 + y) with y = exp(-2 |a|).
library Tanh {
    function tanh(uint256 a) internal pure returns (uint256) {
        unchecked {
            uint256 e = a >> 23 & 0xff;
            // Below 2^-12 the distance a^3 / 3 is less than half a unit.
            if (e < 115) return a;
            if (e >= 131) return F32.isNan(a) ? F32.NAN : a & F32.SIGN | 0x3f800000;
            (uint256 p, int256 k) = Exp.exp2k(-int256(Exp.fixedPoint(a, e + 1)));
            uint256 y = p >> uint256(-k);
            return F32.pack(a >> 31, ((1 << 126) - y << 120) / ((1 << 126) + y), 29);
        }
    }
}
