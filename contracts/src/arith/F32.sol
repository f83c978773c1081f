// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

/// IEEE-754-2019 binary32, round to nearest even.
///
/// A number is its 32 bits in the low bits of a word; the upper bits are zero. Every function is total and returns the
/// NaN 0x7fc00000 and no other. Operands in a window of exponents where nothing can overflow or become subnormal take
/// the short path in assembly; the private function with the same name handles everything.
library F32 {
    uint256 internal constant NAN = 0x7fc00000;
    uint256 internal constant INF = 0x7f800000;
    uint256 internal constant SIGN = 0x80000000;
    uint256 internal constant MAG = 0x7fffffff;

    /// NaN becomes the canonical NaN.
    function canonical(uint256 a) internal pure returns (uint256) {
        return a & MAG > INF ? NAN : a;
    }

    function isNan(uint256 a) internal pure returns (bool) {
        return a & MAG > INF;
    }

    // ---------------------------------------------------------------- arithmetic

    function add(uint256 a, uint256 b) internal pure returns (uint256 r) {
        bool short;
        assembly ("memory-safe") {
            short := lt(or(sub(and(shr(23, a), 0xff), 64), sub(and(shr(23, b), 0xff), 64)), 128)
        }
        if (!short) return _add(a, b);
        assembly ("memory-safe") {
            // Fixed point with the unit 2^(64 - 150 - 24): exact.
            let x := shl(sub(and(shr(23, a), 0xff), 40), or(and(a, 0x7fffff), 0x800000))
            let y := shl(sub(and(shr(23, b), 0xff), 40), or(and(b, 0x7fffff), 0x800000))
            let n := sub(0, shr(31, a))
            x := sub(xor(x, n), n)
            n := sub(0, shr(31, b))
            x := add(x, sub(xor(y, n), n))
            if x {
                n := sub(0, shr(255, x))
                x := sub(xor(x, n), n)
                let k := sub(232, clz(x))
                x := shr(k, add(x, add(sub(shl(sub(k, 1), 1), 1), and(shr(k, x), 1))))
                r := or(add(shl(23, add(k, 39)), x), and(n, 0x80000000))
            }
        }
    }

    function sub(uint256 a, uint256 b) internal pure returns (uint256) {
        return add(a, b ^ SIGN);
    }

    function mul(uint256 a, uint256 b) internal pure returns (uint256 r) {
        bool short;
        assembly ("memory-safe") {
            short := lt(or(sub(and(shr(23, a), 0xff), 64), sub(and(shr(23, b), 0xff), 64)), 127)
        }
        if (!short) return _mul(a, b);
        assembly ("memory-safe") {
            let p := mul(or(and(a, 0x7fffff), 0x800000), or(and(b, 0x7fffff), 0x800000))
            let k := add(23, shr(47, p))
            let t := add(add(and(shr(23, a), 0xff), and(shr(23, b), 0xff)), sub(k, 151))
            p := shr(k, add(p, add(sub(shl(sub(k, 1), 1), 1), and(shr(k, p), 1))))
            r := or(add(shl(23, t), p), and(xor(a, b), 0x80000000))
        }
    }

    function div(uint256 a, uint256 b) internal pure returns (uint256 r) {
        bool short;
        assembly ("memory-safe") {
            short := lt(or(sub(and(shr(23, a), 0xff), 65), sub(and(shr(23, b), 0xff), 65)), 126)
        }
        if (!short) return _div(a, b);
        assembly ("memory-safe") {
            // A quotient of 24-bit numbers is never half way, so the lowest bit may stand for any remainder.
            let p := or(div(shl(26, or(and(a, 0x7fffff), 0x800000)), or(and(b, 0x7fffff), 0x800000)), 1)
            let k := add(2, shr(26, p))
            let t := add(sub(and(shr(23, a), 0xff), and(shr(23, b), 0xff)), add(k, 123))
            p := shr(k, add(p, shl(sub(k, 1), 1)))
            r := or(add(shl(23, t), p), and(xor(a, b), 0x80000000))
        }
    }

    function sqrt(uint256 a) internal pure returns (uint256) {
        unchecked {
            if (a - 0x800000 < 0x7f000000) return _root(a & 0x7fffff | 0x800000, a >> 23);
            if (a & MAG > INF) return NAN;
            if (a & MAG == 0 || a == INF) return a;
            if (a & SIGN != 0) return NAN;
            uint256 shift = _clz(a) - 232;
            return _root(a << shift, 1 - shift);
        }
    }

    /// a * b + c, rounded once.
    function fma(uint256 a, uint256 b, uint256 c) internal pure returns (uint256 r) {
        bool short;
        assembly ("memory-safe") {
            short := lt(
                or(sub(and(shr(23, a), 0xff), 96), or(sub(and(shr(23, b), 0xff), 96), sub(and(shr(23, c), 0xff), 96))),
                64
            )
        }
        if (!short) return _fma(a, b, c);
        assembly ("memory-safe") {
            // Fixed point with the unit 2^(2 * (96 - 150) - 24): exact.
            let x := mul(or(and(a, 0x7fffff), 0x800000), or(and(b, 0x7fffff), 0x800000))
            x := shl(add(and(shr(23, a), 0xff), sub(and(shr(23, b), 0xff), 168)), x)
            let n := sub(0, shr(31, xor(a, b)))
            x := sub(xor(x, n), n)
            let y := shl(sub(and(shr(23, c), 0xff), 18), or(and(c, 0x7fffff), 0x800000))
            n := sub(0, shr(31, c))
            x := add(x, sub(xor(y, n), n))
            if x {
                n := sub(0, shr(255, x))
                x := sub(xor(x, n), n)
                let k := sub(232, clz(x))
                x := shr(k, add(x, add(sub(shl(sub(k, 1), 1), 1), and(shr(k, x), 1))))
                r := or(add(shl(23, add(k, 17)), x), and(n, 0x80000000))
            }
        }
    }

    function neg(uint256 a) internal pure returns (uint256) {
        return canonical(a ^ SIGN);
    }

    function abs(uint256 a) internal pure returns (uint256) {
        return canonical(a & MAG);
    }

    // ---------------------------------------------------------------- order

    /// The 2019 `minimum`: NaN wins, -0 < +0.
    function min(uint256 a, uint256 b) internal pure returns (uint256) {
        if (isNan(a) || isNan(b)) return NAN;
        return _rank(a) < _rank(b) ? a : b;
    }

    /// The 2019 `maximum`: NaN wins, -0 < +0.
    function max(uint256 a, uint256 b) internal pure returns (uint256) {
        if (isNan(a) || isNan(b)) return NAN;
        return _rank(a) < _rank(b) ? b : a;
    }

    function lt(uint256 a, uint256 b) internal pure returns (bool r) {
        assembly ("memory-safe") {
            let x := and(a, 0x7fffffff)
            let y := and(b, 0x7fffffff)
            let n := sub(0, shr(31, a))
            let m := sub(0, shr(31, b))
            r := and(lt(or(gt(x, 0x7f800000), gt(y, 0x7f800000)), 1), slt(sub(xor(x, n), n), sub(xor(y, m), m)))
        }
    }

    function le(uint256 a, uint256 b) internal pure returns (bool r) {
        assembly ("memory-safe") {
            let x := and(a, 0x7fffffff)
            let y := and(b, 0x7fffffff)
            let n := sub(0, shr(31, a))
            let m := sub(0, shr(31, b))
            r := iszero(or(or(gt(x, 0x7f800000), gt(y, 0x7f800000)), sgt(sub(xor(x, n), n), sub(xor(y, m), m))))
        }
    }

    function gt(uint256 a, uint256 b) internal pure returns (bool) {
        return lt(b, a);
    }

    function ge(uint256 a, uint256 b) internal pure returns (bool) {
        return le(b, a);
    }

    function eq(uint256 a, uint256 b) internal pure returns (bool) {
        if (isNan(a) || isNan(b)) return false;
        return a == b || (a | b) & MAG == 0;
    }

    function ne(uint256 a, uint256 b) internal pure returns (bool) {
        return !eq(a, b);
    }

    // ---------------------------------------------------------------- integers

    function trunc(uint256 a) internal pure returns (uint256) {
        unchecked {
            uint256 e = a >> 23 & 0xff;
            if (e < 127) return a & SIGN;
            if (e >= 150) return canonical(a);
            uint256 unit = 1 << (150 - e);
            return a & ~(unit - 1);
        }
    }

    function floor(uint256 a) internal pure returns (uint256) {
        return _towards(a, SIGN);
    }

    function ceil(uint256 a) internal pure returns (uint256) {
        return _towards(a, 0);
    }

    /// To the nearest integer, half way to the even one.
    function roundEven(uint256 a) internal pure returns (uint256) {
        unchecked {
            uint256 e = a >> 23 & 0xff;
            if (e < 126) return a & SIGN;
            if (e >= 150) return canonical(a);
            // In [1/2, 1) the neighbours are 0 and 1: only 1/2 itself goes down.
            if (e == 126) return a & SIGN | (a & 0x7fffff == 0 ? 0 : 0x3f800000);
            uint256 unit = 1 << (150 - e);
            // The lowest kept bit; for [1, 2) it is the exponent's, which is odd as the hidden bit is.
            uint256 odd = a & unit != 0 ? 1 : 0;
            return (a + (unit >> 1) - 1 + odd) & ~(unit - 1);
        }
    }

    /// The nearest f32 of an integer of at most 64 bits.
    function fromInt(int256 x) internal pure returns (uint256) {
        unchecked {
            if (x == 0) return 0;
            return x < 0 ? pack(1, uint256(-x) << 24, 125) : pack(0, uint256(x) << 24, 125);
        }
    }

    /// Truncated, saturated to lo..hi (which holds 0); NaN gives 0.
    function toInt(uint256 a, int256 lo, int256 hi) internal pure returns (int256) {
        unchecked {
            uint256 e = a >> 23 & 0xff;
            if (e < 127 || isNan(a)) return 0;
            // From 2^64 on everything saturates.
            uint256 m = a & 0x7fffff | 0x800000;
            int256 x = e > 191 ? int256(1 << 64) : int256(m << (e - 127) >> 23);
            if (a & SIGN != 0) x = -x;
            return x < lo ? lo : x > hi ? hi : x;
        }
    }

    // ---------------------------------------------------------------- shared

    /// The number S * 2^(q - 149), rounded. q is signed and above -255; 2^24 <= S < 2^255.
    function pack(uint256 sign, uint256 S, uint256 q) internal pure returns (uint256 r) {
        assembly ("memory-safe") {
            let k := sub(232, clz(S))
            let t := add(k, q)
            if slt(t, 0) {
                // Subnormal: the unit is 2^-149.
                k := sub(0, q)
                t := 0
            }
            // The leading bit of the significand adds one to the exponent, and so does a carry out of it.
            r := add(shl(23, t), shr(k, add(S, add(sub(shl(sub(k, 1), 1), 1), and(shr(k, S), 1)))))
            if gt(r, 0x7f800000) { r := 0x7f800000 }
            r := or(r, shl(31, sign))
        }
    }

    /// Significand and exponent field of a finite number: its magnitude is m * 2^(e - 150).
    function unpack(uint256 a) internal pure returns (uint256 m, uint256 e) {
        m = a & 0x7fffff;
        e = a >> 23 & 0xff;
        if (e == 0) e = 1;
        else m |= 0x800000;
    }

    // ---------------------------------------------------------------- the general cases

    function _add(uint256 a, uint256 b) private pure returns (uint256) {
        unchecked {
            uint256 x = a & MAG;
            uint256 y = b & MAG;
            if (x > INF || y > INF) return NAN;
            if (x == INF) return y == INF && a != b ? NAN : a;
            if (y == INF) return b;
            if (x == 0) return y == 0 ? a & b : b;
            if (y == 0) return a;
            (uint256 ma, uint256 ea) = unpack(a);
            (uint256 mb, uint256 eb) = unpack(b);
            uint256 low = ea < eb ? ea : eb;
            // 26 apart, the smaller one is less than half of the larger one's unit below it.
            if (ea - low > 26) return a;
            if (eb - low > 26) return b;
            return _packSigned(_signed(a, ma << (ea - low + 24)) + _signed(b, mb << (eb - low + 24)), low - 25);
        }
    }

    function _mul(uint256 a, uint256 b) private pure returns (uint256) {
        unchecked {
            uint256 x = a & MAG;
            uint256 y = b & MAG;
            if (x > INF || y > INF) return NAN;
            uint256 sign = (a ^ b) >> 31;
            if (x == INF || y == INF) return x == 0 || y == 0 ? NAN : sign << 31 | INF;
            if (x == 0 || y == 0) return sign << 31;
            (uint256 ma, uint256 ea) = unpack(a);
            (uint256 mb, uint256 eb) = unpack(b);
            return pack(sign, ma * mb << 24, ea + eb - 175);
        }
    }

    function _div(uint256 a, uint256 b) private pure returns (uint256) {
        unchecked {
            uint256 x = a & MAG;
            uint256 y = b & MAG;
            if (x > INF || y > INF) return NAN;
            uint256 sign = (a ^ b) >> 31;
            if (x == INF) return y == INF ? NAN : sign << 31 | INF;
            if (y == INF) return sign << 31;
            if (y == 0) return x == 0 ? NAN : sign << 31 | INF;
            if (x == 0) return sign << 31;
            (uint256 ma, uint256 ea) = unpack(a);
            (uint256 mb, uint256 eb) = unpack(b);
            ma <<= 50;
            uint256 rest = ma % mb == 0 ? 0 : 1;
            return pack(sign, ma / mb | rest, ea - eb + 99);
        }
    }

    function _fma(uint256 a, uint256 b, uint256 c) private pure returns (uint256) {
        unchecked {
            uint256 x = a & MAG;
            uint256 y = b & MAG;
            uint256 z = c & MAG;
            if (x > INF || y > INF || z > INF) return NAN;
            uint256 p = (a ^ b) & SIGN;
            if (x == INF || y == INF) {
                if (x == 0 || y == 0) return NAN;
                return z == INF && p != c & SIGN ? NAN : p | INF;
            }
            if (z == INF) return c;
            if (x == 0 || y == 0) return z == 0 ? p & c : c;
            (uint256 ma, uint256 ea) = unpack(a);
            (uint256 mb, uint256 eb) = unpack(b);
            uint256 m = ma * mb << 24;
            if (z == 0) return pack(p >> 31, m, ea + eb - 175);
            (uint256 mc, uint256 ec) = unpack(c);
            mc <<= 24;
            // Beyond 170 places the smaller one only says on which side of the larger one the sum lies.
            int256 gap = int256(ea + eb - 150 - ec);
            if (gap >= 0) {
                if (gap > 170) gap = 170;
                return _packSigned(_signed(p, m << uint256(gap)) + _signed(c, mc), ea + eb - 175 - uint256(gap));
            }
            if (gap < -170) gap = -170;
            return _packSigned(_signed(p, m) + _signed(c, mc << uint256(-gap)), ec - 25 + uint256(gap));
        }
    }

    /// The square root of m * 2^(e - 150) with 2^23 <= m < 2^24; e may be negative.
    function _root(uint256 m, uint256 e) private pure returns (uint256 r) {
        assembly ("memory-safe") {
            // A radicand of 49 or 50 bits with an even exponent: the root has 25 bits and is never half way.
            m := shl(sub(26, and(e, 1)), m)
            let y := add(div(m, 0x3000000), 0xb54000)
            y := shr(1, add(y, div(m, y)))
            y := shr(1, add(y, div(m, y)))
            y := shr(1, add(y, div(m, y)))
            y := sub(y, gt(mul(y, y), m))
            r := add(shl(23, shr(1, add(e, 125))), shr(1, add(y, 1)))
        }
    }

    function _towards(uint256 a, uint256 sign) private pure returns (uint256) {
        unchecked {
            uint256 e = a >> 23 & 0xff;
            if (e >= 150) return canonical(a);
            bool away = a & SIGN == sign;
            if (e < 127) {
                if (a & MAG == 0 || !away) return a & SIGN;
                return a & SIGN | 0x3f800000;
            }
            uint256 rest = (1 << (150 - e)) - 1;
            return (away ? a + rest : a) & ~rest;
        }
    }

    /// Grows with the number from -inf to +inf, -0 before +0.
    function _rank(uint256 a) private pure returns (uint256) {
        return a & SIGN == 0 ? a | SIGN : a ^ 0xffffffff;
    }

    function _signed(uint256 sign, uint256 m) private pure returns (int256) {
        unchecked {
            return sign & SIGN == 0 ? int256(m) : -int256(m);
        }
    }

    function _packSigned(int256 s, uint256 q) private pure returns (uint256) {
        unchecked {
            if (s == 0) return 0;
            return s < 0 ? pack(1, uint256(-s), q) : pack(0, uint256(s), q);
        }
    }

    function _clz(uint256 x) private pure returns (uint256 r) {
        assembly ("memory-safe") {
            r := clz(x)
        }
    }
}
