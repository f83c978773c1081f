// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {DataType} from "./DataType.sol";
import {Merkle} from "../Merkle.sol";
import {Tensor} from "./Tensor.sol";

/// @title A program's header
/// @dev version u16 | V u40 | leaves u40 | inputs u8 | outputs u8 | tensor * inputs | tensor * outputs | descriptors root 32
library Header {
    uint256 internal constant VERSION = 3;

    struct Parsed {
        uint256 values; // V
        uint256 leaves; // 512-byte leaves of all tensors of a trace
        uint256 inputs;
        uint256 outputs;
        uint256 depth; // of the trace tree
        bytes32 descriptorsRoot;
        uint256[] tensors; // inputs, then outputs: calldata offset << 64 | elements << 8 | dtype
    }

    error WrongVersion(uint256 version);
    error WrongHeaderLength(uint256 given, uint256 needed);
    error MalformedTensor(uint256 index);
    error WrongLeafCount(uint256 leaves, uint256 values);
    error WrongValueCount(uint256 values, uint256 inputs, uint256 outputs);

    /// @notice Parses a header; reverts unless it is well-formed.
    function parse(bytes calldata header) internal pure returns (Parsed memory h) {
        uint256 pos;
        assembly ("memory-safe") {
            pos := header.offset
        }
        // The shortest header: no tensors at all. Reads beyond the end are harmless: the length is checked below.
        if (header.length < 46) revert WrongHeaderLength(header.length, 46);
        if (Tensor.read(pos, 2) != VERSION) revert WrongVersion(Tensor.read(pos, 2));
        h.values = Tensor.read(pos + 2, 5);
        h.leaves = Tensor.read(pos + 7, 5);
        h.inputs = Tensor.read(pos + 12, 1);
        h.outputs = Tensor.read(pos + 13, 1);
        // A program without outputs could not be disputed. An input may be an output.
        if (h.outputs == 0 || h.values < h.inputs || h.values < h.outputs) {
            revert WrongValueCount(h.values, h.inputs, h.outputs);
        }
        // Every tensor has at least one leaf.
        if (h.leaves < h.values) revert WrongLeafCount(h.leaves, h.values);
        h.depth = Merkle.depthOf(h.values);
        uint256 start = pos;
        pos += 14;
        h.tensors = new uint256[](h.inputs + h.outputs);
        for (uint256 i = 0; i < h.tensors.length; ++i) {
            (bool ok, uint256 dtype, uint256 elements, uint256 size) = Tensor.parse(pos);
            if (!ok) revert MalformedTensor(i);
            h.tensors[i] = (pos << 64) | (elements << 8) | dtype;
            pos += size;
        }
        h.descriptorsRoot = bytes32(Tensor.read(pos, 32));
        pos += 32;
        if (pos - start != header.length) revert WrongHeaderLength(header.length, pos - start);
    }

    /// @notice The number of bytes of the `i`-th tensor (inputs first).
    function byteSize(Parsed memory h, uint256 i) internal pure returns (uint256) {
        uint256 packed = h.tensors[i];
        return ((packed >> 8) & 0xffffffffff) * DataType.width(packed & 0xff);
    }

    /// @notice The index in the trace of an output.
    function outputValue(Parsed memory h, uint256 output) internal pure returns (uint256) {
        return h.values - h.outputs + output;
    }

    /// @notice Whether the tensor at a calldata offset is, byte for byte, the header's `i`-th.
    function sameTensor(Parsed memory h, uint256 i, uint256 pos) internal pure returns (bool) {
        uint256 mine = h.tensors[i] >> 64;
        uint256 size = 2 + 5 * Tensor.read(mine + 1, 1);
        bytes32 a;
        bytes32 b;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            calldatacopy(buffer, mine, size)
            a := keccak256(buffer, size)
            calldatacopy(buffer, pos, size)
            b := keccak256(buffer, size)
        }
        return a == b;
    }
}
