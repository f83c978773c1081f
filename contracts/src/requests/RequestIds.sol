// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {RequestTerms} from "../interfaces/RequestTypes.sol";

/// @title Ids of requests are hashes of content, as all others
library RequestIds {
    /// @notice What a request and the claims that answer it have in common.
    /// @param roots keccak256 of the packed input roots.
    function contentHash(bytes32 programId, bytes32 roots) internal pure returns (bytes32) {
        return keccak256(abi.encode(programId, roots));
    }

    function requestId(address requests, address requester, bytes32 content, uint256 fee, RequestTerms calldata terms)
        internal
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(block.chainid, requests, requester, content, fee, terms));
    }

    /// @dev The executor is part of it and must be who commits: a copy cannot be revealed by its copier.
    function commitment(address requests, bytes32 request, address executor, bytes32 claimId, bytes32 salt)
        internal
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(block.chainid, requests, request, executor, claimId, salt));
    }
}
