// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {RequestOutcome} from "../interfaces/RequestTypes.sol";

/// @notice A request: four slots.
struct Request {
    address requester;
    uint96 fee;
    address publisher;
    uint16 publisherBps;
    uint40 deadline;
    RequestOutcome outcome;
    bool delivered;
    bool trustedDataAvailability;
    uint8 outputIndex;
    address target;
    uint32 callbackGas;
    uint32 entries; // ever committed
    uint32 passed; // dead entries that the head has passed
    bytes32 contentHash;
}

/// @notice An entry: two slots.
struct Entry {
    address executor;
    uint40 committedAt;
    bool revealed;
    bool settled; // its deposit has been credited
    bytes32 hash; // the commitment; the claim's id once revealed
}
