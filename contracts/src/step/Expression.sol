// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {DataType} from "../program/DataType.sol";
import {Dot} from "../arith/Dot.sol";
import {Gather} from "./Gather.sol";
import {IElementary} from "../interfaces/IElementary.sol";
import {Instruction} from "./Instruction.sol";
import {Scalar} from "./Scalar.sol";
import {Tensor} from "../program/Tensor.sol";

/// @title Evaluates expressions: the epilogue on one register, a fold's body on a whole window at once
/// @dev Every node is evaluated, in order, whether or not the result needs it. A node's value is `pointer << 16 |
/// stride << 8 | dtype`: registers in memory, `stride` 32 for one per k, 0 for one that is the same at every k.
library Expression {
    uint256 internal constant MAX_NODES = 32;

    struct State {
        Instruction.Parsed p;
        uint256[][] tables;
        bool body; // in a fold's body
        uint256 count; // of k; 1 in an epilogue
        uint256 core; // the core's value as a node; 0 if there is none
        uint256[] nodes;
        uint256 read; // address of what load and valid of each view gave in this expression; 0 for not yet
        IElementary elementary;
    }

    error BadNodeCount(uint256 nodes);
    error NoSuchNode(uint256 node, uint256 before);
    error NoSuchView(uint256 view_, uint256 views);
    error NoCore();
    error ReductionAxisInEpilogue(uint256 axisOrView);
    error OperandTypesDiffer(uint256 code, uint256 first, uint256 second);

    /// @notice Evaluates the expression at a calldata offset.
    /// @return result The last node's value.
    /// @return next The offset behind the expression.
    function run(State memory s, uint256 pos) internal pure returns (uint256 result, uint256 next) {
        uint256 count = Tensor.read(pos, 1);
        if (count == 0 || count > MAX_NODES) revert BadNodeCount(count);
        ++pos;
        s.nodes = new uint256[](count);
        s.read = _zeros();
        for (uint256 i = 0; i < count; ++i) {
            uint256 code = Tensor.read(pos, 1);
            (s.nodes[i], pos) = Scalar.arity(code) == 0 ? _source(s, code, pos + 1) : _operation(s, code, pos + 1, i);
        }
        return (s.nodes[count - 1], pos);
    }

    /// @notice A register as a node's value.
    function scalar(uint256 dtype, uint256 x) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            let pointer := mload(0x40)
            mstore(0x40, add(pointer, 0x20))
            mstore(pointer, x)
            value := or(shl(16, pointer), dtype)
        }
    }

    function vector(uint256 dtype, uint256 pointer) internal pure returns (uint256) {
        return (pointer << 16) | (32 << 8) | dtype;
    }

    /// @notice The only register of a node's value that has stride 0, or the first one.
    function first(uint256 value) internal pure returns (uint256 x) {
        assembly ("memory-safe") {
            x := mload(shr(16, value))
        }
    }

    /// @notice A view by its number.
    function view_(State memory s, uint256 index) internal pure returns (Instruction.View memory) {
        if (index >= s.p.views.length) revert NoSuchView(index, s.p.views.length);
        return s.p.views[index];
    }

    /// @notice Reads a view outside of any expression.
    function alone(State memory s, uint256 index) internal pure returns (uint256 value) {
        s.read = _zeros();
        return lanes(s, index, false);
    }

    /// @notice Reads a view over the window (in an epilogue: once).
    function lanes(State memory s, uint256 index, bool onlyValid) internal pure returns (uint256 value) {
        Instruction.View memory v = view_(s, index);
        if (v.axes != 0 && !s.body) revert ReductionAxisInEpilogue(index);
        // A view is gathered once however often it is named: 32 nodes must not cost 32 times as much as the bill says.
        uint256 slot;
        unchecked {
            slot = s.read + 64 * index + (onlyValid ? 32 : 0);
        }
        value = _word(slot);
        if (value != 0) return value;
        // Without r axes it is the same at every k: read once, or not at all where there is no k.
        bool vector_ = v.axes != 0 || s.count == 0;
        uint256 count = vector_ ? s.count : 1;
        uint256[] memory r = vector_ ? s.p.r : new uint256[](0);
        uint256 pointer = Gather.lanes(v, r, vector_ ? s.p.first : 0, count, s.tables, onlyValid);
        value = (pointer << 16) | (vector_ ? 32 << 8 : 0) | (onlyValid ? DataType.BOOL : v.dtype);
        _put(slot, value);
    }

    function _source(State memory s, uint256 code, uint256 pos) private pure returns (uint256, uint256) {
        if (code == Scalar.LOAD || code == Scalar.VALID) {
            return (lanes(s, Tensor.read(pos, 1), code == Scalar.VALID), pos + 1);
        }
        if (code == Scalar.CONST) {
            uint256 dtype = Tensor.read(pos, 1);
            int256 x = Tensor.readI64(pos + 1);
            if (!DataType.exists(dtype)) revert Instruction.UnknownType(dtype);
            if (!DataType.isRegister(dtype, uint256(x))) revert Instruction.NotARegister(dtype, x);
            return (scalar(dtype, uint256(x)), pos + 9);
        }
        if (code == Scalar.CORE) {
            if (s.core == 0) revert NoCore();
            return (s.core, pos);
        }
        if (code == Scalar.IOTA) return (_iota(s, Tensor.read(pos, 1)), pos + 1);
        revert Scalar.UnknownCode(code);
    }

    function _iota(State memory s, uint256 axis) private pure returns (uint256) {
        if (axis < Instruction.MAX_EXTENTS) {
            if (axis >= s.p.e.length) revert Instruction.NoSuchAxis(axis);
            return scalar(DataType.I64, s.p.e[axis]);
        }
        uint256 index = axis - Instruction.MAX_EXTENTS;
        uint256[] memory r = s.p.r;
        if (index >= r.length) revert Instruction.NoSuchAxis(axis);
        if (!s.body) revert ReductionAxisInEpilogue(axis);
        uint256 inside = 1;
        for (uint256 i = index + 1; i < r.length; ++i) {
            inside *= r[i];
        }
        uint256 pointer = _allocate(s.count);
        unchecked {
            for (uint256 j = 0; j < s.count; ++j) {
                _put(pointer + 32 * j, ((s.p.first + j) / inside) % r[index]);
            }
        }
        return vector(DataType.I64, pointer);
    }

    /// @dev Checks the operands' types, then applies the code to all registers: to one, if none has one per k.
    function _operation(State memory s, uint256 code, uint256 pos, uint256 known)
        private
        pure
        returns (uint256 value, uint256)
    {
        uint256[3] memory x;
        uint256 arity = Scalar.arity(code);
        uint256 dtype;
        if (code == Scalar.CAST) {
            dtype = Tensor.read(pos, 1);
            if (!DataType.exists(dtype)) revert Instruction.UnknownType(dtype);
            ++pos;
        }
        uint256 strides = 0;
        for (uint256 i = 0; i < arity; ++i) {
            uint256 index = Tensor.read(pos + i, 1);
            if (index >= known) revert NoSuchNode(index, known);
            x[i] = s.nodes[index];
            strides |= x[i] & 0xff00;
        }
        if (code != Scalar.CAST) dtype = _type(code, arity, x, s.body);
        uint256 count = strides == 0 ? 1 : s.count;
        value = (_allocate(count) << 16) | strides | dtype;
        // A cast is called with both of its types.
        uint256 called = code == Scalar.CAST ? Scalar.castCalled(x[0] & 0xff, dtype) : Scalar.called(code, x[0] & 0xff);
        if (called != 0) _call(s.elementary, called, x, value, count);
        else _apply(code, arity, x, value, count);
        return (value, pos + arity);
    }

    /// @dev The result's type.
    function _type(uint256 code, uint256 arity, uint256[3] memory x, bool body) private pure returns (uint256) {
        uint256 last = x[arity - 1] & 0xff;
        // All operands have one type, but for the condition of a select.
        for (uint256 i = code == Scalar.SELECT ? 1 : 0; i < arity; ++i) {
            if (x[i] & 0xff != last) revert OperandTypesDiffer(code, x[i] & 0xff, last);
        }
        if (code == Scalar.SELECT) {
            if (x[0] & 0xff != DataType.BOOL) revert Scalar.WrongType(code, x[0] & 0xff);
            return last;
        }
        if (body) Scalar.requireExact(code, last);
        return Scalar.resultType(code, last);
    }

    /// @dev The operations of another contract; those of one argument have no second node.
    function _call(IElementary functions, uint256 code, uint256[3] memory x, uint256 value, uint256 count)
        private
        pure
    {
        unchecked {
            for (uint256 j = 0; j < count; ++j) {
                uint256 b = x[1] == 0 ? 0 : _get(x[1], j);
                _put((value >> 16) + 32 * j, functions.evaluate(code, _get(x[0], j), b));
            }
        }
    }

    function _apply(uint256 code, uint256 arity, uint256[3] memory x, uint256 value, uint256 count) private pure {
        (uint256 a, uint256 b, uint256 c) = (x[0], x[1], x[2]);
        uint256 dtype = a & 0xff;
        uint256 pointer = value >> 16;
        unchecked {
            for (uint256 j = 0; j < count; ++j) {
                uint256 y = _get(a, j);
                if (arity == 2) y = Scalar.binary(code, dtype, y, _get(b, j));
                else if (code == Scalar.SELECT) y = _get(y == 0 ? c : b, j);
                else if (code == Scalar.CAST) y = dtype == value & 0xff ? y : Scalar.cast(value & 0xff, y);
                else if (arity == 1) y = Scalar.unary(code, dtype, y);
                else y = Dot.fma(y, _get(b, j), _get(c, j));
                _put(pointer + 32 * j, y);
            }
        }
    }

    function _allocate(uint256 words) private pure returns (uint256 pointer) {
        assembly ("memory-safe") {
            pointer := mload(0x40)
            mstore(0x40, add(pointer, shl(5, words)))
        }
    }

    /// @dev Two zero words for each of the views that there can be.
    function _zeros() private pure returns (uint256 pointer) {
        uint256 words = 2 * Instruction.MAX_VIEWS;
        pointer = _allocate(words);
        assembly ("memory-safe") {
            calldatacopy(pointer, calldatasize(), shl(5, words))
        }
    }

    function _word(uint256 pointer) private pure returns (uint256 x) {
        assembly ("memory-safe") {
            x := mload(pointer)
        }
    }

    function _put(uint256 pointer, uint256 x) private pure {
        assembly ("memory-safe") {
            mstore(pointer, x)
        }
    }

    function _get(uint256 value, uint256 j) private pure returns (uint256 x) {
        assembly ("memory-safe") {
            x := mload(add(shr(16, value), mul(j, and(shr(8, value), 0xff))))
        }
    }
}
