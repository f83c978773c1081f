// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {DataType} from "./program/DataType.sol";
import {Descriptor} from "./program/Descriptor.sol";
import {Dot} from "./arith/Dot.sol";
import {Expression} from "./step/Expression.sol";
import {IElementary} from "./interfaces/IElementary.sol";
import {Gather} from "./step/Gather.sol";
import {IAdjudicator} from "./interfaces/IAdjudicator.sol";
import {Instruction} from "./step/Instruction.sol";
import {LeafLanes} from "./step/LeafLanes.sol";
import {Merkle} from "./Merkle.sol";
import {Reduction} from "./step/Reduction.sol";
import {Tensor} from "./program/Tensor.sol";
import {Witness} from "./step/Witness.sol";

/// @title Re-runs one element of one instruction
/// @notice Stateless and total over well-formed instructions; whatever is malformed, missing or extra reverts.
contract Adjudicator is IAdjudicator {
    uint256 private constant CORE_NONE = 0;
    uint256 private constant CORE_DOT = 1;
    uint256 private constant CORE_FOLD = 2;
    uint256 private constant CORE_SCAN = 3;

    error ValueOutOfRange(uint256 value, uint256 values);
    error DescriptorTooLong(uint256 length);
    error WrongDescriptorLength(uint256 given, uint256 needed);
    error UnknownCore(uint256 core);
    error ReductionWithoutCore();
    error ScanOfReduction();
    error DotNeedsF32(uint256 dtype);
    error WrongResultType(uint256 given, uint256 expected);

    /// @notice The contract of the elementary functions.
    IElementary public immutable ELEMENTARY;

    constructor(IElementary elementary) {
        ELEMENTARY = elementary;
    }

    /// @inheritdoc IAdjudicator
    function evaluate(
        bytes calldata descriptor,
        uint256 value,
        uint256 element,
        bytes32 traceRoot,
        uint256 values,
        bytes calldata witness
    ) external view returns (uint64 lane) {
        if (value >= values || values >= Tensor.LIMIT) revert ValueOutOfRange(value, values);
        if (descriptor.length > Descriptor.MAX_BYTES) revert DescriptorTooLong(descriptor.length);
        uint256 start;
        assembly ("memory-safe") {
            start := descriptor.offset
        }
        Expression.State memory s;
        s.elementary = ELEMENTARY;
        uint256 pos;
        (s.p, pos) = Instruction.parse(start, value, element);
        if (Tensor.read(pos, 1) == CORE_SCAN) Instruction.addItself(s.p);
        s.tables = Witness.prove(witness, s.p.operands, traceRoot, Merkle.depthOf(values));

        s.count = s.p.count;
        (s.core, pos) = _core(s, pos, element);
        s.body = false;
        s.count = 1;
        uint256 result;
        (result, pos) = Expression.run(s, pos);

        // INVARIANT: exactly the descriptor's bytes were parsed, and exactly the addressed leaves were given.
        if (pos - start != descriptor.length) revert WrongDescriptorLength(descriptor.length, pos - start);
        if (result & 0xff != s.p.dtype) revert WrongResultType(result & 0xff, s.p.dtype);
        Witness.requireAllUsed(s.tables);
        return DataType.store(s.p.dtype, Expression.first(result));
    }

    /// @dev The core's value as an expression node (0 if there is none) and the offset behind the core.
    function _core(Expression.State memory s, uint256 pos, uint256 element)
        private
        pure
        returns (uint256 node, uint256)
    {
        uint256 core = Tensor.read(pos, 1);
        s.body = true;
        if (core == CORE_NONE) {
            if (s.p.reduces) revert ReductionWithoutCore();
            return (0, pos + 1);
        }
        if (core == CORE_DOT) {
            uint256[2] memory factors;
            for (uint256 i = 0; i < 2; ++i) {
                Instruction.View memory v = Expression.view_(s, Tensor.read(pos + 1 + i, 1));
                if (v.dtype != DataType.F32) revert DotNeedsF32(v.dtype);
                factors[i] = Gather.packed(v, s.p.r, s.p.first, s.count, s.tables);
            }
            // From +0, which a literal would say too, but for that the compiler makes a second copy of the chain.
            return (Expression.scalar(DataType.F32, Dot.chain(s.core, factors[0], factors[1], s.count)), pos + 3);
        }
        if (core == CORE_SCAN) return (_predecessor(s, pos + 1, element), pos + 3);
        if (core != CORE_FOLD) revert UnknownCore(core);
        uint256 op = Tensor.read(pos + 1, 1);
        (uint256 x, uint256 next) = Expression.run(s, pos + 2);
        uint256 folded = Reduction.fold(op, x & 0xff, _spread(x, s.count), s.count);
        return (Expression.scalar(x & 0xff, folded), next);
    }

    /// @dev The element of the result one step back along the axis, or the initial view where there is none.
    function _predecessor(Expression.State memory s, uint256 pos, uint256 element) private pure returns (uint256 node) {
        if (s.p.reduces) revert ScanOfReduction();
        uint256 axis = Tensor.read(pos, 1);
        if (axis >= s.p.e.length) revert Instruction.NoSuchAxis(axis);
        uint256 initial = Tensor.read(pos + 1, 1);
        uint256 dtype = Expression.view_(s, initial).dtype;
        if (dtype != s.p.dtype) revert WrongResultType(dtype, s.p.dtype);
        if (s.p.e[axis] == 0) return Expression.alone(s, initial);
        // INVARIANT: before the disputed element, where both traces agree: the stride is at least 1, and the coordinate too.
        uint256 stride = 1;
        for (uint256 i = axis + 1; i < s.p.extents.length; ++i) {
            stride *= s.p.extents[i];
        }
        uint256 itself = s.p.operands.length - 1;
        return Expression.scalar(dtype, LeafLanes.load(s.tables[itself], itself, dtype, element - stride));
    }

    /// @dev Memory address of a value's registers, one per k.
    function _spread(uint256 value, uint256 count) private pure returns (uint256 pointer) {
        if (value & 0xff00 != 0) return value >> 16;
        assembly ("memory-safe") {
            pointer := mload(0x40)
            mstore(0x40, add(pointer, shl(5, count)))
        }
        LeafLanes.repeat(Expression.first(value), count, pointer, LeafLanes.REGISTERS);
    }
}
