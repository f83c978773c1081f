// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ClaimData} from "./RebutTypes.sol";

/// @title The executor's commitment and the moves of disputes
interface IRebutGame {
    /// @notice The executor commits to its trace, once for all disputes of the claim.
    /// @param claimData The claim; the caller is its executor.
    /// @param traceRoot The executor's trace root.
    /// @param proof Multiproof that the last values of the trace are the claimed outputs.
    /// @param list The 2^min(4, depth) descendants of the trace root; [traceRoot] for a program of one value.
    function commit(ClaimData calldata claimData, bytes32 traceRoot, bytes32[] calldata proof, bytes32[] calldata list)
        external;

    // ---------------------------------------------------------------- disputes

    /// @notice One move down: to the leftmost difference, and the mover's next list. Anyone may send either side's move.
    /// @param disputeId The dispute.
    /// @param index The child at which the lists first differ.
    /// @param path The opponent's child, then per level from the bottom the shared left sibling (where the way goes
    /// right) or the mover's and then the opponent's right sibling (where it goes left).
    /// @param list The mover's next list: the 2^min(4, remaining) descendants of its child, or the 16 words of its leaf.
    function move(bytes32 disputeId, uint256 index, bytes32[] calldata path, bytes32[] calldata list) external;

    /// @notice The move that leaves the trace tree and enters a value.
    /// @param disputeId The dispute (its position has at most 4 levels of the trace tree left).
    /// @param claimData The claim.
    /// @param index As in `move`.
    /// @param path As in `move`.
    /// @param descriptor The value's descriptor; empty for a padding value (index >= V).
    /// @param descriptorProof Siblings up to the descriptors root; empty for a padding value.
    /// @param list For an instruction the mover's first list in the tensor. Otherwise [the mover's tensor root]: the
    /// right root is known (or the descriptor is malformed) and the dispute is decided at once.
    function enter(
        bytes32 disputeId,
        ClaimData calldata claimData,
        uint256 index,
        bytes32[] calldata path,
        bytes calldata descriptor,
        bytes32[] calldata descriptorProof,
        bytes32[] calldata list
    ) external;

    /// @notice Reveals both leaves; the first lane that differs is the disputed element.
    /// @param disputeId The dispute.
    /// @param own The mover's leaf, 512 bytes.
    /// @param opponent The opponent's leaf, which its last move revealed.
    function revealLeaf(bytes32 disputeId, bytes32[16] calldata own, bytes32[16] calldata opponent) external;

    /// @notice The contract computes the disputed element and decides. Anyone, until the step deadline.
    /// @param disputeId The dispute.
    /// @param claimData The claim.
    /// @param traceRoot The executor's or the challenger's trace root: under which of them the witness is proven.
    /// @param descriptor The disputed value's descriptor.
    /// @param descriptorProof Siblings up to the descriptors root.
    /// @param witness See IAdjudicator.evaluate; proven under `traceRoot`.
    function step(
        bytes32 disputeId,
        ClaimData calldata claimData,
        bytes32 traceRoot,
        bytes calldata descriptor,
        bytes32[] calldata descriptorProof,
        bytes calldata witness
    ) external;

    /// @notice Ends a dispute whose mover ran out of time (it loses), or that nobody stepped (refuted, no reward).
    function timeout(bytes32 disputeId) external;
}
