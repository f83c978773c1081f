// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ClaimData} from "./interfaces/RebutTypes.sol";
import {IRebut} from "./interfaces/IRebut.sol";
import {RebutResult, Reliance, Standing} from "./RebutResult.sol";

/// @title The base of a contract that uses results of one program
/// @notice `_finalOutput` waits for finality. `_standingOutput` does not: what it returns may be refuted later, and whoever
/// uses it needs a rule for what may depend on it and a way to undo it (examples/ProvisionalConsumer.sol).
abstract contract RebutConsumer {
    /// @notice Where claims are posted and disputed.
    IRebut public immutable REBUT;
    /// @notice The program whose results this contract uses: keccak256 of its header.
    bytes32 public immutable PROGRAM_ID;
    /// @notice Whether claims will do whose inputs were given only by their roots, so that perhaps nobody was able to
    /// check them.
    bool public immutable TRUSTS_DATA_AVAILABILITY;

    constructor(IRebut rebut, bytes32 programId, bool trustsDataAvailability) {
        REBUT = rebut;
        PROGRAM_ID = programId;
        TRUSTS_DATA_AVAILABILITY = trustsDataAvailability;
    }

    /// @notice How far a claim can be relied upon now.
    function reliance(bytes32 claimId) external view returns (Reliance) {
        return RebutResult.reliance(REBUT, claimId);
    }

    /// @dev Reverts unless `output` is that output of a final claim on the program. Any executor's, on any inputs.
    function _finalOutput(ClaimData calldata claimData, uint256 outputIndex, bytes calldata output)
        internal
        view
        returns (bytes32 claimId, uint256 dtype)
    {
        return
            RebutResult.requireFinalOutput(REBUT, PROGRAM_ID, TRUSTS_DATA_AVAILABILITY, claimData, outputIndex, output);
    }

    /// @dev Reverts unless `output` is that output of a claim on the program that is provisional, challenged or final.
    function _standingOutput(ClaimData calldata claimData, uint256 outputIndex, bytes calldata output)
        internal
        view
        returns (bytes32 claimId, uint256 dtype, Standing memory standing)
    {
        return RebutResult.requireStandingOutput(
            REBUT, PROGRAM_ID, TRUSTS_DATA_AVAILABILITY, claimData, outputIndex, output
        );
    }
}
