// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Claim, Dispute, Phases, Standing} from "./Records.sol";
import {ClaimPhase, DisputePhase, Outcome, Position, Stage, Verdict} from "../interfaces/RebutTypes.sol";
import {Costs} from "./Costs.sol";
import {DataType} from "../program/DataType.sol";
import {IRebutGame} from "../interfaces/IRebutGame.sol";
import {Merkle} from "../Merkle.sol";
import {Refunds} from "./Refunds.sol";

/// @title The moves of a dispute, whose content leaves no choice
/// @dev A turn: the opponent's list is out; the mover names the leftmost child that differs, proves that everything to the
/// left is shared, and reveals its own next list. All of it is bound by hashes to the two committed trace roots.
abstract contract Descent is Refunds {
    /// @notice Levels per list.
    uint256 internal constant LEVELS = 4;

    /// @inheritdoc IRebutGame
    function move(bytes32 disputeId, uint256 index, bytes32[] calldata path, bytes32[] calldata list) external {
        Dispute memory d = _requireTurn(disputeId);
        uint256 levels = _levels(d.remaining);
        uint256 remaining = d.remaining - levels;
        // INVARIANT: the trace tree is left by `enter` alone; below a tensor's leaf there is only `revealLeaf`.
        if (d.stage == Stage.Trace ? remaining == 0 : d.remaining == 0) {
            revert WrongStage(disputeId, d.stage, d.remaining);
        }
        bytes32 own = _listNode(list, remaining, d.stage == Stage.Tensor);
        bytes32 opponent = _climb(d, own, index, levels, path);
        Position memory from = _position(d);
        d.index = uint40((uint256(d.index) << levels) | index);
        d.remaining = uint8(remaining);
        emit Moved(disputeId, d.challengerToMove, from, _position(d), list);
        _recordRefund(disputeId, d, d.challengerToMove, Costs.MOVE);
        _passTurn(disputeId, d, own, opponent);
    }

    /// @inheritdoc IRebutGame
    function revealLeaf(bytes32 disputeId, bytes32[16] calldata own, bytes32[16] calldata opponent) external {
        Dispute memory d = _requireTurn(disputeId);
        if (d.stage != Stage.Tensor || d.remaining != 0) revert WrongStage(disputeId, d.stage, d.remaining);
        bool byChallenger = d.challengerToMove;
        {
            uint256 ownOffset;
            uint256 opponentOffset;
            assembly ("memory-safe") {
                ownOffset := own
                opponentOffset := opponent
            }
            bytes32 ownHash = Merkle.leafAt(ownOffset);
            bytes32 opponentHash = Merkle.leafAt(opponentOffset);
            if (ownHash == opponentHash) revert NoDifference(ownHash);
            // INVARIANT: these are the leaves that the two trace roots commit to.
            _requireNodes(d, ownHash, opponentHash);
        }
        (uint256 lane, uint64 executorLane, uint64 challengerLane) =
            _firstDifference(own, opponent, DataType.width(d.dtype));
        if (byChallenger) (executorLane, challengerLane) = (challengerLane, executorLane);
        uint256 element = (uint256(d.index) << DataType.lanesLog2(d.dtype)) | lane;
        // Below 2^40: leaves are at most as many as elements, and a leaf's padding lanes fit in between.
        emit LeafRevealed(disputeId, byChallenger, d.value, d.index, uint40(element), executorLane, challengerLane, own);
        _recordRefund(disputeId, d, byChallenger, Costs.REVEAL);
        if (element >= d.elements) {
            // Padding lanes are zero.
            _judge(disputeId, d, executorLane == 0, challengerLane == 0, 0);
            return;
        }
        Dispute storage stored = _disputes[disputeId];
        stored.nodes = bytes32((uint256(executorLane) << 64) | challengerLane);
        stored.stage = Stage.Step;
        stored.index = uint40(element);
        stored.turns = d.turns + 1;
        stored.since = uint40(block.timestamp);
    }

    /// @inheritdoc IRebutGame
    function timeout(bytes32 disputeId) external {
        (Dispute memory d, DisputePhase phase, uint256 deadline) = _disputeNow(disputeId);
        if (phase == DisputePhase.Moving || phase == DisputePhase.Stepping) revert TooEarly(disputeId, deadline);
        if (phase != DisputePhase.Overdue) revert WrongStage(disputeId, d.stage, d.remaining);
        // INVARIANT: a clock only loses its own side's game. An element that nobody stepped refutes the claim, but
        // rewards nobody.
        if (d.stage == Stage.Step) _decide(disputeId, d, Verdict.NoStep, 0);
        else _decide(disputeId, d, d.challengerToMove ? Verdict.ChallengerLost : Verdict.ChallengerWon, 0);
    }

    // ---------------------------------------------------------------- shared with `enter` and `step`

    /// @dev The dispute, if it is some side's turn and in time; the mover's clock as it is now.
    function _requireTurn(bytes32 disputeId) internal view returns (Dispute memory d) {
        DisputePhase phase;
        uint256 deadline;
        (d, phase, deadline) = _disputeNow(disputeId);
        // INVARIANT: a late move never brings time back, and nothing moves before the commitment or after the end.
        if (phase == DisputePhase.Overdue) revert TooLate(disputeId, deadline);
        if (phase != DisputePhase.Moving) revert WrongStage(disputeId, d.stage, d.remaining);
        uint24 left = uint24(deadline - block.timestamp); // at most what it was
        if (d.challengerToMove) d.challengerClock = left;
        else d.executorClock = left;
    }

    function _disputeNow(bytes32 disputeId)
        internal
        view
        returns (Dispute memory d, DisputePhase phase, uint256 deadline)
    {
        d = _disputes[disputeId];
        if (d.claimId == 0) revert NoDispute(disputeId);
        Claim memory c = _claims[d.claimId];
        (phase, deadline) = Phases.ofDispute(d, c, _phaseOf(c), _periods(c.extra), block.timestamp);
    }

    function _levels(uint256 remaining) internal pure returns (uint256) {
        return remaining < LEVELS ? remaining : LEVELS;
    }

    /// @dev The node that a list with `remaining` levels below it belongs to: at the bottom of a tensor the 16 words are
    /// the leaf, otherwise they are a level.
    function _listNode(bytes32[] calldata list, uint256 remaining, bool tensor) internal pure returns (bytes32) {
        bool leaf = tensor && remaining == 0;
        uint256 width = leaf ? 16 : 1 << _levels(remaining);
        // INVARIANT: the opponent can always answer from the list.
        if (list.length != width) revert WrongListLength(list.length, width);
        return leaf ? Merkle.leaf(list) : Merkle.fold(list);
    }

    /// @dev Proves that the mover's child `own` and the opponent's, path[0], are the leftmost difference below the
    /// position's nodes.
    function _climb(Dispute memory d, bytes32 own, uint256 index, uint256 levels, bytes32[] calldata path)
        internal
        view
        returns (bytes32 opponent)
    {
        (bytes32 ownNode, bytes32 opponentNode) = Merkle.climb(own, index, levels, path);
        opponent = path[0];
        // INVARIANT: the position's children differ.
        if (own == opponent) revert NoDifference(own);
        _requireNodes(d, ownNode, opponentNode);
    }

    /// @dev The mover's and the opponent's nodes are the stored ones: of the two roots before the first move.
    function _requireNodes(Dispute memory d, bytes32 own, bytes32 opponent) internal view {
        bytes32 expected = d.since == 0 ? Merkle.node(_traceRoots[d.claimId], d.nodes) : d.nodes;
        bytes32 computed = d.challengerToMove ? Merkle.node(opponent, own) : Merkle.node(own, opponent);
        if (computed != expected) revert WrongNodes(computed, expected);
    }

    /// @dev Stores the position of `d` over the two children, and starts the opponent's turn.
    function _passTurn(bytes32 disputeId, Dispute memory d, bytes32 own, bytes32 opponent) internal {
        Dispute storage stored = _disputes[disputeId];
        stored.nodes = d.challengerToMove ? Merkle.node(opponent, own) : Merkle.node(own, opponent);
        stored.value = d.value;
        stored.index = d.index;
        stored.remaining = d.remaining;
        stored.elements = d.elements;
        stored.dtype = d.dtype;
        stored.stage = d.stage;
        stored.challengerToMove = !d.challengerToMove;
        stored.executorClock = d.executorClock;
        stored.challengerClock = d.challengerClock;
        stored.turns = d.turns + 1;
        stored.since = uint40(block.timestamp);
    }

    function _position(Dispute memory d) internal pure returns (Position memory) {
        return Position({stage: d.stage, value: d.value, index: d.index, remaining: d.remaining});
    }

    /// @dev The executor right: the challenger loses. Otherwise the claim is refuted, with a reward if the challenger is right.
    function _judge(bytes32 disputeId, Dispute memory d, bool executorRight, bool challengerRight, uint256 refund)
        internal
    {
        if (executorRight) _decide(disputeId, d, Verdict.ChallengerLost, refund);
        else _decide(disputeId, d, challengerRight ? Verdict.ChallengerWon : Verdict.BothWrong, refund);
    }

    /// @dev Ends a dispute, and its claim unless the challenger lost. `refund`, wei, is granted for the deciding call to whoever
    /// made it, and not yet owed by the winner's side: where it is paid at once, storing that would only cost gas.
    function _decide(bytes32 disputeId, Dispute memory d, Verdict verdict, uint256 refund) internal {
        _disputes[disputeId].stage = Stage.Decided;
        Standing storage standing = _standings[disputeId];
        standing.verdict = verdict;
        bytes32 claimId = d.claimId;
        emit DisputeDecided(disputeId, claimId, verdict);
        Claim storage c = _claims[claimId];
        if (verdict == Verdict.ChallengerLost) {
            _owe(disputeId, false, refund);
            // With the last dispute the claim becomes Final by itself.
            c.disputes -= 1;
            c.opened -= standing.members;
            return;
        }
        bool won = verdict == Verdict.ChallengerWon;
        _end(
            claimId,
            won
                ? Outcome.RefutedByDispute
                : verdict == Verdict.BothWrong ? Outcome.RefutedBothWrong : Outcome.RefutedNoStep
        );
        // INVARIANT: what is set aside is paid out or burnt by `settle` and `collect`, and is never more than is left.
        uint256 others = c.disputes - 1;
        if (others > Costs.OTHERS) others = Costs.OTHERS;
        c.refundable = uint8(others);
        uint256 setAside = others * _vacatedLimit();
        uint256 reward = 0;
        if (won) {
            reward = EXECUTOR_BOND - _burnShare(EXECUTOR_BOND) - setAside;
            uint256 owed = _owedBy(disputeId, true) + refund;
            setAside += owed;
            reward -= owed;
        }
        _burn(claimId, EXECUTOR_BOND - setAside - reward);
        _credit(claimId, standing.principal, reward);
    }

    /// @dev The first lane in which two different leaves differ, and what the two have there as big-endian integers.
    function _firstDifference(bytes32[16] calldata a, bytes32[16] calldata b, uint256 width)
        private
        pure
        returns (uint256 lane, uint64 laneA, uint64 laneB)
    {
        uint256 word = 0;
        while (a[word] == b[word]) {
            ++word;
        }
        uint256 wordA = uint256(a[word]);
        uint256 wordB = uint256(b[word]);
        unchecked {
            uint256 zeros;
            assembly ("memory-safe") {
                zeros := clz(xor(wordA, wordB))
            }
            uint256 inWord = zeros / (8 * width);
            uint256 shift = 256 - 8 * width * (inWord + 1);
            uint256 mask = (1 << (8 * width)) - 1;
            return (32 / width * word + inWord, uint64((wordA >> shift) & mask), uint64((wordB >> shift) & mask));
        }
    }
}
