// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ClaimData} from "../interfaces/RebutTypes.sol";
import {IRebut} from "../interfaces/IRebut.sol";
import {Reliance, RebutResult} from "../RebutResult.sol";

/// @title An example of a consumer: remembers which class a classifier's final output names
/// @notice Works for any program whose output is f32 with at most 4,096 elements; the class is the index of the largest
/// element (the lowest such index; a NaN counts as the largest, -0 as +0).
contract DigitConsumer {
    uint256 public constant MAX_ELEMENTS = 4096;
    uint256 private constant F32 = 1;

    IRebut public immutable REBUT;
    bytes32 public immutable PROGRAM_ID;
    /// @notice Whether inputs that were given only by their roots will do.
    bool public immutable TRUSTS_DATA_AVAILABILITY;

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
    /// @notice The output is not f32, or has no or too many elements.
    error UnsupportedOutput(uint256 dtype, uint256 elements);

    constructor(IRebut rebut, bytes32 programId, bool trustsDataAvailability) {
        REBUT = rebut;
        PROGRAM_ID = programId;
        TRUSTS_DATA_AVAILABILITY = trustsDataAvailability;
    }

    /// @notice Accepts an output of a final claim on this consumer's program.
    function accept(ClaimData calldata claimData, uint256 outputIndex, bytes calldata output) external {
        (bytes32 claimId, uint256 dtype) =
            RebutResult.requireFinalOutput(REBUT, PROGRAM_ID, TRUSTS_DATA_AVAILABILITY, claimData, outputIndex, output);
        if (labelPlusOne[claimId] != 0) revert AlreadyAccepted(claimId);
        uint256 elements = output.length / 4;
        if (dtype != F32 || elements == 0 || elements > MAX_ELEMENTS) revert UnsupportedOutput(dtype, elements);
        uint256 found = _largest(output, elements);
        label = found;
        accepted += 1;
        labelPlusOne[claimId] = found + 1;
        emit Accepted(claimId, found, keccak256(output));
    }

    /// @notice How far a claim can be relied upon now.
    function reliance(bytes32 claimId) external view returns (Reliance) {
        return RebutResult.reliance(REBUT, claimId);
    }

    /// @dev The lowest index of the largest f32.
    function _largest(bytes calldata output, uint256 elements) private pure returns (uint256 best) {
        uint256 bestKey = 0;
        for (uint256 i = 0; i < elements; ++i) {
            uint256 key = _key(uint32(bytes4(output[4 * i:4 * i + 4])));
            if (key > bestKey) (best, bestKey) = (i, key);
        }
    }

    /// @dev A number that orders f32 bits as their values: above 0, so that index 0 wins only by itself.
    function _key(uint256 x) private pure returns (uint256) {
        uint256 magnitude = x & 0x7fffffff;
        if (magnitude > 0x7f800000) return type(uint256).max;
        uint256 zero = 1 << 32;
        return x == magnitude ? zero + magnitude : zero - magnitude;
    }
}
