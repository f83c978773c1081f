// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {EntryPhase, RequestOutcome} from "./RequestTypes.sol";

/// @title Why a call about a request is refused, with the values that were wrong
/// @dev Malformed headers and tensors are refused with the errors of `Header` and `IRebutErrors`, outputs with those of
/// `RebutResult`.
interface IRequestsErrors {
    /// @notice A parameter or term is outside its bounds (the name is its field's).
    error BadParameter(string name, uint256 value, uint256 minimum, uint256 maximum);
    /// @notice Rebut cannot be this address (no code), or a callback cannot be aimed at it.
    error BadAddress(address account);

    /// @notice An input was given only by its root, and the terms do not say `trustedDataAvailability`.
    error InputNotPublished(uint256 index);
    /// @notice A request with this content exists already: use another nonce.
    error RequestExists(bytes32 requestId);
    /// @notice There is no such request.
    error NoRequest(bytes32 requestId);
    /// @notice The request has been paid or refunded.
    error RequestClosed(bytes32 requestId, RequestOutcome outcome);
    /// @notice The request has not been paid.
    error NotPaid(bytes32 requestId);

    /// @notice The value sent is not the deposit, wei.
    error WrongDeposit(uint256 sent, uint256 deposit);
    /// @notice The deadline, to commit or to reveal, has passed.
    error TooLate(bytes32 requestId, uint256 deadline);
    /// @notice The deadline has not passed yet.
    error TooEarly(bytes32 requestId, uint256 deadline);
    /// @notice There is no such entry.
    error NoEntry(bytes32 requestId, uint256 order);
    /// @notice The entry's phase does not allow the call.
    error WrongEntryPhase(bytes32 requestId, uint256 order, EntryPhase phase);
    /// @notice The entry's deposit has been credited.
    error EntryIsSettled(bytes32 requestId, uint256 order);
    /// @notice There are entries that the head has not passed; `head` is the first of them.
    error EntriesLeft(bytes32 requestId, uint256 head, uint256 entries);

    /// @notice Executor, claim and salt are not those of the commitment.
    error WrongPreimage(bytes32 computed, bytes32 commitment);
    /// @notice The claim is another executor's than the entry.
    error WrongExecutor(address given, address expected);
    /// @notice The claim is about another program or other inputs (`contentHashOf`).
    error WrongContent(bytes32 given, bytes32 expected);
    /// @notice There is no such claim on Rebut.
    error NoClaim(bytes32 claimId);
    /// @notice The claim was not posted strictly later than the commitment, both Unix seconds.
    error ClaimNotLater(bytes32 claimId, uint256 claimedAt, uint256 committedAt);
    /// @notice The claim's inputs are not published, and the terms do not say `trustedDataAvailability`.
    error ClaimInputsNotPublished(bytes32 claimId);

    /// @notice The request has no callback.
    error NoCallback(bytes32 requestId);
    /// @notice The output has been delivered.
    error AlreadyDelivered(bytes32 requestId);
    /// @notice The claim is not the head's.
    error WrongClaim(bytes32 given, bytes32 expected);
    /// @notice The callback's target has no code (yet).
    error TargetHasNoCode(address target);

    /// @notice Nothing to withdraw.
    error NoCredit(address account);
    /// @notice The account refused the payment, wei.
    error PaymentRefused(address account, uint256 amount);
}
