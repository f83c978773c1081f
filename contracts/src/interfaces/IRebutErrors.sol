// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ClaimPhase, Stage} from "./RebutTypes.sol";

/// @title Why a call is refused, with the values that were wrong
interface IRebutErrors {
    /// @notice A parameter is outside its bounds (the name is its field's).
    error BadParameter(string name, uint256 value, uint256 minimum, uint256 maximum);
    /// @notice The adjudicator, or the burn address, cannot be this address.
    error BadAddress(address account);

    /// @notice The program is registered already.
    error AlreadyRegistered(bytes32 programId);
    /// @notice The program is not registered.
    error NotRegistered(bytes32 programId);
    /// @notice The program's trace has more leaves than there can be time for.
    error TraceTooLarge(uint256 leaves, uint256 most);
    /// @notice Header and roots have more bytes than calls about claims can carry.
    error ContentTooLarge(uint256 size, uint256 most);
    /// @notice The guardian has stopped new claims.
    error ClaimsPaused();
    /// @notice The last pause has ended less than a day ago, or goes on; `earliest` is the first second of another.
    error PauseTooEarly(uint256 earliest);
    /// @notice New claims are not stopped.
    error NotPaused();
    /// @notice Nonces from 2^63 on are those of batches' items.
    error ReservedNonce(uint64 nonce);
    /// @notice Only the guardian may do this.
    error NotGuardian(address caller, address guardian);
    /// @notice More than the bond was sent, or the value sent and the caller's credit are less, wei.
    error WrongBond(uint256 available, uint256 bond);
    /// @notice A batch has no items, or too many.
    error WrongItemCount(uint256 count, uint256 most);
    /// @notice The items do not have `count` times the size of the header's tensors.
    error WrongItemsSize(uint256 given, uint256 expected);
    /// @notice There is no such batch.
    error NoBatch(bytes32 batchId);
    /// @notice The number of inputs or outputs is not the header's.
    error WrongTensorCount(uint256 given, uint256 expected);
    /// @notice A tensor's bytes do not have the header's size; the index counts inputs, then outputs.
    error WrongTensorSize(uint256 index, uint256 given, uint256 expected);
    /// @notice A tensor was given both as bytes and by root.
    error BytesAndRoot(uint256 index);
    /// @notice A claim (or a batch) with this content exists already: use another nonce.
    error ClaimExists(bytes32 claimId);
    /// @notice The claim is not in a phase that allows the call.
    error WrongPhase(bytes32 claimId, ClaimPhase phase);
    /// @notice Only the claim's executor may do this.
    error NotExecutor(address caller, address executor);

    /// @notice The caller has made this challenge already.
    error ChallengeExists(bytes32 challengeId);
    /// @notice There is no such challenge.
    error NoChallenge(bytes32 challengeId);
    /// @notice The challenge has been opened already.
    error AlreadyOpened(bytes32 challengeId);
    /// @notice The challenge has been settled already.
    error AlreadySettled(bytes32 challengeId);
    /// @notice The trace root and salt are not those of the challenge.
    error WrongPreimage(bytes32 given, bytes32 challengeHash);
    /// @notice There is no such output.
    error NoOutput(uint256 outputIndex, uint256 outputs);
    /// @notice The output's root is the claimed one: nothing to dispute.
    error SameOutput(uint256 outputIndex, bytes32 outputRoot);
    /// @notice A proof leads to another root.
    error WrongRoot(bytes32 computed, bytes32 expected);

    /// @notice There is no such dispute.
    error NoDispute(bytes32 disputeId);
    /// @notice The dispute is not at a stage that allows the call.
    error WrongStage(bytes32 disputeId, Stage stage, uint256 remaining);
    /// @notice The claim is not the dispute's.
    error WrongClaim(bytes32 given, bytes32 expected);
    /// @notice The turn's (or the step's) deadline has passed.
    error TooLate(bytes32 disputeId, uint256 deadline);
    /// @notice The deadline has not passed yet.
    error TooEarly(bytes32 disputeId, uint256 deadline);
    /// @notice The nodes that the move leads to are not those of the position.
    error WrongNodes(bytes32 computed, bytes32 expected);
    /// @notice Both sides have the same child (or leaf) here: the difference is elsewhere.
    error NoDifference(bytes32 node);
    /// @notice A list has the wrong number of words.
    error WrongListLength(uint256 given, uint256 expected);
    /// @notice Padding values have neither a descriptor nor a proof of one.
    error PaddingHasNoDescriptor(uint256 value, uint256 values);

    /// @notice Nothing was sent.
    error NothingDeposited();
    /// @notice Only the account itself may do this.
    error NotOwner(address caller, address account);
    /// @notice The account does not have this credit, wei; nothing is no amount.
    error NoCredit(address account, uint256 amount, uint256 available);
    /// @notice The mover is owed nothing for this dispute: its side has not won, or it has collected.
    error NothingToCollect(bytes32 disputeId, address mover);
    /// @notice The account refused the payment, wei.
    error PaymentRefused(address account, uint256 amount);
}
