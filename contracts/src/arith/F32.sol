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
    uint256 internal constant LARGEST = 0x7f7fffff;
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
        uint256 e;
        uint256 f;
        bool short;
        assembly ("memory-safe") {
            e := and(shr(23, a), 0xff)
            f := and(shr(23, b), 0xff)
            short := lt(or(sub(e, 64), sub(f, 64)), 128)
        }
        if (!short) return _add(a, b);
        assembly ("memory-safe") {
            // Fixed point with the unit 2^(64 - 150 - 24): exact.
            let x := shl(sub(e, 40), or(and(a, 0x7fffff), 0x800000))
            let n := sub(0, shr(31, a))
            x := sub(xor(x, n), n)
            let y := shl(sub(f, 40), or(and(b, 0x7fffff), 0x800000))
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
        uint256 e;
        uint256 f;
        bool short;
        assembly ("memory-safe") {
            e := and(shr(23, a), 0xff)
            f := and(shr(23, b), 0xff)
            short := lt(or(sub(e, 64), sub(f, 64)), 127)
        }
        if (!short) return _mul(a, b);
        assembly ("memory-safe") {
            let p := mul(or(and(a, 0x7fffff), 0x800000), or(and(b, 0x7fffff), 0x800000))
            let k := add(23, shr(47, p))
            let t := add(add(e, f), sub(k, 151))
            p := shr(k, add(p, add(sub(shl(sub(k, 1), 1), 1), and(shr(k, p), 1))))
            r := or(add(shl(23, t), p), and(xor(a, b), 0x80000000))
        }
    }

    function div(uint256 a, uint256 b) internal pure returns (uint256 r) {
        uint256 e;
        uint256 f;
        bool short;
        assembly ("memory-safe") {
            e := and(shr(23, a), 0xff)
            f := and(shr(23, b), 0xff)
            short := lt(or(sub(e, 65), sub(f, 65)), 126)
        }
        if (!short) return _div(a, b);
        assembly ("memory-safe") {
            // A quotient of 24-bit numbers is never half way, so the lowest bit may stand for any remainder.
            let p := or(div(shl(26, or(and(a, 0x7fffff), 0x800000)), or(and(b, 0x7fffff), 0x800000)), 1)
            let k := add(2, shr(26, p))
            let t := add(sub(e, f), add(k, 123))
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

    function neg(uint256 a) internal pure returns (uint256) {
        return canonical(a ^ SIGN);
    }

    function abs(uint256 a) internal pure returns (uint256) {
        return canonical(a & MAG);
    }

    // ---------------------------------------------------------------- order

    /// The 2019 `minimum`: NaN wins, -0 < +0.
    function min(uint256 a, uint256 b) internal pure returns (uint256 r) {
        assembly ("memory-safe") {
            let x := and(a, 0x7fffffff)
            let y := and(b, 0x7fffffff)
            // All bits of a negative number inverted, in two's complement: -0 is -1.
            r := xor(b, mul(xor(a, b), slt(xor(x, sub(0, shr(31, a))), xor(y, sub(0, shr(31, b))))))
            if or(gt(x, 0x7f800000), gt(y, 0x7f800000)) { r := 0x7fc00000 }
        }
    }

    /// The 2019 `maximum`: NaN wins, -0 < +0.
    function max(uint256 a, uint256 b) internal pure returns (uint256 r) {
        assembly ("memory-safe") {
            let x := and(a, 0x7fffffff)
            let y := and(b, 0x7fffffff)
            r := xor(a, mul(xor(a, b), slt(xor(x, sub(0, shr(31, a))), xor(y, sub(0, shr(31, b))))))
            if or(gt(x, 0x7f800000), gt(y, 0x7f800000)) { r := 0x7fc00000 }
        }
    }

    function lt(uint256 a, uint256 b) internal pure returns (bool r) {
        assembly ("memory-safe") {
            let x := and(a, 0x7fffffff)
            let y := and(b, 0x7fffffff)
            r := and(
                iszero(or(gt(x, 0x7f800000), gt(y, 0x7f800000))),
                slt(mul(x, sub(1, and(shr(30, a), 2))), mul(y, sub(1, and(shr(30, b), 2))))
            )
        }
    }

    function le(uint256 a, uint256 b) internal pure returns (bool r) {
        assembly ("memory-safe") {
            let x := and(a, 0x7fffffff)
            let y := and(b, 0x7fffffff)
            r := iszero(
                or(
                    or(gt(x, 0x7f800000), gt(y, 0x7f800000)),
                    sgt(mul(x, sub(1, and(shr(30, a), 2))), mul(y, sub(1, and(shr(30, b), 2))))
                )
            )
        }
    }

    function gt(uint256 a, uint256 b) internal pure returns (bool) {
        return lt(b, a);
    }

    function ge(uint256 a, uint256 b) internal pure returns (bool) {
        return le(b, a);
    }

    function eq(uint256 a, uint256 b) internal pure returns (bool r) {
        assembly ("memory-safe") {
            let x := and(a, 0x7fffffff)
            let y := and(b, 0x7fffffff)
            r := and(iszero(or(gt(x, 0x7f800000), gt(y, 0x7f800000))), or(eq(a, b), iszero(or(x, y))))
        }
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
    function fromInt(int256 x) internal pure returns (uint256 r) {
        assembly ("memory-safe") {
            if x {
                let n := sub(0, slt(x, 0))
                // At least 25 bits: one to round.
                let S := shl(24, sub(xor(x, n), n))
                let k := sub(232, clz(S))
                S := shr(k, add(S, add(sub(shl(sub(k, 1), 1), 1), and(shr(k, S), 1))))
                r := or(add(shl(23, add(k, 125)), S), and(n, 0x80000000))
            }
        }
    }

    /// Truncated, saturated to lo..hi (which holds 0); NaN gives 0.
    function toInt(uint256 a, int256 lo, int256 hi) internal pure returns (int256 x) {
        assembly ("memory-safe") {
            // From 1 to infinity: y is the magnitude's distance from 1, and its upper bits are the exponent.
            let y := sub(and(a, 0x7fffffff), 0x3f800000)
            if lt(y, 0x40000001) {
                x := shr(23, shl(shr(23, y), or(and(a, 0x7fffff), 0x800000)))
                x := mul(x, sub(1, and(shr(30, a), 2)))
                if gt(sub(x, lo), sub(hi, lo)) {
                    x := hi
                    if shr(31, a) { x := lo }
                }
            }
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

    // Finite numbers are m * 2^(e - 149) here: e is one less than the exponent field, and 0 also for a subnormal.

    function _add(uint256 a, uint256 b) private pure returns (uint256 r) {
        unchecked {
            uint256 x = a & MAG;
            uint256 y = b & MAG;
            if (x > LARGEST || y > LARGEST) {
                if (x > INF || y > INF || (x == INF && a ^ b == SIGN)) return NAN;
                return x == INF ? a : b;
            }
            uint256 q;
            assembly ("memory-safe") {
                let e := shr(23, x)
                e := sub(e, gt(e, 0))
                x := sub(x, shl(23, e))
                q := shr(23, y)
                q := sub(q, gt(q, 0))
                y := sub(y, shl(23, q))
                let gap := sub(e, q)
                switch slt(gap, 0)
                case 0 { x := shl(gap, x) }
                default {
                    gap := sub(q, e)
                    y := shl(gap, y)
                    q := e
                }
                // 26 apart, the smaller one is less than half of the larger one's unit below it.
                switch gt(gap, 26)
                case 0 {
                    x := add(mul(x, sub(1, and(shr(30, a), 2))), mul(y, sub(1, and(shr(30, b), 2))))
                    // Both of them zero, or their difference.
                    if iszero(x) { r := and(and(a, b), 0x80000000) }
                }
                default {
                    r := a
                    if gt(and(b, 0x7fffffff), and(a, 0x7fffffff)) { r := b }
                    x := 0
                }
            }
            if (x == 0) return r;
            return _packSigned(x, q - 24);
        }
    }

    function _mul(uint256 a, uint256 b) private pure returns (uint256) {
        unchecked {
            uint256 x = a & MAG;
            uint256 y = b & MAG;
            uint256 sign = (a ^ b) & SIGN;
            if (x > LARGEST || y > LARGEST) return x > INF || y > INF || x == 0 || y == 0 ? NAN : sign | INF;
            uint256 q;
            assembly ("memory-safe") {
                let e := shr(23, x)
                e := sub(e, gt(e, 0))
                q := shr(23, y)
                q := sub(q, gt(q, 0))
                x := mul(sub(x, shl(23, e)), sub(y, shl(23, q)))
                q := add(e, q)
            }
            return x == 0 ? sign : pack(sign >> 31, x << 24, q - 173);
        }
    }

    function _div(uint256 a, uint256 b) private pure returns (uint256) {
        unchecked {
            uint256 x = a & MAG;
            uint256 y = b & MAG;
            uint256 sign = (a ^ b) & SIGN;
            if (x > INF || y > INF) return NAN;
            if (x == INF || y == 0) return x == y || (x == 0 && y == 0) ? NAN : sign | INF;
            if (x == 0 || y == INF) return sign;
            uint256 q;
            assembly ("memory-safe") {
                let e := shr(23, x)
                e := sub(e, gt(e, 0))
                q := shr(23, y)
                q := sub(q, gt(q, 0))
                x := shl(50, sub(x, shl(23, e)))
                y := sub(y, shl(23, q))
                // The lowest bit stands for any remainder.
                x := or(div(x, y), gt(mod(x, y), 0))
                q := sub(e, q)
            }
            return pack(sign >> 31, x, q + 99);
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

    /// The number s * 2^(q + 24 - 149), rounded; s is signed and not zero.
    function _packSigned(uint256 s, uint256 q) private pure returns (uint256) {
        uint256 sign;
        assembly ("memory-safe") {
            sign := shr(255, s)
            s := shl(24, mul(s, sub(1, shl(1, sign))))
        }
        return pack(sign, s, q);
    }

    function _clz(uint256 x) private pure returns (uint256 r) {
        assembly ("memory-safe") {
            r := clz(x)
        }
    }
}
