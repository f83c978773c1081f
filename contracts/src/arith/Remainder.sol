// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {F32} from "./F32.sol";

/// The remainder of a division that truncates: C's fmod, exact.
library Remainder {
    function rem(uint256 a, uint256 b) internal pure returns (uint256) {
        unchecked {
            uint256 x = a & F32.MAG;
            uint256 y = b & F32.MAG;
            if (x >= F32.INF || y > F32.INF || y == 0) return F32.NAN;
            if (x < y) return a;
            (uint256 m, uint256 e) = F32.unpack(x);
            (uint256 n, uint256 f) = F32.unpack(y);
            uint256 r = mulmod(m, 1 << (e - f), n);
            uint256 sign = a & F32.SIGN;
            if (r == 0) return sign;
            // r * 2^(f - 150) with its leading one at place 23, or as far up as the exponent allows.
            uint256 shift;
            assembly ("memory-safe") {
                shift := sub(clz(r), 232)
            }
            if (shift >= f) shift = f - 1;
            return sign | (f - shift - 1 << 23) + (r << shift);
        }
    }
}
