// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {
    BatchStatus,
    ChallengeStatus,
    ClaimData,
    ClaimPhase,
    ClaimStatus,
    DisputeStatus,
    Parameters,
    TensorData
} from "./RebutTypes.sol";

/// @title Programs, claims, challenges, money and views
interface IRebutClaims {
    // ---------------------------------------------------------------- programs and claims

    /// @notice Registers a program by its header. Content-addressed: the id binds shapes, types and descriptors.
    /// @param header Canonical header bytes (docs/program.md); a malformed one reverts, and one that has, with 32 bytes for
    /// each of its tensors, more than 8,192 bytes: calls about claims carry them.
    /// @return programId keccak256(header).
    function register(bytes calldata header) external returns (bytes32 programId);

    /// @notice Posts a claim of the caller. The bond is taken from the value sent, the rest from the caller's credit.
    /// @param header The registered program's header.
    /// @param inputs One entry per input: bytes of exactly the header's size with a zero root, or empty bytes and a root.
    /// @param outputs One entry per output, in the same form.
    /// @param nonce Any number below 2^63 that makes the claim's id new.
    /// @return claimId The id of the claim; see `claimIdOf`.
    function claim(bytes calldata header, TensorData[] calldata inputs, TensorData[] calldata outputs, uint64 nonce)
        external
        payable
        returns (bytes32 claimId);

    /// @notice The executor gives its claim up before it is final and before it has committed to its trace: what is owed for
    /// moves in disputes is settled by a verdict only. Burns the burn share of its bond; the rest goes to the challenges (see
    /// `settle`), or back if nobody has challenged.
    function concede(ClaimData calldata claimData) external;

    /// @notice Records a claim's end that time or its disputes brought about: Final (the bond returns) or refuted by
    /// silence. Anyone, for ever.
    function finalize(ClaimData calldata claimData) external;

    /// @notice Posts many claims of the caller on one program, all of them by their bytes. Each reserves a bond. Item `i` is
    /// the claim with nonce 2^63 + (the block's time << 28) + (count << 14) + i, which nobody can post alone; window,
    /// commitment and clocks have the extra time of `count` traces.
    /// @param header The registered program's header.
    /// @param count Number of items, 1 to 16,383.
    /// @param items Item by item the bytes of its inputs and then of its outputs, in the header's order.
    /// @return batchId The batch's id.
    /// @return itemsRoot The root over the items' claim ids (padded with zero words).
    function claimBatch(bytes calldata header, uint32 count, bytes calldata items)
        external
        payable
        returns (bytes32 batchId, bytes32 itemsRoot);

    /// @notice Makes an item a claim of its own, as if it had been posted alone when the batch was: to challenge it, to
    /// concede it, or to read it without a proof. Anyone, for ever.
    /// @param claimData The item's claim; its nonce says where in the batch it is.
    /// @param itemsRoot The root over the batch's items.
    /// @param count The batch's number of items.
    /// @param proof Siblings from the claim's id up to the items' root.
    /// @return claimId The claim's id.
    function extract(ClaimData calldata claimData, bytes32 itemsRoot, uint32 count, bytes32[] calldata proof)
        external
        returns (bytes32 claimId);

    /// @notice Returns the bonds of all items that nobody extracted, once they are final. Anyone, once.
    function finalizeBatch(address executor, bytes32 programId, bytes32 itemsRoot, uint32 count) external;

    /// @notice The phase of a batch's item, whether or not it is a claim of its own. Final and Refuted are for ever.
    function itemPhase(ClaimData calldata claimData, bytes32 itemsRoot, uint32 count, bytes32[] calldata proof)
        external
        view
        returns (ClaimPhase);

    /// @notice A batch as of now.
    function batch(bytes32 batchId) external view returns (BatchStatus memory);

    /// @notice Stops new claims for at most 30 days, more than a day after the last pause; or ends a pause. The guardian only;
    /// claims that exist, and their disputes, go on.
    function setPaused(bool paused) external;

    /// @notice Whether new claims are stopped.
    function isPaused() external view returns (bool);

    /// @notice The last pause, Unix seconds: new claims are refused from the one until, and without, the other, which is in
    /// the future while it lasts; zeros if there was none.
    function lastPause() external view returns (uint40 from, uint40 until);

    // ---------------------------------------------------------------- challenges

