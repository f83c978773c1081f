// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {F32} from "./F32.sol";

/// The chain s = fma(a[k], b[k], s) in increasing k, over memory words of eight big-endian f32 lanes.
///
/// Operands with 2^-43 <= |x| < 2^21 have products that are multiples of 2^-132, so the running sum is kept as a signed integer
/// in that unit and rounded to 24 bits after every product. Such a sum is exact where it is subnormal, and never -0, so that
/// adding the product of a zero changes nothing. All sixteen operands of two words are tested at once; words with anything else
/// than these and zeros are computed lane by lane with a unit that moves, and the integer goes on behind them.
library Dot {
    // One constant for each of the eight lanes.
    uint256 private constant LOWEST = 0x0000000100000001000000010000000100000001000000010000000100000001;
    uint256 private constant SIGN = 0x8000000080000000800000008000000080000000800000008000000080000000;
    uint256 private constant MAGNITUDE = 0x7fffffff7fffffff7fffffff7fffffff7fffffff7fffffff7fffffff7fffffff;
    uint256 private constant FRACTION = 0x007fffff007fffff007fffff007fffff007fffff007fffff007fffff007fffff;
    uint256 private constant HIDDEN = 0x0080000000800000008000000080000000800000008000000080000000800000;
    uint256 private constant ONE = 0x3f8000003f8000003f8000003f8000003f8000003f8000003f8000003f800000;
    /// The exponent field 84, where the window starts. What is inside is at most 63 above it.
    uint256 private constant LEAST = 0x2a0000002a0000002a0000002a0000002a0000002a0000002a0000002a000000;
    uint256 private constant OUTSIDE = 0x6000000060000000600000006000000060000000600000006000000060000000;
    uint256 private constant EXPONENT = 0x1f8000001f8000001f8000001f8000001f8000001f8000001f8000001f800000;
    /// Where a lane's product is shifted to the left, and from where it is shifted to the right.
    uint256 private constant LEFT = 0xff000000000000000000000000000000000000000000000000000000ff000000;
    uint256 private constant PLACE = 0xff000000c0000000a000000080000000c0000000a000000080000000ff000000;
    /// Takes the least normal number, and what is larger, to the sign bit; and an exponent field.
    uint256 private constant NORMAL = 0x7f8000007f8000007f8000007f8000007f8000007f8000007f8000007f800000;
    uint256 private constant FIELD = 0x000000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff;
    uint256 private constant LANE_4 = 0x000000000000000000000000ffffffff00000000000000000000000000000000;
    uint256 private constant LANE_5 = 0x0000000000000000ffffffff0000000000000000000000000000000000000000;
    uint256 private constant LANE_6 = 0x00000000ffffffff000000000000000000000000000000000000000000000000;

    /// From s, over n lanes from each of two addresses; any NaN will do. Lanes behind them in the last words take no part and
    /// are set to zero.
    function chain(uint256 s, uint256 ptrA, uint256 ptrB, uint256 n) internal pure returns (uint256) {
        unchecked {
            _clearRest(ptrA, n);
            _clearRest(ptrB, n);
            uint256 delta = ptrB - ptrA;
            uint256 end = ptrA + 4 * n;
            if (s & F32.MAG > F32.INF) return F32.NAN;
            if (s & F32.MAG == F32.INF) return _special(s, ptrA, delta, end);
            while (ptrA < end) {
                (bool fits, uint256 sum) = _toFixed(s);
                if (fits) {
                    (sum, ptrA) = _window(sum, ptrA, delta, end);
                    s = _fromFixed(sum);
                    if (ptrA >= end) break;
                }
                bool finite;
                (s, ptrA, finite) = _words(s, ptrA, delta, end);
                if (!finite) return _special(s, ptrA, delta, end);
            }
            return s;
        }
    }

    /// a * b + c, rounded once.
    function fma(uint256 a, uint256 b, uint256 c) internal pure returns (uint256) {
        uint256 ptr;
        // One, which the compiler does not see: it would make a copy of the chain for it.
        uint256 n;
        assembly ("memory-safe") {
            ptr := mload(0x40)
            mstore(ptr, shl(224, a))
            mstore(add(ptr, 32), shl(224, b))
            n := gt(ptr, 0)
        }
        return chain(c, ptr, ptr + 32, n);
    }

    /// Zeros behind the n-th lane of the last word.
    function _clearRest(uint256 ptr, uint256 n) private pure {
        assembly ("memory-safe") {
            let bits := shl(5, and(n, 7))
            if bits {
                ptr := add(ptr, shl(5, shr(3, n)))
                mstore(ptr, and(mload(ptr), not(shr(bits, not(0)))))
            }
        }
    }

    /// Goes on with the sum s until the end or two words with an operand that is neither in the window nor a harmless zero.
    function _window(uint256 s, uint256 p, uint256 delta, uint256 end) private pure returns (uint256, uint256) {
        assembly ("memory-safe") {
            // The sum is rounded with its leading bit at 253, at bit 230. The compiler does not see that p < end here: it
            // would put these three into the code wherever they are used.
            let half := shl(229, lt(p, end))
            let odd := add(half, half)
            let keep := sub(0, odd)
            for {} lt(p, end) { p := add(p, 32) } {
                let u := mload(p)
                let v := mload(add(p, delta))
                // Exponents above the window's least. A borrow comes from a lane that is outside itself.
                let w := sub(u, LEAST)
                let n := sub(v, LEAST)
                let m := HIDDEN
                if and(or(w, n), OUTSIDE) {
                    w := and(u, MAGNITUDE)
                    n := and(v, MAGNITUDE)
                    // A lane that is not finite carries into its sign bit; below, one that is not zero does.
                    if and(or(add(w, HIDDEN), add(n, HIDDEN)), SIGN) { break }
                    m := mul(and(shr(31, not(and(add(w, MAGNITUDE), add(n, MAGNITUDE)))), LOWEST), 0xffffffff)
                    if iszero(not(m)) { continue }
                    // Ones take the place of a zero and its partner, and a's without the hidden bit is zero.
                    u := or(and(u, not(m)), and(m, ONE))
                    v := or(and(v, not(m)), and(m, ONE))
                    m := and(HIDDEN, not(m))
                    w := sub(u, LEAST)
                    n := sub(v, LEAST)
                    if and(or(w, n), OUTSIDE) { break }
                }
                // A byte a lane: how far to shift a product.
                w := sub(PLACE, xor(shl(1, add(and(w, EXPONENT), and(n, EXPONENT))), LEFT))
                // Significands: those of a with the product's sign, in two's complement.
                n := and(shr(31, xor(u, v)), LOWEST)
                m := add(xor(or(and(u, FRACTION), m), mul(n, 0xffffffff)), n)
                n := add(and(v, FRACTION), HIDDEN)

                // Masked in place, a significand of b leaves room for the product.
                s := add(s, shl(byte(0, w), mul(sar(224, m), shr(224, n))))
                u := clz(xor(s, shl(2, s)))
                v := shl(u, s)
                s := sar(u, and(add(v, sub(half, iszero(and(v, odd)))), keep))

                s := add(s, sar(byte(4, w), mul(sar(224, shl(32, m)), and(n, LANE_6))))
                u := clz(xor(s, shl(2, s)))
                v := shl(u, s)
                s := sar(u, and(add(v, sub(half, iszero(and(v, odd)))), keep))

                s := add(s, sar(byte(8, w), mul(sar(224, shl(64, m)), and(n, LANE_5))))
                u := clz(xor(s, shl(2, s)))
                v := shl(u, s)
                s := sar(u, and(add(v, sub(half, iszero(and(v, odd)))), keep))

                s := add(s, sar(byte(12, w), mul(sar(224, shl(96, m)), and(n, LANE_4))))
                u := clz(xor(s, shl(2, s)))
                v := shl(u, s)
                s := sar(u, and(add(v, sub(half, iszero(and(v, odd)))), keep))

                n := shl(96, n)
                s := add(s, sar(byte(16, w), mul(sar(224, shl(128, m)), and(n, LANE_6))))
                u := clz(xor(s, shl(2, s)))
                v := shl(u, s)
                s := sar(u, and(add(v, sub(half, iszero(and(v, odd)))), keep))

                s := add(s, sar(byte(20, w), mul(sar(224, shl(160, m)), and(n, LANE_5))))
                u := clz(xor(s, shl(2, s)))
                v := shl(u, s)
                s := sar(u, and(add(v, sub(half, iszero(and(v, odd)))), keep))

                s := add(s, sar(byte(24, w), mul(sar(224, shl(192, m)), and(n, LANE_4))))
                u := clz(xor(s, shl(2, s)))
                v := shl(u, s)
                s := sar(u, and(add(v, sub(half, iszero(and(v, odd)))), keep))

                s := add(s, shl(byte(28, w), mul(signextend(3, m), and(shr(96, n), 0xffffffff))))
                u := clz(xor(s, shl(2, s)))
                v := shl(u, s)
                s := sar(u, and(add(v, sub(half, iszero(and(v, odd)))), keep))
            }
        }
        return (s, p);
    }

    /// Goes on with the finite number s word by word, up to one for the window or, with `finite` unset, up to an operand that is not
    /// finite or to the end of a word in which the sum overflows.
    ///
    /// The sum is m * 2^(g - 298), a product n * 2^(e - 298) with eight e, each 171 too large and so above 0, and zero behind the last. The
    /// sign of zero is in x for a product, in s for the sum.
    function _words(uint256 s, uint256 p, uint256 delta, uint256 end)
        private
        pure
        returns (uint256, uint256, bool finite)
    {
        assembly ("memory-safe") {
            let m := and(s, 0x7fffffff)
            let g := shr(23, m)
            g := sub(g, gt(g, 0))
            m := mul(sub(m, shl(23, g)), sub(1, and(shr(30, s), 2)))
            g := add(g, 149)
            s := shr(31, s)
            finite := 1
            for {} lt(p, end) {} {
                let x := mload(p)
                let y := mload(add(p, delta))
                let sign := and(shr(31, xor(x, y)), LOWEST)
                x := and(x, MAGNITUDE)
                y := and(y, MAGNITUDE)
                let n := and(shr(31, add(x, MAGNITUDE)), LOWEST)
                let u := and(shr(31, add(y, MAGNITUDE)), LOWEST)
                if lt(sub(g, 166), 151) {
                    // Back to the window, which takes such words: zeros are replaced, as there.
                    u := sub(or(y, mul(xor(u, LOWEST), 0x3f800000)), LEAST)
                    if iszero(and(or(sub(or(x, mul(xor(n, LOWEST), 0x3f800000)), LEAST), u), OUTSIDE)) {
                        break
                    }
                }
                let e := and(or(add(x, HIDDEN), add(y, HIDDEN)), SIGN)
                let until := add(p, 32)
                if gt(until, end) { until := end }
                if e {
                    e := add(p, shl(2, shr(5, clz(e))))
                    if lt(e, until) {
                        until := e
                        finite := 0
                    }
                }
                // Exponent fields less one, or 0 of subnormal numbers; then significands, those of a with the product's sign. Where that
                // is zero it gives way to one, and b's to zero.
                n := and(shr(31, add(x, NORMAL)), LOWEST)
                u := and(shr(31, add(y, NORMAL)), LOWEST)
                e := sub(add(add(and(shr(23, x), FIELD), and(shr(23, y), FIELD)), mul(171, LOWEST)), add(n, u))
                e := and(e, not(shr(shl(3, sub(until, p)), not(0))))
                y := or(and(y, FRACTION), shl(23, u))
                x := or(and(x, FRACTION), shl(23, n))
                n := and(shr(31, add(x, MAGNITUDE)), LOWEST)
                y := and(y, mul(n, 0xffffffff))
                x := or(x, xor(n, LOWEST))
                x := add(xor(x, mul(sign, 0xffffffff)), sign)
                p := until
                for {} e {
                    x := shl(32, x)
                    y := shl(32, y)
                    e := shl(32, e)
                } {
                    n := mul(sar(224, x), shr(224, y))
                    // The sum's unit is 2^-171 of m's: where to shift the product to.
                    u := sub(shr(224, e), g)
                    if gt(u, 205) {
                        // Zero has any unit.
                        if iszero(m) {
                            u := add(u, sub(g, 149))
                            g := 149
                        }
                        if gt(u, 205) {
                            switch slt(u, 0)
                            case 0 {
                                // The product's unit, and where to shift m to. Beyond 171 places, which is nowhere, it only says on which
                                // side of the product the sum lies.
                                let product := n
                                n := m
                                m := product
                                g := add(g, sub(u, 171))
                                u := sub(342, u)
                                u := mul(u, sgt(u, 0))
                            }
                            // The product is less than half of the sum's last place.
                            default { continue }
                        }
                    }
                    m := add(shl(171, m), shl(u, n))
                    // The sum is rounded at bit 230, its leading bit at 253, or below if the unit is then 2^-149.
                    u := clz(xor(m, shl(2, m)))
                    if gt(or(sub(u, sub(g, 342)), and(u, 0x100)), 252) {
                        switch m
                        case 0 {
                            // -0 and the product of a zero, or a difference of equals.
                            s := and(s, and(shr(255, x), iszero(n)))
                            u := 59
                        }
                        default {
                            let least := sub(g, 90)
                            switch sgt(u, least)
                            case 0 {
                                // Above the largest number's unit, or at it and rounded to 2^24 of them: from 2^24 - 1/2 on, less the one
                                // by which the complement of a negative number is short of it.
                                n := shl(u, m)
                                n := xor(n, sub(0, shr(255, n)))
                                if or(gt(sub(g, u), 343), gt(n, sub(shl(254, 1), add(shl(229, 1), 2)))) {
                                    g := 1000
                                    finite := 0
                                    break
                                }
                            }
                            default {
                                u := least
                                s := shr(255, m)
                            }
                        }
                    }
                    m := shl(u, m)
                    m := sar(230, add(m, sub(shl(229, 1), iszero(and(m, shl(230, 1))))))
                    g := sub(add(g, 59), u)
                }
                if iszero(finite) { break }
            }
            switch m
            case 0 { s := shl(31, s) }
            default {
                s := shr(255, m)
                // The significand's leading bit adds one to the exponent.
                m := add(shl(23, sub(g, 149)), mul(m, sub(1, shl(1, s))))
                if gt(m, 0x7f800000) { m := 0x7f800000 }
                s := or(m, shl(31, s))
            }
        }
        return (s, p, finite);
    }

    /// Goes on to the end where an operand or the sum is not finite: then the sum is not, either.
    function _special(uint256 s, uint256 p, uint256 delta, uint256 end) private pure returns (uint256) {
        assembly ("memory-safe") {
            for {} lt(p, end) { p := add(p, 4) } {
                let a := shr(224, mload(p))
                let b := shr(224, mload(add(p, delta)))
                let x := and(a, 0x7fffffff)
                let y := and(b, 0x7fffffff)
                if or(gt(x, 0x7f7fffff), gt(y, 0x7f7fffff)) {
                    a := or(and(xor(a, b), 0x80000000), 0x7f800000)
                    // Infinity times zero, or less infinity.
                    if or(or(iszero(x), iszero(y)), eq(xor(a, s), 0x80000000)) { a := 0x7fc00000 }
                    if or(gt(x, 0x7f800000), gt(y, 0x7f800000)) { a := 0x7fc00000 }
                    s := a
                }
                if eq(s, 0x7fc00000) { break }
            }
        }
        return s;
    }

    /// A number as a signed integer in the unit 2^-132, if it is +0 or of ordinary size.
    function _toFixed(uint256 a) private pure returns (bool fits, uint256 s) {
        assembly ("memory-safe") {
            let e := sub(and(shr(23, a), 0xff), 18)
            fits := lt(e, 151)
            s := shl(e, mul(or(and(a, 0x7fffff), 0x800000), sub(1, and(shr(30, a), 2))))
            if iszero(a) {
                fits := 1
                s := 0
            }
        }
    }

    /// The f32 of a signed integer of at most 24 significant bits in the unit 2^-132.
    function _fromFixed(uint256 s) private pure returns (uint256 r) {
        assembly ("memory-safe") {
            let sign := shr(255, s)
            s := mul(s, sub(1, shl(1, sign)))
            r := clz(s)
            // The significand's leading bit adds one to the exponent.
            r := add(shl(23, sub(249, r)), shr(232, shl(r, s)))
            // Subnormal: the unit is 2^-149.
            if lt(s, 64) { r := shl(17, s) }
            r := or(r, shl(31, sign))
        }
    }
}
