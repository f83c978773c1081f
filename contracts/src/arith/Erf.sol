// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {F32} from "./F32.sol";

/// erf, correctly rounded: a * 2 / sqrt(pi) * sum of (-a^2)^n / (n! (2n + 1)).
library Erf {
    function erf(uint256 a) internal pure returns (uint256) {
        unchecked {
            uint256 e = a >> 23 & 0xff;
            // From 4 on 1 - erf is below 2^-25.
            if (e >= 129) return F32.isNan(a) ? F32.NAN : a & F32.SIGN | 0x3f800000;
            if (a & F32.MAG == 0) return a;
            uint256 m;
            (m, e) = F32.unpack(a);
            uint256 sum = 1 << 120;
            // a^2 = square * 2^-shift exactly. Terms grow to 2^22 at most; they are below 2^143 in Q120.
            uint256 square = m * m;
            uint256 shift = 300 - 2 * e;
            assembly ("memory-safe") {
                let term := shl(120, 1)
                // n and 2n + 1, two terms a round
                for { let n := 1 } 1 { n := add(n, 2) } {
                    term := div(shr(shift, mul(term, square)), n)
                    sum := sub(sum, div(term, add(add(n, n), 1)))
                    term := div(shr(shift, mul(term, square)), add(n, 1))
                    sum := add(sum, div(term, add(add(n, n), 3)))
                    if iszero(term) { break }
                }
            }
            sum = sum * 0x48375d410a6db446b8ea453fb5ff61a2 >> 126;
            return F32.pack(a >> 31, m * sum, e - 121);
        }
    }
}
