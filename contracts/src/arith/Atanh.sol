// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {F32} from "./F32.sol";
import {Log} from "./Log.sol";

/// atanh, correctly rounded: ln((1 + |a|) / (1 - |a|)) / 2.
library Atanh {
    function atanh(uint256 a) internal pure returns (uint256) {
        unchecked {
            uint256 e = a >> 23 & 0xff;
            // Below 2^-12 the distance a^3 / 3 is less than half a unit.
            if (e < 115) return a;
            if (e >= 127) return a & F32.MAG == 0x3f800000 ? a & F32.SIGN | F32.INF : F32.NAN;
            // Exact in Q35.
            uint256 x = (a & 0x7fffff | 0x800000) << (e - 115);
            return F32.pack(a >> 31, uint256(Log.ln(((1 << 35) + x << 200) / ((1 << 35) - x), -200)), 24);
        }
    }
}
