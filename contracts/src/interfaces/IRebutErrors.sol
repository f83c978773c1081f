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
    /// @notice The value sent is not the bond, wei.
    error WrongBond(uint256 sent, uint256 bond);
    /// @notice The number of inputs or outputs is not the header's.
    error WrongTensorCount(uint256 given, uint256 expected);
    /// @notice A tensor's bytes do not have the header's size; the index counts inputs, then outputs.
    error WrongTensorSize(uint256 index, uint256 given, uint256 expected);
    /// @notice A tensor was given both as bytes and by root.
    error BytesAndRoot(uint256 index);
    /// @notice A claim with this content exists already: use another nonce.
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

    /// @notice Nothing to withdraw.
    error NoCredit(address account);
    /// @notice The account refused the payment, wei.
    error PaymentRefused(address account, uint256 amount);
}
