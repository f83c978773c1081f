// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Header} from "../program/Header.sol";
import {IRequests} from "../interfaces/IRequests.sol";
import {Request} from "./RequestRecords.sol";
import {RequestIds} from "./RequestIds.sol";
import {RequestLedger} from "./RequestLedger.sol";
import {RequestTerms} from "../interfaces/RequestTypes.sol";
import {TensorData} from "../interfaces/RebutTypes.sol";
import {TensorRoots} from "../program/TensorRoots.sol";

/// @title New requests
abstract contract RequestBook is RequestLedger {
    /// @inheritdoc IRequests
    /// @dev Leaves room in a transaction (16,777,216 gas) for the proof of the output.
    uint256 public constant override MAXIMUM_CALLBACK_GAS = 5_000_000;
    uint256 internal constant MAXIMUM_SECONDS = 365 days;
    uint256 internal constant MAXIMUM_BPS = 10_000;

    mapping(bytes32 requestId => Request) internal _requests;

    /// @inheritdoc IRequests
    function request(RequestTerms calldata terms, bytes calldata header, TensorData[] calldata inputs)
        external
        payable
        returns (bytes32 requestId)
    {
        _checkTerms(terms);
        _bound("fee", msg.value, 0, type(uint96).max);
        Header.Parsed memory h = Header.parse(header);
        _bound("outputIndex", terms.outputIndex, 0, h.outputs - 1);
        (bytes32[] memory roots, uint256 unpublished) = TensorRoots.ofInputs(h, inputs);
        // INVARIANT: nobody is asked for what it cannot compute, unless the requester says so.
        if (unpublished != 0 && !terms.trustedDataAvailability) revert InputNotPublished(unpublished - 1);
        bytes32 programId = keccak256(header);
        bytes32 content = RequestIds.contentHash(programId, keccak256(abi.encodePacked(roots)));
        requestId = RequestIds.requestId(address(this), msg.sender, content, msg.value, terms);
        Request storage r = _requests[requestId];
        // INVARIANT: one fee, one request.
        if (r.requester != address(0)) revert RequestExists(requestId);
        r.requester = msg.sender;
        r.fee = uint96(msg.value);
        r.publisher = terms.publisher;
        r.publisherBps = terms.publisherBps;
        r.deadline = terms.deadline;
        r.trustedDataAvailability = terms.trustedDataAvailability;
        r.outputIndex = terms.outputIndex;
        r.target = terms.target;
        r.callbackGas = terms.callbackGas;
        r.contentHash = content;
        emit Requested(requestId, programId, msg.sender, uint96(msg.value), terms, header, roots, inputs);
    }

    function _checkTerms(RequestTerms calldata terms) private view {
        _bound("deadline", terms.deadline, block.timestamp, block.timestamp + MAXIMUM_SECONDS);
        _bound("publisherBps", terms.publisherBps, 0, terms.publisher == address(0) ? 0 : MAXIMUM_BPS);
        if (terms.target == address(0)) {
            _bound("callbackGas", terms.callbackGas, 0, 0);
        } else {
            _bound("callbackGas", terms.callbackGas, 1, MAXIMUM_CALLBACK_GAS);
        }
        // They have no such function; a call that only looks like a delivery should not happen at all.
        if (terms.target == address(this) || terms.target == address(rebut) || terms.target == forwarder) {
            revert BadAddress(terms.target);
        }
    }

    /// @dev Reverts if there is no such request.
    function _request(bytes32 requestId) internal view returns (Request storage r) {
        r = _requests[requestId];
        if (r.requester == address(0)) revert NoRequest(requestId);
    }
}
