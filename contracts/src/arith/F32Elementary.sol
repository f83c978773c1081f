// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {Erf} from "./Erf.sol";
import {Exp} from "./Exp.sol";
import {Log} from "./Log.sol";
import {Sigmoid} from "./Sigmoid.sol";
import {Tanh} from "./Tanh.sol";

/// The elementary functions of binary32 in 256-bit fixed point, by their codes among expression nodes (docs/program.md): the
/// f32 nearest to the exact value, for every input.
library F32Elementary {
    uint256 internal constant EXP = 0x34;
    uint256 internal constant LOG = 0x35;
    uint256 internal constant TANH = 0x36;
    uint256 internal constant SIGMOID = 0x37;
    uint256 internal constant ERF = 0x38;

    error NotElementary(uint256 code);

    /// Whether a code is one of these functions.
    function exists(uint256 code) internal pure returns (bool) {
        return code >= EXP && code <= ERF;
    }

    /// The number of arguments, 0 for other codes.
    function arity(uint256 code) internal pure returns (uint256) {
        return exists(code) ? 1 : 0;
    }

    /// The function of that code; those of one argument ignore b.
    function apply_(uint256 code, uint256 a, uint256 b) internal pure returns (uint256) {
        if (code == EXP) return Exp.exp(a);
        if (code == LOG) return Log.log(a);
        if (code == TANH) return Tanh.tanh(a);
        if (code == SIGMOID) return Sigmoid.sigmoid(a);
        if (code == ERF) return Erf.erf(a);
        revert NotElementary(code);
    }
}
