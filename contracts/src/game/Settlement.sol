// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Challenge, Claim} from "./Records.sol";
import {ClaimData, ClaimPhase, Outcome, Verdict} from "../interfaces/RebutTypes.sol";
import {IRebut} from "../interfaces/IRebut.sol";
import {Ids} from "./Ids.sol";
import {Verdicts} from "./Verdicts.sol";

/// @title Each challenge is paid out by its own call, from its own claim's bonds
abstract contract Settlement is Verdicts {
    /// @inheritdoc IRebut
    function settle(
        ClaimData calldata claimData,
        address challenger,
        bytes32 challengeHash,
        bytes32 traceRoot,
        bytes32 salt
    ) external {
        (bytes32 claimId, Claim memory c, ClaimPhase phase) = _claimOf(claimData);
        // INVARIANT: the end is recorded, so that no later call changes what a challenge is owed.
        if (c.outcome == Outcome.None) revert WrongPhase(claimId, phase);
        bool opened;
        {
            bytes32 challengeId = Ids.challengeId(claimId, challenger, challengeHash);
            Challenge storage ch = _challenges[challengeId];
            if (ch.order == 0) revert NoChallenge(challengeId);
            // INVARIANT: one bond is paid out once.
            if (ch.settled) revert AlreadySettled(challengeId);
            ch.settled = true;
            opened = ch.opened;
        }
        Verdict verdict;
        if (opened) {
            // INVARIANT: the dispute is the one that this challenge opened or joined.
            bytes32 given = Ids.challengeHash(address(this), claimId, challenger, traceRoot, salt);
            if (given != challengeHash) revert WrongPreimage(given, challengeHash);
            verdict = _disputes[Ids.disputeId(claimId, traceRoot)].verdict;
        }
        (uint256 back, uint256 toExecutor) = _parts(c.outcome, opened, verdict);
        uint256 burnt = CHALLENGER_BOND - back - toExecutor;
        if (_shares(c, opened, verdict)) back += _rewardShare(_sharers(c));
        _credit(claimId, challenger, back);
        _credit(claimId, claimData.executor, toExecutor);
        _burn(claimId, burnt);
        emit Settled(claimId, challenger, challengeHash, back, toExecutor, burnt);
    }

    /// @dev Where a challenger's bond goes: back, to the executor, and (the rest) burnt.
    function _parts(Outcome outcome, bool opened, Verdict verdict)
        private
        view
        returns (uint256 back, uint256 toExecutor)
    {
        if (outcome == Outcome.Final) return (0, CHALLENGER_BOND - _burnShare(CHALLENGER_BOND));
        bool lost;
        // Not opened: lost, unless the executor conceded while it could still be opened.
        if (!opened) lost = outcome != Outcome.ConcededEarly;
        else lost = verdict == Verdict.ChallengerLost || verdict == Verdict.BothWrong;
        return (lost ? 0 : CHALLENGER_BOND, 0);
    }

    /// @dev Whether a challenge shares what is left of a conceded or silent executor's bond. Must count as `_sharers` does.
    function _shares(Claim memory c, bool opened, Verdict verdict) private pure returns (bool) {
        if (c.outcome < Outcome.RefutedBySilence) return false;
        return c.opened == 0 || (opened && verdict != Verdict.ChallengerLost);
    }
}
