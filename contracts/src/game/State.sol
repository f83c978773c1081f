// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Batch, Challenge, Claim, Dispute, Owed, Phases, Standing} from "./Records.sol";
import {ClaimData, ClaimPhase, Outcome} from "../interfaces/RebutTypes.sol";
import {Configuration} from "./Configuration.sol";
import {Ids} from "./Ids.sol";

/// @title All storage, in one order, for the two contracts that share it
/// @dev `Rebut` calls `Game` by delegatecall, so both must see the same slots: no storage is declared anywhere else.
/// Balance = bonds in escrow + credits, after every call. What is burnt is the burn address' credit, so burning needs no
/// payment of its own and cannot fail.
abstract contract State is Configuration {
    mapping(address account => uint256 amount) internal _credits;
    mapping(bytes32 programId => address account) internal _publishers;
    /// @notice New claims are stopped from the one second until, and without, the other.
    uint40 internal _pausedFrom;
    uint40 internal _pausedUntil;
    mapping(bytes32 claimId => Claim) internal _claims;
    mapping(bytes32 batchId => Batch) internal _batches;
    /// @notice The executors' trace roots, once committed.
    mapping(bytes32 claimId => bytes32 root) internal _traceRoots;
    mapping(bytes32 challengeId => Challenge) internal _challenges;
    mapping(bytes32 disputeId => Dispute) internal _disputes;
    mapping(bytes32 disputeId => Standing) internal _standings;
    mapping(bytes32 disputeId => Owed) internal _owed;
    /// @notice What one mover is owed if the side that it moved for wins.
    mapping(bytes32 disputeId => mapping(bool challengerSide => mapping(address mover => uint256))) internal _refunds;

    function _credit(bytes32 claimId, address account, uint256 amount) internal {
        if (amount == 0) return;
        _credits[account] += amount;
        emit Credited(claimId, account, amount);
    }

    function _burn(bytes32 claimId, uint256 amount) internal {
        if (amount == 0) return;
        _credits[BURN_ADDRESS] += amount;
        emit Burnt(claimId, amount);
    }

    /// @dev What the movers for one side of a dispute are owed by its account if it wins, wei.
    function _owedBy(bytes32 disputeId, bool challengerSide) internal view returns (uint256) {
        Owed storage owed = _owed[disputeId];
        return challengerSide ? owed.challengerSide : owed.executorSide;
    }

    /// @notice Records how a claim ended.
    function _end(bytes32 claimId, Outcome outcome) internal {
        _claims[claimId].outcome = outcome;
        emit ClaimDecided(claimId, outcome);
    }

    function _claimOf(ClaimData calldata claimData)
        internal
        view
        returns (bytes32 claimId, Claim memory c, ClaimPhase phase)
    {
        claimId = Ids.claimId(address(this), claimData);
        c = _claims[claimId];
        phase = _phaseOf(c);
    }

    function _phaseOf(Claim memory c) internal view returns (ClaimPhase) {
        return Phases.ofClaim(c, _periods(c.extra), block.timestamp);
    }

    function _requirePhase(bytes32 claimId, ClaimPhase phase, ClaimPhase expected) internal pure {
        if (phase != expected) revert WrongPhase(claimId, phase);
    }
}
