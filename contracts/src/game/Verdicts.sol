// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ClaimData, DisputePhase, Position, Stage, Verdict} from "../interfaces/RebutTypes.sol";
import {Costs} from "./Costs.sol";
import {DataType} from "../program/DataType.sol";
import {Descent} from "./Descent.sol";
import {Descriptor} from "../program/Descriptor.sol";
import {Dispute} from "./Records.sol";
import {Header} from "../program/Header.sol";
import {IAdjudicator} from "../interfaces/IAdjudicator.sol";
import {IRebutGame} from "../interfaces/IRebutGame.sol";
import {Ids} from "./Ids.sol";
import {Merkle} from "../Merkle.sol";

/// @title Where the program enters a dispute: values, and the step that decides
abstract contract Verdicts is Descent {
    using Header for Header.Parsed;

    /// @inheritdoc IRebutGame
    function enter(
        bytes32 disputeId,
        ClaimData calldata claimData,
        uint256 index,
        bytes32[] calldata path,
        bytes calldata descriptor,
        bytes32[] calldata descriptorProof,
        bytes32[] calldata list
    ) external {
        Dispute memory d = _requireTurn(disputeId);
        // INVARIANT: only a whole way down the trace tree leads to a value.
        if (d.stage != Stage.Trace || d.remaining > LEVELS) revert WrongStage(disputeId, d.stage, d.remaining);
        _requireClaim(d, claimData);
        uint256 value = (uint256(d.index) << d.remaining) | index;
        Header.Parsed memory h = Header.parse(claimData.header);

        uint256 kind;
        bytes32 known;
        {
            uint256 dtype;
            uint256 elements;
            (kind, dtype, elements, known) = _define(h, claimData, value, descriptor, descriptorProof);
            d.dtype = uint8(dtype);
            d.elements = uint40(elements);
        }
        Position memory from = _position(d);
        uint256 depth = kind == Descriptor.INSTRUCTION ? DataType.treeDepth(d.dtype, d.elements) : 0;
        // A list in a tensor for an instruction; otherwise the mover's tensor root itself.
        bytes32 own = _listNode(list, depth, kind == Descriptor.INSTRUCTION);
        bytes32 opponent = _climb(d, own, index, d.remaining, path);
        _recordRefund(disputeId, d, d.challengerToMove, Costs.ENTER);

        if (kind == Descriptor.INSTRUCTION) {
            d.stage = Stage.Tensor;
            d.value = uint40(value);
            d.index = 0;
            d.remaining = uint8(depth);
            emit Entered(disputeId, d.value, d.dtype, d.elements);
            emit Moved(disputeId, d.challengerToMove, from, _position(d), list);
            _passTurn(disputeId, d, own, opponent);
        } else if (kind == Descriptor.MALFORMED) {
            emit MalformedDescriptor(disputeId, uint40(value), d.challengerToMove);
            _decide(disputeId, d, Verdict.NoStep, 0);
        } else {
            (bytes32 executorRoot, bytes32 challengerRoot) = d.challengerToMove ? (opponent, own) : (own, opponent);
            emit KnownRoot(disputeId, uint40(value), d.challengerToMove, known, executorRoot, challengerRoot);
            _judge(disputeId, d, executorRoot == known, challengerRoot == known, 0);
        }
    }

    /// @inheritdoc IRebutGame
    function step(
        bytes32 disputeId,
        ClaimData calldata claimData,
        bytes32 traceRoot,
        bytes calldata descriptor,
        bytes32[] calldata descriptorProof,
        bytes calldata witness
    ) external {
        (Dispute memory d, DisputePhase phase, uint256 deadline) = _disputeNow(disputeId);
        if (d.stage == Stage.Step && phase == DisputePhase.Overdue) revert TooLate(disputeId, deadline);
        if (phase != DisputePhase.Stepping) revert WrongStage(disputeId, d.stage, d.remaining);
        _requireClaim(d, claimData);
        Header.Parsed memory h = Header.parse(claimData.header);
        _requireDescriptor(h, d.value, descriptor, descriptorProof);
        // INVARIANT: the operands come from a trace of this dispute. Values below the disputed one are the same in both, so
        // either side can prove them from its own.
        bytes32 executorRoot = _traceRoots[d.claimId];
        if (traceRoot != executorRoot && Ids.disputeId(d.claimId, traceRoot) != disputeId) {
            revert WrongRoot(traceRoot, executorRoot);
        }
        // INVARIANT: a step that fails, for whatever reason (gas, too), reverts here and decides nothing.
        uint64 lane = IAdjudicator(ADJUDICATOR).evaluate(descriptor, d.value, d.index, traceRoot, h.values, witness);
        emit Stepped(disputeId, msg.sender, lane);
        uint64 executorLane = uint64(uint256(d.nodes) >> 64);
        uint64 challengerLane = uint64(uint256(d.nodes));
        // Owed by the side that it proves wrong; nothing if both are.
        uint256 refund = 0;
        if (executorLane == lane || challengerLane == lane) {
            refund = _grantRefund(disputeId, d, executorLane != lane, Costs.STEP);
        }
        _judge(disputeId, d, executorLane == lane, challengerLane == lane, refund);
    }

    /// @dev What the program says about a value: an input's, a constant's or padding's root, or an instruction's type and
    /// size. Padding answers as a constant.
    function _define(
        Header.Parsed memory h,
        ClaimData calldata claimData,
        uint256 value,
        bytes calldata descriptor,
        bytes32[] calldata descriptorProof
    ) private pure returns (uint256 kind, uint256 dtype, uint256 elements, bytes32 known) {
        if (value >= h.values) {
            if (descriptor.length != 0 || descriptorProof.length != 0) revert PaddingHasNoDescriptor(value, h.values);
            return (Descriptor.CONSTANT, 0, 0, 0);
        }
        // INVARIANT: the descriptor is the program's for this value.
        _requireDescriptor(h, value, descriptor, descriptorProof);
        (kind, dtype, elements, known) = Descriptor.head(descriptor, value, h);
        if (kind == Descriptor.INPUT) known = claimData.inputRoots[value];
    }

    function _requireDescriptor(
        Header.Parsed memory h,
        uint256 value,
        bytes calldata descriptor,
        bytes32[] calldata proof
    ) private pure {
        bytes32 computed = Merkle.proofRoot(Descriptor.leaf(descriptor), value, h.depth, proof);
        if (computed != h.descriptorsRoot) revert WrongRoot(computed, h.descriptorsRoot);
    }

    function _requireClaim(Dispute memory d, ClaimData calldata claimData) private view {
        bytes32 given = Ids.claimId(address(this), claimData);
        if (given != d.claimId) revert WrongClaim(given, d.claimId);
    }
}
