// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {F32} from "./F32.sol";
import {Root} from "./Root.sol";

/// 1 / sqrt(a), correctly rounded.
library Rsqrt {
    function rsqrt(uint256 a) internal pure returns (uint256) {
        unchecked {
            if (a - 1 >= F32.INF - 1) {
                if (a & F32.MAG == 0) return a | F32.INF;
                return a == F32.INF ? 0 : F32.NAN;
            }
            (uint256 m, uint256 e) = F32.unpack(a);
            assembly ("memory-safe") {
                let shift := sub(clz(m), 232)
                m := shl(shift, m)
                e := sub(e, shift)
            }
            // The root has 27 bits and is never half way, so the lowest bit may stand for any rest.
            uint256 n = 76 + (e & 1);
            return F32.pack(0, Root.root((1 << n) / m) | 1, uint256(int256(150 - e - n) >> 1) + 149);
        }
    }
}
