// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Delivery} from "./Delivery.sol";
import {Entry, Request} from "./RequestRecords.sol";
import {
    EntryPhase,
    EntryStatus,
    RequestOutcome,
    RequestPhase,
    RequestStatus,
    RequestTerms
} from "../interfaces/RequestTypes.sol";
import {IRebut} from "../interfaces/IRebut.sol";
import {IRequests} from "../interfaces/IRequests.sol";
import {RequestIds} from "./RequestIds.sol";
import {RequestLedger} from "./RequestLedger.sol";

/// @title Requests: a fee for the earliest claim on a program and inputs that stands
/// @notice Beside Rebut, which knows nothing of it. No owner, no upgrade. Each contract of this folder stands on the one
/// before: RequestLedger, RequestBook, Entries, Payouts, Delivery; here are the views.
contract Requests is Delivery {
    constructor(IRebut rebut_, uint256 deposit_, uint256 revealSeconds_)
        RequestLedger(rebut_, deposit_, revealSeconds_)
    {}

    /// @inheritdoc IRequests
    function status(bytes32 requestId) external view returns (RequestStatus memory s) {
        Request memory r = _requests[requestId];
        if (r.requester == address(0)) return s;
        Entry memory head = _entries[requestId][r.passed + 1];
        s.phase = _requestPhase(r, head);
        s.delivered = r.delivered;
        s.trustedDataAvailability = r.trustedDataAvailability;
        s.outputIndex = r.outputIndex;
        s.publisherBps = r.publisherBps;
        s.callbackGas = r.callbackGas;
        s.entries = r.entries;
        s.head = r.passed + 1;
        s.deadline = r.deadline;
        s.fee = r.fee;
        s.requester = r.requester;
        s.publisher = r.publisher;
        s.target = r.target;
        s.contentHash = r.contentHash;
        if (head.revealed) s.claimId = head.hash;
    }

    /// @inheritdoc IRequests
    function entry(bytes32 requestId, uint256 order) external view returns (EntryStatus memory s) {
        Entry memory e = _entries[requestId][order];
        s.phase = _entryPhase(e);
        if (s.phase == EntryPhase.None) return s;
        s.settled = e.settled;
        s.executor = e.executor;
        s.committedAt = e.committedAt;
        s.revealEnds = uint40(_revealEnds(e));
        if (e.revealed) s.claimId = e.hash;
        else s.commitment = e.hash;
    }

    /// @inheritdoc IRequests
    function requestIdOf(
        address requester,
        uint256 fee,
        RequestTerms calldata terms,
        bytes32 programId,
        bytes32[] calldata inputRoots
    ) external view returns (bytes32) {
        bytes32 content = RequestIds.contentHash(programId, keccak256(abi.encodePacked(inputRoots)));
        return RequestIds.requestId(address(this), requester, content, fee, terms);
    }

    /// @inheritdoc IRequests
    function contentHashOf(bytes32 programId, bytes32[] calldata inputRoots) external pure returns (bytes32) {
        return RequestIds.contentHash(programId, keccak256(abi.encodePacked(inputRoots)));
    }

    /// @inheritdoc IRequests
    function commitmentOf(bytes32 requestId, address executor, bytes32 claimId, bytes32 salt)
        external
        view
        returns (bytes32)
    {
        return RequestIds.commitment(address(this), requestId, executor, claimId, salt);
    }

    function _requestPhase(Request memory r, Entry memory head) private view returns (RequestPhase) {
        if (r.outcome == RequestOutcome.Paid) return RequestPhase.Paid;
        if (r.outcome == RequestOutcome.Refunded) return RequestPhase.Refunded;
        EntryPhase phase = _entryPhase(head);
        if (phase == EntryPhase.Final) return RequestPhase.Payable;
        if (block.timestamp <= r.deadline) return RequestPhase.Open;
        return phase == EntryPhase.None ? RequestPhase.Refundable : RequestPhase.Waiting;
    }
}
