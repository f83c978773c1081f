// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {F32} from "./F32.sol";

/// log, correctly rounded, and the fixed-point logarithm that others share.
library Log {
    int256 private constant LN2 = 0xb17217f7d1cf79abc9e3b39803f2f6b;

    function log(uint256 a) internal pure returns (uint256) {
        unchecked {
            if (a - 1 >= F32.INF - 1) return special(a);
            (uint256 m, uint256 e) = F32.unpack(a);
            return packSigned(ln(m, int256(e) - 150), 25);
        }
    }

    /// The logarithm of what is not a positive finite number.
    function special(uint256 a) internal pure returns (uint256) {
        if (a & F32.MAG == 0) return F32.SIGN | F32.INF;
        return a == F32.INF ? a : F32.NAN;
    }

    /// ln(S * 2^q) in Q124 for S > 0.
    function ln(uint256 S, int256 q) internal pure returns (int256) {
        unchecked {
            (int256 power, int256 rest) = split(S, q);
            return power * LN2 + rest;
        }
    }

    /// ln(S * 2^q) = power * ln 2 + rest for S > 0, the rest in Q124; for a power of two it is 0.
    function split(uint256 S, int256 q) internal pure returns (int256 power, int256 rest) {
        unchecked {
            uint256 y;
            assembly ("memory-safe") {
                let zeros := clz(S)
                y := shr(131, shl(zeros, S))
                power := sub(add(q, 255), zeros)
            }
            // y = c * y/c with c the multiple of 1/8 next to y; next to 2 it counts into the power.
            uint256 i = (y + (1 << 120)) >> 121;
            uint256 c = i << 121;
            power += int256(i >> 4);
            // log(y / c) = 2 artanh(s), |s| <= 1/32.
            int256 s = (int256(y - c) << 124) / int256(y + c);
            rest = int256(eighth(i)) + (int256(artanhRatio(s)) * s >> 123);
        }
    }

    /// artanh(s) / s in Q124 for |s| <= 1/32: the series up to s^18.
    function artanhRatio(int256 s) internal pure returns (uint256 p) {
        unchecked {
            uint256 z = uint256(s * s) >> 124;
            p = 0xd79435e50d79435e50d79435e50d79;
            p = 0xf0f0f0f0f0f0f0f0f0f0f0f0f0f0f1 + (p * z >> 124);
            p = 0x1111111111111111111111111111111 + (p * z >> 124);
            p = 0x13b13b13b13b13b13b13b13b13b13b1 + (p * z >> 124);
            p = 0x1745d1745d1745d1745d1745d1745d1 + (p * z >> 124);
            p = 0x1c71c71c71c71c71c71c71c71c71c72 + (p * z >> 124);
            p = 0x2492492492492492492492492492492 + (p * z >> 124);
            p = 0x3333333333333333333333333333333 + (p * z >> 124);
            p = 0x5555555555555555555555555555555 + (p * z >> 124);
            p = 0x10000000000000000000000000000000 + (p * z >> 124);
        }
    }

    /// ln(i / 8) in Q124 for i in 8..15, and 0 for 16.
    function eighth(uint256 i) internal pure returns (uint256) {
        if (i < 12) {
            if (i < 10) return i == 8 ? 0 : 0x1e27076e2af2e5e9ea87ffe1fe9e156;
            return i == 10 ? 0x391fef8f353443584bb03de5ff73449 : 0x51862f08717b09f42decdeccf1cd105;
        }
        if (i < 14) return i == 12 ? 0x67cc8fb2fe612fcada35d9bd0148860 : 0x7c4a3d7ebc1bb2cd720ec44c73d75cf;
        if (i < 16) return i == 14 ? 0x8f42faf3820681ef62cd2f9f1e35f2e : 0xa0ec7f423395732325e617a300bbcaa;
        return 0;
    }

    /// F32.pack of a signed number; zero is +0.
    function packSigned(int256 s, uint256 q) internal pure returns (uint256) {
        unchecked {
            if (s == 0) return 0;
            int256 n = s >> 255;
            return F32.pack(uint256(-n), uint256((s ^ n) - n), q);
        }
    }
}
