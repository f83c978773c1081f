// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {Dot} from "./Dot.sol";
import {F32} from "./F32.sol";

/// The folds of f32 over n words of memory, one canonical element in the low 32 bits of each.
///
/// Sums are chains of fused multiply-adds: s + x is fma(x, 1, s), and Dot is the cheapest way to many of them.
/// `sum` and `sumsq` are right for n <= 256 only, which is what a step gives them: one window.
library Fold {
    uint256 private constant ONE = 0x3f800000;
    uint256 private constant ONES = 0x3f8000003f8000003f8000003f8000003f8000003f8000003f8000003f800000;

    /// 16 lanes from -0, then their tree.
    function sum(uint256 ptr, uint256 n) internal pure returns (uint256) {
        return n == 0 ? 0 : _lanes(ptr, n, false);
    }

    /// The lanes of sum with lane = fma(x, x, lane).
    function sumsq(uint256 ptr, uint256 n) internal pure returns (uint256) {
        return n == 0 ? 0 : _lanes(ptr, n, true);
    }

    /// 16 lanes from 1, then their tree.
    function prod(uint256 ptr, uint256 n) internal pure returns (uint256) {
        unchecked {
            uint256 lanes = _allocate(16);
            for (uint256 l = 0; l < 16; l++) {
                _store(lanes + l * 32, l < n ? _product(ptr + l * 32, (n - l + 15) / 16, 512) : ONE);
            }
            for (uint256 width = 8; width > 0; width >>= 1) {
                for (uint256 lane = lanes; lane < lanes + 32 * width; lane += 32) {
                    _store(lane, F32.mul(_load(lane), _load(lane + width * 32)));
                }
            }
            return _load(lanes);
        }
    }

    function min(uint256 ptr, uint256 n) internal pure returns (uint256 r) {
        unchecked {
            r = F32.INF;
            for (uint256 end = ptr + 32 * n; ptr < end; ptr += 32) {
                r = F32.min(r, _load(ptr));
            }
        }
    }

    function max(uint256 ptr, uint256 n) internal pure returns (uint256 r) {
        unchecked {
            r = F32.SIGN | F32.INF;
            for (uint256 end = ptr + 32 * n; ptr < end; ptr += 32) {
                r = F32.max(r, _load(ptr));
            }
        }
    }

    /// ((x_0 + x_1) + x_2) + ...; +0 for nothing.
    function seqAdd(uint256 ptr, uint256 n) internal pure returns (uint256) {
        unchecked {
            return n == 0 ? 0 : _sum(_load(ptr), ptr + 32, n - 1, 32, _buffer(), false);
        }
    }

    /// ((x_0 * x_1) * x_2) * ...; 1 for nothing.
    function seqMul(uint256 ptr, uint256 n) internal pure returns (uint256) {
        return n == 0 ? ONE : _product(ptr, n, 32);
    }

    /// The sum of n > 0 elements or of their squares, in 16 lanes.
    function _lanes(uint256 ptr, uint256 n, bool squares) private pure returns (uint256) {
        unchecked {
            uint256 lanes = _allocate(16);
            uint256 buffer = _buffer();
            for (uint256 l = 0; l < 16; l++) {
                uint256 s = F32.SIGN;
                if (l < n) {
                    // The first element is added to -0.
                    s = _load(ptr + l * 32);
                    if (squares) s = F32.mul(s, s);
                    s = _sum(s, ptr + l * 32 + 512, (n - l - 1) / 16, 512, buffer, squares);
                }
                _store(lanes + l * 32, s);
            }
            for (uint256 width = 8; width > 0; width >>= 1) {
                for (uint256 lane = lanes; lane < lanes + 32 * width; lane += 32) {
                    _store(lane, F32.add(_load(lane), _load(lane + width * 32)));
                }
            }
            return _load(lanes);
        }
    }

    /// s and the n words at p, p + stride, ... or their squares, in order.
    function _sum(uint256 s, uint256 p, uint256 n, uint256 stride, uint256 buffer, bool squares)
        private
        pure
        returns (uint256)
    {
        unchecked {
            for (; n > 0; p += 16 * stride) {
                uint256 part = n < 16 ? n : 16;
                _pack(p, stride, buffer);
                if (part > 8) _pack(p + 8 * stride, stride, buffer + 32);
                s = Dot.chain(s, buffer, squares ? buffer : buffer + 64, part);
                n -= part;
            }
            return s;
        }
    }

    /// The product of the n > 0 words at p, p + stride, ..., in order.
    function _product(uint256 p, uint256 n, uint256 stride) private pure returns (uint256 r) {
        unchecked {
            r = _load(p);
            while (--n > 0) {
                p += stride;
                r = F32.mul(r, _load(p));
            }
        }
    }

    /// Two words to pack elements into, and two of ones.
    function _buffer() private pure returns (uint256 buffer) {
        buffer = _allocate(4);
        unchecked {
            _store(buffer + 64, ONES);
            _store(buffer + 96, ONES);
        }
    }

    /// The words at p, p + stride, ... as eight lanes at `to`. Of what lies behind the last element, Dot ignores its lanes.
    function _pack(uint256 p, uint256 stride, uint256 to) private pure {
        assembly ("memory-safe") {
            let w := and(mload(p), 0xffffffff)
            p := add(p, stride)
            w := or(shl(32, w), and(mload(p), 0xffffffff))
            p := add(p, stride)
            w := or(shl(32, w), and(mload(p), 0xffffffff))
            p := add(p, stride)
            w := or(shl(32, w), and(mload(p), 0xffffffff))
            p := add(p, stride)
            w := or(shl(32, w), and(mload(p), 0xffffffff))
            p := add(p, stride)
            w := or(shl(32, w), and(mload(p), 0xffffffff))
            p := add(p, stride)
            w := or(shl(32, w), and(mload(p), 0xffffffff))
            p := add(p, stride)
            mstore(to, or(shl(32, w), and(mload(p), 0xffffffff)))
        }
    }

    function _allocate(uint256 words) private pure returns (uint256 ptr) {
        assembly ("memory-safe") {
            ptr := mload(0x40)
            mstore(0x40, add(ptr, shl(5, words)))
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
