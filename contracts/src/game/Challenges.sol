// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Batches} from "./Batches.sol";
import {Challenge, Claim, Dispute, Standing} from "./Records.sol";
import {ClaimData, ClaimPhase} from "../interfaces/RebutTypes.sol";
import {Header} from "../program/Header.sol";
import {IRebutClaims} from "../interfaces/IRebutClaims.sol";
import {Ids} from "./Ids.sol";
import {Merkle} from "../Merkle.sol";

/// @title From hidden challenges to disputes
abstract contract Challenges is Batches {
    using Header for Header.Parsed;

    /// @inheritdoc IRebutClaims
    function challenge(bytes32 claimId, bytes32 challengeHash) external payable {
        _reserve(CHALLENGER_BOND);
        Claim storage c = _claims[claimId];
        _requirePhase(claimId, _phaseOf(c), ClaimPhase.Window);
        bytes32 challengeId = Ids.challengeId(claimId, msg.sender, challengeHash);
        // INVARIANT: one bond, one challenge.
        if (_challenges[challengeId].order != 0) revert ChallengeExists(challengeId);
        uint32 order = c.challenges + 1;
        c.challenges = order;
        _challenges[challengeId].order = order;
        emit Challenged(claimId, msg.sender, challengeHash, order);
    }

    /// @inheritdoc IRebutClaims
    function open(
        ClaimData calldata claimData,
        address challenger,
        bytes32 traceRoot,
        bytes32 salt,
        uint256 outputIndex,
        bytes32 outputRoot,
        bytes32[] calldata proof
    ) external returns (bytes32 disputeId) {
        bytes32 claimId;
        {
            ClaimPhase phase;
            (claimId,, phase) = _claimOf(claimData);
            _requirePhase(claimId, phase, ClaimPhase.Opening);
        }
        bytes32 hash = Ids.challengeHash(address(this), claimId, challenger, traceRoot, salt);
        uint32 order;
        {
            bytes32 challengeId = Ids.challengeId(claimId, challenger, hash);
            Challenge storage ch = _challenges[challengeId];
            order = ch.order;
            if (order == 0) revert NoChallenge(challengeId);
            if (ch.opened) revert AlreadyOpened(challengeId);
            ch.opened = true;
        }
        uint256 depth = _requireOtherOutput(claimData, traceRoot, outputIndex, outputRoot, proof);
        disputeId = Ids.disputeId(claimId, traceRoot);
        bool merged = _join(claimId, disputeId, challenger, order, traceRoot, depth);
        emit Opened(
            claimId,
            disputeId,
            challenger,
            hash,
            traceRoot,
            salt,
            outputIndex,
            outputRoot,
            merged,
            _standings[disputeId].principal
        );
    }

    /// @dev The challenger's trace has another root at one output. Gives the depth of the trace tree.
    function _requireOtherOutput(
        ClaimData calldata claimData,
        bytes32 traceRoot,
        uint256 outputIndex,
        bytes32 outputRoot,
        bytes32[] calldata proof
    ) private pure returns (uint256 depth) {
        Header.Parsed memory h = Header.parse(claimData.header);
        if (outputIndex >= h.outputs) revert NoOutput(outputIndex, h.outputs);
        // INVARIANT: the two traces differ, so that a leftmost difference exists.
        if (outputRoot == claimData.outputRoots[outputIndex]) revert SameOutput(outputIndex, outputRoot);
        depth = h.depth;
        bytes32 computed = Merkle.proofRoot(outputRoot, h.outputValue(outputIndex), depth, proof);
        if (computed != traceRoot) revert WrongRoot(computed, traceRoot);
    }

    /// @dev A new dispute, or one more member of an old one; the earliest challenge is its principal.
    function _join(
        bytes32 claimId,
        bytes32 disputeId,
        address challenger,
        uint32 order,
        bytes32 traceRoot,
        uint256 depth
    ) private returns (bool merged) {
        Claim storage c = _claims[claimId];
        Dispute storage d = _disputes[disputeId];
        Standing storage s = _standings[disputeId];
        merged = d.claimId != 0;
        c.opened += 1;
        s.members += 1;
        if (!merged) {
            c.disputes += 1;
            d.nodes = traceRoot;
            d.remaining = uint8(depth);
            d.challengerToMove = true;
            // Both are at most 90 days: the sum fits 24 bits.
            d.executorClock = uint24(CLOCK + c.extra);
            d.challengerClock = uint24(CLOCK + c.extra);
            d.claimId = claimId;
        }
        if (!merged || order < s.principalOrder) {
            s.principal = challenger;
            s.principalOrder = order;
        }
    }
}
