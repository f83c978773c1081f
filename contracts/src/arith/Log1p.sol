// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {F32} from "./F32.sol";
import {Log} from "./Log.sol";

/// log(1 + a), correctly rounded.
library Log1p {
    function log1p(uint256 a) internal pure returns (uint256) {
        unchecked {
            uint256 e = a >> 23 & 0xff;
            // Below 2^-24 the distance a^2 / 2 is less than half a unit.
            if (e < 103 || a == F32.INF) return a;
            if (F32.isNan(a)) return F32.NAN;
            uint256 m = (a & 0x7fffff | 0x800000) << (e - 103);
            // 1 + a is exact in Q47.
            if (a & F32.SIGN == 0) return Log.packSigned(Log.ln((1 << 47) + m, -47), 25);
            if (e >= 127) return a == 0xbf800000 ? F32.SIGN | F32.INF : F32.NAN;
            return Log.packSigned(Log.ln((1 << 47) - m, -47), 25);
        }
    }
}
