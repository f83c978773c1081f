// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {Angle} from "./Angle.sol";
import {Exp} from "./Exp.sol";
import {F32} from "./F32.sol";

/// asin, correctly rounded: the angle of the point (sqrt(1 - a^2), |a|).
library Asin {
    function asin(uint256 a) internal pure returns (uint256) {
        uint256 e = a >> 23 & 0xff;
        // Below 2^-12 the distance a^3 / 6 is less than half a unit.
        if (e < 115) return a;
        // pi / 2 at the end
        if (e >= 127) return a & F32.MAG == 0x3f800000 ? a & F32.SIGN | 0x3fc90fdb : F32.NAN;
        uint256 y = Exp.fixedPoint(a, e);
        return F32.pack(a >> 31, Angle.angle(y, Angle.leg(y)), 25);
    }
}
