// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Configuration} from "./game/Configuration.sol";
import {Parameters} from "./interfaces/RebutTypes.sol";
import {Verdicts} from "./game/Verdicts.sol";

/// @title The moves of disputes, as code that `Rebut` runs on its own storage
/// @notice One contract has no room for everything. Called directly it finds no claims and does nothing.
contract Game is Verdicts {
    constructor(Parameters memory p, address adjudicator_) Configuration(p, adjudicator_) {}
}
