// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @notice What a requester asks for besides the program and its inputs. Seconds, wei and gas.
struct RequestTerms {
    uint40 deadline; // last second for commitments
    bool trustedDataAvailability; // accepts inputs that are given only by their roots, here and in claims
    address publisher; // gets a share of the fee; zero if nobody does
    uint16 publisherBps; // the publisher's share in 1/10,000; 0 if there is no publisher
    uint8 outputIndex; // which output `deliver` hands over (0 is the first)
    address target; // whose `onRebutResult` is called; zero if nobody's is
    uint32 callbackGas; // gas that the call gets, exactly; 0 if there is no target
    uint64 nonce; // any number that makes the request's id new
}

/// @notice How a request ended, once recorded. Delivery is apart from this.
enum RequestOutcome {
    None,
    Paid,
    Refunded
}

/// @notice Where a request stands at a given time.
enum RequestPhase {
    None,
    Open, // commitments are accepted, and the head cannot be paid (yet)
    Waiting, // the deadline has passed, and there are entries at or behind the head
    Payable, // the head's claim is final: `pay`, and `deliver` if not done
    Refundable, // the deadline has passed and every entry is dead: `refund`
    Paid,
    Refunded
}

/// @notice Where an entry stands at a given time. Final and Refuted are for ever.
enum EntryPhase {
    None,
    Hidden, // committed; can still be revealed
    Missed, // not revealed in time: dead for ever
    Standing, // revealed; its claim is neither final nor refuted
    Final, // its claim is final
    Refuted // its claim is refuted: dead for ever
}

/// @notice A request as of now.
struct RequestStatus {
    RequestPhase phase;
    bool delivered; // the target has taken the output
    bool trustedDataAvailability;
    uint8 outputIndex;
    uint16 publisherBps;
    uint32 callbackGas;
    uint32 entries; // ever committed; their orders are 1 to this
    uint32 head; // order of the earliest entry that was not passed; entries + 1 if all were
    uint40 deadline;
    uint96 fee;
    address requester;
    address publisher;
    address target;
    bytes32 contentHash; // `contentHashOf` its program and input roots
    bytes32 claimId; // of the head, once revealed; else zero
}

/// @notice An entry as of now.
struct EntryStatus {
    EntryPhase phase;
    bool settled; // its deposit has been credited
    address executor;
    uint40 committedAt;
    uint40 revealEnds; // last second to reveal; while a pause of Rebut goes on, as if it lasted as long as it can
    bytes32 commitment; // until it is revealed
    bytes32 claimId; // once it is revealed
}
