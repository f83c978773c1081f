// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {F32} from "./F32.sol";

/// 1 / a, correctly rounded.
library Reciprocal {
    function reciprocal(uint256 a) internal pure returns (uint256) {
        return F32.div(0x3f800000, a);
    }
}
