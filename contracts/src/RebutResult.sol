// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ClaimData, ClaimPhase, ClaimStatus} from "./interfaces/RebutTypes.sol";
import {Header} from "./program/Header.sol";
import {IRebut} from "./interfaces/IRebut.sol";
import {Merkle} from "./Merkle.sol";

/// @title How far a result can be relied upon
enum Reliance {
    Unknown, // no such claim
    Provisional, // posted, not challenged, window open: anything may still happen
    Challenged, // somebody has put a bond against it
    Final, // stands for ever
    Refuted // wrong, or given up
}

/// @notice How a claim stands now, for a rule of one's own about results that are not final.
struct Standing {
    Reliance reliance;
    bool trustedDataAvailability; // some input was given only by its root
    uint32 challenges; // ever made against it
    uint40 postedAt; // Unix seconds
    uint40 windowEnds; // last second to challenge it
    uint256 age; // seconds since it was posted
}

/// @title For contracts that use results: makes every state explicit, and hands out bytes only when they are final
library RebutResult {
    using Header for Header.Parsed;

    /// @notice The claim is not final.
    error NotFinal(bytes32 claimId, Reliance reliance);
    /// @notice The claim cannot be relied upon at all: it does not exist, or it is refuted.
    error NotStanding(bytes32 claimId, Reliance reliance);
    /// @notice The claim is not refuted.
    error NotRefuted(bytes32 claimId, Reliance reliance);
    /// @notice The claim is about other inputs.
    error WrongInputs(bytes32 claimId);
    /// @notice The claim is about another program.
    error WrongProgram(bytes32 given, bytes32 expected);
    /// @notice An input was given only by its root, and the consumer did not opt in.
    error InputsNotPublished(bytes32 claimId);
    /// @notice There is no such output.
    error NoSuchOutput(uint256 outputIndex, uint256 outputs);
    /// @notice The bytes are not the claimed output.
    error WrongOutput(bytes32 computed, bytes32 claimed);
    /// @notice The bytes do not have the output's size.
    error WrongOutputSize(uint256 given, uint256 expected);

    /// @notice How far a claim can be relied upon now.
    function reliance(IRebut rebut, bytes32 claimId) internal view returns (Reliance) {
        return _reliance(rebut.status(claimId));
    }

    /// @notice How a claim stands now.
    function standing(IRebut rebut, bytes32 claimId) internal view returns (Standing memory) {
        ClaimStatus memory s = rebut.status(claimId);
        return Standing({
            reliance: _reliance(s),
            trustedDataAvailability: s.trustedDataAvailability,
            challenges: s.challenges,
            postedAt: s.start,
            windowEnds: s.windowEnds,
            age: s.start == 0 ? 0 : block.timestamp - s.start
        });
    }

    /// @notice Reverts unless the claim is final. Once it is, it stays so.
    function requireFinal(IRebut rebut, bytes32 claimId) internal view {
        Reliance now_ = reliance(rebut, claimId);
        if (now_ != Reliance.Final) revert NotFinal(claimId, now_);
    }

    /// @notice Reverts unless the claim is refuted. Once it is, it stays so: whatever was built on it can be undone.
    function requireRefuted(IRebut rebut, bytes32 claimId) internal view {
        Reliance now_ = reliance(rebut, claimId);
        if (now_ != Reliance.Refuted) revert NotRefuted(claimId, now_);
    }

    /// @notice Reverts unless the claim is about exactly these inputs.
    /// @param inputRoots The tensor roots of the inputs (`Merkle.tensorRoot` of their bytes).
    function requireInputs(IRebut rebut, ClaimData calldata claimData, bytes32[] memory inputRoots) internal view {
        if (keccak256(abi.encodePacked(claimData.inputRoots)) != keccak256(abi.encodePacked(inputRoots))) {
            revert WrongInputs(rebut.claimIdOf(claimData));
        }
    }

    /// @notice Reverts unless `output` is output `outputIndex` of a final claim on program `programId`.
    /// @dev Checks which program, not which inputs: a consumer that asked about certain inputs compares
    /// `claimData.inputRoots` with theirs.
    /// @param trustedDataAvailability Accept claims whose inputs were given only by their roots, although nobody may have
    /// been able to check them.
    /// @return claimId The claim.
    /// @return dtype The output's element type.
    function requireFinalOutput(
        IRebut rebut,
        bytes32 programId,
        bool trustedDataAvailability,
        ClaimData calldata claimData,
        uint256 outputIndex,
        bytes calldata output
    ) internal view returns (bytes32 claimId, uint256 dtype) {
        if (keccak256(claimData.header) != programId) {
            revert WrongProgram(keccak256(claimData.header), programId);
        }
        claimId = rebut.claimIdOf(claimData);
        Reliance now_ = reliance(rebut, claimId);
        if (now_ != Reliance.Final) revert NotFinal(claimId, now_);
        if (!trustedDataAvailability && rebut.status(claimId).trustedDataAvailability) {
            revert InputsNotPublished(claimId);
        }
        dtype = _requireOutput(claimData, outputIndex, output);
    }

    /// @notice Reverts unless `output` is output `outputIndex` of a claim on program `programId` that is not refuted.
    /// @dev For consumers that opt in to results that may still be refuted: the caller must have a rule for how much may
    /// depend on such a result, look at what is returned, and be able to undo it all (`requireRefuted`).
    /// @param trustedDataAvailability As in `requireFinalOutput`.
    /// @return claimId The claim.
    /// @return dtype The output's element type.
    /// @return now_ How the claim stands: Provisional, Challenged or Final.
    function requireStandingOutput(
        IRebut rebut,
        bytes32 programId,
        bool trustedDataAvailability,
        ClaimData calldata claimData,
        uint256 outputIndex,
        bytes calldata output
    ) internal view returns (bytes32 claimId, uint256 dtype, Standing memory now_) {
        if (keccak256(claimData.header) != programId) {
            revert WrongProgram(keccak256(claimData.header), programId);
        }
        claimId = rebut.claimIdOf(claimData);
        now_ = standing(rebut, claimId);
        if (now_.reliance == Reliance.Unknown || now_.reliance == Reliance.Refuted) {
            revert NotStanding(claimId, now_.reliance);
        }
        if (!trustedDataAvailability && now_.trustedDataAvailability) revert InputsNotPublished(claimId);
        dtype = _requireOutput(claimData, outputIndex, output);
    }

    function _reliance(ClaimStatus memory s) private pure returns (Reliance) {
        if (s.phase == ClaimPhase.None) return Reliance.Unknown;
        if (s.phase == ClaimPhase.Final) return Reliance.Final;
        if (s.phase == ClaimPhase.Silent || s.phase == ClaimPhase.Refuted) return Reliance.Refuted;
        return s.challenges == 0 ? Reliance.Provisional : Reliance.Challenged;
    }

    /// @dev The bytes are the claimed output: its size and its root.
    function _requireOutput(ClaimData calldata claimData, uint256 outputIndex, bytes calldata output)
        private
        pure
        returns (uint256 dtype)
    {
        Header.Parsed memory h = Header.parse(claimData.header);
        if (outputIndex >= h.outputs) revert NoSuchOutput(outputIndex, h.outputs);
        uint256 size = h.byteSize(h.inputs + outputIndex);
        if (output.length != size) revert WrongOutputSize(output.length, size);
        bytes32 root = Merkle.tensorRoot(output);
        if (root != claimData.outputRoots[outputIndex]) revert WrongOutput(root, claimData.outputRoots[outputIndex]);
        dtype = h.tensors[h.inputs + outputIndex] & 0xff;
    }
}
