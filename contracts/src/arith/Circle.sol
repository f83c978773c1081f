// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {F32} from "./F32.sol";

/// What sine, cosine and tangent share: the reduction to an eighth of a turn, and the two series there.
library Circle {
    /// |a| = quadrant * pi / 2 +- theta up to whole turns, for a finite a of at least 2^-12 in magnitude. The quadrant is modulo 4,
    /// sign is 1 if theta is subtracted, and theta is at most pi / 4, in Q128.
    function reduce(uint256 a) internal pure returns (uint256 quadrant, uint256 sign, uint256 theta) {
        unchecked {
            uint256 e = a >> 23 & 0xff;
            // 2 / pi with two bits before the point and 510 behind it, shifted by the exponent: multiples of 4 fall off.
            uint256 turns = 0x28be60db9391054a7f09d5f47d4d377036d8a5664f10e4107f9458eaf7aef158;
            turns = e < 150
                ? turns >> 150 - e
                : turns << e - 150 | 0x6dc91b8e909374b801924bba827464873f877ac72c4a69cfba208d7d4baed121 >> 406 - e;
            turns *= a & 0x7fffff | 0x800000;
            quadrant = turns + (1 << 253) >> 254;
            // The rest in -1/2 .. 1/2 is in Q254 with the sign on top.
            sign = turns >> 253 & 1;
            int256 rest = int256(turns << 2) >> 2;
            theta = uint256(sign == 0 ? rest : -rest) >> 110;
            // pi / 2 in Q112
            theta = theta * 0x1921fb54442d18469898cc51701b8 >> 128;
        }
    }

    /// The f32 nearest to the sine of quadrant * pi / 2 +- theta, or to its opposite if flip is 1.
    function sine(uint256 quadrant, uint256 sign, uint256 theta, uint256 flip) internal pure returns (uint256) {
        unchecked {
            flip ^= quadrant >> 1 & 1;
            if (quadrant & 1 == 0) return F32.pack(flip ^ sign, sineOf(theta), uint256(int256(-103)));
            return F32.pack(flip, cosineOf(theta), 25);
        }
    }

    /// sin(theta) in Q252.
    function sineOf(uint256 theta) internal pure returns (uint256 p) {
        unchecked {
            // 2^124 / (2 i + 1)! from i = 13; what follows is below 2^-112.
            uint256 z = theta * theta >> 132;
            p = 0x13f3ccdd166 - (0x746ac70b * z >> 124);
            p = 0x2ec368262c703 - (p * z >> 124);
            p = 0x5c6e3bdb73d5c63 - (p * z >> 124);
            p = 0x97a4da340a0ab9265 - (p * z >> 124);
            p = 0xca963b81856a5359303 - (p * z >> 124);
            p = 0xd73f9f399dc0f88ec32b6 - (p * z >> 124);
            p = 0xb092309d43684be51c198e9 - (p * z >> 124);
            p = 0x6b99159fd5138e3f9d1f92e0e - (p * z >> 124);
            p = 0x2e3bc74aad8e671f5583911ca00 - (p * z >> 124);
            p = 0xd00d00d00d00d00d00d00d00d00d - (p * z >> 124);
            p = 0x222222222222222222222222222222 - (p * z >> 124);
            p = 0x2aaaaaaaaaaaaaaaaaaaaaaaaaaaaab - (p * z >> 124);
            p = 0x10000000000000000000000000000000 - (p * z >> 124);
            p *= theta;
        }
    }

    /// cos(theta) in Q124.
    function cosineOf(uint256 theta) internal pure returns (uint256 p) {
        unchecked {
            // 2^124 / (2 i)! from i = 13; what follows is below 2^-107.
            uint256 z = theta * theta >> 132;
            p = 0x1f2cf01972f5 - (0xc4742fe35 * z >> 124);
            p = 0x4338e5b6dfe14a - (p * z >> 124);
            p = 0x7950ae900808941f - (p * z >> 124);
            p = 0xb413c31dcbecbbdd80 - (p * z >> 124);
            p = 0xd73f9f399dc0f88ec32b - (p * z >> 124);
            p = 0xc9cba54603e4e905d6f8a3 - (p * z >> 124);
            p = 0x8f76c77fc6c4bdaa26d4c3d6 - (p * z >> 124);
            p = 0x49f93edde27d71cbbc05b4fa9a - (p * z >> 124);
            p = 0x1a01a01a01a01a01a01a01a01a02 - (p * z >> 124);
            p = 0x5b05b05b05b05b05b05b05b05b05b - (p * z >> 124);
            p = 0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaab - (p * z >> 124);
            p = 0x8000000000000000000000000000000 - (p * z >> 124);
            p = 0x10000000000000000000000000000000 - (p * z >> 124);
        }
    }
}
