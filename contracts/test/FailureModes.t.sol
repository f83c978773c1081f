// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Build} from "./support/Build.sol";
import {Chain, Chains, Trace} from "./support/Chain.sol";
import {
    ClaimData,
    ClaimPhase,
    ClaimStatus,
    Outcome,
    Parameters,
    TensorData,
    Verdict
} from "../src/interfaces/RebutTypes.sol";
import {Game} from "./support/Game.sol";
import {IRebut} from "../src/interfaces/IRebut.sol";
import {IRebutErrors} from "../src/interfaces/IRebutErrors.sol";
import {IRebutEvents} from "../src/interfaces/IRebutEvents.sol";
import {Tree, Trees} from "./support/Tree.sol";
import {Vm, vm} from "./Vm.sol";
import {deployer} from "./support/Deployer.sol";

/// Passes calls on, so that their content is in no transaction's calldata.
contract Relay {
    function pass(address to, bytes calldata data) external {
        (bool ok,) = to.call(data);
        require(ok, "refused");
    }
}

/// What happened to other fraud proofs must not happen here; docs/failure-modes.md has the list.
contract FailureModesTest is Game {
    using Chains for Chain;
    using Trees for Tree;

    function lying() internal pure returns (Chain memory c, Trace memory lie) {
        c = Chains.make(4, 10);
        lie = c.altered(2, 3, 1000, 1);
    }

    /// An accomplice refutes the lie with a wrong trace of its own: both bonds burn, and the honest challenger is whole.
    function test_C01_FreeloaderGetsNothing() public {
        (Chain memory c, Trace memory lie) = lying();
        Trace memory wrong = c.altered(2, 3, 1001, 2);
        (ClaimData memory d, bytes32 claimId) = post(c, lie);
        challengeAs(BOB, claimId, wrong);
        challengeAs(ALICE, claimId, c.honest);
        vm.warp(T0 + 101);
        bytes32 bobs = openAs(c, d, BOB, wrong);
        openAs(c, d, ALICE, c.honest);
        vm.warp(T0 + 151);
        commitAs(c, d, lie);
        play(c, d, bobs, lie, wrong);
        step(c, d, bobs, lie);
        eq(uint256(rebut.status(claimId).outcome), uint256(Outcome.RefutedBothWrong), "outcome");
        settleAs(d, claimId, BOB, wrong);
        settleAs(d, claimId, ALICE, c.honest);
        eq(rebut.credit(BOB) + rebut.credit(EXECUTOR), 0, "both lose all");
        yes(rebut.credit(ALICE) >= BC, "the honest side keeps its bond");
        solvent();
    }

    /// Differences further right cannot be chosen: what lies to their left is not shared.
    function test_C02_OnlyTheLeftmostDifference() public {
        Chain memory c = Chains.make(20, 10);
        Trace memory lie = c.altered(4, 3, 77, 78);
        (,, bytes32 id) = start(c, lie, c.honest);
        // Child 9 of 16 holds values 18 and 19, of which the output differs, too.
        bytes32[] memory path = c.honest.tree.path(lie.tree, 0, 5, 4, 9);
        vm.expectPartialRevert(IRebutErrors.WrongNodes.selector);
        rebut.move(id, 9, path, c.honest.tree.below(9, 1, 1));
    }

    /// Executor and challenger in one hand: the burn share is gone.
    function test_C04_SelfPlayBurns() public {
        (Chain memory c, Trace memory lie) = lying();
        (ClaimData memory d, bytes32 claimId) = post(c, lie);
        challengeAs(EXECUTOR, claimId, c.honest);
        vm.warp(T0 + 101);
        bytes32 id = openAs(c, d, EXECUTOR, c.honest);
        vm.warp(T0 + 151);
        commitAs(c, d, lie);
        play(c, d, id, lie, c.honest);
        step(c, d, id, lie);
        settleAs(d, claimId, EXECUTOR, c.honest);
        eq(rebut.credit(EXECUTOR), uint256(BE) + BC - burnShare(BE), "all but the burn share");
        solvent();
    }

    /// Two claims at once: each is paid from its own bonds, in whatever order they are settled.
    function test_C05_EachClaimHasItsOwnEscrow() public {
        (Chain memory c, Trace memory lie) = lying();
        (ClaimData memory good, bytes32 goodId) = postFrom(c, c.honest, BE, 1);
        (ClaimData memory bad, bytes32 badId) = postFrom(c, lie, BE, 2);
        challengeAs(ALICE, badId, c.honest);
        challengeAs(BOB, goodId, lie);
        vm.warp(T0 + 101);
        bytes32 id = openAs(c, bad, ALICE, c.honest);
        vm.warp(T0 + 151);
        commitAs(c, bad, lie);
        rebut.finalize(good);
        rebut.settle(good, BOB, hashOf(goodId, BOB, lie), 0, 0);
        uint256 executors = BE + BC - burnShare(BC);
        eq(rebut.credit(EXECUTOR), executors, "the good claim's bonds");
        // The other claim's bonds are all there.
        eq(address(rebut).balance, executors + rebut.credit(BURN) + BE + BC, "escrow");
        play(c, bad, id, lie, c.honest);
        step(c, bad, id, lie);
        settleAs(bad, badId, ALICE, c.honest);
        eq(rebut.credit(EXECUTOR), executors, "untouched by the refutation");
        solvent();
    }

    /// Once the executor has committed, nobody makes another dispute to change what is at stake.
    function test_C11_NoSideDisputeAfterTheOpenings() public {
        (Chain memory c, Trace memory lie) = lying();
        (ClaimData memory d, bytes32 claimId, bytes32 id) = start(c, lie, c.honest);
        turn(c, d, id, lie, c.honest);
        bytes32 hash = hashOf(claimId, BOB, c.altered(2, 4, 7, 8));
        vm.prank(BOB);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.WrongPhase.selector, claimId, ClaimPhase.Disputing));
        rebut.challenge{value: BC}(claimId, hash);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.WrongPhase.selector, claimId, ClaimPhase.Disputing));
        this.openExternal(c, d, BOB, c.altered(2, 4, 7, 8));
    }

    function openExternal(Chain memory c, ClaimData memory d, address who, Trace memory t) external {
        openAs(c, d, who, t);
    }

    /// The largest numbers that headers can hold: refused by name, or harmless to every other program.
    function test_C17_HostileHeadersBrickNothing() public {
        bytes memory shape = Build.tensor(6, Build.dims(10));
        bytes memory most = abi.encodePacked(
            uint16(3), type(uint40).max, type(uint40).max, uint8(1), uint8(1), shape, shape, keccak256("d")
        );
        rebut.register(most);
        bytes memory empty = Build.header(2, 1, 1, bytes.concat(Build.tensor(6, Build.dims(0)), shape), keccak256("e"));
        rebut.register(empty);
        TensorData[] memory inputs = new TensorData[](1);
        TensorData[] memory outputs = new TensorData[](1);
        outputs[0].data = new bytes(40);
        vm.prank(EXECUTOR);
        bytes32 claimId = rebut.claim{value: BE}(empty, inputs, outputs, type(uint64).max >> 1);
        vm.warp(T0 + 101);
        yes(rebut.isFinal(claimId), "a zero-element input is an input");
        Chain memory c = Chains.make(4, 5);
        post(c, c.honest);
    }

    /// Bytes behind a call's arguments make no second object of one content.
    function test_C18_PaddedCallsAreTheSameCall() public {
        (Chain memory c, Trace memory lie) = lying();
        (, bytes32 claimId) = post(c, lie);
        bytes memory call_ = abi.encodeCall(rebut.challenge, (claimId, hashOf(claimId, ALICE, c.honest)));
        vm.prank(ALICE);
        (bool ok,) = address(rebut).call{value: BC}(bytes.concat(call_, hex"00ff"));
        yes(ok, "accepted");
        vm.prank(ALICE);
        bytes memory data;
        (ok, data) = address(rebut).call{value: BC}(call_);
        yes(!ok && bytes4(data) == IRebutErrors.ChallengeExists.selector, "one challenge");
    }

    /// A list revealed by a contract is in the log: the opponent can always answer.
    function test_C31_ListsAreInTheLog() public {
        Chain memory c = Chains.make(20, 2100);
        Trace memory lie = c.altered(4, 2050, 77, 78);
        (,, bytes32 id) = start(c, lie, c.honest);
        bytes32[] memory list = c.honest.tree.below(2, 1, 1);
        Relay relay = new Relay();
        vm.recordLogs();
        relay.pass(address(rebut), abi.encodeCall(rebut.move, (id, 2, c.honest.tree.path(lie.tree, 0, 5, 4, 2), list)));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        eq(logs.length, 1, "one event");
        yes(logs[0].topics[0] == IRebutEvents.Moved.selector, "Moved");
        // byChallenger, two positions of four words, the list's offset, its length, its words.
        bytes32[] memory logged = new bytes32[](2);
        bytes memory data = logs[0].data;
        for (uint256 i = 0; i < 2; ++i) {
            bytes32 word;
            assembly {
                word := mload(add(data, add(0x20, mul(0x20, add(11, i)))))
            }
            logged[i] = word;
        }
        yes(logged[0] == list[0] && logged[1] == list[1], "the list");
    }

    /// Challenges that are made first and never opened take nothing from the one that is right.
    function test_C33_GarbageDilutesNothing() public {
        (Chain memory c, Trace memory lie) = lying();
        (ClaimData memory d, bytes32 claimId) = post(c, lie);
        for (uint32 i = 0; i < 5; ++i) {
            challengeAs(BOB, claimId, c.altered(2, 4, i, i));
        }
        challengeAs(ALICE, claimId, c.honest);
        vm.warp(T0 + 101);
        bytes32 id = openAs(c, d, ALICE, c.honest);
        vm.warp(T0 + 151);
        commitAs(c, d, lie);
        play(c, d, id, lie, c.honest);
        step(c, d, id, lie);
        settleAs(d, claimId, ALICE, c.honest);
        for (uint32 i = 0; i < 5; ++i) {
            rebut.settle(d, BOB, hashOf(claimId, BOB, c.altered(2, 4, i, i)), 0, 0);
        }
        eq(rebut.credit(ALICE), BC + BE - burnShare(BE), "the whole reward");
        eq(rebut.credit(BOB), 0, "never opened: burnt");
        solvent();
    }

    /// A real program's descriptors under other shapes are another program: its publisher's is not touched, and a
    /// dispute over the false one ends without a reward.
    function test_C35_FalseShapesAreAnotherProgram() public {
        (Chain memory c, Trace memory lie) = lying();
        bytes memory honest = c.header;
        bytes memory shape = Build.tensor(6, Build.dims(10));
        c.header =
            Build.header(4, 1, 1, bytes.concat(shape, Build.tensor(6, Build.dims(2, 5))), c.descriptorTree.root());
        lie = c.altered(3, 3, 1000, 1);
        (ClaimData memory d, bytes32 claimId, bytes32 id) = start(c, lie, c.honest);
        bytes32[] memory own = new bytes32[](1);
        own[0] = c.honest.tensors[3].root();
        bytes32[] memory path = c.honest.tree.path(lie.tree, 0, 2, 2, 3);
        rebut.enter(id, d, 3, path, c.descriptors[3], c.descriptorTree.proof(3), own);
        eq(uint256(rebut.dispute(id).verdict), uint256(Verdict.NoStep), "the output is not the header's");
        eq(uint256(rebut.status(claimId).outcome), uint256(Outcome.RefutedNoStep), "refuted without reward");
        rebut.register(honest);
        yes(keccak256(honest) != keccak256(c.header), "another id");
    }

    /// Window, commitment and clocks have time for the trace that the program's header states.
    function test_C37_TimeGrowsWithTheTrace() public {
        Parameters memory p = params();
        p.leavesPerSecond = 1_000;
        rebut = IRebut(deployer.deployCode("Rebut.sol:Rebut", abi.encode(p, judge)));
        (Chain memory c, Trace memory lie) = lying();
        uint256 leaves = 4 << 20;
        uint256 extra = leaves / 1_000;
        (ClaimData memory d, bytes32 claimId) = post(c, lie);
        ClaimStatus memory s = rebut.status(claimId);
        eq(s.windowEnds, T0 + 100 + extra, "window");
        eq(s.committingEnds, T0 + 210 + 2 * extra, "commitment");
        challengeAs(ALICE, claimId, c.honest);
        vm.warp(s.openingEnds);
        bytes32 id = openAs(c, d, ALICE, c.honest);
        eq(rebut.dispute(id).executorClock, 340 + extra, "clocks");
        vm.warp(s.committingEnds);
        commitAs(c, d, lie);
        eq(rebut.longest(c.header, 1), 920 + 4 * extra, "longest");
        p.leavesPerSecond = 1;
        rebut = IRebut(deployer.deployCode("Rebut.sol:Rebut", abi.encode(p, judge)));
        bytes memory large = Build.header(
            8, 1, 1, bytes.concat(Build.tensor(6, Build.dims(1)), Build.tensor(6, Build.dims(1))), keccak256("d")
        );
        vm.expectPartialRevert(IRebutErrors.TraceTooLarge.selector);
        rebut.register(large);
    }
}
