// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @notice What is fixed when the contract is deployed. Seconds and wei.
struct Parameters {
    uint32 windowSeconds; // W: how long a claim can be challenged
    uint32 openSeconds; // T_open: how long challenges can be opened after the window
    uint32 commitSeconds; // T_commit: how long the executor has to commit to its trace after that
    uint32 clockSeconds; // C: each side's clock in each dispute
    uint32 stepSeconds; // T_step: how long anyone can step once the element is known
    uint32 exclusiveSeconds; // the first part of a turn, in which a move earns no refund: it is the party's own
    uint32 leavesPerSecond; // 512-byte trace leaves that a slow honest machine makes in a second: W, T_commit and C grow
    uint16 burnBps; // the part of a loser's bond that is burnt, in 1/10,000 (5,000 to 10,000)
    uint96 executorBond; // B_E
    uint96 challengerBond; // B_C
    uint64 gasPriceCap; // wei a gas up to which moves are refunded (base fee and a quarter); bonds must cover it
    uint96 traceCost; // wei that making a trace costs an honest executor at most; B_C must cover it
    address burnAddress; // credited with what is burnt; `withdraw` sends it there for anybody
    address guardian; // may pause new claims for a while, and nothing else; zero for nobody
}

/// @notice A claim's content. The contract stores only its id; calls that need it carry it.
struct ClaimData {
    address executor;
    bytes header;
    bytes32[] inputRoots;
    bytes32[] outputRoots;
    uint64 nonce;
}

/// @notice A batch as of now.
struct BatchStatus {
    uint40 start; // when it was posted; 0 if it does not exist
    uint40 windowEnds; // last second to challenge an item
    uint32 count; // of items
    uint32 extracted; // items that became claims of their own while their bonds were reserved
    bool released; // its bonds have been returned: items that nobody extracted are final
}

/// @notice A tensor given as its raw big-endian bytes (root zero), or only by its tensor root (data empty).
struct TensorData {
    bytes data;
    bytes32 root;
}

/// @notice Where a claim stands at a given time. Silent: the commit deadline passed; `finalize` records the refutation.
enum ClaimPhase {
    None,
    Window,
    Opening,
    Committing,
    Disputing,
    Silent,
    Final,
    Refuted
}

/// @notice How a claim ended, once recorded.
enum Outcome {
    None,
    Final,
    RefutedByDispute, // the challenger was right, or the executor ran out of time
    RefutedBothWrong, // neither side's lane or root was right
    RefutedNoStep, // nobody stepped in time, or the descriptor is malformed
    RefutedBySilence, // the executor never committed
    ConcededEarly, // the executor conceded while challenges could still be opened or made
    ConcededLate // the executor conceded later, before it committed to its trace
}

/// @notice What a position points into: a node of the trace tree, a node of a tensor's tree, or one element.
enum Stage {
    Trace,
    Tensor,
    Step,
    Decided
}

/// @notice How a dispute ended.
enum Verdict {
    None,
    ChallengerLost,
    ChallengerWon,
    BothWrong,
    NoStep
}

/// @notice A node in the descent: `index` on the level with `remaining` levels below it.
struct Position {
    Stage stage;
    uint40 value; // of a tensor's tree or element; 0 in the trace tree
    uint40 index; // node on its level; in stage Step the element
    uint8 remaining; // levels below the node
}

/// @notice Where a dispute stands at a given time. Waiting: the executor has not committed yet. Overdue: `timeout` ends
/// it. Vacated: another dispute, silence or a concession ended the claim first.
enum DisputePhase {
    None,
    Waiting,
    Moving,
    Stepping,
    Overdue,
    Decided,
    Vacated
}

/// @notice A claim as of now.
struct ClaimStatus {
    ClaimPhase phase;
    Outcome outcome; // None until recorded
    bool trustedDataAvailability; // some input was given only by its root
    uint40 start; // when it was posted
    uint40 windowEnds; // last second to challenge
    uint40 openingEnds; // last second to open
    uint40 committingEnds; // last second to commit
    uint40 committedAt; // 0 if never
    uint32 challenges; // ever made
    uint32 opened; // opened challenges whose dispute is not lost
    uint32 disputes; // disputes that are not lost
    uint8 refundable; // vacated disputes that may still be refunded from what was set aside of the executor's bond
    bytes32 traceRoot; // the executor's, once committed
}

/// @notice A challenge.
struct ChallengeStatus {
    uint32 order; // 1 for the claim's first challenge; 0 if it does not exist
    bool opened;
    bool settled;
}

/// @notice A dispute as of now.
struct DisputeStatus {
    DisputePhase phase;
    Verdict verdict;
    bytes32 claimId;
    address principal; // owner of the dispute's earliest challenge: receives the reward
    uint32 members; // challenges merged into it
    bool challengerToMove; // else the executor
    uint8 turns; // played so far
    Position position;
    uint8 dtype; // of the value, in stages Tensor and Step
    uint40 elements; // of the value, in stages Tensor and Step
    uint32 executorClock; // seconds left at the turn's start
    uint32 challengerClock;
    uint40 deadline; // last second of the turn (or to step); 0 while waiting or once decided
    bytes32 nodes; // keccak256(executor's node, challenger's node); the challenger's trace root before the first move
    uint64 executorLane; // in stage Step
    uint64 challengerLane;
}
