// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {Dot} from "../arith/Dot.sol";
import {F32} from "../arith/F32.sol";
import {Fold} from "../arith/Fold.sol";
import {Half} from "../arith/Half.sol";
import {Remainder} from "../arith/Remainder.sol";
import {Vectors} from "./Vectors.sol";

/// The basic operations, dots and folds, for tests only. Raw NaNs are made canonical as a load does.
///
/// Beside the codes of the table: 00 loads a; 06 casts a to i32, and 07 casts the i32 with the bits a to f32; 08 and 09
/// cast a to f16 and bf16, 0a and 0b cast such bits to f32.
contract ArithHarness is Vectors {
    /// The chain s = fma(a_k, b_k, s) from +0 over two equally long arrays, and the gas of the chain itself.
    function dot(bytes calldata a, bytes calldata b) external view returns (uint32 result, uint256 gasUsed) {
        if (a.length != b.length) revert BadLength(b.length);
        uint256 ptrA = _packed(a);
        uint256 ptrB = _packed(b);
        uint256 before = gasleft();
        uint256 r = Dot.chain(0, ptrA, ptrB, a.length / 4);
        return (uint32(r), before - gasleft());
    }

    /// A fold of f32 elements, and the gas of the fold itself.
    function fold(uint8 op, bytes calldata x) external view returns (uint32 result, uint256 gasUsed) {
        uint256 ptr = _words(x);
        uint256 n = x.length / 4;
        uint256 r;
        uint256 before = gasleft();
        if (op == 0) r = Fold.sum(ptr, n);
        else if (op == 1) r = Fold.sumsq(ptr, n);
        else if (op == 2) r = Fold.prod(ptr, n);
        else if (op == 3) r = Fold.min(ptr, n);
        else if (op == 4) r = Fold.max(ptr, n);
        else if (op == 7) r = Fold.seqAdd(ptr, n);
        else if (op == 8) r = Fold.seqMul(ptr, n);
        else revert UnknownOperation(op);
        return (uint32(r), before - gasleft());
    }

    function _apply(uint8 op, uint256 a, uint256 b, uint256 c) internal view override returns (uint256, uint256) {
        uint256 start;
        if (op < 0x18) {
            if (op == 0x10) {
                start = gasleft();
                return _since(start, F32.add(a, b));
            }
            if (op == 0x11) {
                start = gasleft();
                return _since(start, F32.sub(a, b));
            }
            if (op == 0x12) {
                start = gasleft();
                return _since(start, F32.mul(a, b));
            }
            if (op == 0x13) {
                start = gasleft();
                return _since(start, F32.div(a, b));
            }
            if (op == 0x14) {
                start = gasleft();
                return _since(start, F32.min(a, b));
            }
            if (op == 0x15) {
                start = gasleft();
                return _since(start, F32.max(a, b));
            }
            if (op == 0x00) {
                start = gasleft();
                return _since(start, F32.canonical(a));
            }
            if (op == 0x06) {
                start = gasleft();
                return _since(start, uint32(int32(F32.toInt(a, type(int32).min, type(int32).max))));
            }
            if (op == 0x07) {
                start = gasleft();
                return _since(start, F32.fromInt(int32(uint32(a))));
            }
            if (op == 0x08) {
                start = gasleft();
                return _since(start, Half.toF16(a));
            }
            if (op == 0x09) {
                start = gasleft();
                return _since(start, Half.toBF16(a));
            }
            if (op == 0x0a) {
                start = gasleft();
                return _since(start, Half.fromF16(a & 0xffff));
            }
            if (op == 0x0b) {
                start = gasleft();
                return _since(start, Half.fromBF16(a & 0xffff));
            }
        } else if (op < 0x30) {
            if (op == 0x18) {
                start = gasleft();
                return _since(start, F32.lt(a, b) ? 1 : 0);
            }
            if (op == 0x19) {
                start = gasleft();
                return _since(start, F32.le(a, b) ? 1 : 0);
            }
            if (op == 0x1a) {
                start = gasleft();
                return _since(start, F32.gt(a, b) ? 1 : 0);
            }
            if (op == 0x1b) {
                start = gasleft();
                return _since(start, F32.ge(a, b) ? 1 : 0);
            }
            if (op == 0x1c) {
                start = gasleft();
                return _since(start, F32.eq(a, b) ? 1 : 0);
            }
            if (op == 0x1d) {
                start = gasleft();
                return _since(start, F32.ne(a, b) ? 1 : 0);
            }
            if (op == 0x21) {
                start = gasleft();
                return _since(start, Dot.fma(a, b, c));
            }
            if (op == 0x23) {
                start = gasleft();
                return _since(start, Remainder.rem(a, b));
            }
        } else {
            if (op == 0x30) {
                start = gasleft();
                return _since(start, F32.neg(a));
            }
            if (op == 0x31) {
                start = gasleft();
                return _since(start, F32.abs(a));
            }
            if (op == 0x33) {
                start = gasleft();
                return _since(start, F32.sqrt(a));
            }
            if (op == 0x39) {
                start = gasleft();
                return _since(start, F32.floor(a));
            }
            if (op == 0x3a) {
                start = gasleft();
                return _since(start, F32.ceil(a));
            }
            if (op == 0x3b) {
                start = gasleft();
                return _since(start, F32.trunc(a));
            }
            if (op == 0x3c) {
                start = gasleft();
                return _since(start, F32.roundEven(a));
            }
        }
        revert UnknownOperation(op);
    }

    /// The lanes of x in memory, eight a word; behind them is something that must not take part.
    function _packed(bytes calldata x) private pure returns (uint256 ptr) {
        if (x.length % 4 != 0) revert BadLength(x.length);
        assembly ("memory-safe") {
            ptr := mload(0x40)
            let end := add(ptr, x.length)
            mstore(0x40, and(add(end, 63), not(31)))
            mstore(end, not(0))
            calldatacopy(ptr, x.offset, x.length)
        }
    }

    /// The lanes of x as words in memory.
    function _words(bytes calldata x) private pure returns (uint256 ptr) {
        unchecked {
            if (x.length % 4 != 0) revert BadLength(x.length);
            uint256 n = x.length / 4;
            assembly ("memory-safe") {
                ptr := mload(0x40)
                mstore(0x40, add(ptr, mul(n, 32)))
            }
            for (uint256 i = 0; i < n; i++) {
                uint256 r = F32.canonical(_lane(x, i));
                assembly ("memory-safe") {
                    mstore(add(ptr, mul(i, 32)), r)
                }
            }
        }
    }
}
