// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ClaimData} from "../interfaces/RebutTypes.sol";
import {Classifier} from "./Classifier.sol";
import {IRebut} from "../interfaces/IRebut.sol";
import {RebutConsumer} from "../RebutConsumer.sol";
import {RebutResult, Reliance, Standing} from "../RebutResult.sol";

/// @title An example of a consumer that does not wait: rewards executors whose classifier finds one class
/// @notice A final result counts at once. A provisional one counts too, by this contract's own rule: nobody has challenged
/// it, it has stood for a while, and all rewards that may still have to be undone stay below a limit. An executor can
/// spend its points at once; if the claim is refuted later they are taken back, and the account may be left with a debt.
/// What can be lost to refuted claims at any time is therefore the limit.
contract ProvisionalConsumer is RebutConsumer {
    enum Effect {
        None,
        AtRisk, // in force, can still be undone
        Settled, // in force for ever
        Undone // taken back for ever
    }

    struct Reward {
        Effect effect;
        uint88 points;
        address account;
    }

    /// @notice The class that is rewarded.
    uint256 public immutable WANTED;
    /// @notice The points that one result is worth.
    uint88 public immutable POINTS;
    /// @notice The greatest sum of points at risk.
    uint256 public immutable LIMIT;
    /// @notice How long a provisional claim must have stood unchallenged, seconds.
    uint256 public immutable MINIMUM_AGE;

    /// @notice The sum of the points that may still be undone.
    uint256 public atRisk;
    /// @notice An account's points; below zero after it spent points that were undone.
    mapping(address account => int256) public points;
    /// @notice What each claim has brought about.
    mapping(bytes32 claimId => Reward) public rewards;

    event Rewarded(bytes32 indexed claimId, address indexed account, uint88 points, Effect effect);
    event Settled(bytes32 indexed claimId);
    event Undone(bytes32 indexed claimId, address indexed account, uint88 points);
    event Spent(address indexed account, uint88 points);

    /// @notice The claim has brought its reward already.
    error AlreadyRewarded(bytes32 claimId);
    /// @notice The output names another class.
    error WrongClass(uint256 label, uint256 wanted);
    /// @notice Somebody has challenged the claim: wait until it is final.
    error Contested(bytes32 claimId, uint256 challenges);
    /// @notice The claim has not stood for long enough, seconds.
    error TooYoung(bytes32 claimId, uint256 age, uint256 minimum);
    /// @notice Too much depends on results that are not final.
    error TooMuchAtRisk(uint256 atRisk, uint256 limit);
    /// @notice The claim's reward is not at risk.
    error NotAtRisk(bytes32 claimId, Effect effect);
    /// @notice The account does not have so many points.
    error TooFewPoints(address account, int256 points, uint256 wanted);

    constructor(
        IRebut rebut,
        bytes32 programId,
        bool trustsDataAvailability,
        uint256 wanted,
        uint88 points_,
        uint256 limit,
        uint256 minimumAge
    ) RebutConsumer(rebut, programId, trustsDataAvailability) {
        WANTED = wanted;
        POINTS = points_;
        LIMIT = limit;
        MINIMUM_AGE = minimumAge;
    }

    /// @notice Rewards the executor of a claim whose output names the wanted class: provisionally if the rule allows it,
    /// for good if the claim is final.
    function reward(ClaimData calldata claimData, uint256 outputIndex, bytes calldata output) external {
        (bytes32 claimId, uint256 dtype, Standing memory s) = _standingOutput(claimData, outputIndex, output);
        if (rewards[claimId].effect != Effect.None) revert AlreadyRewarded(claimId);
        uint256 label = Classifier.label(dtype, output);
        if (label != WANTED) revert WrongClass(label, WANTED);
        Effect effect = Effect.Settled;
        if (s.reliance != Reliance.Final) {
            _requireAcceptable(claimId, s);
            atRisk += POINTS;
            effect = Effect.AtRisk;
        }
        rewards[claimId] = Reward(effect, POINTS, claimData.executor);
        points[claimData.executor] += int256(uint256(POINTS));
        emit Rewarded(claimId, claimData.executor, POINTS, effect);
    }

    /// @notice Records that a claim whose reward was at risk is final. Anyone.
    function settle(bytes32 claimId) external {
        Reward storage r = _requireAtRisk(claimId);
        RebutResult.requireFinal(REBUT, claimId);
        r.effect = Effect.Settled;
        atRisk -= r.points;
        emit Settled(claimId);
    }

    /// @notice Takes back what a refuted claim has brought. Anyone.
    function undo(bytes32 claimId) external {
        Reward storage r = _requireAtRisk(claimId);
        RebutResult.requireRefuted(REBUT, claimId);
        r.effect = Effect.Undone;
        atRisk -= r.points;
        points[r.account] -= int256(uint256(r.points));
        emit Undone(claimId, r.account, r.points);
    }

    /// @notice Spends points of the caller.
    function spend(uint88 amount) external {
        int256 owned = points[msg.sender];
        if (owned < int256(uint256(amount))) revert TooFewPoints(msg.sender, owned, amount);
        points[msg.sender] = owned - int256(uint256(amount));
        emit Spent(msg.sender, amount);
    }

    /// @dev This contract's rule for results that are not final.
    function _requireAcceptable(bytes32 claimId, Standing memory s) private view {
        if (s.reliance != Reliance.Provisional) revert Contested(claimId, s.challenges);
        if (s.age < MINIMUM_AGE) revert TooYoung(claimId, s.age, MINIMUM_AGE);
        if (atRisk + POINTS > LIMIT) revert TooMuchAtRisk(atRisk + POINTS, LIMIT);
    }

    function _requireAtRisk(bytes32 claimId) private view returns (Reward storage r) {
        r = rewards[claimId];
        if (r.effect != Effect.AtRisk) revert NotAtRisk(claimId, r.effect);
    }
}
