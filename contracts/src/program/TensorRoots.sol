// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Header} from "./Header.sol";
import {IRebutErrors} from "../interfaces/IRebutErrors.sol";
import {Merkle} from "../Merkle.sol";
import {TensorData} from "../interfaces/RebutTypes.sol";

/// @title The roots of tensors that a caller gives as bytes or only by their roots
library TensorRoots {
    using Header for Header.Parsed;

    /// @notice The tensor roots of a program's inputs, checked against the header.
    /// @return roots One per input.
    /// @return unpublished 1 + the index of the first input that was given only by its root; 0 if there is none.
    function ofInputs(Header.Parsed memory h, TensorData[] calldata inputs)
        internal
        pure
        returns (bytes32[] memory roots, uint256 unpublished)
    {
        if (inputs.length != h.inputs) revert IRebutErrors.WrongTensorCount(inputs.length, h.inputs);
        roots = new bytes32[](h.inputs);
        for (uint256 i = 0; i < h.inputs; ++i) {
            bytes calldata data = inputs[i].data;
            bytes32 root = inputs[i].root;
            if (root != 0) {
                if (data.length != 0) revert IRebutErrors.BytesAndRoot(i);
                if (unpublished == 0) unpublished = i + 1;
            } else {
                uint256 size = h.byteSize(i);
                if (data.length != size) revert IRebutErrors.WrongTensorSize(i, data.length, size);
                root = Merkle.tensorRoot(data);
            }
            roots[i] = root;
        }
    }
}
