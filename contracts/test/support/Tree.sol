// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// Whole trees in memory, written independently of the contracts: levels[0] are the padded leaves, the last level is the
/// root.
struct Tree {
    bytes32[][] levels;
}

library Trees {
    function h(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return keccak256(bytes.concat(a, b));
    }

    function fromBytes(bytes memory data) internal pure returns (Tree memory) {
        uint256 count = data.length == 0 ? 1 : (data.length + 511) / 512;
        bytes32[] memory leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            leaves[i] = keccak256(leafBytes(data, i));
        }
        return fromLeaves(leaves, keccak256(new bytes(512)));
    }

    function fromLeaves(bytes32[] memory leaves, bytes32 padding) internal pure returns (Tree memory t) {
        uint256 depth = 0;
        while ((1 << depth) < leaves.length) ++depth;
        t.levels = new bytes32[][](depth + 1);
        t.levels[0] = new bytes32[](1 << depth);
        for (uint256 i = 0; i < 1 << depth; ++i) {
            t.levels[0][i] = i < leaves.length ? leaves[i] : padding;
        }
        for (uint256 l = 1; l <= depth; ++l) {
            t.levels[l] = new bytes32[](1 << (depth - l));
            for (uint256 i = 0; i < t.levels[l].length; ++i) {
                t.levels[l][i] = h(t.levels[l - 1][2 * i], t.levels[l - 1][2 * i + 1]);
            }
        }
    }

    function depthOf(Tree memory t) internal pure returns (uint256) {
        return t.levels.length - 1;
    }

    function root(Tree memory t) internal pure returns (bytes32) {
        return t.levels[t.levels.length - 1][0];
    }

    /// The i-th 512 bytes, zero-padded.
    function leafBytes(bytes memory data, uint256 i) internal pure returns (bytes memory leaf) {
        leaf = new bytes(512);
        for (uint256 k = 0; k < 512 && 512 * i + k < data.length; ++k) {
            leaf[k] = data[512 * i + k];
        }
    }

    function leafWords(bytes memory data, uint256 i) internal pure returns (bytes32[] memory words) {
        bytes memory leaf = leafBytes(data, i);
        words = new bytes32[](16);
        for (uint256 k = 0; k < 16; ++k) {
            bytes32 word;
            assembly ("memory-safe") {
                word := mload(add(add(leaf, 0x20), shl(5, k)))
            }
            words[k] = word;
        }
    }

    function proof(Tree memory t, uint256 index) internal pure returns (bytes32[] memory words) {
        words = new bytes32[](depthOf(t));
        for (uint256 l = 0; l < words.length; ++l) {
            words[l] = t.levels[l][(index >> l) ^ 1];
        }
    }

    /// The descendants `levels` levels below a node with `remaining` levels below it.
    function below(Tree memory t, uint256 index, uint256 remaining, uint256 levels)
        internal
        pure
        returns (bytes32[] memory words)
    {
        words = new bytes32[](1 << levels);
        for (uint256 i = 0; i < words.length; ++i) {
            words[i] = t.levels[remaining - levels][(index << levels) + i];
        }
    }

    /// The `path` of a move to the child `index` of a node's `levels` levels deep list.
    function path(Tree memory own, Tree memory other, uint256 node, uint256 remaining, uint256 levels, uint256 index)
        internal
        pure
        returns (bytes32[] memory words)
    {
        uint256 child = (node << levels) + index;
        uint256 bottom = remaining - levels;
        words = new bytes32[](1 + 2 * levels);
        words[0] = other.levels[bottom][child];
        uint256 n = 1;
        for (uint256 l = 0; l < levels; ++l) {
            uint256 at_ = (child >> l) ^ 1;
            words[n++] = own.levels[bottom + l][at_];
            if ((child >> l) & 1 == 0) words[n++] = other.levels[bottom + l][at_];
        }
        assembly ("memory-safe") {
            mstore(words, n)
        }
    }

    /// The canonical multiproof of several leaves (strictly increasing).
    function multiproof(Tree memory t, uint256[] memory indices) internal pure returns (bytes32[] memory words) {
        words = new bytes32[](indices.length * depthOf(t));
        uint256 n = 0;
        bool[] memory known = new bool[](t.levels[0].length);
        for (uint256 i = 0; i < indices.length; ++i) {
            known[indices[i]] = true;
        }
        for (uint256 l = 0; l < depthOf(t); ++l) {
            bool[] memory above = new bool[](known.length / 2);
            for (uint256 i = 0; i < above.length; ++i) {
                above[i] = known[2 * i] || known[2 * i + 1];
                if (known[2 * i] && !known[2 * i + 1]) words[n++] = t.levels[l][2 * i + 1];
                if (!known[2 * i] && known[2 * i + 1]) words[n++] = t.levels[l][2 * i];
            }
            known = above;
        }
        assembly ("memory-safe") {
            mstore(words, n)
        }
    }
}
