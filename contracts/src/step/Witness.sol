// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {DataType} from "../program/DataType.sol";
import {Merkle} from "../Merkle.sol";
import {Tensor} from "../program/Tensor.sol";

/// @title The operand leaves of a step, proven under a trace root
/// @dev Bytes, per operand: leaves u16 | leaf index u40 * leaves | leaf 512 * leaves | siblings u16 | sibling 32 * siblings;
/// then siblings u16 | sibling 32 * siblings for the touched operands' tensor roots. Leaves stay in calldata: an operand's
/// table has one word per leaf, sorted: index << 64 | calldata offset << 1 | used.
library Witness {
    error MissingLeaf(uint256 operand, uint256 leaf);
    error UnusedLeaf(uint256 operand, uint256 leaf);
    error WrongWitnessLength(uint256 given, uint256 needed);
    error SiblingsWithoutLeaves(uint256 siblings);
    error WrongTraceRoot(bytes32 computed, bytes32 expected);

    /// @notice Parses a witness and proves every leaf in it.
    /// @param operands As in Instruction.Parsed.
    /// @param depth The depth of the trace tree.
    /// @return tables One table per operand.
    function prove(bytes calldata witness, uint256[] memory operands, bytes32 traceRoot, uint256 depth)
        internal
        pure
        returns (uint256[][] memory tables)
    {
        uint256 start;
        assembly ("memory-safe") {
            start := witness.offset
        }
        uint256 pos = start;
        uint256 touched = 0;
        tables = new uint256[][](operands.length);
        uint256[] memory values = new uint256[](operands.length);
        bytes32[] memory roots = new bytes32[](operands.length);
        for (uint256 i = 0; i < operands.length; ++i) {
            bytes32 root;
            (tables[i], root, pos) = _operand(operands[i], pos, start + witness.length);
            if (tables[i].length > 0) {
                values[touched] = operands[i] >> 64;
                roots[touched] = root;
                ++touched;
            }
        }
        uint256 siblings = Tensor.read(pos, 2);
        pos += 2;
        if (touched == 0) {
            if (siblings != 0) revert SiblingsWithoutLeaves(siblings);
        } else {
            assembly ("memory-safe") {
                mstore(values, touched)
                mstore(roots, touched)
            }
            bytes32 computed = Merkle.multiproofRoot(values, roots, depth, pos, siblings);
            if (computed != traceRoot) revert WrongTraceRoot(computed, traceRoot);
            pos += 32 * siblings;
        }
        if (pos - start != witness.length) revert WrongWitnessLength(witness.length, pos - start);
    }

    /// @dev One operand's table, its tensor root, and the offset behind it. `end` bounds the work of a lying count.
    function _operand(uint256 operand, uint256 pos, uint256 end)
        private
        pure
        returns (uint256[] memory table, bytes32 root, uint256)
    {
        uint256 count = Tensor.read(pos, 2);
        uint256 leaves = pos + 2 + 5 * count;
        uint256 proof = leaves + 512 * count;
        if (proof + 2 > end) revert WrongWitnessLength(end, proof + 2);
        uint256 siblings = Tensor.read(proof, 2);
        proof += 2;
        table = new uint256[](count);
        if (count == 0) {
            if (siblings != 0) revert SiblingsWithoutLeaves(siblings);
            return (table, 0, proof);
        }
        uint256[] memory indices = new uint256[](count);
        bytes32[] memory hashes = new bytes32[](count);
        unchecked {
            for (uint256 i = 0; i < count; ++i) {
                uint256 index = Tensor.read(pos + 2 + 5 * i, 5);
                uint256 leaf = leaves + 512 * i;
                indices[i] = index;
                table[i] = (index << 64) | (leaf << 1);
                bytes32 hash;
                assembly ("memory-safe") {
                    let buffer := mload(0x40)
                    calldatacopy(buffer, leaf, 512)
                    hash := keccak256(buffer, 512)
                }
                hashes[i] = hash;
            }
        }
        // INVARIANT: the indices are strictly increasing and in the tree, so the table is sorted and has no duplicates.
        uint256 depth = DataType.treeDepth(operand & 0xff, (operand >> 8) & 0xffffffffff);
        root = Merkle.multiproofRoot(indices, hashes, depth, proof, siblings);
        return (table, root, proof + 32 * siblings);
    }

    /// @notice The calldata offset of a leaf, which counts as used from now on.
    function find(uint256[] memory table, uint256 operand, uint256 leaf) internal pure returns (uint256) {
        uint256 low = 0;
        uint256 high = table.length;
        unchecked {
            while (low < high) {
                uint256 middle = (low + high) >> 1;
                uint256 entry;
                assembly ("memory-safe") {
                    entry := mload(add(add(table, 0x20), shl(5, middle)))
                }
                uint256 index = entry >> 64;
                if (index == leaf) {
                    assembly ("memory-safe") {
                        mstore(add(add(table, 0x20), shl(5, middle)), or(entry, 1))
                    }
                    return (entry & 0xffffffffffffffff) >> 1;
                }
                if (index < leaf) low = middle + 1;
                else high = middle;
            }
        }
        revert MissingLeaf(operand, leaf);
    }

    /// @notice Refuses a witness with a leaf that the element does not address.
    function requireAllUsed(uint256[][] memory tables) internal pure {
        unchecked {
            for (uint256 i = 0; i < tables.length; ++i) {
                uint256[] memory table = tables[i];
                for (uint256 j = 0; j < table.length; ++j) {
                    if (table[j] & 1 == 0) revert UnusedLeaf(i, table[j] >> 64);
                }
            }
        }
    }
}
