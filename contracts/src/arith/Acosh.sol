// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {Asinh} from "./Asinh.sol";
import {F32} from "./F32.sol";
import {Log} from "./Log.sol";
import {Root} from "./Root.sol";

/// acosh, correctly rounded: ln(a + sqrt(a^2 - 1)).
library Acosh {
    function acosh(uint256 a) internal pure returns (uint256) {
        unchecked {
            // NaNs and negative numbers are above infinity.
            if (a < 0x3f800000 || a > F32.INF) return F32.NAN;
            if (a == 0x3f800000) return 0;
            if (a == F32.INF) return a;
            (uint256 x, uint256 one, int256 f) = Asinh.squarable(a, a >> 23);
            return F32.pack(0, uint256(Log.ln(x + Root.root(x * x - one), -f)), 25);
        }
    }
}
