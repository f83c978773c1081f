// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {F32} from "./F32.sol";

/// Conversions between f32 and the two 16-bit floats: to f32 exactly, from f32 correctly rounded.
library Half {
    uint256 private constant F16_NAN = 0x7e00;
    uint256 private constant F16_INF = 0x7c00;
    uint256 private constant BF16_NAN = 0x7fc0;

    function fromF16(uint256 a) internal pure returns (uint256) {
        unchecked {
            uint256 sign = (a & 0x8000) << 16;
            uint256 e = a >> 10 & 0x1f;
            uint256 m = a & 0x3ff;
            if (e == 31) return m == 0 ? sign | F32.INF : F32.NAN;
            if (e != 0) return sign | (e + 112) << 23 | m << 13;
            if (m == 0) return sign;
            // m * 2^-24 with its leading one at place 23.
            uint256 shift;
            assembly ("memory-safe") {
                shift := sub(clz(m), 232)
            }
            return sign | (126 - shift) << 23 | m << shift & 0x7fffff;
        }
    }

    function toF16(uint256 a) internal pure returns (uint256) {
        unchecked {
            if (F32.isNan(a)) return F16_NAN;
            uint256 sign = a >> 16 & 0x8000;
            (uint256 m, uint256 e) = F32.unpack(a);
            // Of m * 2^(e - 150) thirteen bits go, and more where the unit would be below 2^-24.
            uint256 cut = e < 113 ? 126 - e : 13;
            if (cut > 26) cut = 26;
            m = (m + (1 << (cut - 1)) - 1 + (m >> cut & 1)) >> cut;
            // The leading bit of the significand adds one to the exponent, and so does a carry out of it.
            uint256 bits = (e < 113 ? 0 : e - 113 << 10) + m;
            return sign | (bits > F16_INF ? F16_INF : bits);
        }
    }

    function fromBF16(uint256 a) internal pure returns (uint256) {
        return F32.canonical(a << 16);
    }

    function toBF16(uint256 a) internal pure returns (uint256) {
        unchecked {
            return F32.isNan(a) ? BF16_NAN : a + 0x7fff + (a >> 16 & 1) >> 16;
        }
    }
}
