// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {DataType} from "../program/DataType.sol";
import {Tensor} from "../program/Tensor.sol";
import {Witness} from "./Witness.sol";

/// @title Copies lanes of proven leaves to memory, from the lowest address up
/// @dev Where `size` is 32, one register a word. Where it is 4, packed: f32 lanes of four bytes, as they are in the leaf,
/// NaNs included; up to 28 bytes behind the last lane are overwritten.
library LeafLanes {
    uint256 internal constant REGISTERS = 32;
    uint256 internal constant PACKED = 4;

    /// @notice Writes one register `count` times from memory address `to`.
    function repeat(uint256 register, uint256 count, uint256 to, uint256 size) internal pure {
        assembly ("memory-safe") {
            if eq(size, 4) {
                register := mul(register, 0x0000000100000001000000010000000100000001000000010000000100000001)
            }
            for { let end := add(to, mul(size, count)) } lt(to, end) { to := add(to, 32) } { mstore(to, register) }
        }
    }

    /// @notice The register of one element of an operand.
    function load(uint256[] memory table, uint256 operand, uint256 dtype, uint256 address_)
        internal
        pure
        returns (uint256)
    {
        uint256 log2 = DataType.lanesLog2(dtype);
        uint256 width = DataType.width(dtype);
        unchecked {
            uint256 pos = Witness.find(table, operand, address_ >> log2) + width * (address_ & ((1 << log2) - 1));
            return DataType.load(dtype, Tensor.read(pos, width));
        }
    }

    /// @notice Loads the elements address, address + slope, ... (count of them) of an operand.
    function copy(
        uint256[] memory table,
        uint256 operand,
        uint256 dtype,
        uint256 address_,
        int256 slope,
        uint256 count,
        uint256 to,
        uint256 size
    ) internal pure {
        if (slope == 1 && dtype == DataType.F32) {
            return _copyF32(table, operand, address_, count, to, size);
        }
        uint256 log2 = DataType.lanesLog2(dtype);
        uint256 width = DataType.width(dtype);
        unchecked {
            if (slope == 0) return repeat(load(table, operand, dtype, address_), count, to, size);
            uint256 current = type(uint256).max;
            uint256 leaf;
            for (uint256 end = to + size * count; to < end; to += size) {
                uint256 index = address_ >> log2;
                if (index != current) {
                    leaf = Witness.find(table, operand, index);
                    current = index;
                }
                uint256 pos = leaf + width * (address_ & ((1 << log2) - 1));
                if (size == PACKED) {
                    assembly ("memory-safe") {
                        // What follows the lane will be overwritten.
                        mstore(to, calldataload(pos))
                    }
                } else {
                    uint256 register = DataType.load(dtype, Tensor.read(pos, width));
                    assembly ("memory-safe") {
                        mstore(to, register)
                    }
                }
                address_ = uint256(int256(address_) + slope);
            }
        }
    }

    /// @dev Consecutive f32 lanes, leaf by leaf.
    function _copyF32(
        uint256[] memory table,
        uint256 operand,
        uint256 address_,
        uint256 count,
        uint256 to,
        uint256 size
    ) private pure {
        unchecked {
            while (count > 0) {
                uint256 lane = address_ & 127;
                uint256 part = 128 - lane < count ? 128 - lane : count;
                uint256 pos = Witness.find(table, operand, address_ >> 7) + 4 * lane;
                if (size == PACKED) {
                    assembly ("memory-safe") {
                        calldatacopy(to, pos, shl(2, part))
                    }
                } else {
                    _unpackF32(pos, part, to);
                }
                to += size * part;
                address_ += part;
                count -= part;
            }
        }
    }

    /// @dev Eight lanes at a time: one test of all exponents tells whether any lane may be a NaN.
    function _unpackF32(uint256 pos, uint256 count, uint256 to) private pure {
        assembly ("memory-safe") {
            function one(x) -> y {
                y := and(x, 0xffffffff)
                if gt(and(x, 0x7fffffff), 0x7f800000) { y := 0x7fc00000 }
            }
            let exponents := 0x7f8000007f8000007f8000007f8000007f8000007f8000007f8000007f800000
            let unit := 0x0080000000800000008000000080000000800000008000000080000000800000
            let top := 0x8000000080000000800000008000000080000000800000008000000080000000
            for {} gt(count, 7) { count := sub(count, 8) } {
                let w := calldataload(pos)
                switch and(add(and(w, exponents), unit), top)
                case 0 {
                    mstore(to, shr(224, w))
                    mstore(add(to, 0x20), and(shr(192, w), 0xffffffff))
                    mstore(add(to, 0x40), and(shr(160, w), 0xffffffff))
                    mstore(add(to, 0x60), and(shr(128, w), 0xffffffff))
                    mstore(add(to, 0x80), and(shr(96, w), 0xffffffff))
                    mstore(add(to, 0xa0), and(shr(64, w), 0xffffffff))
                    mstore(add(to, 0xc0), and(shr(32, w), 0xffffffff))
                    mstore(add(to, 0xe0), and(w, 0xffffffff))
                }
                default {
                    for { let shift := 224 } lt(shift, 225) { shift := sub(shift, 32) } {
                        mstore(add(to, sub(224, shift)), one(shr(shift, w)))
                    }
                }
                pos := add(pos, 32)
                to := add(to, 0x100)
            }
            for {} count { count := sub(count, 1) } {
                mstore(to, one(shr(224, calldataload(pos))))
                pos := add(pos, 4)
                to := add(to, 0x20)
            }
        }
    }
}
