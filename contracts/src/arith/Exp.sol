// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {F32} from "./F32.sol";

/// exp, correctly rounded, and the fixed-point exponential that tanh and sigmoid share.
library Exp {
    function exp(uint256 a) internal pure returns (uint256) {
        unchecked {
            uint256 e = a >> 23 & 0xff;
            if (e >= 134) {
                // |a| >= 128 is beyond both ends of the range.
                if (F32.isNan(a)) return F32.NAN;
                return a & F32.SIGN == 0 ? F32.INF : 0;
            }
            int256 x = int256(fixedPoint(a, e));
            (uint256 p, int256 k) = exp2k(a & F32.SIGN == 0 ? x : -x);
            return F32.pack(0, p, uint256(k + 23));
        }
    }

    /// |a| in Q120, for an exponent field e < 134; what lies below 2^-120 is cut off.
    function fixedPoint(uint256 a, uint256 e) internal pure returns (uint256) {
        unchecked {
            uint256 m = a & 0x7fffff;
            if (e == 0) return 0;
            m |= 0x800000;
            return e < 30 ? m >> (30 - e) : m << (e - 30);
        }
    }

    /// exp(x) = p * 2^(k - 126) for x in Q120 with |x| < 2^7; p has a relative error below 2^-90.
    function exp2k(int256 x) internal pure returns (uint256 p, int256 k) {
        unchecked {
            // k = round(x / ln 2), then |r| <= ln 2 / 2. In Q126 the same integer is r / 64.
            k = (x * 0x171547652b82fe177 + (1 << 183)) >> 184;
            int256 r = x - k * 0xb17217f7d1cf79abc9e3b39803f2f7;
            p = exp64(r);
        }
    }

    /// exp(64 r) in Q126, as r is, for |r| <= ln 2 / 128.
    function exp64(int256 r) internal pure returns (uint256 p) {
        unchecked {
            // Taylor's series up to r^9 / 9!: what follows is below 2^-97.
            int256 t = 0xb8ef1d2ab6399c7d560e4472801;
            t = 0x6806806806806806806806806807 + (t * r >> 126);
            t = 0x34034034034034034034034034034 + (t * r >> 126);
            t = 0x16c16c16c16c16c16c16c16c16c16c + (t * r >> 126);
            t = 0x888888888888888888888888888889 + (t * r >> 126);
            t = 0x2aaaaaaaaaaaaaaaaaaaaaaaaaaaaab + (t * r >> 126);
            t = 0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab + (t * r >> 126);
            t = 0x20000000000000000000000000000000 + (t * r >> 126);
            t = 0x40000000000000000000000000000000 + (t * r >> 126);
            p = uint256(0x40000000000000000000000000000000 + (t * r >> 126));
            p = p * p >> 126;
            p = p * p >> 126;
            p = p * p >> 126;
            p = p * p >> 126;
            p = p * p >> 126;
            p = p * p >> 126;
        }
    }
}
