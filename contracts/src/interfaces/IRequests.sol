// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ClaimData, TensorData} from "./RebutTypes.sol";
import {EntryStatus, RequestStatus, RequestTerms} from "./RequestTypes.sol";
import {IRebut} from "./IRebut.sol";
import {IRequestsErrors} from "./IRequestsErrors.sol";
import {IRequestsEvents} from "./IRequestsEvents.sol";

/// @title Requests: "whoever posts a claim on program P and inputs X that stands gets this fee"
/// @notice Executors first commit to a claim, then post it on Rebut, then reveal: an output that appears in the mempool is
/// of no use to anybody else. Several executors may answer one request; their entries are ordered by commitment, and the
/// earliest whose claim becomes final is paid. Nobody is trusted: the contract has no owner and no upgrade.
/// @dev All times are Unix seconds, all amounts wei. In time means `block.timestamp <= deadline`; whatever a missed
/// deadline allows is allowed for ever. No call loops over entries. Balance = fees and deposits in escrow + credits.
interface IRequests is IRequestsEvents, IRequestsErrors {
    // ---------------------------------------------------------------- requester

    /// @notice Posts a request of the caller. The value sent is the fee.
    /// @dev The program need not be registered yet; nobody can answer before it is.
    /// @param terms Deadline, publisher's share, callback (RequestTypes.sol). The deadline is not in the past and at most
    /// a year ahead; a share needs a publisher; a callback has a target and 1 to `MAXIMUM_CALLBACK_GAS` gas.
    /// @param header Canonical header bytes of the program; a malformed one reverts.
    /// @param inputs One entry per input, as in `IRebut.claim`: bytes of exactly the header's size with a zero root, or,
    /// only if the terms say `trustedDataAvailability`, empty bytes and a root.
    /// @return requestId `requestIdOf(caller, value, terms, keccak256(header), the inputs' tensor roots)`.
    function request(RequestTerms calldata terms, bytes calldata header, TensorData[] calldata inputs)
        external
        payable
        returns (bytes32 requestId);

    /// @notice Credits the fee to the requester: the deadline has passed and the head has passed every entry. Anyone, for
    /// ever, once.
    function refund(bytes32 requestId) external;

    // ---------------------------------------------------------------- executors

    /// @notice Enters a request with a hidden claim of the caller, in time. The value sent is exactly the deposit.
    /// @dev Commit first, post the claim in a later block (its time must be strictly later), then reveal.
    /// @param requestId The request.
    /// @param commitment `commitmentOf(requestId, caller, claimId, salt)`. Whoever copies it cannot reveal it.
    /// @return order The entry's order on the request, from 1.
    function commit(bytes32 requestId, bytes32 commitment) external payable returns (uint256 order);

    /// @notice Reveals an entry in time: its claim is on Rebut, the entry's executor's, on the request's program and
    /// inputs, posted strictly later than the commitment and, unless the terms say otherwise, with published inputs.
    /// The deposit stays until the claim's end. Anyone who knows the salt; also after the request was paid.
    /// @param requestId The request.
    /// @param order The entry's order.
    /// @param claimData The claim.
    /// @param salt The commitment's salt.
    function reveal(bytes32 requestId, uint256 order, ClaimData calldata claimData, bytes32 salt) external;

    /// @notice Moves the head past entries that are dead for ever, not revealed in time or with a refuted claim, and credits
    /// their deposits to the caller. Anyone, for ever.
    /// @param requestId The request.
    /// @param count Most entries to pass; it stops earlier at one that may be paid. At least one must be dead.
    function advance(bytes32 requestId, uint256 count) external;

    /// @notice Credits the fee to the executor of the head, whose claim is final, less the publisher's share (rounded
    /// down), and the deposit. Anyone, for ever, once.
    function pay(bytes32 requestId) external;

    /// @notice Credits an entry's deposit: to its executor once its claim is final; once the request is paid, that of an
    /// entry that is dead to the caller. Anyone, for ever, once.
    function settle(bytes32 requestId, uint256 order) external;

    // ---------------------------------------------------------------- delivery

    /// @notice Hands the output of the head's final claim to the request's target. Anyone, for ever, until the target has
    /// taken it once; before or after `pay`.
    /// @dev Calls `IRebutConsumer.onRebutResult` through the forwarder with exactly `callbackGas`; reverts, and decides
    /// nothing, if the transaction's gas does not suffice for that. Succeeds whatever the target does; the event says
    /// whether it reverted, and then anybody can try again.
    /// @param requestId The request.
    /// @param claimData The head's claim.
    /// @param output The bytes of the output that the terms name.
    function deliver(bytes32 requestId, ClaimData calldata claimData, bytes calldata output) external;

    // ---------------------------------------------------------------- money

    /// @notice Pays an account its whole credit. Anyone may call; only the account is paid.
    /// @param account Whom to pay.
    /// @return amount What was paid, wei.
    function withdraw(address account) external returns (uint256 amount);

    // ---------------------------------------------------------------- views

    /// @notice The contract on which claims are posted and disputed.
    function rebut() external view returns (IRebut);

    /// @notice The sender of every callback: a contract without funds or rights.
    function forwarder() external view returns (address);

    /// @notice What a commitment must be sent with, wei.
    function deposit() external view returns (uint256);

    /// @notice How long after its commitment an entry can be revealed.
    function revealSeconds() external view returns (uint256);

    /// @notice The greatest `callbackGas`.
    function MAXIMUM_CALLBACK_GAS() external view returns (uint256);

    /// @notice What an account can withdraw, wei.
    function credit(address account) external view returns (uint256);

    /// @notice A request as of now.
    function status(bytes32 requestId) external view returns (RequestStatus memory);

    /// @notice An entry as of now.
    function entry(bytes32 requestId, uint256 order) external view returns (EntryStatus memory);

    /// @notice keccak256(abi.encode(chain id, this contract, requester, contentHashOf(programId, inputRoots), fee, terms)).
    function requestIdOf(
        address requester,
        uint256 fee,
        RequestTerms calldata terms,
        bytes32 programId,
        bytes32[] calldata inputRoots
    ) external view returns (bytes32);

    /// @notice keccak256(abi.encode(programId, keccak256(abi.encodePacked(inputRoots)))): what a request and the claims
    /// that answer it have in common.
    function contentHashOf(bytes32 programId, bytes32[] calldata inputRoots) external pure returns (bytes32);

    /// @notice keccak256(abi.encode(chain id, this contract, requestId, executor, claimId, salt)).
    function commitmentOf(bytes32 requestId, address executor, bytes32 claimId, bytes32 salt)
        external
        view
        returns (bytes32);
}
