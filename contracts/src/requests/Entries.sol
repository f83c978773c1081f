// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ClaimData, ClaimPhase, ClaimStatus} from "../interfaces/RebutTypes.sol";
import {Entry, Request} from "./RequestRecords.sol";
import {EntryPhase, RequestOutcome} from "../interfaces/RequestTypes.sol";
import {IRequests} from "../interfaces/IRequests.sol";
import {Reliance, RebutResult} from "../RebutResult.sol";
import {RequestBook} from "./RequestBook.sol";
import {RequestIds} from "./RequestIds.sol";

/// @title Executors' entries: commitments, reveals, and the head, which is the earliest entry that may still win
abstract contract Entries is RequestBook {
    mapping(bytes32 requestId => mapping(uint256 order => Entry)) internal _entries;

    /// @inheritdoc IRequests
    function commit(bytes32 requestId, bytes32 commitment) external payable returns (uint256) {
        if (msg.value != deposit) revert WrongDeposit(msg.value, deposit);
        Request storage r = _request(requestId);
        _requireNotClosed(requestId, r);
        if (block.timestamp > r.deadline) revert TooLate(requestId, r.deadline);
        uint32 order = r.entries + 1;
        r.entries = order;
        Entry storage e = _entries[requestId][order];
        e.executor = msg.sender;
        e.committedAt = uint40(block.timestamp);
        e.hash = commitment;
        emit EntryCommitted(requestId, msg.sender, order, commitment);
        return order;
    }

    /// @inheritdoc IRequests
    function reveal(bytes32 requestId, uint256 order, ClaimData calldata claimData, bytes32 salt) external {
        Request storage r = _request(requestId);
        Entry memory e = _entries[requestId][order];
        EntryPhase phase = _entryPhase(e);
        if (phase == EntryPhase.None) revert NoEntry(requestId, order);
        if (phase == EntryPhase.Missed) revert TooLate(requestId, _revealEnds(e));
        // INVARIANT: one deposit, one reveal.
        if (phase != EntryPhase.Hidden) revert WrongEntryPhase(requestId, order, phase);
        bytes32 claimId = rebut.claimIdOf(claimData);
        bytes32 computed = RequestIds.commitment(address(this), requestId, e.executor, claimId, salt);
        if (computed != e.hash) revert WrongPreimage(computed, e.hash);
        if (claimData.executor != e.executor) revert WrongExecutor(claimData.executor, e.executor);
        // INVARIANT: the claim answers this request.
        bytes32 content =
            RequestIds.contentHash(keccak256(claimData.header), keccak256(abi.encodePacked(claimData.inputRoots)));
        if (content != r.contentHash) revert WrongContent(content, r.contentHash);
        ClaimStatus memory s = rebut.status(claimId);
        if (s.phase == ClaimPhase.None) revert NoClaim(claimId);
        // INVARIANT: the executor knew the outputs before anybody could read them in its claim.
        if (s.start <= e.committedAt) revert ClaimNotLater(claimId, s.start, e.committedAt);
        if (s.trustedDataAvailability && !r.trustedDataAvailability) revert ClaimInputsNotPublished(claimId);
        Entry storage stored = _entries[requestId][order];
        stored.revealed = true;
        stored.hash = claimId;
        emit EntryRevealed(requestId, e.executor, claimId, uint32(order));
    }

    /// @inheritdoc IRequests
    function advance(bytes32 requestId, uint256 count) external {
        Request storage r = _request(requestId);
        uint32 passed = r.passed;
        uint32 order = passed;
        for (uint256 i = 0; i < count; ++i) {
            EntryPhase phase = _entryPhase(_entries[requestId][order + 1]);
            // INVARIANT: what the head passes can never become final, so the earliest claim that stands is paid.
            if (!_isDead(phase)) break;
            ++order;
            emit HeadAdvanced(requestId, msg.sender, order, phase == EntryPhase.Missed);
            _settle(requestId, order, msg.sender);
        }
        if (order == passed) revert WrongEntryPhase(requestId, order + 1, _requireEntry(requestId, order + 1));
        r.passed = order;
    }

    /// @inheritdoc IRequests
    function settle(bytes32 requestId, uint256 order) external {
        RequestOutcome outcome = _request(requestId).outcome;
        EntryPhase phase = _requireEntry(requestId, order);
        bool dead = _isDead(phase);
        if (!dead && phase != EntryPhase.Final) revert WrongEntryPhase(requestId, order, phase);
        // Before the payment `advance` needs dead entries' deposits as its reward.
        if (dead && outcome != RequestOutcome.Paid) revert NotPaid(requestId);
        _settle(requestId, order, dead ? msg.sender : _entries[requestId][order].executor);
    }

    function _settle(bytes32 requestId, uint256 order, address account) internal {
        Entry storage e = _entries[requestId][order];
        // INVARIANT: one deposit, one credit.
        if (e.settled) revert EntryIsSettled(requestId, order);
        e.settled = true;
        emit EntrySettled(requestId, account, uint32(order));
        _credit(requestId, account, deposit);
    }

    /// @dev Whether an entry can never be paid.
    function _isDead(EntryPhase phase) private pure returns (bool) {
        return phase == EntryPhase.Missed || phase == EntryPhase.Refuted;
    }

    function _requireNotClosed(bytes32 requestId, Request storage r) internal view {
        if (r.outcome != RequestOutcome.None) revert RequestClosed(requestId, r.outcome);
    }

    /// @dev The phase of an entry that exists.
    function _requireEntry(bytes32 requestId, uint256 order) internal view returns (EntryPhase phase) {
        phase = _entryPhase(_entries[requestId][order]);
        if (phase == EntryPhase.None) revert NoEntry(requestId, order);
    }

    /// @dev The only place where reveal deadlines are compared.
    function _entryPhase(Entry memory e) internal view returns (EntryPhase) {
        if (e.executor == address(0)) return EntryPhase.None;
        if (!e.revealed) {
            return block.timestamp <= _revealEnds(e) ? EntryPhase.Hidden : EntryPhase.Missed;
        }
        Reliance reliance = RebutResult.reliance(rebut, e.hash);
        if (reliance == Reliance.Final) return EntryPhase.Final;
        return reliance == Reliance.Refuted ? EntryPhase.Refuted : EntryPhase.Standing;
    }

    /// @dev INVARIANT: a pause of Rebut takes nobody's deposit. If it touched the time to reveal, that begins anew at the
    /// pause's end: no other can begin within it (`Rebut` keeps them more than a day apart), so the last one is all to know.
    function _revealEnds(Entry memory e) internal view returns (uint256 ends) {
        ends = e.committedAt + revealSeconds;
        (uint256 from, uint256 until) = rebut.lastPause();
        if (from <= ends && until > e.committedAt) ends = until + revealSeconds;
    }
}
