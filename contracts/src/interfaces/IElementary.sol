// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title The operations on f32 that the adjudicator has no room for: the elementary functions, div, rem, sqrt, floor, ceil, trunc,
/// round_even, and casts from and to floats
interface IElementary {
    /// @notice The correctly rounded value of an operation.
    /// @param code The operation's code among expression nodes (docs/program.md); reverts for any other. Of a cast also its types:
    /// from << 16 | to << 8 | code.
    /// @param a The argument, the 32 bits of an f32; of a cast, a register of its type.
    /// @param b The second argument of operations that have two; the others ignore it.
    /// @return The result's 32 bits; a NaN is 0x7fc00000.
    function evaluate(uint256 code, uint256 a, uint256 b) external pure returns (uint256);
}
