// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {Circle} from "./Circle.sol";
import {F32} from "./F32.sol";

/// tan, correctly rounded: sine / cosine, or -cosine / sine in odd quadrants.
library Tan {
    function tan(uint256 a) internal pure returns (uint256) {
        unchecked {
            // Below 2^-12 the distance a^3 / 3 is less than half a unit.
            if (a & F32.MAG < 0x39800000) return a;
            if (a & F32.MAG >= F32.INF) return F32.NAN;
            (uint256 quadrant, uint256 sign, uint256 theta) = Circle.reduce(a);
            // Both in Q128, their quotient in Q127.
            uint256 sine = Circle.sineOf(theta) >> 124;
            uint256 cosine = Circle.cosineOf(theta) << 4;
            uint256 quotient = quadrant & 1 == 0 ? (sine << 127) / cosine : (cosine << 127) / sine;
            return F32.pack((a >> 31 ^ sign ^ quadrant) & 1, quotient, 22);
        }
    }
}
