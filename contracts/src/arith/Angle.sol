// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

/// What the inverse functions share: the angle of a point.
library Angle {
    uint256 private constant HALF_PI = 0x1921fb54442d18469898cc51701b839a;

    /// The angle between the first axis and the point (x, y), in Q124. Both are at most 2^120, not both zero.
    function angle(uint256 y, uint256 x) internal pure returns (uint256 sum) {
        unchecked {
            bool steep = y > x;
            if (steep) (x, y) = (y, x);
            // y / x = tan(atan(i / 8) + atan(t)), |t| <= 1/16
            uint256 i = (16 * y + x) / (2 * x);
            int256 t = (int256(8 * y - i * x) << 124) / int256(8 * x + i * y);
            uint256 z = uint256(t * t) >> 124;
            // 2^124 / (2 i + 1) from i = 12; what follows is below 2^-108.
            uint256 p = 0xb21642c8590b21642c8590b21642c8 - (0xa3d70a3d70a3d70a3d70a3d70a3d71 * z >> 124);
            p = 0xc30c30c30c30c30c30c30c30c30c31 - (p * z >> 124);
            p = 0xd79435e50d79435e50d79435e50d79 - (p * z >> 124);
            p = 0xf0f0f0f0f0f0f0f0f0f0f0f0f0f0f1 - (p * z >> 124);
            p = 0x1111111111111111111111111111111 - (p * z >> 124);
            p = 0x13b13b13b13b13b13b13b13b13b13b1 - (p * z >> 124);
            p = 0x1745d1745d1745d1745d1745d1745d1 - (p * z >> 124);
            p = 0x1c71c71c71c71c71c71c71c71c71c72 - (p * z >> 124);
            p = 0x2492492492492492492492492492492 - (p * z >> 124);
            p = 0x3333333333333333333333333333333 - (p * z >> 124);
            p = 0x5555555555555555555555555555555 - (p * z >> 124);
            p = 0x10000000000000000000000000000000 - (p * z >> 124);
            sum = _atan8(i) + uint256(int256(p) * t >> 124);
            if (steep) sum = HALF_PI - sum;
        }
    }

    /// The angle, or pi minus it if sign is 1.
    function supplement(uint256 sum, uint256 sign) internal pure returns (uint256) {
        unchecked {
            return sign == 0 ? sum : 2 * HALF_PI - sum;
        }
    }

    /// The other leg of a right-angled triangle with the hypotenuse 1, both in Q120; a is below 1.
    function leg(uint256 a) internal pure returns (uint256 y) {
        assembly ("memory-safe") {
            let s := sub(shl(240, 1), mul(a, a))
            // The seed is off by a factor of at most sqrt(2): 2^-3.5, 2^-9, 2^-19, 2^-39, 2^-80, and 2^-120 after the last step.
            y := shl(shr(1, sub(256, clz(s))), 1)
            y := shr(1, add(y, div(s, y)))
            y := shr(1, add(y, div(s, y)))
            y := shr(1, add(y, div(s, y)))
            y := shr(1, add(y, div(s, y)))
            y := shr(1, add(y, div(s, y)))
            y := shr(1, add(y, div(s, y)))
        }
    }

    /// atan(i / 8) in Q124 for i in 0..8.
    function _atan8(uint256 i) private pure returns (uint256) {
        if (i < 4) {
            if (i < 2) return i == 0 ? 0 : 0x1fd5ba9aac2f6dc65912f313e7d111e;
            return i == 2 ? 0x3eb6ebf25901bac55b71e7bd7de8860 : 0x5bd86507937bc239c55190916e7f224;
        }
        if (i < 6) return i == 4 ? 0x76b19c1586ed3da2b7f222f65e1d468 : 0x8f005d5ef7f59f9b5c835e1665c4374;
        if (i < 8) return i == 6 ? 0xa4bc7d1934f7092419a87f2a457daca : 0xb8053e2bc2319e73cb2da55210a4444;
        return 0xc90fdaa22168c234c4c6628b80dc1cd;
    }
}
