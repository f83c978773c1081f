// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IRebutErrors} from "./IRebutErrors.sol";
import {IRebutEvents} from "./IRebutEvents.sol";
import {
    Parameters,
    ClaimData,
    TensorData,
    ClaimPhase,
    ClaimStatus,
    DisputeStatus,
    ChallengeStatus
} from "./RebutTypes.sol";

/// @title Rebut: a claim "program P on inputs X gives Y" stands unless someone rebuts it
/// @notice All times are Unix seconds, all amounts wei. In time means `block.timestamp <= deadline`; whatever a missed
/// deadline allows is allowed for ever. Ids are hashes of content. No call loops over other people's entries.
interface IRebut is IRebutEvents, IRebutErrors {
    // ---------------------------------------------------------------- programs and claims

    /// @notice Registers a program by its header. Content-addressed: the id binds shapes, types and descriptors.
    /// @param header Canonical header bytes (docs/program.md); a malformed one reverts.
    /// @return programId keccak256(header).
    function register(bytes calldata header) external returns (bytes32 programId);

    /// @notice Posts a claim of the caller. The value sent is exactly the executor's bond.
    /// @param header The registered program's header.
    /// @param inputs One entry per input: bytes of exactly the header's size with a zero root, or empty bytes and a root.
    /// @param outputs One entry per output, in the same form.
    /// @param nonce Any number that makes the claim's id new.
    /// @return claimId The id of the claim; see `claimIdOf`.
    function claim(bytes calldata header, TensorData[] calldata inputs, TensorData[] calldata outputs, uint64 nonce)
        external
        payable
        returns (bytes32 claimId);

    /// @notice The executor gives its claim up before it is final. Burns the burn share of its bond; the rest goes to the
    /// challenges (see `settle`), or back if nobody has challenged.
    function concede(ClaimData calldata claimData) external;

    /// @notice Records a claim's end that time or its disputes brought about: Final (the bond returns) or refuted by
    /// silence. Anyone, for ever.
    function finalize(ClaimData calldata claimData) external;

    // ---------------------------------------------------------------- challenges

    /// @notice Challenges a claim within its window with a hidden trace root. The value sent is exactly the bond.
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

    /// @notice The executor commits to its trace, once for all disputes of the claim.
    /// @param claimData The claim; the caller is its executor.
    /// @param traceRoot The executor's trace root.
    /// @param proof Multiproof that the last values of the trace are the claimed outputs.
    /// @param list The 2^min(4, depth) descendants of the trace root; [traceRoot] for a program of one value.
    function commit(ClaimData calldata claimData, bytes32 traceRoot, bytes32[] calldata proof, bytes32[] calldata list)
        external;

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

    // ---------------------------------------------------------------- disputes

    /// @notice One move down: to the leftmost difference, and the mover's next list. Anyone may send either side's move.
    /// @param disputeId The dispute.
    /// @param index The child at which the lists first differ.
    /// @param path The opponent's child, then per level from the bottom the shared left sibling (where the way goes
    /// right) or the mover's and then the opponent's right sibling (where it goes left).
    /// @param list The mover's next list: the 2^min(4, remaining) descendants of its child, or the 16 words of its leaf.
    function move(bytes32 disputeId, uint256 index, bytes32[] calldata path, bytes32[] calldata list) external;

    /// @notice The move that leaves the trace tree and enters a value.
    /// @param disputeId The dispute (its position has at most 4 levels of the trace tree left).
    /// @param claimData The claim.
    /// @param index As in `move`.
    /// @param path As in `move`.
    /// @param descriptor The value's descriptor; empty for a padding value (index >= V).
    /// @param descriptorProof Siblings up to the descriptors root; empty for a padding value.
    /// @param list For an instruction the mover's first list in the tensor. Otherwise [the mover's tensor root]: the
    /// right root is known (or the descriptor is malformed) and the dispute is decided at once.
    function enter(
        bytes32 disputeId,
        ClaimData calldata claimData,
        uint256 index,
        bytes32[] calldata path,
        bytes calldata descriptor,
        bytes32[] calldata descriptorProof,
        bytes32[] calldata list
    ) external;

    /// @notice Reveals both leaves; the first lane that differs is the disputed element.
    /// @param disputeId The dispute.
    /// @param own The mover's leaf, 512 bytes.
    /// @param opponent The opponent's leaf, which its last move revealed.
    function revealLeaf(bytes32 disputeId, bytes32[16] calldata own, bytes32[16] calldata opponent) external;

    /// @notice The contract computes the disputed element and decides. Anyone, until the step deadline.
    /// @param disputeId The dispute.
    /// @param claimData The claim.
    /// @param traceRoot The executor's or the challenger's trace root: under which of them the witness is proven.
    /// @param descriptor The disputed value's descriptor.
    /// @param descriptorProof Siblings up to the descriptors root.
    /// @param witness See IAdjudicator.evaluate; proven under `traceRoot`.
    function step(
        bytes32 disputeId,
        ClaimData calldata claimData,
        bytes32 traceRoot,
        bytes calldata descriptor,
        bytes32[] calldata descriptorProof,
        bytes calldata witness
    ) external;

    /// @notice Ends a dispute whose mover ran out of time (it loses), or that nobody stepped (refuted, no reward).
    function timeout(bytes32 disputeId) external;

    // ---------------------------------------------------------------- money

    /// @notice Pays an account its whole credit. Anyone may call; only the account is paid.
    /// @param account Whom to pay; the burn address for what has been burnt.
    /// @return amount What was paid, wei.
    function withdraw(address account) external returns (uint256 amount);

    // ---------------------------------------------------------------- views

    /// @notice The parameters fixed at construction.
    function parameters() external view returns (Parameters memory);

    /// @notice The contract that computes steps.
    function adjudicator() external view returns (address);

    /// @notice Who registered a program; zero if nobody has.
    function publisher(bytes32 programId) external view returns (address);

    /// @notice What an account can withdraw, wei.
    function credit(address account) external view returns (uint256);

    /// @notice A claim as of now.
    function status(bytes32 claimId) external view returns (ClaimStatus memory);

    /// @notice A dispute as of now.
    function dispute(bytes32 disputeId) external view returns (DisputeStatus memory);

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
