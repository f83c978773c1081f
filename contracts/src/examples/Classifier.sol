// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title Reads a classifier's output: f32 scores, at most 4,096 of them
library Classifier {
    uint256 internal constant MAX_ELEMENTS = 4096;
    uint256 private constant F32 = 1;

    /// @notice The output is not f32, or has no or too many elements.
    error UnsupportedOutput(uint256 dtype, uint256 elements);

    /// @notice The lowest index of the largest score; a NaN counts as the largest, -0 as +0.
    function label(uint256 dtype, bytes calldata output) internal pure returns (uint256 best) {
        uint256 elements = output.length / 4;
        if (dtype != F32 || elements == 0 || elements > MAX_ELEMENTS) revert UnsupportedOutput(dtype, elements);
        uint256 bestKey = 0;
        for (uint256 i = 0; i < elements; ++i) {
            uint256 key = _key(uint32(bytes4(output[4 * i:4 * i + 4])));
            if (key > bestKey) (best, bestKey) = (i, key);
        }
    }

    /// @dev A number that orders f32 bits as their values: above 0, so that index 0 wins only by itself.
    function _key(uint256 x) private pure returns (uint256) {
        uint256 magnitude = x & 0x7fffffff;
        if (magnitude > 0x7f800000) return type(uint256).max;
        uint256 zero = 1 << 32;
        return x == magnitude ? zero + magnitude : zero - magnitude;
    }
}
