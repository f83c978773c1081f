// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {Dot} from "./Dot.sol";
import {F32} from "./F32.sol";

/// The folds of f32 over n words of memory, one canonical element in the low 32 bits of each.
library Fold {
    uint256 private constant ONE = 0x3f800000;
    // The constants of the window and of rounding are Dot's.
    uint256 private constant FRACTION = 0x7fffff;
    uint256 private constant HIDDEN = 0x800000;
    uint256 private constant BIAS = 0x56000000;
    uint256 private constant OUTSIDE = 0x60000000;
    uint256 private constant EXPONENT = 0x1f800000;
    uint256 private constant HALF = 0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffff;
    uint256 private constant KEEP = 0xffffffc000000000000000000000000000000000000000000000000000000000;
    uint256 private constant UNIT = 83;

    /// 16 lanes from -0, then their tree.
    function sum(uint256 ptr, uint256 n) internal pure returns (uint256) {
        unchecked {
            if (n == 0) return 0;
            uint256 lanes = _lanes(F32.SIGN);
            uint256 end = ptr + 32 * n;
            for (uint256 l = 0; l < 16 && l < n; l++) {
                _store(lanes + l * 32, _add(F32.SIGN, ptr + l * 32, end, 512));
            }
            return _addTree(lanes);
        }
    }

    /// The lanes of sum with lane = fma(x, x, lane).
    function sumsq(uint256 ptr, uint256 n) internal pure returns (uint256) {
        unchecked {
            if (n == 0) return 0;
            uint256 lanes = _lanes(F32.SIGN);
            uint256 end = ptr + 32 * n;
            for (uint256 l = 0; l < 16 && l < n; l++) {
                _store(lanes + l * 32, Dot.run(F32.SIGN, ptr + l * 32, ptr + l * 32, end, 512));
            }
            return _addTree(lanes);
        }
    }

    /// 16 lanes from 1, then their tree.
    function prod(uint256 ptr, uint256 n) internal pure returns (uint256) {
        unchecked {
            uint256 lanes = _lanes(ONE);
            for (uint256 j = 0; j < n; j++) {
                uint256 lane = lanes + (j & 15) * 32;
                _store(lane, F32.mul(_load(lane), _load(ptr + j * 32)));
            }
            for (uint256 width = 8; width > 0; width >>= 1) {
                for (uint256 l = 0; l < width; l++) {
                    uint256 lane = lanes + l * 32;
                    _store(lane, F32.mul(_load(lane), _load(lane + width * 32)));
                }
            }
            return F32.canonical(_load(lanes));
        }
    }

    function min(uint256 ptr, uint256 n) internal pure returns (uint256 r) {
        unchecked {
            r = F32.INF;
            for (uint256 j = 0; j < n; j++) {
                r = F32.min(r, _load(ptr + j * 32));
            }
        }
    }

    function max(uint256 ptr, uint256 n) internal pure returns (uint256 r) {
        unchecked {
            r = F32.SIGN | F32.INF;
            for (uint256 j = 0; j < n; j++) {
                r = F32.max(r, _load(ptr + j * 32));
            }
        }
    }

    /// ((x_0 + x_1) + x_2) + ...; +0 for nothing.
    function seqAdd(uint256 ptr, uint256 n) internal pure returns (uint256) {
        unchecked {
            return n == 0 ? 0 : _add(F32.SIGN, ptr, ptr + 32 * n, 32);
        }
    }

    /// ((x_0 * x_1) * x_2) * ...; 1 for nothing.
    function seqMul(uint256 ptr, uint256 n) internal pure returns (uint256 r) {
        unchecked {
            if (n == 0) return ONE;
            r = F32.canonical(_load(ptr));
            for (uint256 j = 1; j < n; j++) {
                r = F32.mul(r, _load(ptr + j * 32));
            }
        }
    }

    /// s + x for the words x at p, p + stride, ... below end, in order.
    ///
    /// As in Dot, elements with 2^-43 <= |x| < 2^21 are added as signed integers, in the unit 2^-66.
    function _add(uint256 s, uint256 p, uint256 end, uint256 stride) private pure returns (uint256) {
        unchecked {
            while (p < end) {
                (bool fits, uint256 fixedSum) = Dot.toFixed(s, UNIT);
                if (fits) {
                    (fixedSum, p) = _window(fixedSum, p, end, stride);
                    s = Dot.fromFixed(fixedSum, UNIT);
                    if (p >= end) break;
                }
                s = F32.add(s, _load(p));
                p += stride;
            }
            return s;
        }
    }

    /// Goes on with the sum s until the end or an element outside of the window; zeros change nothing.
    function _window(uint256 s, uint256 p, uint256 end, uint256 stride) private pure returns (uint256, uint256) {
        assembly ("memory-safe") {
            for {} lt(p, end) { p := add(p, stride) } {
                let u := add(mload(p), BIAS)
                if and(u, OUTSIDE) {
                    if and(sub(u, BIAS), 0x7fffffff) { break }
                    continue
                }
                let n := sub(0, shr(31, xor(u, 0x80000000)))
                let x := shl(shr(23, and(u, EXPONENT)), or(and(u, FRACTION), HIDDEN))
                s := add(s, sub(xor(x, n), n))
                n := clz(xor(s, shl(2, s)))
                x := shl(n, s)
                s := sar(n, and(add(add(x, and(shr(230, x), 1)), HALF), KEEP))
            }
        }
        return (s, p);
    }

    /// 16 words of scratch memory with one value.
    function _lanes(uint256 value) private pure returns (uint256 lanes) {
        unchecked {
            assembly ("memory-safe") {
                lanes := mload(0x40)
                mstore(0x40, add(lanes, 512))
            }
            for (uint256 l = 0; l < 16; l++) {
                _store(lanes + l * 32, value);
            }
        }
    }

    /// l += l + 8, l += l + 4, l += l + 2, l += l + 1.
    function _addTree(uint256 lanes) private pure returns (uint256) {
        unchecked {
            for (uint256 width = 8; width > 0; width >>= 1) {
                for (uint256 l = 0; l < width; l++) {
                    uint256 lane = lanes + l * 32;
                    _store(lane, F32.add(_load(lane), _load(lane + width * 32)));
                }
            }
            return _load(lanes);
        }
    }

    function _load(uint256 ptr) private pure returns (uint256 x) {
        assembly ("memory-safe") {
            x := mload(ptr)
        }
    }

    function _store(uint256 ptr, uint256 x) private pure {
        assembly ("memory-safe") {
            mstore(ptr, x)
        }
    }
}
