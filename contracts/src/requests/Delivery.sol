// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ClaimData} from "../interfaces/RebutTypes.sol";
import {Entry, Request} from "./RequestRecords.sol";
import {Forwarder} from "./Forwarder.sol";
import {IRequests} from "../interfaces/IRequests.sol";
import {Payouts} from "./Payouts.sol";
import {RebutResult} from "../RebutResult.sol";

/// @title Brings the output of a final claim to the request's target
abstract contract Delivery is Payouts {
    /// @inheritdoc IRequests
    function deliver(bytes32 requestId, ClaimData calldata claimData, bytes calldata output) external {
        Request storage r = _request(requestId);
        address target = r.target;
        if (target == address(0)) revert NoCallback(requestId);
        if (r.delivered) revert AlreadyDelivered(requestId);
        bytes32 claimId = _headClaim(requestId, r.passed + 1);
        uint256 index = r.outputIndex;
        // INVARIANT: only the head's claim, only once it is final, only the output's own bytes.
        (bytes32 given, uint256 dtype) = RebutResult.requireFinalOutput(
            rebut, keccak256(claimData.header), r.trustedDataAvailability, claimData, index, output
        );
        if (given != claimId) revert WrongClaim(given, claimId);
        // A call to no code would succeed without anybody having heard of it.
        if (target.code.length == 0) revert TargetHasNoCode(target);
        bool trusted = rebut.status(claimId).trustedDataAvailability;
        // INVARIANT: delivered before the target can run code, so it takes the output at most once.
        r.delivered = true;
        bytes memory arguments = abi.encode(requestId, claimId, index, dtype, trusted, output);
        bool success = Forwarder(forwarder).forward(target, r.callbackGas, arguments);
        // Whoever makes the target refuse, as by delivering in the middle of a call of its own, has done nothing.
        if (!success) r.delivered = false;
        emit ResultDelivered(requestId, claimId, target, success);
    }

    /// @dev The claim of an entry that was revealed.
    function _headClaim(bytes32 requestId, uint256 order) private view returns (bytes32) {
        Entry memory e = _entries[requestId][order];
        if (e.executor == address(0)) revert NoEntry(requestId, order);
        if (!e.revealed) revert WrongEntryPhase(requestId, order, _entryPhase(e));
        return e.hash;
    }
}
