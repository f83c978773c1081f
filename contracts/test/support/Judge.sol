// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Assert} from "./Assert.sol";
import {Build} from "./Build.sol";
import {IAdjudicator} from "../../src/interfaces/IAdjudicator.sol";
import {Tree, Trees} from "./Tree.sol";
import {deployAdjudicator} from "./Deployer.sol";

/// Evaluates hand-made instructions over one or two operands (values 0 and 1 of a trace of three values).
abstract contract Judge is Assert {
    IAdjudicator internal judge;

    function setUp() public virtual {
        judge = IAdjudicator(deployAdjudicator());
    }

    /// The parts of a descriptor behind its tensor.
    struct Parts {
        bytes tensor;
        bytes e;
        bytes r;
        uint8 flags;
        bytes operands; // with their count
        bytes views; // with their count
        bytes core;
        bytes epilogue;
    }

    function encode(Parts memory p) internal pure returns (bytes memory) {
        return bytes.concat(hex"02", p.tensor, p.e, p.r, bytes1(p.flags), p.operands, p.views, p.core, p.epilogue);
    }

    function treeOf(bytes memory a, bytes memory b) internal pure returns (Tree memory) {
        bytes32[] memory roots = new bytes32[](3);
        roots[0] = Trees.root(Trees.fromBytes(a));
        roots[1] = Trees.root(Trees.fromBytes(b));
        return Trees.fromLeaves(roots, 0);
    }

    /// With the leaves given per operand (none: the operand is not touched; `two` false: only operand 0 is declared).
    function witness(bytes memory a, uint256[] memory la, bytes memory b, uint256[] memory lb, bool two)
        internal
        pure
        returns (bytes memory w)
    {
        uint256 n = (la.length > 0 ? 1 : 0) + (lb.length > 0 ? 1 : 0);
        uint256[] memory touched = new uint256[](n);
        if (lb.length > 0) touched[n - 1] = 1;
        w = Build.leaves(a, la);
        if (two) w = bytes.concat(w, Build.leaves(b, lb));
        return bytes.concat(w, Build.operands(treeOf(a, b), touched));
    }

    function run(bytes memory descriptor, uint256 element, bytes memory a, bytes memory b, bytes memory w)
        internal
        view
        returns (uint256)
    {
        return judge.evaluate(descriptor, 2, element, Trees.root(treeOf(a, b)), 3, w);
    }

    /// f32 lanes i + first for i < n, for small whole numbers.
    function floats(uint256 n, uint256 first) internal pure returns (bytes memory out) {
        out = new bytes(4 * n);
        for (uint256 i = 0; i < n; ++i) {
            put(out, i, float(first + i));
        }
    }

    function put(bytes memory out, uint256 i, uint256 bits) internal pure {
        for (uint256 k = 0; k < 4; ++k) {
            out[4 * i + k] = bytes1(uint8(bits >> (24 - 8 * k)));
        }
    }

    /// The f32 of a whole number below 2^24.
    function float(uint256 x) internal pure returns (uint256) {
        if (x == 0) return 0;
        uint256 top = 0;
        while (x >> (top + 1) != 0) ++top;
        return ((127 + top) << 23) | ((x << (23 - top)) & 0x7fffff);
    }

    function none() internal pure returns (uint256[] memory) {
        return new uint256[](0);
    }
}
