// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title The judge of one element
/// @notice Re-runs one element of one instruction of a program, from leaves proven under a trace root. Stateless: the
/// answer depends on the arguments alone, so anyone can ask it off-chain (`eth_call`) before sending a `step`.
interface IAdjudicator {
    /// @notice Computes element `element` of value `value`.
    /// @dev Reverts on a malformed descriptor, and on a witness that has anything missing, extra or unproven. A revert
    /// says nothing about who is right. Operands are smaller than `value`; the caller must know that both sides agree on
    /// them under `traceRoot`.
    /// @param descriptor The value's canonical descriptor (an instruction), at most 1,024 bytes. The caller has proven
    /// that it belongs to the program.
    /// @param value The index of the value in the program.
    /// @param element The row-major index of the element in the value.
    /// @param traceRoot The root over the `values` tensor roots of a trace.
    /// @param values The number V of the program's values.
    /// @param witness The operand leaves that the element addresses with their multiproofs, as docs/protocol.md lays out.
    /// @return lane The element as its big-endian lane read as an integer: f32 as its 32 bits (NaN is 0x7fc00000), bool
    /// as 0 or 1, integers as two's complement at the width of the element type.
    function evaluate(
        bytes calldata descriptor,
        uint256 value,
        uint256 element,
        bytes32 traceRoot,
        uint256 values,
        bytes calldata witness
    ) external view returns (uint64 lane);
}
