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
    function _recordRefund(bytes32 disputeId, Dispute memory d, bool challengerSide, uint256 gasUsed) internal {
        uint256 turnStart = d.since == 0 ? _claims[d.claimId].committedAt : d.since;
        if (block.timestamp <= turnStart + EXCLUSIVE) return;
        uint256 price = block.basefee + block.basefee / Costs.TIP;
        if (price > GAS_PRICE_CAP) price = GAS_PRICE_CAP;
        uint256 amount = gasUsed * price;
        Owed storage owed = _owed[disputeId];
        uint256 sum = challengerSide ? owed.challengerSide : owed.executorSide;
        // INVARIANT: no more than the loser's bond was checked to cover.
        uint256 limit = _refundLimit();
        if (sum + amount > limit) amount = limit - sum;
        if (amount == 0) return;
        // At most the limit: 4e6 gas at 1e15 wei.
        if (challengerSide) owed.challengerSide = uint128(sum + amount);
        else owed.executorSide = uint128(sum + amount);
        _refunds[disputeId][challengerSide][msg.sender] += amount;
        emit RefundRecorded(disputeId, msg.sender, challengerSide, amount);
    }
}
