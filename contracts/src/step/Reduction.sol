// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {DataType} from "../program/DataType.sol";
import {Fold} from "../arith/Fold.sol";

/// @title Folds of a window's registers (docs/program.md, "Folds")
library Reduction {
    uint256 internal constant SUM = 0;
    uint256 internal constant SUMSQ = 1;
    uint256 internal constant PROD = 2;
    uint256 internal constant MIN = 3;
    uint256 internal constant MAX = 4;
    uint256 internal constant AND = 5;
    uint256 internal constant OR = 6;
    uint256 internal constant SEQ_ADD = 7;
    uint256 internal constant SEQ_MUL = 8;

    error UnknownFold(uint256 op);
    error WrongFoldType(uint256 op, uint256 dtype);

    /// @notice Folds `count` registers of a type, one a word from memory address `pointer`.
    function fold(uint256 op, uint256 dtype, uint256 pointer, uint256 count) internal pure returns (uint256) {
        requireType(op, dtype);
        return dtype == DataType.F32 ? _f32(op, pointer, count) : _integers(op, dtype, pointer, count);
    }

    /// @dev Sums, products, min and max are of numbers (not of bool or 16-bit floats), sumsq of f32, and/or of bool.
    function requireType(uint256 op, uint256 dtype) internal pure {
        if (op > SEQ_MUL) revert UnknownFold(op);
        bool ok = true;
        if (op == SUMSQ) ok = dtype == DataType.F32;
        else if (op == AND || op == OR) ok = dtype == DataType.BOOL;
        else ok = DataType.isNumber(dtype);
        if (!ok) revert WrongFoldType(op, dtype);
    }

    function _f32(uint256 op, uint256 pointer, uint256 count) private pure returns (uint256) {
        if (count == 0) {
            if (op == PROD || op == SEQ_MUL) return DataType.F32_ONE;
            if (op == MIN) return DataType.F32_INFINITY;
            return op == MAX ? DataType.F32_MINUS_INFINITY : 0;
        }
        if (op == SUM) return Fold.sum(pointer, count);
        if (op == SUMSQ) return Fold.sumsq(pointer, count);
        if (op == PROD) return Fold.prod(pointer, count);
        if (op == MIN) return Fold.min(pointer, count);
        if (op == MAX) return Fold.max(pointer, count);
        return op == SEQ_ADD ? Fold.seqAdd(pointer, count) : Fold.seqMul(pointer, count);
    }

    /// @dev Wrapping arithmetic may wrap once at the end: 2^256 is a multiple of every width's modulus.
    function _integers(uint256 op, uint256 dtype, uint256 pointer, uint256 count) private pure returns (uint256 r) {
        (int256 least, int256 greatest) = DataType.bounds(dtype);
        uint256 end = pointer + 32 * count;
        if (op == SUM || op == SEQ_ADD) {
            assembly ("memory-safe") {
                for {} lt(pointer, end) { pointer := add(pointer, 32) } { r := add(r, mload(pointer)) }
            }
        } else if (op == PROD || op == SEQ_MUL) {
            assembly ("memory-safe") {
                r := 1
                for {} lt(pointer, end) { pointer := add(pointer, 32) } { r := mul(r, mload(pointer)) }
            }
        } else if (op == MIN || op == AND) {
            assembly ("memory-safe") {
                r := greatest
                for {} lt(pointer, end) { pointer := add(pointer, 32) } {
                    let x := mload(pointer)
                    if slt(x, r) { r := x }
                }
            }
        } else {
            assembly ("memory-safe") {
                r := least
                for {} lt(pointer, end) { pointer := add(pointer, 32) } {
                    let x := mload(pointer)
                    if sgt(x, r) { r := x }
                }
            }
        }
        return DataType.wrap(dtype, r);
    }
}
