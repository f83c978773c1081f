// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Costs} from "./Costs.sol";
import {IRebutErrors} from "../interfaces/IRebutErrors.sol";
import {IRebutEvents} from "../interfaces/IRebutEvents.sol";
import {Parameters} from "../interfaces/RebutTypes.sol";
import {Periods} from "./Records.sol";

/// @title The parameters, fixed at construction and checked for values that could not work
abstract contract Configuration is IRebutEvents, IRebutErrors {
    /// @notice Nobody can be expected to react faster than a block.
    uint256 internal constant MINIMUM_SECONDS = 12;
    /// @notice A side must be able to play all its turns.
    uint256 internal constant MINIMUM_CLOCK = Costs.TURNS * MINIMUM_SECONDS;
    /// @notice Keeps a clock with its extra time within 24 bits and all times within 40.
    uint256 internal constant MAXIMUM_SECONDS = 90 days;
    uint256 internal constant MINIMUM_BURN = 5_000;
    uint256 internal constant MAXIMUM_BURN = 10_000;
    /// @notice More than there is ether; keeps products with the burn share far from overflowing.
    uint256 internal constant MAXIMUM_BOND = 1e27;
    uint256 internal constant MAXIMUM_GAS_PRICE = 1e15;
    /// @notice A pause ends by itself, so that whatever waits for claims waits for a known time only.
    uint256 internal constant MAXIMUM_PAUSE = 30 days;
    /// @notice Between two pauses everybody can post what it has committed to elsewhere (`Requests`: at most a day ahead).
    uint256 internal constant PAUSE_DISTANCE = 1 days;

    uint32 internal immutable WINDOW;
    uint32 internal immutable OPEN;
    uint32 internal immutable COMMIT;
    uint32 internal immutable STEP;
    uint32 internal immutable CLOCK;
    uint32 internal immutable EXCLUSIVE;
    uint32 internal immutable LEAVES_PER_SECOND;
    uint16 internal immutable BURN_BPS;
    uint96 internal immutable EXECUTOR_BOND;
    uint96 internal immutable CHALLENGER_BOND;
    uint64 internal immutable GAS_PRICE_CAP;
    uint96 internal immutable TRACE_COST;
    address internal immutable BURN_ADDRESS;
    address internal immutable GUARDIAN;
    address internal immutable ADJUDICATOR;

    constructor(Parameters memory p, address adjudicator_) {
        _bound("windowSeconds", p.windowSeconds, MINIMUM_SECONDS, MAXIMUM_SECONDS);
        _bound("openSeconds", p.openSeconds, MINIMUM_SECONDS, MAXIMUM_SECONDS);
        _bound("commitSeconds", p.commitSeconds, MINIMUM_SECONDS, MAXIMUM_SECONDS);
        _bound("clockSeconds", p.clockSeconds, MINIMUM_CLOCK, MAXIMUM_SECONDS);
        _bound("stepSeconds", p.stepSeconds, MINIMUM_SECONDS, MAXIMUM_SECONDS);
        // INVARIANT: whoever stands in for a silent side lets the exclusive part of all its turns pass, and still has half of
        // its clock, and half of the time for the step.
        uint256 turn = p.clockSeconds / Costs.TURNS;
        _bound("exclusiveSeconds", p.exclusiveSeconds, 0, (turn < p.stepSeconds ? turn : p.stepSeconds) / 2);
        _bound("leavesPerSecond", p.leavesPerSecond, 1, type(uint32).max);
        _bound("burnBps", p.burnBps, MINIMUM_BURN, MAXIMUM_BURN);
        _bound("gasPriceCap", p.gasPriceCap, 0, MAXIMUM_GAS_PRICE);
        _bound("traceCost", p.traceCost, 0, MAXIMUM_BOND);
        WINDOW = p.windowSeconds;
        OPEN = p.openSeconds;
        COMMIT = p.commitSeconds;
        STEP = p.stepSeconds;
        CLOCK = p.clockSeconds;
        EXCLUSIVE = p.exclusiveSeconds;
        LEAVES_PER_SECOND = p.leavesPerSecond;
        BURN_BPS = p.burnBps;
        EXECUTOR_BOND = p.executorBond;
        CHALLENGER_BOND = p.challengerBond;
        GAS_PRICE_CAP = p.gasPriceCap;
        TRACE_COST = p.traceCost;
        BURN_ADDRESS = p.burnAddress;
        GUARDIAN = p.guardian;
        ADJUDICATOR = adjudicator_;
        // INVARIANT: what is not burnt of a bond pays for everybody whom its owner made work. A reward of a game's size, the
        // movers and the vacated disputes that count come from the executor's; a challenger's makes its defender whole.
        uint256 game = Costs.GAME * p.gasPriceCap;
        uint256 others = Costs.OTHERS * Costs.VACATED * p.gasPriceCap;
        _bound("executorBond", p.executorBond, _bondFor(2 * game + others, p.burnBps), MAXIMUM_BOND);
        _bound("challengerBond", p.challengerBond, _bondFor(2 * (game + p.traceCost), p.burnBps), MAXIMUM_BOND);
        if (adjudicator_.code.length == 0) revert BadAddress(adjudicator_);
        // What is burnt must not be able to come back as somebody's stake here, and must be payable.
        if (p.burnAddress == address(0) || p.burnAddress == address(this) || p.burnAddress.code.length != 0) {
            revert BadAddress(p.burnAddress);
        }
    }

    /// @notice The periods of a claim whose program's trace takes `extra` seconds more.
    function _periods(uint256 extra) internal view returns (Periods memory) {
        return Periods({window: WINDOW + extra, open: OPEN, commit: COMMIT + extra, step: STEP});
    }

    /// @notice The part of a lost bond that is burnt, rounded up, wei.
    function _burnShare(uint256 bond) internal view returns (uint256) {
        return (bond * BURN_BPS + MAXIMUM_BURN - 1) / MAXIMUM_BURN;
    }

    /// @notice What the movers for one side of a dispute are refunded at most, wei.
    function _refundLimit() internal view returns (uint256) {
        return Costs.GAME * GAS_PRICE_CAP;
    }

    /// @notice What a vacated dispute is refunded at most, wei.
    function _vacatedLimit() internal view returns (uint256) {
        return Costs.VACATED * GAS_PRICE_CAP;
    }

    /// @dev The smallest bond (at least one wei) of which `needed` is left after burning; out of range where all burns.
    function _bondFor(uint256 needed, uint256 burnBps) private pure returns (uint256) {
        if (needed == 0) return 1;
        if (burnBps == MAXIMUM_BURN) return type(uint256).max;
        // One more wei makes up for the burn share's rounding up.
        return (needed * MAXIMUM_BURN) / (MAXIMUM_BURN - burnBps) + 2;
    }

    function _bound(string memory name, uint256 value, uint256 minimum, uint256 maximum) private pure {
        if (value < minimum || value > maximum) revert BadParameter(name, value, minimum, maximum);
    }
}
