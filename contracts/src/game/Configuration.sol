// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IRebut} from "../interfaces/IRebut.sol";
import {Parameters} from "../interfaces/RebutTypes.sol";
import {Periods} from "./Records.sol";

/// @title The parameters, fixed at construction and checked for values that could not work
abstract contract Configuration is IRebut {
    /// @notice Nobody can be expected to react faster than a block.
    uint256 internal constant MINIMUM_SECONDS = 12;
    /// @notice Keeps all sums of periods within 32 bits and all times within 40.
    uint256 internal constant MAXIMUM_SECONDS = 365 days;
    uint256 internal constant MINIMUM_BURN = 5_000;
    uint256 internal constant MAXIMUM_BURN = 10_000;
    /// @notice More than there is ether; keeps products with the burn share far from overflowing.
    uint256 internal constant MAXIMUM_BOND = 1e27;

    uint32 private immutable WINDOW;
    uint32 private immutable OPEN;
    uint32 private immutable COMMIT;
    uint32 private immutable STEP;
    uint32 internal immutable CLOCK;
    uint16 private immutable BURN_BPS;
    uint96 internal immutable EXECUTOR_BOND;
    uint96 internal immutable CHALLENGER_BOND;
    address internal immutable BURN_ADDRESS;
    address internal immutable ADJUDICATOR;

    constructor(Parameters memory p, address adjudicator_) {
        _bound("windowSeconds", p.windowSeconds, MINIMUM_SECONDS, MAXIMUM_SECONDS);
        _bound("openSeconds", p.openSeconds, MINIMUM_SECONDS, MAXIMUM_SECONDS);
        _bound("commitSeconds", p.commitSeconds, MINIMUM_SECONDS, MAXIMUM_SECONDS);
        _bound("clockSeconds", p.clockSeconds, MINIMUM_SECONDS, MAXIMUM_SECONDS);
        _bound("stepSeconds", p.stepSeconds, MINIMUM_SECONDS, MAXIMUM_SECONDS);
        _bound("burnBps", p.burnBps, MINIMUM_BURN, MAXIMUM_BURN);
        _bound("executorBond", p.executorBond, 1, MAXIMUM_BOND);
        _bound("challengerBond", p.challengerBond, 1, MAXIMUM_BOND);
        if (adjudicator_.code.length == 0) revert BadAddress(adjudicator_);
        // What is burnt must not be able to come back as somebody's stake here, and must be payable.
        if (p.burnAddress == address(0) || p.burnAddress == address(this) || p.burnAddress.code.length != 0) {
            revert BadAddress(p.burnAddress);
        }
        WINDOW = p.windowSeconds;
        OPEN = p.openSeconds;
        COMMIT = p.commitSeconds;
        STEP = p.stepSeconds;
        CLOCK = p.clockSeconds;
        BURN_BPS = p.burnBps;
        EXECUTOR_BOND = p.executorBond;
        CHALLENGER_BOND = p.challengerBond;
        BURN_ADDRESS = p.burnAddress;
        ADJUDICATOR = adjudicator_;
    }

    /// @inheritdoc IRebut
    function parameters() external view returns (Parameters memory) {
        return Parameters({
            windowSeconds: WINDOW,
            openSeconds: OPEN,
            commitSeconds: COMMIT,
            clockSeconds: CLOCK,
            stepSeconds: STEP,
            burnBps: BURN_BPS,
            executorBond: EXECUTOR_BOND,
            challengerBond: CHALLENGER_BOND,
            burnAddress: BURN_ADDRESS
        });
    }

    /// @inheritdoc IRebut
    function adjudicator() external view returns (address) {
        return ADJUDICATOR;
    }

    function _periods() internal view returns (Periods memory) {
        return Periods({window: WINDOW, open: OPEN, commit: COMMIT, step: STEP});
    }

    /// @notice The part of a lost bond that is burnt, rounded up, wei.
    function _burnShare(uint256 bond) internal view returns (uint256) {
        return (bond * BURN_BPS + MAXIMUM_BURN - 1) / MAXIMUM_BURN;
    }

    function _bound(string memory name, uint256 value, uint256 minimum, uint256 maximum) private pure {
        if (value < minimum || value > maximum) revert BadParameter(name, value, minimum, maximum);
    }
}
