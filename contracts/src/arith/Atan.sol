// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {Angle} from "./Angle.sol";
import {F32} from "./F32.sol";

/// atan, correctly rounded: the angle of the point (1, |a|), or of a multiple of it.
library Atan {
    function atan(uint256 a) internal pure returns (uint256) {
        unchecked {
            if (F32.isNan(a)) return F32.NAN;
            uint256 e = a >> 23 & 0xff;
            // Below 2^-12 the distance a^3 / 3 is less than half a unit.
            if (e < 115) return a;
            uint256 y = a & 0x7fffff | 0x800000;
            uint256 x = 1 << 120;
            if (e < 127) {
                y <<= e - 30;
            } else {
                // From 2^120 on x is 0, as for an infinity.
                y <<= 96;
                x = 1 << 246 >> e;
            }
            return F32.pack(a >> 31, Angle.angle(y, x), 25);
        }
    }
}
