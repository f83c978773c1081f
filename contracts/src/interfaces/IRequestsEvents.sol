// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {RequestTerms} from "./RequestTypes.sol";
import {TensorData} from "./RebutTypes.sol";

/// @title Everything that happens to requests, so that an executor can compute and follow them from logs alone
interface IRequestsEvents {
    /// @notice A request was posted. With `inputs` as they were given (bytes or root).
    event Requested(
        bytes32 indexed requestId,
        bytes32 indexed programId,
        address indexed requester,
        uint96 fee,
        RequestTerms terms,
        bytes header,
        bytes32[] inputRoots,
        TensorData[] inputs
    );

    /// @notice An executor committed to a claim that nobody knows yet; its entry is the request's `order`-th, from 1.
    event EntryCommitted(bytes32 indexed requestId, address indexed executor, uint32 order, bytes32 commitment);

    /// @notice An entry's claim is known.
    event EntryRevealed(bytes32 indexed requestId, address indexed executor, bytes32 indexed claimId, uint32 order);

    /// @notice The head moved past entry `order`, which is dead for ever: not revealed in time (`missed`), or its claim is
    /// refuted.
    event HeadAdvanced(bytes32 indexed requestId, address indexed caller, uint32 order, bool missed);

    /// @notice An entry's deposit was credited: to its executor, whose claim is final, or, of a dead entry, to the caller.
    event EntrySettled(bytes32 indexed requestId, address indexed account, uint32 order);

    /// @notice The fee was credited to the executor and the publisher, wei.
    event RequestPaid(
        bytes32 indexed requestId,
        bytes32 indexed claimId,
        address indexed executor,
        uint32 order,
        uint256 toExecutor,
        uint256 toPublisher
    );

    /// @notice The fee was credited to the requester, wei: no entry survived.
    event RequestRefunded(bytes32 indexed requestId, address indexed requester, uint256 fee);

    /// @notice The target was called with the output. `success`: it took it, for once and for all; else anybody can try again.
    event ResultDelivered(bytes32 indexed requestId, bytes32 indexed claimId, address indexed target, bool success);

    /// @notice An account can withdraw `amount` wei more because of a request.
    event Credited(bytes32 indexed requestId, address indexed account, uint256 amount);

    /// @notice An account was paid its credit, wei.
    event Withdrawn(address indexed account, uint256 amount);
}
