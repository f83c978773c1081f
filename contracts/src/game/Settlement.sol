// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Challenge, Claim, Standing} from "./Records.sol";
import {Challenges} from "./Challenges.sol";
import {ClaimData, ClaimPhase, Outcome, Verdict} from "../interfaces/RebutTypes.sol";
import {Costs} from "./Costs.sol";
import {IRebutClaims} from "../interfaces/IRebutClaims.sol";
import {Ids} from "./Ids.sol";

/// @title Each challenge is paid out by its own call, from its own claim's bonds
abstract contract Settlement is Challenges {
    /// @inheritdoc IRebutClaims
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
        uint256 order;
        {
            bytes32 challengeId = Ids.challengeId(claimId, challenger, challengeHash);
            Challenge storage ch = _challenges[challengeId];
            order = ch.order;
            if (order == 0) revert NoChallenge(challengeId);
            // INVARIANT: one bond is paid out once.
            if (ch.settled) revert AlreadySettled(challengeId);
            ch.settled = true;
            opened = ch.opened;
        }
        Verdict verdict;
        bytes32 disputeId;
        if (opened) {
            // INVARIANT: the dispute is the one that this challenge opened or joined.
            bytes32 given = Ids.challengeHash(address(this), claimId, challenger, traceRoot, salt);
            if (given != challengeHash) revert WrongPreimage(given, challengeHash);
            disputeId = Ids.disputeId(claimId, traceRoot);
            verdict = _standings[disputeId].verdict;
        }
        (uint256 back, uint256 toExecutor) = _parts(c.outcome, opened, verdict);
        uint256 burnt = CHALLENGER_BOND - back - toExecutor;
        if (_shares(c, opened)) back += _rewardShare(_sharers(c));
        // A dispute's own costs are settled with its principal's challenge.
        if (opened && _standings[disputeId].principalOrder == order) {
            if (verdict == Verdict.ChallengerLost) {
                uint256 owed = _owedBy(disputeId, false);
                if (toExecutor == 0) burnt -= owed;
                else toExecutor -= owed;
            } else if (verdict == Verdict.None && c.refundable > 0) {
                (uint256 refund, uint256 unused) = _refundVacated(disputeId);
                back += refund;
                burnt += unused;
                _claims[claimId].refundable = c.refundable - 1;
            }
        }
        _credit(claimId, challenger, back);
        _credit(claimId, claimData.executor, toExecutor);
        _burn(claimId, burnt);
        emit Settled(claimId, challenger, challengeHash, back, toExecutor, burnt);
    }

    /// @inheritdoc IRebutClaims
    function collect(bytes32 disputeId, address mover) external {
        Standing memory s = _standings[disputeId];
        bool challengerSide = s.verdict == Verdict.ChallengerWon || s.refunded;
        // INVARIANT: only a side that won, or one that is refunded, has somebody else's bond to be paid from.
        if (!challengerSide && s.verdict != Verdict.ChallengerLost) revert NothingToCollect(disputeId, mover);
        uint256 amount = _refunds[disputeId][challengerSide][mover];
        if (amount == 0) revert NothingToCollect(disputeId, mover);
        delete _refunds[disputeId][challengerSide][mover];
        _credit(_disputes[disputeId].claimId, mover, amount);
    }

    /// @dev Takes one vacated dispute's part of what was set aside: who moved in the challenger's place can collect what it is
    /// owed; the principal gets the rest of what challenge, opening and its side's turns cost at the cap, wei.
    function _refundVacated(bytes32 disputeId) private returns (uint256 refund, uint256 unused) {
        _standings[disputeId].refunded = true;
        uint256 turns = (uint256(_disputes[disputeId].turns) + 1) / 2;
        refund = (Costs.OPENING + turns * Costs.MOVE) * GAS_PRICE_CAP;
        // At most a move for each turn, one `enter` and one `revealLeaf` among them, which the opening's part makes up for.
        uint256 owed = _owedBy(disputeId, true);
        refund = refund > owed ? refund - owed : 0;
        unused = _vacatedLimit() - refund - owed;
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
    function _shares(Claim memory c, bool opened) private pure returns (bool) {
        return c.outcome >= Outcome.RefutedBySilence && (opened || c.opened == 0);
    }
}
