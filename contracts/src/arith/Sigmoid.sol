// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {Exp} from "./Exp.sol";
import {F32} from "./F32.sol";

/// sigmoid(a) = 1 / (1 + exp(-a)), correctly rounded.
library Sigmoid {
    function sigmoid(uint256 a) internal pure returns (uint256) {
        unchecked {
            uint256 e = a >> 23 & 0xff;
            if (e >= 134) {
                if (F32.isNan(a)) return F32.NAN;
                return a & F32.SIGN == 0 ? 0x3f800000 : 0;
            }
            (uint256 p, int256 k) = Exp.exp2k(-int256(Exp.fixedPoint(a, e)));
            uint256 d = (1 << 126) + (p >> uint256(-k));
            // A negative a keeps its exponent apart, so that small results keep their precision.
            if (a & F32.SIGN == 0) return F32.pack(0, (1 << 246) / d, 29);
            return F32.pack(0, (p << 120) / d, uint256(k + 29));
        }
    }
}
