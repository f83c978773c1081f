// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title What a contract implements that wants the output of a request to be brought to it
interface IRebutConsumer {
    /// @notice Called after a request's claim is final, by `IRequests.forwarder()`, until it returns once.
    /// @dev Anybody can make a request whose target is this contract: check that the caller is the forwarder **and**
    /// that `requestId` is a request of your own (`RebutRequester` does both). The call gets exactly the request's
    /// `callbackGas`. If it reverts, nothing else changes and anybody can try again; the output can also be proven with
    /// `RebutResult`. What it returns is not read.
    /// Anybody chooses when: also in the middle of a call that this contract makes to somebody else. Where that may not be,
    /// guard against reentrance by reverting: the delivery that was made then has done nothing.
    /// @param requestId The request.
    /// @param claimId The final claim that answers it.
    /// @param outputIndex Which output of the program this is: the one that the request named.
    /// @param dtype The output's element type (docs/program.md, "Element types").
    /// @param trustedDataAvailability The claim's inputs were given only by their roots, so that perhaps nobody was able
    /// to check it. Only for requests that said so themselves.
    /// @param output The output's elements, big-endian, row-major.
    function onRebutResult(
        bytes32 requestId,
        bytes32 claimId,
        uint256 outputIndex,
        uint256 dtype,
        bool trustedDataAvailability,
        bytes calldata output
    ) external;
}