    /// @notice Challenges a claim within its window with a hidden trace root. The bond is taken from the value
    /// sent, the rest from the caller's credit.
    /// @param claimId The claim.
    /// @param challengeHash `challengeHashOf(claimId, caller, traceRoot, salt)`.
    function challenge(bytes32 claimId, bytes32 challengeHash) external payable;

    /// @notice Opens a challenge: reveals its trace root and proves that the trace ends in another output. Equal roots of
    /// one claim merge into one dispute, whose principal is the earliest of its challenges. Anyone who knows the salt.
    /// @param claimData The claim.
    /// @param challenger The challenge's owner.
    /// @param traceRoot The challenger's trace root.
    /// @param salt The salt of the challenge's hash.
    /// @param outputIndex Which output differs (0 is the first output).
    /// @param outputRoot The challenger's tensor root of that output.
    /// @param proof Siblings from the tensor root up to the trace root.
    /// @return disputeId keccak256(abi.encode(claimId, traceRoot)).
    function open(
        ClaimData calldata claimData,
        address challenger,
        bytes32 traceRoot,
        bytes32 salt,
        uint256 outputIndex,
        bytes32 outputRoot,
        bytes32[] calldata proof
    ) external returns (bytes32 disputeId);

    /// @notice Pays out one challenge of a claim whose end is recorded. Anyone, for ever, once per challenge.
    /// @param claimData The claim.
    /// @param challenger The challenge's owner.
    /// @param challengeHash The challenge's hash.
    /// @param traceRoot The opened trace root; ignored for a challenge that was never opened.
    /// @param salt The opened salt; ignored for a challenge that was never opened.
    function settle(
        ClaimData calldata claimData,
        address challenger,
        bytes32 challengeHash,
        bytes32 traceRoot,
        bytes32 salt
    ) external;

    // ---------------------------------------------------------------- money

    /// @notice Adds the value sent to an account's credit, from which bonds can be taken.
    function deposit(address account) external payable;

    /// @notice Pays out part of an account's credit. The account itself; for the burn address anyone.
    /// @param account Whom to pay; the burn address for what has been burnt.
    /// @param amount How much, wei; at most the credit.
    function withdraw(address account, uint256 amount) external;

    /// @notice Credits a mover with what it is owed for moves of the side that won a dispute, or of the challenger of a
    /// vacated one whose principal was refunded. Anyone, for ever.
    function collect(bytes32 disputeId, address mover) external;

    // ---------------------------------------------------------------- views

    /// @notice The parameters fixed at construction.
    function parameters() external view returns (Parameters memory);

    /// @notice The contract that computes steps.
    function adjudicator() external view returns (address);

    /// @notice Who registered a program; zero if nobody has.
    function publisher(bytes32 programId) external view returns (address);

    /// @notice What an account can withdraw or use for bonds, wei.
    function credit(address account) external view returns (uint256);

    /// @notice A claim as of now.
    function status(bytes32 claimId) external view returns (ClaimStatus memory);

    /// @notice A dispute as of now.
    function dispute(bytes32 disputeId) external view returns (DisputeStatus memory);

    /// @notice What a mover (the caller of the moves) is owed if the side that it moved for wins the dispute, wei.
    function refund(bytes32 disputeId, bool challengerSide, address mover) external view returns (uint256);

    /// @notice The longest that a claim on a program can take from posting to its end, seconds, however many
    /// challenge it: W + T_open + T_commit + 2 C + T_step, four of them with the extra time of `count` traces.
    /// @param count Items of the claim's batch; 1 for a claim that was posted alone.
    function longest(bytes calldata header, uint32 count) external view returns (uint256);

    /// @notice A challenge.
    function challengeStatus(bytes32 challengeId) external view returns (ChallengeStatus memory);

    /// @notice True once no call can refute the claim any more, whether or not `finalize` has recorded it.
    function isFinal(bytes32 claimId) external view returns (bool);

    /// @notice The id of a claim on this contract and chain.
    function claimIdOf(ClaimData calldata claimData) external view returns (bytes32);

    /// @notice The hash that hides a challenge's trace root.
    function challengeHashOf(bytes32 claimId, address challenger, bytes32 traceRoot, bytes32 salt)
        external
        view
        returns (bytes32);

    /// @notice keccak256(abi.encode(claimId, challenger, challengeHash)).
    function challengeIdOf(bytes32 claimId, address challenger, bytes32 challengeHash) external pure returns (bytes32);

    /// @notice keccak256(abi.encode(claimId, traceRoot)).
    function disputeIdOf(bytes32 claimId, bytes32 traceRoot) external pure returns (bytes32);
}
