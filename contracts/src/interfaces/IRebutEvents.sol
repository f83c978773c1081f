// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Outcome, Position, TensorData, Verdict} from "./RebutTypes.sol";

/// @title Everything that happens, so that a bot can rebuild every claim and dispute from logs alone
interface IRebutEvents {
    /// @notice A program was registered.
    event ProgramRegistered(bytes32 indexed programId, address indexed publisher, bytes header);

    /// @notice A claim was posted. With `inputs` and `outputs` as they were given (bytes or root).
    event Claimed(
        bytes32 indexed claimId,
        bytes32 indexed programId,
        address indexed executor,
        bytes header,
        bytes32[] inputRoots,
        bytes32[] outputRoots,
        uint64 nonce,
        bool trustedDataAvailability,
        TensorData[] inputs,
        TensorData[] outputs
    );

    /// @notice A batch was posted: `count` claims with nonces `nonce`, `nonce + 1`, ..., their bytes item by item.
    event BatchClaimed(
        bytes32 indexed batchId,
        bytes32 indexed programId,
        address indexed executor,
        bytes32 itemsRoot,
        bytes header,
        uint32 count,
        uint64 nonce,
        bytes items
    );

    /// @notice An item of a batch became a claim of its own. After the batch's release `ClaimDecided` follows: it is Final.
    event Extracted(bytes32 indexed claimId, bytes32 indexed batchId, uint32 index);

    /// @notice The bonds of a batch's `items` items that nobody extracted were returned.
    event BatchReleased(bytes32 indexed batchId, uint256 items);

    /// @notice New claims are refused from the one second until, and without, the other.
    event PauseSet(uint40 from, uint40 until);

    /// @notice A hidden challenge was made; it is the claim's `order`-th, from 1.
    event Challenged(bytes32 indexed claimId, address indexed challenger, bytes32 challengeHash, uint32 order);

    /// @notice A challenge was opened. `merged`: the dispute existed already. `principal`: of the dispute, now.
    event Opened(
        bytes32 indexed claimId,
        bytes32 indexed disputeId,
        address indexed challenger,
        bytes32 challengeHash,
        bytes32 traceRoot,
        bytes32 salt,
        uint256 outputIndex,
        bytes32 outputRoot,
        bool merged,
        address principal
    );

    /// @notice The executor committed to its trace; in every dispute of the claim it is the challenger's turn.
    event Committed(bytes32 indexed claimId, bytes32 traceRoot, bytes32[] list);

    /// @notice A side moved (`move`, or `enter` into an instruction). The opponent answers from `list`.
    event Moved(bytes32 indexed disputeId, bool byChallenger, Position from, Position to, bytes32[] list);

    /// @notice The dispute entered an instruction's value: its element type and number of elements.
    event Entered(bytes32 indexed disputeId, uint40 indexed value, uint8 dtype, uint40 elements);

    /// @notice The right root of the value is known: an input, a constant, or zero for padding.
    event KnownRoot(
        bytes32 indexed disputeId,
        uint40 indexed value,
        bool byChallenger,
        bytes32 known,
        bytes32 executorRoot,
        bytes32 challengerRoot
    );

    /// @notice The value's descriptor is malformed: nothing can be computed from it.
    event MalformedDescriptor(bytes32 indexed disputeId, uint40 indexed value, bool byChallenger);

    /// @notice A side revealed its leaf (the other one was revealed before); the disputed element and its two lanes.
    event LeafRevealed(
        bytes32 indexed disputeId,
        bool byChallenger,
        uint40 value,
        uint40 leafIndex,
        uint40 element,
        uint64 executorLane,
        uint64 challengerLane,
        bytes32[16] leaf
    );

    /// @notice The contract computed the element.
    event Stepped(bytes32 indexed disputeId, address indexed caller, uint64 lane);

    /// @notice A dispute ended.
    event DisputeDecided(bytes32 indexed disputeId, bytes32 indexed claimId, Verdict verdict);

    /// @notice A claim's end was recorded.
    event ClaimDecided(bytes32 indexed claimId, Outcome outcome);

    /// @notice Somebody moved in a side's place, and is owed `amount` wei if that side wins (or, as a challenger's, is refunded).
    event RefundRecorded(bytes32 indexed disputeId, address indexed mover, bool challengerSide, uint256 amount);

    /// @notice A challenge was paid out: to its owner, to the executor and burnt, wei.
    event Settled(
        bytes32 indexed claimId,
        address indexed challenger,
        bytes32 challengeHash,
        uint256 toChallenger,
        uint256 toExecutor,
        uint256 burnt
    );

    /// @notice An account can withdraw `amount` wei more because of a claim.
    event Credited(bytes32 indexed claimId, address indexed account, uint256 amount);

    /// @notice Part of a bond was burnt, wei.
    event Burnt(bytes32 indexed claimId, uint256 amount);

    /// @notice An account's credit grew by what was sent, wei.
    event Deposited(address indexed account, uint256 amount);

    /// @notice Part of an account's credit became part of a bond, wei.
    event Reserved(address indexed account, uint256 amount);

    /// @notice An account was paid part of its credit, wei.
    event Withdrawn(address indexed account, uint256 amount);
}
