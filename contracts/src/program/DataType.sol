// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Merkle} from "../Merkle.sol";

/// @title Element types: widths, lanes and registers (docs/program.md, "Element types")
/// @dev A register is 256 bits here: f32 as its 32 bits, integers sign-extended (two's complement), bool as 0 or 1.
library DataType {
    uint256 internal constant F32 = 1;
    uint256 internal constant U8 = 2;
    uint256 internal constant I8 = 3;
    uint256 internal constant U16 = 4;
    uint256 internal constant I16 = 5;
    uint256 internal constant I32 = 6;
    uint256 internal constant I64 = 7;
    uint256 internal constant BOOL = 9;
    uint256 internal constant F16 = 10;
    uint256 internal constant BF16 = 16;

    uint256 internal constant F32_NAN = 0x7fc00000;
    uint256 internal constant F16_NAN = 0x7e00;
    uint256 internal constant BF16_NAN = 0x7fc0;
    uint256 internal constant F32_ONE = 0x3f800000;
    uint256 internal constant F32_INFINITY = 0x7f800000;
    uint256 internal constant F32_MINUS_INFINITY = 0xff800000;

    /// @notice Bytes per lane by code, one byte each: 1 => 4, 2 => 1, 3 => 1, 4 => 2, 5 => 2, 6 => 4, 7 => 8, 9 => 1, 10 => 2, 16 => 2;
    /// 0 for no type.
    uint256 private constant WIDTHS = 0x0200000000000201000804020201010400;

    /// @notice Whether a code names an element type.
    function exists(uint256 dtype) internal pure returns (bool) {
        return width(dtype) != 0;
    }

    /// @notice Bytes per lane; 0 if there is no such type.
    function width(uint256 dtype) internal pure returns (uint256) {
        return dtype > BF16 ? 0 : (WIDTHS >> (dtype * 8)) & 0xff;
    }

    /// @notice log2 of the lanes in a 512-byte leaf.
    function lanesLog2(uint256 dtype) internal pure returns (uint256) {
        uint256 bytes_ = width(dtype);
        return bytes_ == 1 ? 9 : bytes_ == 2 ? 8 : bytes_ == 4 ? 7 : 6;
    }

    /// @notice The number of 512-byte leaves of a tensor, at least one.
    function leaves(uint256 dtype, uint256 elements) internal pure returns (uint256) {
        uint256 log2 = lanesLog2(dtype);
        return elements == 0 ? 1 : (elements + (1 << log2) - 1) >> log2;
    }

    /// @notice The depth of the tree of a tensor.
    function treeDepth(uint256 dtype, uint256 elements) internal pure returns (uint256) {
        return Merkle.depthOf(leaves(dtype, elements));
    }

    /// @notice Whether a type is one of the integers, whose codes are consecutive.
    function isInteger(uint256 dtype) internal pure returns (bool) {
        return dtype >= U8 && dtype <= I64;
    }

    /// @notice Whether operations compute with a type: f32 and the integers.
    function isNumber(uint256 dtype) internal pure returns (bool) {
        return dtype == F32 || isInteger(dtype);
    }

    /// @notice Whether a type is one of the floats.
    function isFloat(uint256 dtype) internal pure returns (bool) {
        return dtype == F32 || isHalf(dtype);
    }

    /// @notice Whether a type is a 16-bit float: only stored, moved and converted.
    function isHalf(uint256 dtype) internal pure returns (bool) {
        return dtype == F16 || dtype == BF16;
    }

    /// @notice The register of a raw lane (an integer below 2^(8 width)).
    function load(uint256 dtype, uint256 lane) internal pure returns (uint256) {
        if (dtype == F32) return isNaN(lane) ? F32_NAN : lane;
        if (dtype == BOOL) return lane == 0 ? 0 : 1;
        return isHalf(dtype) ? _half(dtype, lane) : wrap(dtype, lane);
    }

    /// @notice The integer modulo 2^(8 width), as a register.
    function wrap(uint256 dtype, uint256 x) internal pure returns (uint256 y) {
        if (dtype == U8) return x & 0xff;
        if (dtype == U16) return x & 0xffff;
        assembly ("memory-safe") {
            y := signextend(sub(and(shr(shl(3, dtype), WIDTHS), 0xff), 1), x)
        }
    }

    /// @notice The big-endian lane of a register.
    function store(uint256 dtype, uint256 register) internal pure returns (uint64) {
        uint256 bits = 8 * width(dtype);
        return uint64(register & ((1 << bits) - 1));
    }

    /// @notice Whether a 256-bit word is a register of a type (a NaN only in its canonical form).
    function isRegister(uint256 dtype, uint256 x) internal pure returns (bool) {
        if (dtype == F32) return x >> 32 == 0 && (!isNaN(x) || x == F32_NAN);
        if (dtype == BOOL) return x < 2;
        if (isHalf(dtype)) return x >> 16 == 0 && _half(dtype, x) == x;
        return wrap(dtype, x) == x;
    }

    function isNaN(uint256 x) internal pure returns (bool) {
        return x & 0x7fffffff > F32_INFINITY;
    }

    /// @dev A NaN becomes the type's one NaN.
    function _half(uint256 dtype, uint256 x) private pure returns (uint256) {
        if (dtype == F16) return x & 0x7fff > 0x7c00 ? F16_NAN : x;
        return x & 0x7fff > 0x7f80 ? BF16_NAN : x;
    }

    /// @notice The least and the greatest register of an integer type or bool.
    function bounds(uint256 dtype) internal pure returns (int256 least, int256 greatest) {
        if (dtype == BOOL) return (0, 1);
        if (dtype == U8) return (0, 255);
        if (dtype == U16) return (0, 65_535);
        greatest = int256((1 << (8 * width(dtype) - 1)) - 1);
        least = -greatest - 1;
    }
}
