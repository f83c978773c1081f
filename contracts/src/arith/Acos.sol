// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {Angle} from "./Angle.sol";
import {Exp} from "./Exp.sol";
import {F32} from "./F32.sol";

/// acos, correctly rounded: the angle of the point (a, sqrt(1 - a^2)).
library Acos {
    function acos(uint256 a) internal pure returns (uint256) {
        uint256 e = a >> 23 & 0xff;
        if (e >= 127) {
            if (a & F32.MAG != 0x3f800000) return F32.NAN;
            // 0 and pi at the ends
            return a & F32.SIGN == 0 ? 0 : 0x40490fdb;
        }
        uint256 x = Exp.fixedPoint(a, e);
        return F32.pack(0, Angle.supplement(Angle.angle(Angle.leg(x), x), a >> 31), 25);
    }
}
