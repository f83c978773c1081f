// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {DataType} from "./DataType.sol";
import {Header} from "./Header.sol";
import {Tensor} from "./Tensor.sol";

/// @title The head of a descriptor: what kind of value it defines, of which type and shape
library Descriptor {
    using Header for Header.Parsed;

    uint256 internal constant MAX_BYTES = 1024;

    uint256 internal constant INPUT = 0;
    uint256 internal constant CONSTANT = 1;
    uint256 internal constant INSTRUCTION = 2;
    /// @notice Not a code: what `head` answers for bytes that no honest program contains.
    uint256 internal constant MALFORMED = 255;

    /// @notice keccak256(keccak256(descriptor)): the leaf of the descriptors' tree.
    function leaf(bytes calldata descriptor) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(keccak256(descriptor)));
    }

    /// @notice Reads the head of value `value`'s descriptor. Never reverts: a dispute over a malformed descriptor must end.
    /// @dev Checks what a dispute relies on: exactly the first values are inputs, inputs and outputs have the header's
    /// types and shapes, no tensor has more leaves than the header's trace. What only the step relies on is checked by the step.
    /// @return kind INPUT, CONSTANT, INSTRUCTION or MALFORMED.
    /// @return dtype Element type.
    /// @return elements Number of elements.
    /// @return root A constant's tensor root.
    function head(bytes calldata descriptor, uint256 value, Header.Parsed memory h)
        internal
        pure
        returns (uint256 kind, uint256 dtype, uint256 elements, bytes32 root)
    {
        if (descriptor.length < 3 || descriptor.length > MAX_BYTES) return (MALFORMED, 0, 0, 0);
        uint256 pos;
        assembly ("memory-safe") {
            pos := descriptor.offset
        }
        kind = Tensor.read(pos, 1);
        bool ok;
        uint256 size;
        (ok, dtype, elements, size) = Tensor.parse(pos + 1);
        uint256 length = 1 + size + (kind == CONSTANT ? 32 : 0);
        // An instruction has more after its tensor; inputs and constants end exactly.
        bool fits = kind == INSTRUCTION ? descriptor.length > length : descriptor.length == length;
        if (!ok || !fits || kind > INSTRUCTION || (kind == INPUT) != (value < h.inputs)) {
            return (MALFORMED, 0, 0, 0);
        }
        // Time was given for as many leaves as the header says.
        if (DataType.leaves(dtype, elements) > h.leaves) return (MALFORMED, 0, 0, 0);
        if (value < h.inputs && !h.sameTensor(value, pos + 1)) return (MALFORMED, 0, 0, 0);
        uint256 firstOutput = h.values - h.outputs;
        if (value >= firstOutput && !h.sameTensor(h.inputs + value - firstOutput, pos + 1)) {
            return (MALFORMED, 0, 0, 0);
        }
        if (kind == CONSTANT) root = bytes32(Tensor.read(pos + 1 + size, 32));
    }
}
