// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {Erf} from "./Erf.sol";
import {Exp} from "./Exp.sol";
import {Log} from "./Log.sol";
import {Sigmoid} from "./Sigmoid.sol";
import {Tanh} from "./Tanh.sol";

/// The elementary functions of binary32 in 256-bit fixed point: the f32 nearest to the exact value, for every input.
library F32Elementary {
    function exp(uint256 a) internal pure returns (uint256) {
        return Exp.exp(a);
    }

    function log(uint256 a) internal pure returns (uint256) {
        return Log.log(a);
    }

    function tanh(uint256 a) internal pure returns (uint256) {
        return Tanh.tanh(a);
    }

    function sigmoid(uint256 a) internal pure returns (uint256) {
        return Sigmoid.sigmoid(a);
    }

    function erf(uint256 a) internal pure returns (uint256) {
        return Erf.erf(a);
    }
}
