// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Tree, Trees} from "./Tree.sol";

/// Bytes of headers, descriptors and witnesses, piece by piece.
library Build {
    function dims(uint256 a) internal pure returns (uint40[] memory d) {
        d = new uint40[](1);
        d[0] = uint40(a);
    }

    function dims(uint256 a, uint256 b) internal pure returns (uint40[] memory d) {
        d = new uint40[](2);
        (d[0], d[1]) = (uint40(a), uint40(b));
    }

    function list(uint40[] memory d) internal pure returns (bytes memory out) {
        out = abi.encodePacked(uint8(d.length));
        for (uint256 i = 0; i < d.length; ++i) {
            out = abi.encodePacked(out, d[i]);
        }
    }

    function tensor(uint8 dtype, uint40[] memory d) internal pure returns (bytes memory) {
        return abi.encodePacked(dtype, list(d));
    }

    function operand(uint256 value, uint8 dtype, uint256 elements) internal pure returns (bytes memory) {
        return abi.encodePacked(uint40(value), dtype, uint40(elements));
    }

    function term(uint8 axis, int64 coefficient) internal pure returns (bytes memory) {
        return abi.encodePacked(axis, coefficient);
    }

    function affine(int64 base, bytes memory terms) internal pure returns (bytes memory) {
        return abi.encodePacked(base, uint8(terms.length / 9), terms);
    }

    /// A view with one access, no guards and no indirect terms.
    function plain(uint8 index, bytes memory address_) internal pure returns (bytes memory) {
        return abi.encodePacked(int64(0), uint8(1), index, address_, uint8(0), uint8(0));
    }

    function header(uint256 values, uint8 inputs, uint8 outputs, bytes memory tensors, bytes32 root)
        internal
        pure
        returns (bytes memory)
    {
        // More leaves than the tests' tensors have, and too few for extra time.
        return abi.encodePacked(uint16(3), uint40(values), uint40(values << 20), inputs, outputs, tensors, root);
    }

    function i32s(int256[] memory x) internal pure returns (bytes memory out) {
        out = new bytes(4 * x.length);
        for (uint256 i = 0; i < x.length; ++i) {
            bytes4 lane = bytes4(uint32(uint256(x[i])));
            for (uint256 k = 0; k < 4; ++k) {
                out[4 * i + k] = lane[k];
            }
        }
    }

    /// One operand's part of a witness.
    function leaves(bytes memory data, uint256[] memory indices) internal pure returns (bytes memory out) {
        if (indices.length == 0) return abi.encodePacked(uint16(0), uint16(0));
        out = abi.encodePacked(uint16(indices.length));
        for (uint256 i = 0; i < indices.length; ++i) {
            out = abi.encodePacked(out, uint40(indices[i]));
        }
        for (uint256 i = 0; i < indices.length; ++i) {
            out = abi.encodePacked(out, Trees.leafBytes(data, indices[i]));
        }
        bytes32[] memory p = Trees.multiproof(Trees.fromBytes(data), indices);
        out = abi.encodePacked(out, uint16(p.length), p);
    }

    /// The witness' last part.
    function operands(Tree memory trace, uint256[] memory values) internal pure returns (bytes memory) {
        if (values.length == 0) return abi.encodePacked(uint16(0));
        bytes32[] memory p = Trees.multiproof(trace, values);
        return abi.encodePacked(uint16(p.length), p);
    }

    function numbers(uint256 a) internal pure returns (uint256[] memory n) {
        n = new uint256[](1);
        n[0] = a;
    }

    function numbers(uint256 a, uint256 b) internal pure returns (uint256[] memory n) {
        n = new uint256[](2);
        (n[0], n[1]) = (a, b);
    }
}
