// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {DataType} from "./DataType.sol";

/// @title `tensor` = dtype u8 | rank u8 | dim u40 * rank, and lists of extents
/// @dev Positions are calldata offsets. Readers do not check the end of the bytes they are in: whoever starts at the
/// beginning checks at the end that exactly all bytes were consumed.
library Tensor {
    uint256 internal constant MAX_RANK = 8;
    /// @notice Numbers of elements are below this.
    uint256 internal constant LIMIT = 1 << 40;

    /// @notice Reads `bytes_` (1 to 32) bytes as a big-endian integer.
    function read(uint256 pos, uint256 bytes_) internal pure returns (uint256 x) {
        assembly ("memory-safe") {
            x := shr(sub(256, shl(3, bytes_)), calldataload(pos))
        }
    }

    /// @notice Reads an i64.
    function readI64(uint256 pos) internal pure returns (int256 x) {
        assembly ("memory-safe") {
            x := sar(192, calldataload(pos))
        }
    }

    /// @notice The product of `count` u40 extents. Not ok if the product of those that are not zero is 2^40 or more.
    function product(uint256 pos, uint256 count) internal pure returns (bool ok, uint256 total) {
        uint256 nonZero = 1;
        bool empty = false;
        unchecked {
            for (uint256 i = 0; i < count; ++i) {
                uint256 extent = read(pos + 5 * i, 5);
                if (extent == 0) {
                    empty = true;
                } else {
                    nonZero *= extent; // both below 2^40
                    if (nonZero >= LIMIT) return (false, 0);
                }
            }
        }
        return (true, empty ? 0 : nonZero);
    }

    /// @notice Parses a tensor without reverting.
    /// @return ok Whether it is well-formed.
    /// @return dtype Its element type.
    /// @return elements Its number of elements, below 2^40.
    /// @return size Its length in bytes (meaningful only if ok).
    function parse(uint256 pos) internal pure returns (bool ok, uint256 dtype, uint256 elements, uint256 size) {
        dtype = read(pos, 1);
        uint256 rank = read(pos + 1, 1);
        if (!DataType.exists(dtype) || rank > MAX_RANK) return (false, 0, 0, 0);
        (ok, elements) = product(pos + 2, rank);
        size = 2 + 5 * rank;
    }
}
