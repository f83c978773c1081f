// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Assert} from "./support/Assert.sol";
import {Build} from "./support/Build.sol";
import {Header} from "../src/program/Header.sol";
import {Merkle} from "../src/Merkle.sol";
import {Tree, Trees} from "./support/Tree.sol";

/// The tree library and the header parser against trees built whole, level by level.
contract TreesTest is Assert {
    using Trees for Tree;

    function tensorRoot(bytes calldata data) external pure returns (bytes32) {
        return Merkle.tensorRoot(data);
    }

    function proofRoot(bytes32 leaf, uint256 i, uint256 depth, bytes32[] calldata p) external pure returns (bytes32) {
        return Merkle.proofRoot(leaf, i, depth, p);
    }

    function fold(bytes32[] calldata list) external pure returns (bytes32) {
        return Merkle.fold(list);
    }

    function climb(bytes32 own, uint256 i, uint256 levels, bytes32[] calldata p)
        external
        pure
        returns (bytes32, bytes32)
    {
        return Merkle.climb(own, i, levels, p);
    }

    function multi(uint256[] memory i, bytes32[] memory nodes, uint256 depth, bytes32[] calldata p)
        external
        pure
        returns (bytes32)
    {
        uint256 offset;
        assembly ("memory-safe") {
            offset := p.offset
        }
        return Merkle.multiproofRoot(i, nodes, depth, offset, p.length);
    }

    function header(bytes calldata h) external pure returns (uint256, uint256, uint256, uint256) {
        Header.Parsed memory p = Header.parse(h);
        return (p.values, p.inputs, p.outputs, p.depth);
    }

    function _random(uint256 size, uint256 seed) internal pure returns (bytes memory data) {
        data = new bytes(size);
        for (uint256 i = 0; i < size; ++i) {
            data[i] = bytes1(uint8((i * 7 + seed) ^ (i >> 8)));
        }
    }

    function _tree(uint256 count, uint256 seed) internal pure returns (Tree memory) {
        bytes32[] memory leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            leaves[i] = keccak256(abi.encode(seed, i));
        }
        return Trees.fromLeaves(leaves, 0);
    }

    function test_TensorRoots() public view {
        uint16[12] memory sizes = [0, 1, 511, 512, 513, 1024, 1025, 1536, 2048, 2600, 4096, 5000];
        for (uint256 i = 0; i < sizes.length; ++i) {
            bytes memory data = _random(sizes[i], i);
            eq(this.tensorRoot(data), Trees.fromBytes(data).root(), "tensor root");
        }
        bytes32 zero = keccak256(new bytes(512));
        eq(this.tensorRoot(""), zero, "no elements are one zero leaf");
    }

    function testFuzz_Proofs(uint256 seed) public {
        uint256 count = 1 + seed % 40;
        Tree memory t = _tree(count, seed);
        uint256 index = (seed >> 16) % count;
        bytes32[] memory p = t.proof(index);
        eq(this.proofRoot(t.levels[0][index], index, p.length, p), t.root(), "proof");
        (bool ok,) = address(this).call(abi.encodeCall(this.proofRoot, (t.levels[0][index], index, p.length + 1, p)));
        yes(!ok, "wrong length");
        (ok,) = address(this)
            .call(abi.encodeCall(this.proofRoot, (t.levels[0][index], index + (1 << p.length), p.length, p)));
        yes(!ok, "an index beyond the tree does not alias one inside");
    }

    function testFuzz_Multiproofs(uint256 seed) public {
        uint256 count = 1 + seed % 33;
        Tree memory t = _tree(count, seed);
        uint256[] memory indices = new uint256[](count);
        uint256 n = 0;
        for (uint256 i = 0; i < count; ++i) {
            if ((seed >> (8 + i)) & 3 == 0) indices[n++] = i;
        }
        if (n == 0) indices[n++] = count - 1;
        assembly ("memory-safe") {
            mstore(indices, n)
        }
        bytes32[] memory nodes = new bytes32[](n);
        for (uint256 i = 0; i < n; ++i) {
            nodes[i] = t.levels[0][indices[i]];
        }
        bytes32[] memory p = t.multiproof(indices);
        eq(this.multi(indices, nodes, t.depthOf(), p), t.root(), "multiproof");
        bytes32[] memory longer = new bytes32[](p.length + 1);
        for (uint256 i = 0; i < p.length; ++i) {
            longer[i] = p[i];
        }
        (bool ok,) = address(this).call(abi.encodeCall(this.multi, (indices, nodes, t.depthOf(), longer)));
        yes(!ok, "one word more");
        if (n > 1) {
            indices[1] = indices[0];
            (ok,) = address(this).call(abi.encodeCall(this.multi, (indices, nodes, t.depthOf(), p)));
            yes(!ok, "a duplicate");
        }
    }

    function testFuzz_FoldAndClimb(uint256 seed) public view {
        uint256 levels = seed % 5;
        Tree memory a = _tree(1 << levels, seed);
        uint256 first = (seed >> 8) % (1 << levels);
        bytes32[] memory leaves = new bytes32[](1 << levels);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = i < first ? a.levels[0][i] : keccak256(abi.encode(i));
        }
        Tree memory b = Trees.fromLeaves(leaves, 0);
        eq(this.fold(leaves), b.root(), "fold");
        (bytes32 own, bytes32 other) =
            this.climb(a.levels[0][first], first, levels, a.path(b, 0, levels, levels, first));
        eq(own, a.root(), "own");
        eq(other, b.root(), "opponent");
    }

    function test_ListsHaveWholeLevels() public {
        for (uint256 width = 0; width <= 40; ++width) {
            (bool ok,) = address(this).call(abi.encodeCall(this.fold, (new bytes32[](width))));
            yes(ok == (width == 1 || width == 2 || width == 4 || width == 8 || width == 16), "width");
        }
    }

    function test_Headers() public {
        bytes memory shape = Build.tensor(1, Build.dims(2, 3));
        bytes memory good = Build.header(5, 1, 1, bytes.concat(shape, shape), keccak256("d"));
        (uint256 values, uint256 inputs, uint256 outputs, uint256 depth) = this.header(good);
        eq(values * 1000 + inputs * 100 + outputs * 10 + depth, 5113, "parsed");
        refused(bytes.concat(good, hex"00"));
        for (uint256 cut = 0; cut < good.length; ++cut) {
            bytes memory part = new bytes(cut);
            for (uint256 i = 0; i < cut; ++i) {
                part[i] = good[i];
            }
            refused(part);
        }
        refused(Build.header(0, 0, 1, shape, 0));
        refused(Build.header(5, 1, 0, shape, 0));
        refused(Build.header(5, 6, 0, shape, 0));
        refused(Build.header(5, 0, 1, Build.tensor(8, Build.dims(2)), 0)); // the code of strings
        refused(Build.header(5, 0, 1, Build.tensor(1, Build.dims(1 << 20, 1 << 20)), 0));
        refused(Build.header(5, 0, 1, Build.tensor(1, new uint40[](9)), 0));
        // Fewer leaves than values; another version.
        bytes memory few = bytes.concat(good);
        (few[7], few[8], few[9], few[10], few[11]) = (0, 0, 0, 0, 0x04);
        refused(few);
        good[1] = 0x01;
        refused(good);
    }

    function refused(bytes memory h) internal {
        (bool ok, bytes memory data) = address(this).call(abi.encodeCall(this.header, (h)));
        yes(!ok && data.length >= 4 && bytes4(data) != 0x4e487b71, "a malformed header must be refused by name");
    }
}
