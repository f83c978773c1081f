// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {F32Elementary} from "../arith/F32Elementary.sol";
import {Vectors} from "./Vectors.sol";

/// The elementary functions, for tests only. Their gas includes that of finding the function.
contract ElementaryHarness is Vectors {
    function _apply(uint8 op, uint256 a, uint256 b, uint256) internal view override returns (uint256 r, uint256) {
        uint256 start = gasleft();
        r = F32Elementary.apply_(op, a, b);
        return _since(start, r);
    }
}
