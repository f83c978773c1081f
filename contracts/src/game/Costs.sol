// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title What playing costs, gas: what refunds pay and what bonds must cover
/// @dev Refunds are below what the cheapest such call costs, so that nobody moves for the refund's sake; a side's whole
/// game is above what the deepest trees can make it cost. Tests hold both against the measured snapshot.
library Costs {
    /// @notice Refunds, a kind of call.
    uint256 internal constant MOVE = 40_000;
    uint256 internal constant ENTER = 60_000;
    uint256 internal constant REVEAL = 50_000;
    uint256 internal constant STEP = 120_000;
    /// @notice What a vacated dispute's principal is refunded for its challenge and opening.
    uint256 internal constant OPENING = 120_000;

    /// @notice Most turns of one side: 10 lists of a trace tree of depth 40 and 9 of a tensor's of depth 34, by turns,
    /// and a leaf to reveal.
    uint256 internal constant TURNS = 11;
    /// @notice At most what a side's whole game costs with the largest header: opening or commitment, turns, the step.
    uint256 internal constant GAME = 4_000_000;

    /// @notice Vacated disputes that an executor's bond refunds besides the one that refutes.
    uint256 internal constant OTHERS = 3;
    /// @notice At most what one of them is refunded.
    uint256 internal constant VACATED = OPENING + TURNS * MOVE;

    /// @notice Refunds are at the block's base fee and 1 / TIP of it for a tip. So they stay below what the cheapest such call
    /// costs even whoever builds the block and pays no tip.
    uint256 internal constant TIP = 4;
}
