// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ClaimData, TensorData} from "./interfaces/RebutTypes.sol";
import {IRebut} from "./interfaces/IRebut.sol";
import {IRebutConsumer} from "./interfaces/IRebutConsumer.sol";
import {IRequests} from "./interfaces/IRequests.sol";
import {RebutResult} from "./RebutResult.sol";
import {RequestStatus, RequestTerms} from "./interfaces/RequestTypes.sol";

/// @title The base of a contract that asks for results and has them brought to it
/// @notice Takes deliveries only from the forwarder and only for requests that it made itself: anybody can make a request
/// that names this contract as its target.
abstract contract RebutRequester is IRebutConsumer {
    /// @notice Where this contract's requests are.
    IRequests public immutable REQUESTS;
    /// @notice The only sender of deliveries.
    address private immutable FORWARDER;

    /// @notice Whether a request of this contract has not been delivered yet.
    mapping(bytes32 requestId => bool) public awaited;

    /// @notice The caller is not the forwarder.
    error NotForwarder(address caller, address forwarder);
    /// @notice This contract did not make the request, or it has been delivered.
    error NotAwaited(bytes32 requestId);
    /// @notice The claim is not the one that answers the request.
    error WrongClaim(bytes32 given, bytes32 expected);
    /// @notice Ether is accepted from the Requests contract only.
    error NotRequests(address caller, address requests);

    constructor(IRequests requests) {
        REQUESTS = requests;
        FORWARDER = requests.forwarder();
    }

    /// @notice Takes refunded fees (`REQUESTS.withdraw(address(this))`, which anybody may call).
    receive() external payable {
        if (msg.sender != address(REQUESTS)) revert NotRequests(msg.sender, address(REQUESTS));
    }

    /// @inheritdoc IRebutConsumer
    function onRebutResult(
        bytes32 requestId,
        bytes32 claimId,
        uint256 outputIndex,
        uint256 dtype,
        bool trustedDataAvailability,
        bytes calldata output
    ) external {
        if (msg.sender != FORWARDER) revert NotForwarder(msg.sender, FORWARDER);
        if (!awaited[requestId]) revert NotAwaited(requestId);
        delete awaited[requestId];
        _onResult(requestId, claimId, outputIndex, dtype, trustedDataAvailability, output);
    }

    /// @notice Takes the result of a request that the forwarder did not bring, or whose callback failed, which gets a fixed
    /// amount of gas at each try. Anyone may call; the proof is the same.
    function takeResult(bytes32 requestId, ClaimData calldata claimData, bytes calldata output) external {
        if (!awaited[requestId]) revert NotAwaited(requestId);
        delete awaited[requestId];
        RequestStatus memory s = REQUESTS.status(requestId);
        IRebut rebut = REQUESTS.rebut();
        // Final and at the head: the claim that is paid, or will be.
        (bytes32 claimId, uint256 dtype) = RebutResult.requireFinalOutput(
            rebut, keccak256(claimData.header), s.trustedDataAvailability, claimData, s.outputIndex, output
        );
        if (claimId != s.claimId) revert WrongClaim(claimId, s.claimId);
        bool trusted = rebut.status(claimId).trustedDataAvailability;
        _onResult(requestId, claimId, s.outputIndex, dtype, trusted, output);
    }

    /// @dev Posts a request whose target is this contract, whatever the terms say.
    function _request(RequestTerms memory terms, bytes memory header, TensorData[] memory inputs, uint256 fee)
        internal
        returns (bytes32 requestId)
    {
        terms.target = address(this);
        requestId = REQUESTS.request{value: fee}(terms, header, inputs);
        awaited[requestId] = true;
    }

    /// @dev A final result of a request that this contract made, once. If this reverts in the callback, the request stays
    /// `awaited`: `deliver` again, or `takeResult`. Anybody chooses when it is called: also in the middle of a call that this
    /// contract makes to somebody else.
    function _onResult(
        bytes32 requestId,
        bytes32 claimId,
        uint256 outputIndex,
        uint256 dtype,
        bool trustedDataAvailability,
        bytes calldata output
    ) internal virtual;
}
