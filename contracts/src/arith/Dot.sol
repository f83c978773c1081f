// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {F32} from "./F32.sol";

/// The dot product's chain: s = fma(a[k], b[k], s) in increasing k, from +0.
///
/// Operands with 2^-43 <= |x| < 2^21 have products that are multiples of 2^-132, so the running sum is kept as a signed integer
/// in that unit and rounded to 24 bits after every product. Such a sum is exact where it is subnormal, and never -0. Zeros change
/// nothing. Any other pair of operands is left to F32.fma.
library Dot {
    uint256 private constant FRACTION = 0x7fffff;
    uint256 private constant HIDDEN = 0x800000;
    /// Added to a number, leaves the exponent field e - 84 modulo 256: below 64 in the window.
    uint256 private constant BIAS = 0x56000000;
    uint256 private constant OUTSIDE = 0x60000000;
    uint256 private constant EXPONENT = 0x1f800000;
    /// The sum is rounded with its leading bit at 253, at bit 230.
    uint256 private constant HALF = 0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffff;
    uint256 private constant KEEP = 0xffffffc000000000000000000000000000000000000000000000000000000000;
    /// The exponent of the sum's unit, as `pack` counts it.
    uint256 private constant UNIT = 17;

    /// Over two memory arrays of n words, one element in the low 32 bits of each word.
    function chain(uint256 ptrA, uint256 ptrB, uint256 n) internal pure returns (uint256) {
        unchecked {
            return run(0, ptrA, ptrB, ptrA + 32 * n, 32);
        }
    }

    /// The chain that goes on from s, over the words at p, p + stride, ... below end and those as far from q.
    function run(uint256 s, uint256 p, uint256 q, uint256 end, uint256 stride) internal pure returns (uint256) {
        unchecked {
            uint256 delta = q - p;
            while (p < end) {
                (bool fits, uint256 sum) = toFixed(s, UNIT);
                if (fits) {
                    (sum, p) = _window(sum, p, delta, end, stride);
                    s = fromFixed(sum, UNIT);
                    if (p >= end) break;
                }
                uint256 a;
                uint256 b;
                assembly ("memory-safe") {
                    a := mload(p)
                    b := mload(add(p, delta))
                }
                s = F32.fma(a, b, s);
                p += stride;
            }
            return s;
        }
    }

    /// Goes on with the sum s until the end or an operand pair outside of the window.
    function _window(uint256 s, uint256 p, uint256 delta, uint256 end, uint256 stride)
        private
        pure
        returns (uint256, uint256)
    {
        assembly ("memory-safe") {
            // Whether a pair outside of the window is anything else than a zero and a finite number.
            function beyond(u, v) -> r {
                u := and(sub(u, BIAS), 0x7fffffff)
                v := and(sub(v, BIAS), 0x7fffffff)
                r := or(and(gt(u, 0), gt(v, 0)), gt(or(u, v), 0x7f7fffff))
            }

            for {} lt(p, end) { p := add(p, stride) } {
                let u := add(mload(p), BIAS)
                let v := add(mload(add(p, delta)), BIAS)
                if and(or(u, v), OUTSIDE) {
                    if beyond(u, v) { break }
                    continue
                }
                let n := sub(0, shr(31, xor(u, v)))
                let x := mul(or(and(u, FRACTION), HIDDEN), or(and(v, FRACTION), HIDDEN))
                x := shl(shr(23, add(and(u, EXPONENT), and(v, EXPONENT))), x)
                s := add(s, sub(xor(x, n), n))
                n := clz(xor(s, shl(2, s)))
                x := shl(n, s)
                s := sar(n, and(add(add(x, and(shr(230, x), 1)), HALF), KEEP))
            }
        }
        return (s, p);
    }

    /// A number as a signed integer in the unit 2^(unit - 149), if it is +0 or of ordinary size.
    function toFixed(uint256 a, uint256 unit) internal pure returns (bool fits, uint256 s) {
        unchecked {
            uint256 e = (a >> 23 & 0xff) - unit - 1;
            if (a == 0) return (true, 0);
            if (e > 150) return (false, 0);
            s = (a & FRACTION | HIDDEN) << e;
            if (a >> 31 != 0) s = 0 - s;
            return (true, s);
        }
    }

    /// The f32 of a signed integer of at most 24 significant bits in the unit 2^(unit - 149).
    function fromFixed(uint256 s, uint256 unit) internal pure returns (uint256) {
        unchecked {
            if (s == 0) return 0;
            return s >> 255 == 0 ? F32.pack(0, s << 24, unit - 24) : F32.pack(1, (0 - s) << 24, unit - 24);
        }
    }
}
