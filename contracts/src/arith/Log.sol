// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {F32} from "./F32.sol";

/// log, correctly rounded.
library Log {
    uint256 private constant LN2 = 0xb17217f7d1cf79abc9e3b39803f2f6b;

    function log(uint256 a) internal pure returns (uint256) {
        unchecked {
            if (a & F32.MAG > F32.INF) return F32.NAN;
            if (a & F32.MAG == 0) return F32.SIGN | F32.INF;
            if (a & F32.SIGN != 0) return F32.NAN;
            if (a == F32.INF) return a;
            uint256 e = a >> 23;
            uint256 m = a & 0x7fffff;
            if (e == 0) {
                uint256 shift;
                assembly ("memory-safe") {
                    shift := sub(clz(m), 232)
                }
                m <<= shift;
                e = 1 - shift;
            } else {
                m |= 0x800000;
            }
            // a = 2^(e - 127) * c/2^23 * m/c with c the multiple of 2^20 next to m.
            uint256 i = (m + 0x80000) >> 20;
            uint256 c = i << 20;
            // log(m / c) = 2 artanh(s), |s| <= 1/32: the series up to s^19.
            int256 s = (int256(m - c) << 124) / int256(m + c);
            uint256 z = uint256(s * s) >> 124;
            uint256 p = 0xd79435e50d79435e50d79435e50d79;
            p = 0xf0f0f0f0f0f0f0f0f0f0f0f0f0f0f1 + (p * z >> 124);
            p = 0x1111111111111111111111111111111 + (p * z >> 124);
            p = 0x13b13b13b13b13b13b13b13b13b13b1 + (p * z >> 124);
            p = 0x1745d1745d1745d1745d1745d1745d1 + (p * z >> 124);
            p = 0x1c71c71c71c71c71c71c71c71c71c72 + (p * z >> 124);
            p = 0x2492492492492492492492492492492 + (p * z >> 124);
            p = 0x3333333333333333333333333333333 + (p * z >> 124);
            p = 0x5555555555555555555555555555555 + (p * z >> 124);
            p = 0x10000000000000000000000000000000 + (p * z >> 124);
            int256 r = int256((e - 127) * LN2 + _log8(i)) + (int256(p) * s >> 123);
            if (r == 0) return 0;
            return r < 0 ? F32.pack(1, uint256(-r), 25) : F32.pack(0, uint256(r), 25);
        }
    }

    /// log(i / 8) in Q124 for i in 8..16.
    function _log8(uint256 i) private pure returns (uint256) {
        if (i < 12) {
            if (i < 10) return i == 8 ? 0 : 0x1e27076e2af2e5e9ea87ffe1fe9e156;
            return i == 10 ? 0x391fef8f353443584bb03de5ff73449 : 0x51862f08717b09f42decdeccf1cd105;
        }
        if (i < 14) return i == 12 ? 0x67cc8fb2fe612fcada35d9bd0148860 : 0x7c4a3d7ebc1bb2cd720ec44c73d75cf;
        if (i < 16) return i == 14 ? 0x8f42faf3820681ef62cd2f9f1e35f2e : 0xa0ec7f423395732325e617a300bbcaa;
        return LN2;
    }
}
