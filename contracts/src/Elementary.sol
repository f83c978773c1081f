// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {F32} from "./arith/F32.sol";
import {F32Elementary} from "./arith/F32Elementary.sol";
import {IElementary} from "./interfaces/IElementary.sol";
import {Remainder} from "./arith/Remainder.sol";
import {Scalar} from "./step/Scalar.sol";

/// @title The operations that the adjudicator calls, stateless and total
contract Elementary is IElementary {
    /// @inheritdoc IElementary
    function evaluate(uint256 code, uint256 a, uint256 b) external pure returns (uint256) {
        if (code & 0xff == Scalar.CAST) return Scalar.castFloat(code >> 16, (code >> 8) & 0xff, a);
        (a, b) = (a & 0xffffffff, b & 0xffffffff);
        if (code == Scalar.DIV) return F32.div(a, b);
        if (code == Scalar.REM) return Remainder.rem(a, b);
        if (code == Scalar.SQRT) return F32.sqrt(a);
        if (code == Scalar.FLOOR) return F32.floor(a);
        if (code == Scalar.CEIL) return F32.ceil(a);
        if (code == Scalar.TRUNC) return F32.trunc(a);
        if (code == Scalar.ROUND_EVEN) return F32.roundEven(a);
        return F32Elementary.apply_(code, a, b);
    }
}
