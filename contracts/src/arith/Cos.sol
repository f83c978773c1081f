// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {Circle} from "./Circle.sol";
import {F32} from "./F32.sol";

/// cos, correctly rounded: the sine a quarter of a turn further.
library Cos {
    function cos(uint256 a) internal pure returns (uint256) {
        unchecked {
            // Below 2^-12 the distance a^2 / 2 is less than half a unit.
            if (a & F32.MAG < 0x39800000) return 0x3f800000;
            if (a & F32.MAG >= F32.INF) return F32.NAN;
            (uint256 quadrant, uint256 sign, uint256 theta) = Circle.reduce(a);
            return Circle.sine(quadrant + 1, sign, theta, 0);
        }
    }
}
