// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {F32} from "./F32.sol";

/// The chain s = fma(a[k], b[k], s) in increasing k, over memory words of eight big-endian f32 lanes.
///
/// Operands with 2^-43 <= |x| < 2^21 have products that are multiples of 2^-132, so the running sum is kept as a signed integer
/// in that unit and rounded to 24 bits after every product. Such a sum is exact where it is subnormal, and never -0, so that
/// adding the product of a zero changes nothing. All sixteen operands of two words are tested at once; words with anything else
/// than these and zeros are left to F32.fma, and the integer goes on behind them.
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
            while (ptrA < end) {
                (bool fits, uint256 sum) = _toFixed(s);
                if (fits) {
                    (sum, ptrA) = _window(sum, ptrA, delta, end);
                    s = _fromFixed(sum);
                    if (ptrA >= end) break;
                }
                uint256 a;
                uint256 b;
                assembly ("memory-safe") {
                    a := mload(ptrA)
                    b := mload(add(ptrA, delta))
                }
                uint256 stop = ptrA + 32;
                for (; ptrA < stop && ptrA < end; ptrA += 4) {
                    s = F32.fma(a >> 224, b >> 224, s);
                    a <<= 32;
                    b <<= 32;
                }
                ptrA = stop;
            }
            return s;
        }
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
    function _fromFixed(uint256 s) private pure returns (uint256) {
        unchecked {
            if (s == 0) return 0;
            return s >> 255 == 0 ? F32.pack(0, s << 24, 0 - uint256(7)) : F32.pack(1, (0 - s) << 24, 0 - uint256(7));
        }
    }
}
