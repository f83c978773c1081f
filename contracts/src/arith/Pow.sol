// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {Exp2} from "./Exp2.sol";
import {F32} from "./F32.sol";
import {Log} from "./Log.sol";
import {Log2} from "./Log2.sol";
import {Root} from "./Root.sol";

/// a^b, with the special cases of IEEE 754-2019.
///
/// Results with at most 25 bits are exact before the rounding; all others have an error below 2^-96, relatively.
library Pow {
    uint256 private constant ONE = 0x3f800000;

    function pow(uint256 a, uint256 b) internal pure returns (uint256) {
        unchecked {
            uint256 y = b & F32.MAG;
            if (y == 0 || a == ONE) return ONE;
            uint256 x = a & F32.MAG;
            if (x > F32.INF || y > F32.INF) return F32.NAN;
            bool down = y != b;
            if (y == F32.INF) {
                if (x == ONE) return ONE;
                return (x < ONE) == down ? F32.INF : 0;
            }
            // |b| = n * 2^v with an odd n.
            (uint256 n, int256 v) = _odd(y);
            uint256 sign = v == 0 ? a >> 31 : 0;
            if (x == 0 || x == F32.INF) return sign << 31 | ((x == 0) == down ? F32.INF : 0);
            if (x != a && v < 0) return F32.NAN;
            // 3^16 has 26 bits: larger powers and roots of a 16th or less are not among the exact ones.
            if (!down && v >= -3 && n < 16) {
                (uint256 power, uint256 q) = _exact(x, n, v);
                if (power != 0) return F32.pack(sign, power, q);
            }
            int256 w = _log2(x);
            if (w == 0) return sign << 31 | ONE;
            (uint256 m, uint256 e) = F32.unpack(y);
            w *= down ? -int256(m) : int256(m);
            // From 2^41 on b is beyond the range with every logarithm but 0; below, its product is put into Q126.
            if (e < 168) {
                w >>= 168 - e;
                int256 k = (w + (1 << 125)) >> 126;
                if (uint256(k + 255) < 511) return F32.pack(sign, Exp2.fraction(w - (k << 126)), uint256(k + 23));
            }
            return sign << 31 | (w < 0 ? 0 : F32.INF);
        }
    }

    /// The odd number and the power of two of which a finite positive number is the product.
    function _odd(uint256 x) private pure returns (uint256 n, int256 v) {
        unchecked {
            (uint256 m, uint256 e) = F32.unpack(x);
            assembly ("memory-safe") {
                let zeros := sub(255, clz(and(m, sub(0, m))))
                n := shr(zeros, m)
                v := add(sub(e, 150), zeros)
            }
        }
    }

    /// x^(n * 2^v) for F32.pack, if its odd part is below 2^25 and not 1, whose powers need no care; otherwise 0.
    function _exact(uint256 x, uint256 n, int256 v) private pure returns (uint256 product, uint256 q) {
        unchecked {
            int256 power;
            (x, power) = _odd(x);
            if (x == 1) return (0, 0);
            for (; v < 0; v++) {
                uint256 r = Root.root(x);
                if (power & 1 != 0 || r * r != x) return (0, 0);
                x = r;
                power >>= 1;
            }
            if (v > 3 || n << uint256(v) > 15) return (0, 0);
            n <<= uint256(v);
            product = x;
            for (uint256 i = 1; i < n; i++) {
                product *= x;
                if (product >= 1 << 25) return (0, 0);
            }
            // The product's 24 zeros are for F32.pack; far below the range any exponent will do.
            product <<= 24;
            power = power * int256(n) + 125;
            q = uint256(power < -250 ? int256(-250) : power);
        }
    }

    /// log2(x) in Q144; 0 only for 1.
    function _log2(uint256 x) private pure returns (int256) {
        unchecked {
            (uint256 m, uint256 e) = F32.unpack(x);
            assembly ("memory-safe") {
                let shift := sub(clz(m), 232)
                m := shl(shift, m)
                e := sub(e, shift)
            }
            uint256 i = (m + 0x80000) >> 20;
            uint256 c = i << 20;
            int256 n = int256(m - c);
            int256 d = int256(m + c);
            int256 p = int256(Log.artanhRatio((n << 124) / d) >> 16);
            // 2 n / (d ln 2) in Q148: next to 1 it needs more bits than p.
            int256 u = (n * Log2.LOG2_E << 25) / d;
            int256 eighths = int256(Log.eighth(i)) * Log2.LOG2_E >> 124;
            return (int256(e - 127 + (i >> 4)) << 144) + (eighths << 20) + (p * u >> 112);
        }
    }
}
