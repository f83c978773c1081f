// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Batch, Challenge, Claim, Dispute, Periods, Phases, Standing} from "./game/Records.sol";
import {
    BatchStatus,
    ChallengeStatus,
    ClaimData,
    ClaimPhase,
    ClaimStatus,
    DisputeStatus,
    Parameters,
    Position,
    Stage
} from "./interfaces/RebutTypes.sol";
import {Configuration} from "./game/Configuration.sol";
import {Game} from "./Game.sol";
import {Header} from "./program/Header.sol";
import {IRebutClaims} from "./interfaces/IRebutClaims.sol";
import {Ids} from "./game/Ids.sol";
import {Settlement} from "./game/Settlement.sol";

/// @title Rebut: an executor's claim stands unless someone rebuts it
/// @notice No owner and no upgrade: nobody's key decides anything. A guardian may stop new claims for a while, and nothing else. Use
/// it through `IRebut`. The contracts of game/ stand on top of each other: Configuration, State, Accounts, Claims,
/// Batches, Challenges, Settlement; here are the views. The moves of disputes are in `Game`, run on this storage.
contract Rebut is Settlement {
    /// @notice The code of the moves, deployed with the same parameters by the constructor and never replaced.
    address public immutable GAME;

    constructor(Parameters memory p, address adjudicator_) Configuration(p, adjudicator_) {
        GAME = address(new Game(p, adjudicator_));
    }

    /// @dev Whatever is not here is a move, or unknown there too and refused.
    fallback() external {
        address game = GAME;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let ok := delegatecall(gas(), game, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(ok) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }

    /// @inheritdoc IRebutClaims
    function setPaused(bool paused) external {
        if (msg.sender != GUARDIAN) revert NotGuardian(msg.sender, GUARDIAN);
        if (paused) {
            // INVARIANT: no two pauses are close, and none lasts: the guardian cannot take what others wait for.
            uint256 earliest = _pausedUntil + PAUSE_DISTANCE + 1;
            if (block.timestamp < earliest) revert PauseTooEarly(earliest);
            _pausedFrom = uint40(block.timestamp);
            _pausedUntil = uint40(block.timestamp + MAXIMUM_PAUSE);
        } else {
            if (block.timestamp >= _pausedUntil) revert NotPaused();
            _pausedUntil = uint40(block.timestamp);
        }
        emit PauseSet(_pausedFrom, _pausedUntil);
    }

    /// @inheritdoc IRebutClaims
    function isPaused() external view returns (bool) {
        return block.timestamp < _pausedUntil;
    }

    /// @inheritdoc IRebutClaims
    function lastPause() external view returns (uint40 from, uint40 until) {
        return (_pausedFrom, _pausedUntil);
    }

    /// @inheritdoc IRebutClaims
    function parameters() external view returns (Parameters memory) {
        return Parameters({
            windowSeconds: WINDOW,
            openSeconds: OPEN,
            commitSeconds: COMMIT,
            clockSeconds: CLOCK,
            stepSeconds: STEP,
            exclusiveSeconds: EXCLUSIVE,
            leavesPerSecond: LEAVES_PER_SECOND,
            burnBps: BURN_BPS,
            executorBond: EXECUTOR_BOND,
            challengerBond: CHALLENGER_BOND,
            gasPriceCap: GAS_PRICE_CAP,
            traceCost: TRACE_COST,
            burnAddress: BURN_ADDRESS,
            guardian: GUARDIAN
        });
    }

    /// @inheritdoc IRebutClaims
    function adjudicator() external view returns (address) {
        return ADJUDICATOR;
    }

    /// @inheritdoc IRebutClaims
    function publisher(bytes32 programId) external view returns (address) {
        return _publishers[programId];
    }

    /// @inheritdoc IRebutClaims
    function credit(address account) external view returns (uint256) {
        return _credits[account];
    }

    /// @inheritdoc IRebutClaims
    function refund(bytes32 disputeId, bool challengerSide, address mover) external view returns (uint256) {
        return _refunds[disputeId][challengerSide][mover];
    }

    /// @inheritdoc IRebutClaims
    function longest(bytes calldata header, uint32 count) external view returns (uint256) {
        uint256 extra = _extra(Header.parse(header), count);
        return WINDOW + OPEN + COMMIT + 2 * uint256(CLOCK) + STEP + 4 * extra;
    }

    /// @inheritdoc IRebutClaims
    function batch(bytes32 batchId) external view returns (BatchStatus memory s) {
        Batch memory b = _batches[batchId];
        if (b.start == 0) return s;
        s.start = b.start;
        s.windowEnds = uint40(b.start + _periods(b.extra).window);
        s.count = b.count;
        s.extracted = b.extracted;
        s.released = b.released;
    }

    /// @inheritdoc IRebutClaims
    function status(bytes32 claimId) external view returns (ClaimStatus memory s) {
        Claim memory c = _claims[claimId];
        Periods memory p = _periods(c.extra);
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
        s.refundable = c.refundable;
        s.traceRoot = _traceRoots[claimId];
    }

    /// @inheritdoc IRebutClaims
    function dispute(bytes32 disputeId) external view returns (DisputeStatus memory s) {
        Dispute memory d = _disputes[disputeId];
        if (d.claimId == 0) return s;
        Claim memory c = _claims[d.claimId];
        uint256 deadline;
        (s.phase, deadline) = Phases.ofDispute(d, c, _phaseOf(c), _periods(c.extra), block.timestamp);
        Standing memory standing = _standings[disputeId];
        s.verdict = standing.verdict;
        s.claimId = d.claimId;
        s.principal = standing.principal;
        s.members = standing.members;
        s.challengerToMove = d.challengerToMove;
        s.turns = d.turns;
        s.position = Position({stage: d.stage, value: d.value, index: d.index, remaining: d.remaining});
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

    /// @inheritdoc IRebutClaims
    function challengeStatus(bytes32 challengeId) external view returns (ChallengeStatus memory) {
        Challenge memory ch = _challenges[challengeId];
        return ChallengeStatus({order: ch.order, opened: ch.opened, settled: ch.settled});
    }

    /// @inheritdoc IRebutClaims
    function isFinal(bytes32 claimId) external view returns (bool) {
        return _phaseOf(_claims[claimId]) == ClaimPhase.Final;
    }

    /// @inheritdoc IRebutClaims
    function claimIdOf(ClaimData calldata claimData) external view returns (bytes32) {
        return Ids.claimId(address(this), claimData);
    }

    /// @inheritdoc IRebutClaims
    function challengeHashOf(bytes32 claimId, address challenger, bytes32 traceRoot, bytes32 salt)
        external
        view
        returns (bytes32)
    {
        return Ids.challengeHash(address(this), claimId, challenger, traceRoot, salt);
    }

    /// @inheritdoc IRebutClaims
    function challengeIdOf(bytes32 claimId, address challenger, bytes32 challengeHash) external pure returns (bytes32) {
        return Ids.challengeId(claimId, challenger, challengeHash);
    }

    /// @inheritdoc IRebutClaims
    function disputeIdOf(bytes32 claimId, bytes32 traceRoot) external pure returns (bytes32) {
        return Ids.disputeId(claimId, traceRoot);
    }
}
