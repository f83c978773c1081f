// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Build} from "./support/Build.sol";
import {ClaimData, DisputePhase, DisputeStatus, Outcome, TensorData, Verdict} from "../src/interfaces/RebutTypes.sol";
import {Costs} from "../src/game/Costs.sol";
import {Deep, Deeps} from "./support/Deep.sol";
import {Game} from "./support/Game.sol";
import {Trees} from "./support/Tree.sol";
import {time} from "./support/Clock.sol";
import {vm} from "./Vm.sol";

/// Whole disputes over programs at the edges of what a program can be: positions near 2^40, one value, no elements.
contract ExtremesTest is Game {
    using Deeps for Deep;

    uint8 internal constant I64 = 7;
    uint256 internal constant LARGEST = (1 << 40) - 1;

    /// A program whose output, its last value, is an i64 instruction that reads nothing.
    struct Program {
        uint256 values;
        uint256 elements;
        bytes descriptor;
        Deep descriptors;
        bytes header;
    }

    /// What one side says: the disputed leaf of the output, and the trees over it.
    struct Side {
        bytes leaf;
        Deep tensor;
        Deep trace;
    }

    function depthOf(uint256 count) internal pure returns (uint256 depth) {
        while ((1 << depth) < count) ++depth;
    }

    function program(uint256 values, uint256 elements, uint256 leaves, bytes memory shape, bytes memory epilogue)
        internal
        pure
        returns (Program memory p)
    {
        p.values = values;
        p.elements = elements;
        bytes memory tensor = abi.encodePacked(I64, shape);
        // No r axes, not windowed, no operands, no views, no core.
        p.descriptor = bytes.concat(hex"02", tensor, shape, hex"0000000000", epilogue);
        bytes32 leaf = keccak256(abi.encodePacked(keccak256(p.descriptor)));
        p.descriptors = Deeps.make(depthOf(values), values - 1, leaf);
        p.header =
            abi.encodePacked(uint16(3), uint40(values), uint40(leaves), uint8(0), uint8(1), tensor, p.descriptors.root);
    }

    /// Element `i` is `i`, but one, which is `lane`, in the leaf of which the dispute is.
    function side(Program memory p, uint256 element, uint64 lane) internal pure returns (Side memory s) {
        uint256 first = element / 64 * 64;
        for (uint256 i = first; i < first + 64; ++i) {
            uint256 honest = i < p.elements ? i : 0;
            s.leaf = abi.encodePacked(s.leaf, i == element ? lane : uint64(honest));
        }
        s.tensor = Deeps.make(depthOf((p.elements + 63) / 64), element / 64, keccak256(s.leaf));
        s.trace = Deeps.make(depthOf(p.values), p.values - 1, s.tensor.root);
    }

    /// Claim by `e`, challenge by ALICE with `a`; whoever is to move is silent, and HELPER moves `late` seconds into each turn
    /// for both, up to the step.
    function play(Program memory p, Side memory e, Side memory a, uint256 late)
        internal
        returns (ClaimData memory d, bytes32 id)
    {
        rebut.register(p.header);
        d = ClaimData(EXECUTOR, p.header, new bytes32[](0), new bytes32[](1), 7);
        d.outputRoots[0] = e.tensor.root;
        TensorData[] memory outputs = new TensorData[](1);
        outputs[0].root = e.tensor.root;
        vm.prank(EXECUTOR);
        bytes32 claimId = rebut.claim{value: BE}(p.header, new TensorData[](0), outputs, 7);
        id = begin(d, claimId, e.trace, a.trace, a.tensor.root);
        vm.startPrank(HELPER);
        (Side memory own, Side memory other) = (a, e);
        for (uint256 i = 0; i + 1 < own.trace.lists.length; ++i) {
            vm.warp(time() + late);
            rebut.move(id, own.trace.indices[i], own.trace.path(other.trace, i), own.trace.lists[i + 1]);
            (own, other) = (other, own);
        }
        vm.warp(time() + late);
        enter(p, d, id, own, other);
        (own, other) = (other, own);
        for (uint256 i = 0; i < own.tensor.lists.length; ++i) {
            vm.warp(time() + late);
            rebut.move(id, own.tensor.indices[i], own.tensor.path(other.tensor, i), listOf(own, i + 1));
            (own, other) = (other, own);
        }
        vm.warp(time() + late);
        rebut.revealLeaf(id, toLeaf(own.leaf, 0), toLeaf(other.leaf, 0));
        vm.stopPrank();
    }

    /// Challenge, opening and commitment.
    function begin(ClaimData memory d, bytes32 claimId, Deep memory e, Deep memory a, bytes32 output)
        internal
        returns (bytes32 id)
    {
        bytes32 hash = rebut.challengeHashOf(claimId, ALICE, a.root, SALT);
        vm.prank(ALICE);
        rebut.challenge{value: BC}(claimId, hash);
        vm.warp(rebut.status(claimId).openingEnds);
        id = rebut.open(d, ALICE, a.root, SALT, 0, output, a.proof());
        vm.warp(time() + 1);
        vm.prank(EXECUTOR);
        rebut.commit(d, e.root, e.proof(), first(e));
    }

    function enter(Program memory p, ClaimData memory d, bytes32 id, Side memory own, Side memory other) internal {
        uint256 last = own.trace.lists.length;
        uint256 index = last == 0 ? 0 : own.trace.indices[last - 1];
        bytes32[] memory path = new bytes32[](1);
        path[0] = other.trace.root;
        if (last != 0) path = own.trace.path(other.trace, last - 1);
        rebut.enter(id, d, index, path, p.descriptor, p.descriptors.proof(), listOf(own, 0));
    }

    /// The tensor's lists, and behind them the leaf.
    function listOf(Side memory s, uint256 i) internal pure returns (bytes32[] memory) {
        return i < s.tensor.lists.length ? s.tensor.lists[i] : Trees.leafWords(s.leaf, 0);
    }

    /// A tree's first list: of a single node the node.
    function first(Deep memory t) internal pure returns (bytes32[] memory list) {
        if (t.lists.length != 0) return t.lists[0];
        list = new bytes32[](1);
        list[0] = t.root;
    }

    /// The witness of an instruction that reads nothing.
    function stepNothing(Program memory p, ClaimData memory d, bytes32 id, bytes32 root) internal {
        rebut.step(id, d, root, p.descriptor, p.descriptors.proof(), hex"0000");
    }

    /// C16: trees of depth 40 and 34, with V, value and element near 2^40. No position aliases another.
    /// forge-config: default.fuzz.runs = 32
    function testFuzz_C16_PositionsNearTheLimit(uint40 below, uint40 element, bool executorLies) public {
        uint256 values = LARGEST - below % (1 << 38);
        // The element is its own coordinate.
        Program memory p = program(values, LARGEST, LARGEST, Build.list(Build.dims(LARGEST)), hex"010300");
        uint256 at_ = LARGEST - 1 - element % (1 << 39);
        Side memory honest = side(p, at_, uint64(at_));
        Side memory wrong = side(p, at_, uint64(at_ ^ (1 << 33)));
        (Side memory e, Side memory a) = executorLies ? (wrong, honest) : (honest, wrong);
        (ClaimData memory d, bytes32 id) = play(p, e, a, 1);
        DisputeStatus memory s = rebut.dispute(id);
        eq(s.position.value, values - 1, "value");
        eq(s.position.index, at_, "element");
        eq(s.elements, LARGEST, "elements");
        stepNothing(p, d, id, e.trace.root);
        Verdict expected = executorLies ? Verdict.ChallengerWon : Verdict.ChallengerLost;
        eq(uint256(rebut.dispute(id).verdict), uint256(expected), "the honest side wins");
    }

    /// The longest game there is, in which both sides are silent and somebody else waits in every turn until it is paid: it
    /// takes no more than half of each clock.
    function test_StandInHasTimeForTheLongestGame() public {
        vm.fee(8 gwei);
        Program memory p = program(LARGEST, LARGEST, LARGEST, Build.list(Build.dims(LARGEST)), hex"010300");
        Side memory honest = side(p, LARGEST - 1, uint64(LARGEST - 1));
        Side memory lie = side(p, LARGEST - 1, 5);
        uint256 late = params().exclusiveSeconds + 1;
        (ClaimData memory d, bytes32 id) = play(p, lie, honest, late);
        DisputeStatus memory s = rebut.dispute(id);
        eq(s.turns, 20, "turns");
        yes(s.turns / 2 < Costs.TURNS, "no more than assumed");
        uint256 clock = params().clockSeconds + LARGEST / params().leavesPerSecond;
        yes(clock - s.executorClock < params().clockSeconds / 2, "executor's clock");
        yes(clock - s.challengerClock < params().clockSeconds / 2, "challenger's clock");
        vm.warp(time() + late);
        yes(rebut.dispute(id).phase == DisputePhase.Stepping, "time for the step");
        vm.prank(HELPER);
        stepNothing(p, d, id, lie.trace.root);
        // Five turns of each side are in each tree; the executor enters, and reveals.
        eq(rebut.refund(id, true, HELPER), (10 * Costs.MOVE + Costs.STEP) * 10 gwei, "for the challenger");
        uint256 executors = 8 * Costs.MOVE + Costs.ENTER + Costs.REVEAL;
        eq(rebut.refund(id, false, HELPER), executors * 10 gwei, "for the executor");
        yes(10 * Costs.MOVE + Costs.ENTER + Costs.REVEAL - 2 * Costs.MOVE <= Costs.VACATED, "set aside");
        rebut.collect(id, HELPER);
    }

    /// C32: a program of one value, a scalar.
    function test_C32_OneValue() public {
        // The constant 0 (as `side` has it for the first element).
        bytes memory zero = abi.encodePacked(hex"010007", int64(0));
        Program memory p = program(1, 1, 1, hex"00", zero);
        Side memory honest = side(p, 0, 0);
        Side memory lie = side(p, 0, 5);
        (ClaimData memory d, bytes32 id) = play(p, lie, honest, 1);
        eq(rebut.dispute(id).turns, 2, "enter, and reveal");
        stepNothing(p, d, id, lie.trace.root);
        eq(uint256(rebut.dispute(id).verdict), uint256(Verdict.ChallengerWon), "the liar loses");
        setUp();
        (d, id) = play(p, honest, lie, 1);
        stepNothing(p, d, id, honest.trace.root);
        eq(uint256(rebut.dispute(id).verdict), uint256(Verdict.ChallengerLost), "the false challenger loses");
    }

    /// C32: the only value is input and output at once.
    function test_C32_OneValueThatIsTheInput() public {
        bytes memory tensor = Build.tensor(I64, Build.dims(3));
        bytes memory descriptor = bytes.concat(hex"00", tensor);
        bytes32 leaf = keccak256(abi.encodePacked(keccak256(descriptor)));
        bytes memory header = Build.header(1, 1, 1, bytes.concat(tensor, tensor), leaf);
        rebut.register(header);
        TensorData[] memory inputs = new TensorData[](1);
        TensorData[] memory outputs = new TensorData[](1);
        (inputs[0].data, outputs[0].data) = (new bytes(24), bytes.concat(new bytes(23), hex"01"));
        ClaimData memory d = ClaimData(EXECUTOR, header, new bytes32[](1), new bytes32[](1), 7);
        d.inputRoots[0] = Trees.root(Trees.fromBytes(inputs[0].data));
        d.outputRoots[0] = Trees.root(Trees.fromBytes(outputs[0].data));
        vm.prank(EXECUTOR);
        bytes32 claimId = rebut.claim{value: BE}(header, inputs, outputs, 7);
        Deep memory e = Deeps.make(0, 0, d.outputRoots[0]);
        Deep memory a = Deeps.make(0, 0, d.inputRoots[0]);
        bytes32 id = begin(d, claimId, e, a, a.root);
        rebut.enter(id, d, 0, first(e), descriptor, new bytes32[](0), first(a));
        eq(uint256(rebut.dispute(id).verdict), uint256(Verdict.ChallengerWon), "the output is not the input");
        eq(uint256(rebut.status(claimId).outcome), uint256(Outcome.RefutedByDispute), "refuted");
    }

    /// C32: a tensor without elements is one leaf of zeros; whoever says otherwise loses.
    function test_C32_NoElements() public {
        Program memory p = program(1, 0, 1, Build.list(Build.dims(0)), hex"010300");
        Side memory honest = side(p, 0, 0);
        Side memory lie = side(p, 63, 1);
        (, bytes32 id) = play(p, lie, honest, 1);
        eq(uint256(rebut.dispute(id).verdict), uint256(Verdict.ChallengerWon), "no lane is an element");
        setUp();
        (, id) = play(p, honest, lie, 1);
        eq(uint256(rebut.dispute(id).verdict), uint256(Verdict.ChallengerLost), "the false challenger loses");
    }
}
