// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Entries} from "./Entries.sol";
import {Entry, Request} from "./RequestRecords.sol";
import {EntryPhase, RequestOutcome} from "../interfaces/RequestTypes.sol";
import {IRequests} from "../interfaces/IRequests.sol";

/// @title Where the fee goes: to the head's executor and the publisher, or back
abstract contract Payouts is Entries {
    /// @inheritdoc IRequests
    function pay(bytes32 requestId) external {
        Request storage r = _request(requestId);
        // INVARIANT: the fee leaves escrow once.
        _requireNotClosed(requestId, r);
        uint32 order = r.passed + 1;
        EntryPhase phase = _requireEntry(requestId, order);
        if (phase != EntryPhase.Final) revert WrongEntryPhase(requestId, order, phase);
        r.outcome = RequestOutcome.Paid;
        Entry memory e = _entries[requestId][order];
        uint256 toPublisher = (uint256(r.fee) * r.publisherBps) / MAXIMUM_BPS;
        uint256 toExecutor = r.fee - toPublisher;
        emit RequestPaid(requestId, e.hash, e.executor, order, toExecutor, toPublisher);
        _credit(requestId, e.executor, toExecutor);
        _credit(requestId, r.publisher, toPublisher);
        if (!e.settled) _settle(requestId, order, e.executor);
    }

    /// @inheritdoc IRequests
    function refund(bytes32 requestId) external {
        Request storage r = _request(requestId);
        // INVARIANT: the fee leaves escrow once.
        _requireNotClosed(requestId, r);
        // INVARIANT: nothing that may still be final is abandoned.
        if (block.timestamp <= r.deadline) revert TooEarly(requestId, r.deadline);
        if (r.passed != r.entries) revert EntriesLeft(requestId, r.passed + 1, r.entries);
        r.outcome = RequestOutcome.Refunded;
        emit RequestRefunded(requestId, r.requester, r.fee);
        _credit(requestId, r.requester, r.fee);
    }
}
