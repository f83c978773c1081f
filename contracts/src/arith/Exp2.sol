// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {Exp} from "./Exp.sol";
import {F32} from "./F32.sol";

/// 2^a, correctly rounded, and the fraction's power that pow shares.
library Exp2 {
    function exp2(uint256 a) internal pure returns (uint256) {
        unchecked {
            uint256 e = a >> 23 & 0xff;
            if (e >= 135) {
                if (F32.isNan(a)) return F32.NAN;
                return a & F32.SIGN == 0 ? F32.INF : 0;
            }
            // Below 2^-25 the distance |a| ln 2 is less than half a unit on either side.
            if (e < 102) return 0x3f800000;
            // Exact in Q119.
            int256 x = int256((a & 0x7fffff | 0x800000) << (e - 31));
            if (a & F32.SIGN != 0) x = -x;
            int256 k = (x + (1 << 118)) >> 119;
            return F32.pack(0, fraction(x - (k << 119) << 7), uint256(k + 23));
        }
    }

    /// 2^f in Q126, as f is, for |f| <= 1/2.
    function fraction(int256 f) internal pure returns (uint256 p) {
        unchecked {
            // f ln 2 in Q119 is its 128th in Q126.
            p = Exp.exp64(f * 0xb17217f7d1cf79abc9e3b39803f2f7 >> 127);
            p = p * p >> 126;
        }
    }
}
