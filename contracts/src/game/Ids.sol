// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ClaimData} from "../interfaces/RebutTypes.sol";

/// @title Ids are hashes of content: a reorganisation cannot swap what a call means
library Ids {
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

    /// @dev One word more than a claim's content, so that no batch shares an id with a claim.
    function batchId(address rebut, address executor, bytes32 programId, bytes32 itemsRoot, uint256 count, uint64 nonce)
        internal
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(block.chainid, rebut, executor, programId, itemsRoot, count, nonce, "batch"));
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
