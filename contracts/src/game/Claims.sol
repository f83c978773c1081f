// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Accounts} from "./Accounts.sol";
import {Claim} from "./Records.sol";
import {ClaimData, ClaimPhase, Outcome, TensorData} from "../interfaces/RebutTypes.sol";
import {Header} from "../program/Header.sol";
import {IRebutClaims} from "../interfaces/IRebutClaims.sol";
import {Ids} from "./Ids.sol";
import {Merkle} from "../Merkle.sol";

/// @title Programs and single claims
abstract contract Claims is Accounts {
    using Header for Header.Parsed;

    /// @notice Most bytes of header and roots, which calls about a claim carry: room for some two hundred tensors. `Costs.GAME`
    /// covers what they cost.
    uint256 internal constant MAXIMUM_CONTENT = 8_192;

    /// @inheritdoc IRebutClaims
    function register(bytes calldata header) external returns (bytes32 programId) {
        Header.Parsed memory h = Header.parse(header);
        _extra(h, 1);
        uint256 content = header.length + 32 * h.tensors.length;
        if (content > MAXIMUM_CONTENT) revert ContentTooLarge(content, MAXIMUM_CONTENT);
        programId = keccak256(header);
        // INVARIANT: an entry never changes: nobody can spoil another's program.
        if (_publishers[programId] != address(0)) revert AlreadyRegistered(programId);
        _publishers[programId] = msg.sender;
        emit ProgramRegistered(programId, msg.sender, header);
    }

    /// @inheritdoc IRebutClaims
    function claim(bytes calldata header, TensorData[] calldata inputs, TensorData[] calldata outputs, uint64 nonce)
        external
        payable
        returns (bytes32 claimId)
    {
        _reserve(EXECUTOR_BOND);
        // INVARIANT: a batch's item is never posted alone, neither before nor after its batch.
        if (Ids.isItem(nonce)) revert ReservedNonce(nonce);
        (bytes32 programId, Header.Parsed memory h) = _newClaimOf(header);
        (bytes32[] memory inputRoots, bytes32[] memory outputRoots, bool byRoot) = _roots(h, inputs, outputs);
        claimId = Ids.claimId(
            address(this),
            msg.sender,
            programId,
            keccak256(abi.encodePacked(inputRoots)),
            keccak256(abi.encodePacked(outputRoots)),
            nonce
        );
        Claim storage c = _claims[claimId];
        // INVARIANT: one bond, one claim.
        if (c.start != 0) revert ClaimExists(claimId);
        c.start = uint40(block.timestamp);
        c.extra = _extra(h, 1);
        c.trustedDataAvailability = byRoot;
        emit Claimed(claimId, programId, msg.sender, header, inputRoots, outputRoots, nonce, byRoot, inputs, outputs);
    }

    /// @inheritdoc IRebutClaims
    function concede(ClaimData calldata claimData) external {
        (bytes32 claimId, Claim memory c, ClaimPhase phase) = _claimOf(claimData);
        // INVARIANT: what is Final or refuted stays so, and nobody has moved yet: who has is owed something if the executor
        // loses, and only a verdict settles that.
        if (phase < ClaimPhase.Window || phase > ClaimPhase.Committing) revert WrongPhase(claimId, phase);
        if (msg.sender != claimData.executor) revert NotExecutor(msg.sender, claimData.executor);
        bool early = phase <= ClaimPhase.Opening;
        _end(claimId, early ? Outcome.ConcededEarly : Outcome.ConcededLate);
        uint256 sharers = _sharers(c);
        // Nobody has challenged: giving up costs the burn share. Otherwise `settle` pays the shares.
        uint256 kept = sharers == 0 ? EXECUTOR_BOND - _burnShare(EXECUTOR_BOND) : sharers * _rewardShare(sharers);
        _burn(claimId, EXECUTOR_BOND - kept);
        if (sharers == 0) _credit(claimId, claimData.executor, kept);
    }

    /// @inheritdoc IRebutClaims
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

    /// @dev What every new claim needs: nothing is paused, and the program is registered.
    function _newClaimOf(bytes calldata header) internal view returns (bytes32 programId, Header.Parsed memory h) {
        if (block.timestamp < _pausedUntil) revert ClaimsPaused();
        programId = keccak256(header);
        if (_publishers[programId] == address(0)) revert NotRegistered(programId);
        h = Header.parse(header);
    }

    /// @dev By how many seconds making the traces of `count` claims lengthens window, commitment and clocks.
    function _extra(Header.Parsed memory h, uint256 count) internal view returns (uint32) {
        uint256 leaves = h.leaves * count;
        uint256 extra = leaves / LEAVES_PER_SECOND;
        if (extra > MAXIMUM_SECONDS) revert TraceTooLarge(leaves, (MAXIMUM_SECONDS + 1) * LEAVES_PER_SECOND - 1);
        return uint32(extra);
    }

    /// @notice Among how many challenges a conceded or silent claim's bond is shared: the opened ones, or all if none was
    /// opened. No dispute of such a claim was ever played.
    function _sharers(Claim memory c) internal pure returns (uint256) {
        return c.opened == 0 ? c.challenges : c.opened;
    }

    /// @notice What one of them gets, wei. The remainder of the division is burnt.
    function _rewardShare(uint256 sharers) internal view returns (uint256) {
        return sharers == 0 ? 0 : (EXECUTOR_BOND - _burnShare(EXECUTOR_BOND)) / sharers;
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
