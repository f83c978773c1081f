// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ClaimPhase, DisputePhase, Outcome, Stage, Verdict} from "../interfaces/RebutTypes.sol";

/// @notice A claim: one slot.
struct Claim {
    uint40 start;
    uint40 committedAt;
    uint32 challenges; // ever made
    uint32 opened; // opened challenges whose dispute is not lost
    uint32 disputes; // that are not lost
    Outcome outcome;
    bool trustedDataAvailability;
    uint32 extra; // seconds by which the program's trace lengthens window, commitment and clocks
    uint8 refundable; // vacated disputes that may still be refunded from the executor's bond
}

/// @notice A batch of claims: one slot.
struct Batch {
    uint40 start;
    uint32 count;
    uint32 extracted; // before the release
    uint32 extra; // as of a claim
    bool released;
}

/// @notice A challenge: one slot.
struct Challenge {
    uint32 order; // from 1
    bool opened;
    bool settled;
}

/// @notice A dispute as moves need it: three slots, of which a move writes the first two.
struct Dispute {
    // The challenger's trace root until the first move; then keccak256(executor's node, challenger's node); in stage
    // Step executor's lane u64 | challenger's lane u64.
    bytes32 nodes;
    uint40 value;
    uint40 index; // in stage Step the element
    uint8 remaining;
    uint40 elements;
    uint8 dtype;
    Stage stage;
    bool challengerToMove;
    uint24 executorClock;
    uint24 challengerClock;
    uint8 turns;
    uint40 since; // start of the turn; 0 until the first move, whose turn starts with the executor's commitment
    bytes32 claimId;
}

/// @notice Who stands behind a dispute, and how it ended: one slot, which moves do not read.
struct Standing {
    address principal;
    uint32 principalOrder;
    uint32 members;
    Verdict verdict;
    bool refunded; // vacated, and its part of what was set aside is taken
}

/// @notice What movers who are no party are owed if their side wins a dispute, wei: one slot.
struct Owed {
    uint128 executorSide;
    uint128 challengerSide;
}

/// @notice The claim's periods, seconds.
struct Periods {
    uint256 window;
    uint256 open;
    uint256 commit;
    uint256 step;
}

/// @title Where things stand: pure functions of a record and the time, the only place where deadlines are compared
library Phases {
    /// @notice The phase of a claim. Once Final, Silent or Refuted it stays so.
    function ofClaim(Claim memory c, Periods memory p, uint256 time) internal pure returns (ClaimPhase) {
        if (c.start == 0) return ClaimPhase.None;
        if (c.outcome != Outcome.None) {
            return c.outcome == Outcome.Final ? ClaimPhase.Final : ClaimPhase.Refuted;
        }
        uint256 deadline = c.start + p.window;
        if (time <= deadline) return ClaimPhase.Window;
        if (c.challenges == 0) return ClaimPhase.Final;
        deadline += p.open;
        if (time <= deadline) return ClaimPhase.Opening;
        // None was opened, or all disputes were lost by their challengers.
        if (c.disputes == 0) return ClaimPhase.Final;
        if (c.committedAt != 0) return ClaimPhase.Disputing;
        return time <= deadline + p.commit ? ClaimPhase.Committing : ClaimPhase.Silent;
    }

    /// @notice The phase of a batch's item that is no claim of its own: nobody has challenged it.
    function ofItem(Batch memory b, Periods memory p, uint256 time) internal pure returns (ClaimPhase) {
        if (b.start == 0) return ClaimPhase.None;
        return time <= b.start + p.window ? ClaimPhase.Window : ClaimPhase.Final;
    }

    /// @notice The phase of a dispute and the last second of its turn (0 where no time runs).
    function ofDispute(Dispute memory d, Claim memory c, ClaimPhase claim, Periods memory p, uint256 time)
        internal
        pure
        returns (DisputePhase, uint256 deadline)
    {
        if (d.claimId == 0) return (DisputePhase.None, 0);
        if (d.stage == Stage.Decided) return (DisputePhase.Decided, 0);
        if (claim == ClaimPhase.Opening || claim == ClaimPhase.Committing) return (DisputePhase.Waiting, 0);
        if (claim != ClaimPhase.Disputing) return (DisputePhase.Vacated, 0);
        if (d.stage == Stage.Step) {
            deadline = d.since + p.step;
        } else {
            deadline = d.since == 0 ? c.committedAt : d.since;
            deadline += d.challengerToMove ? d.challengerClock : d.executorClock;
        }
        if (time > deadline) return (DisputePhase.Overdue, deadline);
        return (d.stage == Stage.Step ? DisputePhase.Stepping : DisputePhase.Moving, deadline);
    }
}
