// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Commitment} from "./Commitment.sol";
import {Costs} from "./Costs.sol";
import {Dispute, Owed} from "./Records.sol";

/// @title What standing in for a silent side earns
/// @dev In the exclusive part of its turn a side moves for itself: what is left of the loser's bond pays for that, which
/// the constructor sees to. Afterwards whoever moves is owed a constant for the kind of move, at the block's base fee and a
/// tip up to the cap, if the side wins. A copied or padded move earns the same constant as any, and only one of them; a
/// transaction's own price, whose tip a proposer pays to itself, says nothing.
abstract contract Refunds is Commitment {
    /// @dev Records what the caller is owed if the side wins, and that the side owes it.
    function _recordRefund(bytes32 disputeId, Dispute memory d, bool challengerSide, uint256 gasUsed) internal {
        _owe(disputeId, challengerSide, _grantRefund(disputeId, d, challengerSide, gasUsed));
    }

    /// @dev Records what the caller is owed if the side wins, wei; the side's own account is left to the caller.
    function _grantRefund(bytes32 disputeId, Dispute memory d, bool challengerSide, uint256 gasUsed)
        internal
        returns (uint256 amount)
    {
        uint256 turnStart = d.since == 0 ? _claims[d.claimId].committedAt : d.since;
        if (block.timestamp <= turnStart + EXCLUSIVE) return 0;
        uint256 price = block.basefee + block.basefee / Costs.TIP;
        if (price > GAS_PRICE_CAP) price = GAS_PRICE_CAP;
        amount = gasUsed * price;
        // INVARIANT: no more than the loser's bond was checked to cover.
        uint256 left = _refundLimit() - _owedBy(disputeId, challengerSide);
        if (amount > left) amount = left;
        if (amount == 0) return 0;
        _refunds[disputeId][challengerSide][msg.sender] += amount;
        emit RefundRecorded(disputeId, msg.sender, challengerSide, amount);
    }

    function _owe(bytes32 disputeId, bool challengerSide, uint256 amount) internal {
        if (amount == 0) return;
        Owed storage owed = _owed[disputeId];
        // At most the limit: 4e6 gas at 1e15 wei.
        if (challengerSide) owed.challengerSide += uint128(amount);
        else owed.executorSide += uint128(amount);
    }
}
