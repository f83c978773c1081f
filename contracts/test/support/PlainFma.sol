// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {F32} from "../../src/arith/F32.sol";

/// One fused multiply-add after the other, as plainly as can be: what chains are compared with.
library PlainFma {
    /// a * b + c, rounded once.
    function fma(uint256 a, uint256 b, uint256 c) internal pure returns (uint256) {
        unchecked {
            uint256 x = a & F32.MAG;
            uint256 y = b & F32.MAG;
            uint256 z = c & F32.MAG;
            uint256 q;
            if (x > F32.LARGEST || y > F32.LARGEST || z > F32.LARGEST) {
                if (x > F32.INF || y > F32.INF || z > F32.INF) return F32.NAN;
                q = (a ^ b) & F32.SIGN | F32.INF;
                if (x != F32.INF && y != F32.INF) return c;
                return x == 0 || y == 0 || c == q ^ F32.SIGN ? F32.NAN : q;
            }
            assembly ("memory-safe") {
                let e := shr(23, x)
                e := sub(e, gt(e, 0))
                let f := shr(23, y)
                f := sub(f, gt(f, 0))
                x := mul(sub(x, shl(23, e)), sub(y, shl(23, f)))
                y := x
                e := add(e, f)
                f := shr(23, z)
                f := sub(f, gt(f, 0))
                z := sub(z, shl(23, f))
                // Beyond 170 places the smaller one only says on which side of the larger one the sum lies.
                let gap := sub(e, add(f, 149))
                switch slt(gap, 0)
                case 0 {
                    if gt(gap, 170) { gap := 170 }
                    x := shl(gap, x)
                    q := sub(e, add(gap, 173))
                }
                default {
                    gap := sub(0, gap)
                    if gt(gap, 170) { gap := 170 }
                    z := shl(gap, z)
                    q := sub(f, add(gap, 24))
                }
                x := add(mul(x, sub(1, and(shr(30, xor(a, b)), 2))), mul(z, sub(1, and(shr(30, c), 2))))
            }
            if (y == 0) return c & F32.MAG == 0 ? (a ^ b) & c & F32.SIGN : c;
            if (x == 0) return 0;
            return x >> 255 == 0 ? F32.pack(0, x << 24, q) : F32.pack(1, (0 - x) << 24, q);
        }
    }
}
