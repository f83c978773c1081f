// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {Circle} from "./Circle.sol";
import {F32} from "./F32.sol";

/// sin, correctly rounded.
library Sin {
    function sin(uint256 a) internal pure returns (uint256) {
        // Below 2^-12 the distance a^3 / 6 is less than half a unit.
        if (a & F32.MAG < 0x39800000) return a;
        if (a & F32.MAG >= F32.INF) return F32.NAN;
        (uint256 quadrant, uint256 sign, uint256 theta) = Circle.reduce(a);
        return Circle.sine(quadrant, sign, theta, a >> 31);
    }
}
