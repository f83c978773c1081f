// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {F32} from "./F32.sol";
import {Log} from "./Log.sol";
import {Root} from "./Root.sol";

/// asinh, correctly rounded: ln(|a| + sqrt(a^2 + 1)).
library Asinh {
    function asinh(uint256 a) internal pure returns (uint256) {
        unchecked {
            uint256 e = a >> 23 & 0xff;
            // Below 2^-12 the distance a^3 / 6 is less than half a unit.
            if (e < 115) return a;
            if (e == 255) return F32.canonical(a);
            (uint256 x, uint256 one, int256 f) = squarable(a, e);
            return F32.pack(a >> 31, uint256(Log.ln(x + Root.root(x * x + one), -f)), 25);
        }
    }

    /// |a| = x * 2^-f with x < 2^126, and 1 in the unit of its square: exact, but for f < 0, where it counts nothing.
    function squarable(uint256 a, uint256 e) internal pure returns (uint256 x, uint256 one, int256 f) {
        unchecked {
            f = e < 126 ? int256(126) : int256(252 - e);
            x = (a & 0x7fffff | 0x800000) << (e < 126 ? e - 24 : 102);
            one = e > 252 ? 0 : 1 << uint256(2 * f);
        }
    }
}
