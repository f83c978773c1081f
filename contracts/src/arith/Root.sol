// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

/// Integer square roots.
library Root {
    /// The square root of 0 < x < 2^254, rounded down.
    function root(uint256 x) internal pure returns (uint256 y) {
        assembly ("memory-safe") {
            // Newton's iteration from above: the relative error goes from 1 to 2^-201 in seven steps.
            y := shl(shr(1, sub(257, clz(x))), 1)
            y := shr(1, add(y, div(x, y)))
            y := shr(1, add(y, div(x, y)))
            y := shr(1, add(y, div(x, y)))
            y := shr(1, add(y, div(x, y)))
            y := shr(1, add(y, div(x, y)))
            y := shr(1, add(y, div(x, y)))
            y := shr(1, add(y, div(x, y)))
            y := sub(y, gt(y, div(x, y)))
        }
    }
}
