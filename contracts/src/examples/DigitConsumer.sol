// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ClaimData} from "../interfaces/RebutTypes.sol";
import {Classifier} from "./Classifier.sol";
import {IRebut} from "../interfaces/IRebut.sol";
import {RebutConsumer} from "../RebutConsumer.sol";

/// @title An example of a consumer that waits: remembers which class a classifier's final output names
contract DigitConsumer is RebutConsumer {
    /// @notice The label of the last accepted result; meaningful once `accepted` is not zero.
    uint256 public label;
    /// @notice How many results have been accepted.
    uint256 public accepted;
    /// @notice Per claim: 1 + its label; 0 if it has not been accepted.
    mapping(bytes32 claimId => uint256) public labelPlusOne;

    /// @notice A final result was accepted. `outputHash` = keccak256(output).
    event Accepted(bytes32 indexed claimId, uint256 label, bytes32 outputHash);

    /// @notice The claim has been accepted already.
    error AlreadyAccepted(bytes32 claimId);

    constructor(IRebut rebut, bytes32 programId, bool trustsDataAvailability)
        RebutConsumer(rebut, programId, trustsDataAvailability)
    {}

    /// @notice Accepts an output of a final claim on this consumer's program.
    function accept(ClaimData calldata claimData, uint256 outputIndex, bytes calldata output) external {
        (bytes32 claimId, uint256 dtype) = _finalOutput(claimData, outputIndex, output);
        if (labelPlusOne[claimId] != 0) revert AlreadyAccepted(claimId);
        uint256 found = Classifier.label(dtype, output);
        label = found;
        accepted += 1;
        labelPlusOne[claimId] = found + 1;
        emit Accepted(claimId, found, keccak256(output));
    }
}
