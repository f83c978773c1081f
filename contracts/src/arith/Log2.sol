// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {F32} from "./F32.sol";
import {Log} from "./Log.sol";

/// log2, correctly rounded.
library Log2 {
    /// 1 / ln 2 in Q124.
    int256 internal constant LOG2_E = 0x171547652b82fe1777d0ffda0d23a7d1;

    function log2(uint256 a) internal pure returns (uint256) {
        unchecked {
            if (a - 1 >= F32.INF - 1) return Log.special(a);
            (uint256 m, uint256 e) = F32.unpack(a);
            (int256 power, int256 rest) = Log.split(m, int256(e) - 150);
            return Log.packSigned((power << 124) + (rest * LOG2_E >> 124), 25);
        }
    }
}
