// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ClaimData, ClaimPhase} from "../interfaces/RebutTypes.sol";
import {Header} from "../program/Header.sol";
import {IRebutGame} from "../interfaces/IRebutGame.sol";
import {Merkle} from "../Merkle.sol";
import {State} from "./State.sol";

/// @title The executor's commitment to its trace
abstract contract Commitment is State, IRebutGame {
    using Header for Header.Parsed;

    /// @inheritdoc IRebutGame
    function commit(ClaimData calldata claimData, bytes32 traceRoot, bytes32[] calldata proof, bytes32[] calldata list)
        external
    {
        (bytes32 claimId,, ClaimPhase phase) = _claimOf(claimData);
        _requirePhase(claimId, phase, ClaimPhase.Committing);
        // INVARIANT: only the executor speaks for its trace, once.
        if (msg.sender != claimData.executor) revert NotExecutor(msg.sender, claimData.executor);
        Header.Parsed memory h = Header.parse(claimData.header);
        // INVARIANT: the trace ends in the claimed outputs.
        uint256[] memory indices = new uint256[](h.outputs);
        for (uint256 i = 0; i < h.outputs; ++i) {
            indices[i] = h.outputValue(i);
        }
        uint256 words;
        assembly ("memory-safe") {
            words := proof.offset
        }
        bytes32 computed = Merkle.multiproofRoot(indices, claimData.outputRoots, h.depth, words, proof.length);
        if (computed != traceRoot) revert WrongRoot(computed, traceRoot);
        uint256 width = 1 << (h.depth < 4 ? h.depth : 4);
        if (list.length != width) revert WrongListLength(list.length, width);
        computed = Merkle.fold(list);
        if (computed != traceRoot) revert WrongRoot(computed, traceRoot);
        _traceRoots[claimId] = traceRoot;
        _claims[claimId].committedAt = uint40(block.timestamp);
        emit Committed(claimId, traceRoot, list);
    }
}
