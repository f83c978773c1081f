// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Trees} from "./Tree.sol";

/// A tree too large to hold: only what lies on the way to one leaf, in the lists that a game reveals. All else is made up,
/// and the same in every tree of a depth.
struct Deep {
    bytes32[][] lists; // from the top, four levels each; the last has what is left
    uint256[] indices; // in each list the node on the way
    bytes32 root;
}

library Deeps {
    function make(uint256 depth, uint256 index, bytes32 leaf) internal pure returns (Deep memory t) {
        uint256 count = (depth + 3) / 4;
        t.lists = new bytes32[][](count);
        t.indices = new uint256[](count);
        t.root = leaf;
        for (uint256 i = count; i > 0; --i) {
            uint256 levels = i == count ? depth - 4 * (count - 1) : 4;
            uint256 here = index & ((1 << levels) - 1);
            index >>= levels;
            bytes32[] memory words = new bytes32[](1 << levels);
            for (uint256 k = 0; k < words.length; ++k) {
                words[k] = k == here ? t.root : keccak256(abi.encode(depth, i, k));
            }
            (t.lists[i - 1], t.indices[i - 1]) = (words, here);
            t.root = Trees.root(Trees.fromLeaves(words, 0));
        }
    }

    /// Siblings from the leaf up to the root.
    function proof(Deep memory t) internal pure returns (bytes32[] memory words) {
        words = new bytes32[](0);
        for (uint256 i = t.lists.length; i > 0; --i) {
            words = concat(words, Trees.proof(Trees.fromLeaves(t.lists[i - 1], 0), t.indices[i - 1]));
        }
    }

    /// The `path` of a move from list `i` of both trees.
    function path(Deep memory own, Deep memory other, uint256 i) internal pure returns (bytes32[] memory) {
        uint256 levels = 0;
        while ((1 << levels) < own.lists[i].length) ++levels;
        return Trees.path(
            Trees.fromLeaves(own.lists[i], 0), Trees.fromLeaves(other.lists[i], 0), 0, levels, levels, own.indices[i]
        );
    }

    function concat(bytes32[] memory a, bytes32[] memory b) private pure returns (bytes32[] memory c) {
        c = new bytes32[](a.length + b.length);
        for (uint256 i = 0; i < c.length; ++i) {
            c[i] = i < a.length ? a[i] : b[i - a.length];
        }
    }
}
