// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IRebutClaims} from "./IRebutClaims.sol";
import {IRebutErrors} from "./IRebutErrors.sol";
import {IRebutEvents} from "./IRebutEvents.sol";
import {IRebutGame} from "./IRebutGame.sol";

/// @title Rebut: a claim "program P on inputs X gives Y" stands unless someone rebuts it
/// @notice All times are Unix seconds, all amounts wei. In time means `block.timestamp <= deadline`; whatever a missed
/// deadline allows is allowed for ever. Ids are hashes of content. No call loops over other people's entries.
interface IRebut is IRebutClaims, IRebutGame, IRebutEvents, IRebutErrors {}
