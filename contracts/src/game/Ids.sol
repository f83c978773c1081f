// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ClaimData} from "../interfaces/RebutTypes.sol";

/// @title Ids are hashes of content: a reorganisation cannot swap what a call means
library Ids {
    uint256 private constant INDEX_BITS = 14;
    uint256 internal constant MAXIMUM_ITEMS = (1 << INDEX_BITS) - 1;

    /// @notice The id of a claim on a Rebut contract of this chain.
    function claimId(address rebut, ClaimData calldata c) internal view returns (bytes32) {
        return claimId(rebut, c.executor, keccak256(c.header), _hash(c.inputRoots), _hash(c.outputRoots), c.nonce);
    }

    function claimId(address rebut, address executor, bytes32 programId, bytes32 inputs, bytes32 outputs, uint64 nonce)
        internal
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(block.chainid, rebut, executor, programId, inputs, outputs, nonce));
    }

    /// @notice The nonce of a batch's item: 1 | seconds in which the batch was posted u35 | its number of items u14 | index
    /// u14. No claim that is posted alone has the top bit, so an item is a claim that only its batch can make, and whatever its
    /// clocks depend on is in its id: an item that is in two batches has one window.
    function itemNonce(uint256 start, uint256 count, uint256 index) internal pure returns (uint64) {
        return uint64((1 << 63) | (start << 2 * INDEX_BITS) | (count << INDEX_BITS) | index);
    }

    function isItem(uint64 nonce) internal pure returns (bool) {
        return nonce >> 63 != 0;
    }

    /// @notice Where an item with this nonce is in its batch.
    function itemIndex(uint64 nonce) internal pure returns (uint256) {
        return nonce & MAXIMUM_ITEMS;
    }

    /// @dev A claim's id ends with a nonce, which is never these letters: no batch shares an id with a claim.
    function batchId(address rebut, address executor, bytes32 programId, bytes32 itemsRoot, uint256 count)
        internal
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(block.chainid, rebut, executor, programId, itemsRoot, count, "batch"));
    }

    function challengeHash(address rebut, bytes32 claim, address challenger, bytes32 traceRoot, bytes32 salt)
        internal
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(block.chainid, rebut, claim, challenger, traceRoot, salt));
    }

    /// @dev The challenger is part of the key: who copies a hash from the mempool makes a challenge of its own, which it
    /// cannot open, and does not stand in the way of the original.
    function challengeId(bytes32 claim, address challenger, bytes32 hash) internal pure returns (bytes32) {
        return keccak256(abi.encode(claim, challenger, hash));
    }

    function disputeId(bytes32 claim, bytes32 traceRoot) internal pure returns (bytes32) {
        return keccak256(abi.encode(claim, traceRoot));
    }

    function _hash(bytes32[] calldata roots) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(roots));
    }
}
