// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {F32Elementary} from "./arith/F32Elementary.sol";
import {IElementary} from "./interfaces/IElementary.sol";

/// @title The elementary functions, stateless and total
contract Elementary is IElementary {
    /// @inheritdoc IElementary
    function evaluate(uint256 code, uint256 a, uint256 b) external pure returns (uint256) {
        return F32Elementary.apply_(code, a & 0xffffffff, b & 0xffffffff);
    }
}
