// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title Binary keccak trees: tensors, traces, descriptors (docs/program.md, "Roots")
/// @dev A leaf pre-image has 512 bytes and a node's has 64, so a leaf can never pass for a node.
library Merkle {
    uint256 internal constant LEAF_BYTES = 512;

    /// @notice A proof has more or fewer words than its shape consumes.
    error WrongProofLength(uint256 given, uint256 needed);
    /// @notice An index does not exist at this depth.
    error IndexOutOfTree(uint256 index, uint256 depth);
    /// @notice Known indices of a multiproof are not strictly increasing.
    error IndicesNotIncreasing(uint256 previous, uint256 next);
    /// @notice A list is not a whole level (1, 2, 4, 8 or 16 words).
    error WrongListWidth(uint256 width);

    /// @notice keccak256(left | right).
    function node(bytes32 left, bytes32 right) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0x00, left)
            mstore(0x20, right)
            hash := keccak256(0x00, 0x40)
        }
    }

    /// @notice The smallest depth whose tree holds `count` leaves (0 for none or one).
    function depthOf(uint256 count) internal pure returns (uint256 depth) {
        if (count > 1) {
            assembly ("memory-safe") {
                depth := sub(256, clz(sub(count, 1)))
            }
        }
    }

    /// @notice The hash of the leaf with these bytes, at most 512, padded with zero bytes.
    function leafOf(bytes calldata data) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            // Bytes beyond the calldata of a call read as zero.
            calldatacopy(add(buffer, data.length), calldatasize(), sub(512, data.length))
            calldatacopy(buffer, data.offset, data.length)
            hash := keccak256(buffer, 512)
        }
    }

    /// @notice The tensor root of raw big-endian bytes: 512-byte leaves, the last one padded with zero bytes, missing
    /// leaves zero; no bytes at all are one zero leaf.
    function tensorRoot(bytes calldata data) internal pure returns (bytes32) {
        if (data.length <= LEAF_BYTES) return leafOf(data);
        uint256 count = (data.length + LEAF_BYTES - 1) / LEAF_BYTES;
        bytes32[] memory level = new bytes32[](count);
        bytes32 zero;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            for { let i := 0 } lt(i, count) { i := add(i, 1) } {
                let start := mul(i, 512)
                let size := sub(data.length, start)
                if gt(size, 512) { size := 512 }
                // Bytes beyond the calldata of a call read as zero, but these are followed by other arguments.
                calldatacopy(buffer, add(data.offset, start), size)
                calldatacopy(add(buffer, size), calldatasize(), sub(512, size))
                mstore(add(add(level, 0x20), shl(5, i)), keccak256(buffer, 512))
            }
            calldatacopy(buffer, calldatasize(), 512)
            zero := keccak256(buffer, 512)
        }
        while (count > 1) {
            uint256 half = (count + 1) / 2;
            for (uint256 i = 0; i < half; ++i) {
                bytes32 right = 2 * i + 1 < count ? level[2 * i + 1] : zero;
                level[i] = node(level[2 * i], right);
            }
            zero = node(zero, zero);
            count = half;
        }
        return level[0];
    }

    /// @notice The root that a single-leaf proof leads to; the proof has exactly `depth` words.
    function proofRoot(bytes32 leafHash, uint256 index, uint256 depth, bytes32[] calldata proof)
        internal
        pure
        returns (bytes32 root)
    {
        if (proof.length != depth) revert WrongProofLength(proof.length, depth);
        if (index >> depth != 0) revert IndexOutOfTree(index, depth);
        root = leafHash;
        for (uint256 i = 0; i < depth; ++i) {
            root = (index >> i) & 1 == 0 ? node(root, proof[i]) : node(proof[i], root);
        }
    }

    /// @notice The node whose descendants, a whole level of 1, 2, 4, 8 or 16 words, are `list`.
    function fold(bytes32[] calldata list) internal pure returns (bytes32 root) {
        uint256 width = list.length;
        if (width == 0 || width > 16 || width & (width - 1) != 0) revert WrongListWidth(width);
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            calldatacopy(buffer, list.offset, shl(5, width))
            for {} gt(width, 1) {} {
                width := shr(1, width)
                for { let i := 0 } lt(i, width) { i := add(i, 1) } {
                    mstore(add(buffer, shl(5, i)), keccak256(add(buffer, shl(6, i)), 0x40))
                }
            }
            root := mload(buffer)
        }
    }

    /// @notice The root over words, padded with zero words to a power of two. Overwrites the words.
    function rootOf(bytes32[] memory words) internal pure returns (bytes32) {
        uint256 count = words.length;
        bytes32 padding = 0;
        unchecked {
            for (uint256 depth = depthOf(count); depth > 0; --depth) {
                uint256 parents = (count + 1) / 2;
                for (uint256 i = 0; i < parents; ++i) {
                    words[i] = node(words[2 * i], 2 * i + 1 < count ? words[2 * i + 1] : padding);
                }
                padding = node(padding, padding);
                count = parents;
            }
        }
        return words[0];
    }

    /// @notice The hash of a leaf given as its 16 words.
    function leaf(bytes32[] calldata words) internal pure returns (bytes32) {
        if (words.length != 16) revert WrongListWidth(words.length);
        uint256 offset;
        assembly ("memory-safe") {
            offset := words.offset
        }
        return leafAt(offset);
    }

    /// @notice The hash of the leaf at a calldata offset.
    function leafAt(uint256 offset) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            calldatacopy(buffer, offset, 512)
            hash := keccak256(buffer, 512)
        }
    }

    /// @notice Climbs `levels` levels on both sides at once. `path` = the opponent's child, then per level from the bottom
    /// one shared left sibling where the way goes right, the mover's and the opponent's right siblings where it goes left.
    /// @dev Everything to the left is shared, so it is equal on both sides: the index is the leftmost difference.
    function climb(bytes32 ownChild, uint256 index, uint256 levels, bytes32[] calldata path)
        internal
        pure
        returns (bytes32 own, bytes32 opponent)
    {
        if (index >> levels != 0) revert IndexOutOfTree(index, levels);
        // Per level: one word, and another where the way goes left.
        uint256 needed = 1 + levels;
        for (uint256 i = 0; i < levels; ++i) {
            needed += 1 - ((index >> i) & 1);
        }
        if (path.length != needed) revert WrongProofLength(path.length, needed);
        own = ownChild;
        opponent = path[0];
        uint256 pos = 1;
        for (uint256 i = 0; i < levels; ++i) {
            if ((index >> i) & 1 == 1) {
                bytes32 left = path[pos++];
                own = node(left, own);
                opponent = node(left, opponent);
            } else {
                own = node(own, path[pos]);
                opponent = node(opponent, path[pos + 1]);
                pos += 2;
            }
        }
    }

    /// @notice The root that several known nodes of the lowest level and their canonical multiproof lead to.
    /// @dev Overwrites both arrays. `proof` is a calldata offset; `words` says how many words the proof has, all of which
    /// must be consumed.
    /// @param indices Strictly increasing.
    /// @param nodes The nodes at these indices: as many, for which the caller answers.
    function multiproofRoot(
        uint256[] memory indices,
        bytes32[] memory nodes,
        uint256 depth,
        uint256 proof,
        uint256 words
    ) internal pure returns (bytes32) {
        uint256 size;
        unchecked {
            uint256 count = indices.length;
            for (uint256 i = 0; i < count; ++i) {
                if (indices[i] >> depth != 0) revert IndexOutOfTree(indices[i], depth);
                if (i > 0 && indices[i] <= indices[i - 1]) revert IndicesNotIncreasing(indices[i - 1], indices[i]);
            }
            size = 32 * count;
        }
        uint256 start = proof;
        assembly ("memory-safe") {
            let known := add(indices, 0x20)
            let hashes := add(nodes, 0x20)
            // Level by level, each one's known nodes in the place of the level's below.
            for {} depth { depth := sub(depth, 1) } {
                let to := 0
                for { let from := 0 } lt(from, size) {} {
                    let index := mload(add(known, from))
                    let hash := mload(add(hashes, from))
                    from := add(from, 0x20)
                    // A word beyond the proof may be anything: the length check below refuses the proof.
                    switch and(index, 1)
                    case 0 {
                        mstore(0x00, hash)
                        switch and(lt(from, size), eq(mload(add(known, from)), add(index, 1)))
                        case 0 {
                            mstore(0x20, calldataload(proof))
                            proof := add(proof, 0x20)
                        }
                        default {
                            mstore(0x20, mload(add(hashes, from)))
                            from := add(from, 0x20)
                        }
                    }
                    default {
                        mstore(0x00, calldataload(proof))
                        mstore(0x20, hash)
                        proof := add(proof, 0x20)
                    }
                    mstore(add(known, to), shr(1, index))
                    mstore(add(hashes, to), keccak256(0x00, 0x40))
                    to := add(to, 0x20)
                }
                size := to
            }
        }
        unchecked {
            uint256 used = (proof - start) / 32;
            if (used != words) revert WrongProofLength(words, used);
        }
        return nodes[0];
    }
}
