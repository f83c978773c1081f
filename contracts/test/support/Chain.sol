// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Build} from "./Build.sol";
import {ClaimData} from "../../src/interfaces/RebutTypes.sol";
import {Tree, Trees} from "./Tree.sol";

/// A trace: the bytes of every value and all trees over them.
struct Trace {
    bytes[] values;
    Tree[] tensors;
    Tree tree;
}

/// A small i32 program of V >= 4 values of n elements: v0 is the input, v1 a constant, v2 = v0 + v1, v(i) = v(i-1) + 1.
struct Chain {
    uint256 count; // V
    uint256 n;
    bytes header;
    bytes[] descriptors;
    Tree descriptorTree;
    Trace honest;
}

library Chains {
    using Trees for Tree;

    uint8 internal constant I32 = 6;

    function make(uint256 count, uint256 n) internal pure returns (Chain memory c) {
        c.count = count;
        c.n = n;
        bytes memory shape = Build.tensor(I32, Build.dims(n));
        bytes[] memory values = new bytes[](count);
        int256[] memory x = new int256[](n);
        for (uint256 v = 0; v < count; ++v) {
            for (uint256 i = 0; i < n; ++i) {
                int256 j = int256(i);
                x[i] = v == 0 ? j : v == 1 ? 2 * j : 3 * j + int256(v) - 2;
            }
            values[v] = Build.i32s(x);
        }
        c.honest = trace(values);
        c.descriptors = new bytes[](count);
        c.descriptors[0] = abi.encodePacked(uint8(0), shape);
        c.descriptors[1] = abi.encodePacked(uint8(1), shape, c.honest.tensors[1].root());
        for (uint256 v = 2; v < count; ++v) {
            c.descriptors[v] = v == 2 ? _sum(shape, n) : _next(shape, v, n);
        }
        seal(c);
    }

    /// The descriptors' tree and the header, again after a test has changed a descriptor.
    function seal(Chain memory c) internal pure {
        bytes32[] memory leaves = new bytes32[](c.count);
        for (uint256 v = 0; v < c.count; ++v) {
            leaves[v] = keccak256(abi.encodePacked(keccak256(c.descriptors[v])));
        }
        c.descriptorTree = Trees.fromLeaves(leaves, 0);
        bytes memory shape = Build.tensor(I32, Build.dims(c.n));
        c.header = Build.header(c.count, 1, 1, bytes.concat(shape, shape), c.descriptorTree.root());
    }

    function trace(bytes[] memory values) internal pure returns (Trace memory t) {
        t.values = values;
        t.tensors = new Tree[](values.length);
        bytes32[] memory roots = new bytes32[](values.length);
        for (uint256 v = 0; v < values.length; ++v) {
            t.tensors[v] = Trees.fromBytes(values[v]);
            roots[v] = t.tensors[v].root();
        }
        t.tree = Trees.fromLeaves(roots, 0);
    }

    /// The honest trace with one lane of one value set, and the last element of the last value set to `last`.
    function altered(Chain memory c, uint256 value, uint256 element, uint32 lane, uint32 last)
        internal
        pure
        returns (Trace memory)
    {
        bytes[] memory values = new bytes[](c.count);
        for (uint256 v = 0; v < c.count; ++v) {
            values[v] = bytes.concat(c.honest.values[v]);
        }
        set(values[value], element, lane);
        set(values[c.count - 1], c.n - 1, last);
        return trace(values);
    }

    function set(bytes memory data, uint256 element, uint32 lane) internal pure {
        for (uint256 k = 0; k < 4; ++k) {
            data[4 * element + k] = bytes4(lane)[k];
        }
    }

    function claimData(Chain memory c, address executor, Trace memory t) internal pure returns (ClaimData memory d) {
        d.executor = executor;
        d.header = c.header;
        d.inputRoots = new bytes32[](1);
        d.inputRoots[0] = c.honest.tensors[0].root();
        d.outputRoots = new bytes32[](1);
        d.outputRoots[0] = t.tensors[c.count - 1].root();
        d.nonce = 7;
    }

    /// The witness of an element of a value >= 2.
    function witness(Chain memory c, Trace memory t, uint256 value, uint256 element)
        internal
        pure
        returns (bytes memory)
    {
        uint256[] memory leaf = Build.numbers(element / 128);
        if (value == 2) {
            return bytes.concat(
                Build.leaves(t.values[0], leaf),
                Build.leaves(t.values[1], leaf),
                Build.operands(t.tree, Build.numbers(0, 1))
            );
        }
        c;
        return bytes.concat(Build.leaves(t.values[value - 1], leaf), Build.operands(t.tree, Build.numbers(value - 1)));
    }

    function _sum(bytes memory shape, uint256 n) private pure returns (bytes memory) {
        bytes memory same = Build.affine(0, Build.term(0, 1));
        return bytes.concat(
            abi.encodePacked(uint8(2), shape, Build.list(Build.dims(n)), uint8(0), uint8(0), uint8(2)),
            bytes.concat(Build.operand(0, I32, n), Build.operand(1, I32, n), hex"02"),
            bytes.concat(Build.plain(0, same), Build.plain(1, same)),
            hex"00",
            hex"0301000101100001"
        );
    }

    function _next(bytes memory shape, uint256 v, uint256 n) private pure returns (bytes memory) {
        return bytes.concat(
            abi.encodePacked(uint8(2), shape, Build.list(Build.dims(n)), uint8(0), uint8(0), uint8(1)),
            bytes.concat(Build.operand(v - 1, I32, n), hex"01"),
            Build.plain(0, Build.affine(0, Build.term(0, 1))),
            hex"00",
            hex"03010000060000000000000001100001"
        );
    }
}
