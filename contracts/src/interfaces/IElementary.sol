// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title The elementary functions of the scalar table, a contract of their own: the adjudicator has no room for them
interface IElementary {
    /// @notice The correctly rounded value of an elementary function.
    /// @param code The function's code among expression nodes (docs/program.md); reverts for any other.
    /// @param a The argument, the 32 bits of an f32.
    /// @param b The second argument of functions that have two; the others ignore it.
    /// @return The result's 32 bits; a NaN is 0x7fc00000.
    function evaluate(uint256 code, uint256 a, uint256 b) external pure returns (uint256);
}
