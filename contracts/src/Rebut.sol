// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Challenge, Claim, Dispute, Periods, Phases} from "./game/Records.sol";
import {
    ChallengeStatus,
    ClaimData,
    ClaimPhase,
    ClaimStatus,
    DisputePhase,
    DisputeStatus,
    Parameters,
    Stage
} from "./interfaces/RebutTypes.sol";
import {Configuration} from "./game/Configuration.sol";
import {IRebut} from "./interfaces/IRebut.sol";
import {Ids} from "./game/Ids.sol";
import {Settlement} from "./game/Settlement.sol";

/// @title Rebut: an executor's claim stands unless someone rebuts it
/// @notice No owner, no upgrade, no pause: nobody's key decides anything. The game is in the contracts of game/, each on
/// top of the one before: Configuration, Ledger, Claims, Challenges, Descent, Verdicts, Settlement; here are the views.
contract Rebut is Settlement {
    constructor(Parameters memory p, address adjudicator_) Configuration(p, adjudicator_) {}

    /// @inheritdoc IRebut
    function status(bytes32 claimId) external view returns (ClaimStatus memory s) {
        Claim memory c = _claims[claimId];
        Periods memory p = _periods();
        s.phase = Phases.ofClaim(c, p, block.timestamp);
        if (c.start == 0) return s;
        s.outcome = c.outcome;
        s.trustedDataAvailability = c.trustedDataAvailability;
        s.start = c.start;
        s.windowEnds = uint40(c.start + p.window);
        s.openingEnds = uint40(s.windowEnds + p.open);
        s.committingEnds = uint40(s.openingEnds + p.commit);
        s.committedAt = c.committedAt;
        s.challenges = c.challenges;
        s.opened = c.opened;
        s.disputes = c.disputes;
        s.traceRoot = _traceRoots[claimId];
    }

    /// @inheritdoc IRebut
    function dispute(bytes32 disputeId) external view returns (DisputeStatus memory s) {
        Dispute memory d = _disputes[disputeId];
        if (d.claimId == 0) return s;
        uint256 deadline;
        (d, s.phase, deadline) = _disputeNow(disputeId);
        s.verdict = d.verdict;
        s.claimId = d.claimId;
        s.principal = d.principal;
        s.members = d.members;
        s.challengerToMove = d.challengerToMove;
        s.position = _position(d);
        s.dtype = d.dtype;
        s.elements = d.elements;
        s.executorClock = d.executorClock;
        s.challengerClock = d.challengerClock;
        s.deadline = uint40(deadline);
        s.nodes = d.nodes;
        if (d.stage == Stage.Step) {
            s.executorLane = uint64(uint256(d.nodes) >> 64);
            s.challengerLane = uint64(uint256(d.nodes));
        }
    }

    /// @inheritdoc IRebut
    function challengeStatus(bytes32 challengeId) external view returns (ChallengeStatus memory) {
        Challenge memory ch = _challenges[challengeId];
        return ChallengeStatus({order: ch.order, opened: ch.opened, settled: ch.settled});
    }

    /// @inheritdoc IRebut
    function isFinal(bytes32 claimId) external view returns (bool) {
        return Phases.ofClaim(_claims[claimId], _periods(), block.timestamp) == ClaimPhase.Final;
    }

    /// @inheritdoc IRebut
    function claimIdOf(ClaimData calldata claimData) external view returns (bytes32) {
        return Ids.claimId(address(this), claimData);
    }

    /// @inheritdoc IRebut
    function challengeHashOf(bytes32 claimId, address challenger, bytes32 traceRoot, bytes32 salt)
        external
        view
        returns (bytes32)
    {
        return Ids.challengeHash(address(this), claimId, challenger, traceRoot, salt);
    }

    /// @inheritdoc IRebut
    function challengeIdOf(bytes32 claimId, address challenger, bytes32 challengeHash) external pure returns (bytes32) {
        return Ids.challengeId(claimId, challenger, challengeHash);
    }

    /// @inheritdoc IRebut
    function disputeIdOf(bytes32 claimId, bytes32 traceRoot) external pure returns (bytes32) {
        return Ids.disputeId(claimId, traceRoot);
    }
}
