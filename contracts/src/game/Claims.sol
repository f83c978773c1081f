// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Claim, Phases} from "./Records.sol";
import {ClaimData, ClaimPhase, Outcome, TensorData} from "../interfaces/RebutTypes.sol";
import {Header} from "../program/Header.sol";
import {IRebut} from "../interfaces/IRebut.sol";
import {Ids} from "./Ids.sol";
import {Ledger} from "./Ledger.sol";
import {Merkle} from "../Merkle.sol";

/// @title Programs and claims
abstract contract Claims is Ledger {
    using Header for Header.Parsed;

    /// @inheritdoc IRebut
    mapping(bytes32 programId => address account) public override publisher;

    mapping(bytes32 claimId => Claim) internal _claims;
    /// @notice The executors' trace roots, once committed.
    mapping(bytes32 claimId => bytes32 root) internal _traceRoots;

    /// @inheritdoc IRebut
    function register(bytes calldata header) external returns (bytes32 programId) {
        Header.parse(header);
        programId = keccak256(header);
        // INVARIANT: an entry never changes: nobody can spoil another's program.
        if (publisher[programId] != address(0)) revert AlreadyRegistered(programId);
        publisher[programId] = msg.sender;
        emit ProgramRegistered(programId, msg.sender, header);
    }

    /// @inheritdoc IRebut
    function claim(bytes calldata header, TensorData[] calldata inputs, TensorData[] calldata outputs, uint64 nonce)
        external
        payable
        returns (bytes32 claimId)
    {
        _requireBond(EXECUTOR_BOND);
        bytes32 programId = keccak256(header);
        if (publisher[programId] == address(0)) revert NotRegistered(programId);
        Header.Parsed memory h = Header.parse(header);
        (bytes32[] memory inputRoots, bytes32[] memory outputRoots, bool byRoot) = _roots(h, inputs, outputs);
        claimId = Ids.claimId(
            address(this),
            msg.sender,
            header,
            keccak256(abi.encodePacked(inputRoots)),
            keccak256(abi.encodePacked(outputRoots)),
            nonce
        );
        Claim storage c = _claims[claimId];
        // INVARIANT: one bond, one claim.
        if (c.start != 0) revert ClaimExists(claimId);
        c.start = uint40(block.timestamp);
        c.trustedDataAvailability = byRoot;
        emit Claimed(claimId, programId, msg.sender, header, inputRoots, outputRoots, nonce, byRoot, inputs, outputs);
    }

    /// @inheritdoc IRebut
    function concede(ClaimData calldata claimData) external {
        (bytes32 claimId, Claim memory c, ClaimPhase phase) = _claimOf(claimData);
        // INVARIANT: what is Final or refuted stays so.
        if (phase < ClaimPhase.Window || phase > ClaimPhase.Disputing) revert WrongPhase(claimId, phase);
        if (msg.sender != claimData.executor) revert NotExecutor(msg.sender, claimData.executor);
        bool early = phase <= ClaimPhase.Opening;
        _end(claimId, early ? Outcome.ConcededEarly : Outcome.ConcededLate);
        uint256 sharers = _sharers(c);
        // Nobody has challenged: giving up costs the burn share. Otherwise `settle` pays the shares.
        uint256 kept = sharers == 0 ? EXECUTOR_BOND - _burnShare(EXECUTOR_BOND) : sharers * _rewardShare(sharers);
        _burn(claimId, EXECUTOR_BOND - kept);
        if (sharers == 0) _credit(claimId, claimData.executor, kept);
    }

    /// @inheritdoc IRebut
    function finalize(ClaimData calldata claimData) external {
        (bytes32 claimId, Claim memory c, ClaimPhase phase) = _claimOf(claimData);
        // INVARIANT: recorded once, so the executor's bond moves once.
        if (c.outcome != Outcome.None || phase < ClaimPhase.Silent) revert WrongPhase(claimId, phase);
        if (phase == ClaimPhase.Final) {
            _end(claimId, Outcome.Final);
            _credit(claimId, claimData.executor, EXECUTOR_BOND);
        } else {
            _end(claimId, Outcome.RefutedBySilence);
            _burn(claimId, EXECUTOR_BOND - c.opened * _rewardShare(c.opened));
        }
    }

    /// @notice Records how a claim ended.
    function _end(bytes32 claimId, Outcome outcome) internal {
        _claims[claimId].outcome = outcome;
        emit ClaimDecided(claimId, outcome);
    }

    /// @notice Among how many challenges a conceded or silent claim's bond is shared: the opened ones whose dispute is not
    /// lost, or all if none was opened.
    function _sharers(Claim memory c) internal pure returns (uint256) {
        return c.opened == 0 ? c.challenges : c.opened;
    }

    /// @notice What one of them gets, wei. The remainder of the division is burnt.
    function _rewardShare(uint256 sharers) internal view returns (uint256) {
        return sharers == 0 ? 0 : (EXECUTOR_BOND - _burnShare(EXECUTOR_BOND)) / sharers;
    }

    function _claimOf(ClaimData calldata claimData)
        internal
        view
        returns (bytes32 claimId, Claim memory c, ClaimPhase phase)
    {
        claimId = Ids.claimId(address(this), claimData);
        c = _claims[claimId];
        phase = Phases.ofClaim(c, _periods(), block.timestamp);
    }

    function _requirePhase(bytes32 claimId, ClaimPhase phase, ClaimPhase expected) internal pure {
        if (phase != expected) revert WrongPhase(claimId, phase);
    }

    /// @dev The tensor roots of inputs and outputs, and whether some input was given by its root only.
    function _roots(Header.Parsed memory h, TensorData[] calldata inputs, TensorData[] calldata outputs)
        private
        pure
        returns (bytes32[] memory inputRoots, bytes32[] memory outputRoots, bool byRoot)
    {
        if (inputs.length != h.inputs) revert WrongTensorCount(inputs.length, h.inputs);
        if (outputs.length != h.outputs) revert WrongTensorCount(outputs.length, h.outputs);
        inputRoots = new bytes32[](h.inputs);
        outputRoots = new bytes32[](h.outputs);
        for (uint256 i = 0; i < h.tensors.length; ++i) {
            bool input = i < h.inputs;
            TensorData calldata tensor = input ? inputs[i] : outputs[i - h.inputs];
            bytes32 root = tensor.root;
            if (root != 0) {
                if (tensor.data.length != 0) revert BytesAndRoot(i);
                if (input) byRoot = true;
            } else {
                uint256 size = h.byteSize(i);
                if (tensor.data.length != size) revert WrongTensorSize(i, tensor.data.length, size);
                root = Merkle.tensorRoot(tensor.data);
            }
            if (input) inputRoots[i] = root;
            else outputRoots[i - h.inputs] = root;
        }
    }
}
