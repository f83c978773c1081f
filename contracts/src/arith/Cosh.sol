// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {F32} from "./F32.sol";
import {Sinh} from "./Sinh.sol";

/// cosh, correctly rounded: (p + 1 / p) / 2 with p = exp |a|.
library Cosh {
    function cosh(uint256 a) internal pure returns (uint256) {
        unchecked {
            uint256 e = a >> 23 & 0xff;
            if (e >= 134) return F32.isNan(a) ? F32.NAN : F32.INF;
            (uint256 p, uint256 inverse, uint256 k) = Sinh.pair(a, e);
            return F32.pack(0, p + inverse, k + 22);
        }
    }
}
