// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Chain, Chains, Trace} from "./support/Chain.sol";
import {ClaimData, ClaimPhase, DisputePhase, Outcome, Verdict} from "../src/interfaces/RebutTypes.sol";
import {Costs} from "../src/game/Costs.sol";
import {Game} from "./support/Game.sol";
import {Tree, Trees} from "./support/Tree.sol";
import {vm} from "./Vm.sol";

/// Whole games and who is paid what at their end.
contract GameTest is Game {
    using Chains for Chain;
    using Trees for Tree;

    function verdictOf(bytes32 id) internal view returns (uint256) {
        return uint256(rebut.dispute(id).verdict);
    }

    function outcomeOf(bytes32 claimId) internal view returns (uint256) {
        return uint256(rebut.status(claimId).outcome);
    }

    function test_UnchallengedBecomesFinal() public {
        Chain memory c = Chains.make(4, 5);
        (ClaimData memory d, bytes32 claimId) = post(c, c.honest);
        vm.warp(T0 + 100);
        yes(!rebut.isFinal(claimId), "last second of the window");
        vm.warp(T0 + 101);
        yes(rebut.isFinal(claimId), "final");
        rebut.finalize(d);
        eq(rebut.credit(EXECUTOR), BE, "bond back");
        solvent();
    }

    /// The liar's wrong element is 3 of value 4 of 20; every list width and both trees take part.
    function test_LiarLosesAtTheStep() public {
        Chain memory c = Chains.make(20, 2100);
        Trace memory lie = c.altered(4, 2050, 77, 78);
        (ClaimData memory d, bytes32 claimId, bytes32 id) = start(c, lie, c.honest);
        play(c, d, id, lie, c.honest);
        eq(rebut.dispute(id).position.value, 4, "value");
        eq(rebut.dispute(id).position.index, 2050, "element");
        step(c, d, id, lie);
        eq(verdictOf(id), uint256(Verdict.ChallengerWon), "verdict");
        eq(outcomeOf(claimId), uint256(Outcome.RefutedByDispute), "outcome");
        settleAs(d, claimId, ALICE, c.honest);
        eq(rebut.credit(ALICE), BC + BE - burnShare(BE), "reward and bond");
        eq(rebut.credit(BURN), burnShare(BE), "burnt");
        solvent();
    }

    function test_WrongChallengerLoses() public {
        Chain memory c = Chains.make(5, 200);
        Trace memory wrong = c.altered(3, 130, 1, 2);
        (ClaimData memory d, bytes32 claimId, bytes32 id) = start(c, c.honest, wrong);
        play(c, d, id, c.honest, wrong);
        step(c, d, id, c.honest);
        eq(verdictOf(id), uint256(Verdict.ChallengerLost), "verdict");
        yes(rebut.isFinal(claimId), "final without another call");
        rebut.finalize(d);
        settleAs(d, claimId, ALICE, wrong);
        eq(rebut.credit(EXECUTOR), BE + BC - burnShare(BC), "bond and the challenger's rest");
        solvent();
    }

    function test_BothWrongBothLose() public {
        Chain memory c = Chains.make(4, 10);
        Trace memory lie = c.altered(2, 3, 1000, 1);
        Trace memory other = c.altered(2, 3, 1001, 2);
        (ClaimData memory d, bytes32 claimId, bytes32 id) = start(c, lie, other);
        play(c, d, id, lie, other);
        step(c, d, id, lie);
        eq(outcomeOf(claimId), uint256(Outcome.RefutedBothWrong), "outcome");
        settleAs(d, claimId, ALICE, other);
        eq(rebut.credit(BURN), uint256(BE) + BC, "everything burnt");
        solvent();
    }

    /// Input and constant: their roots are known, so no step is needed.
    function test_InputAndConstantAreDecidedAtOnce() public {
        for (uint256 v = 0; v < 2; ++v) {
            setUp();
            Chain memory c = Chains.make(4, 10);
            Trace memory lie = c.altered(v, 3, 1000, 1);
            (ClaimData memory d, bytes32 claimId, bytes32 id) = start(c, lie, c.honest);
            play(c, d, id, lie, c.honest);
            eq(verdictOf(id), uint256(Verdict.ChallengerWon), "challenger right");
            eq(outcomeOf(claimId), uint256(Outcome.RefutedByDispute), "refuted");

            setUp();
            Trace memory wrong = lie;
            (d, claimId, id) = start(c, c.honest, wrong);
            play(c, d, id, c.honest, wrong);
            eq(verdictOf(id), uint256(Verdict.ChallengerLost), "executor right");
        }
    }

    /// A lane beyond the elements must be zero.
    function test_PaddingLane() public {
        Chain memory c = Chains.make(4, 10);
        Trace memory lie = c.altered(2, 3, 9, 1);
        // Value 2: honest elements, but lane 10 of the leaf is not zero.
        lie.values[2] = bytes.concat(c.honest.values[2], hex"00000001");
        Trace memory padded = Chains.trace(lie.values);
        (ClaimData memory d, bytes32 claimId, bytes32 id) = start(c, padded, c.honest);
        play(c, d, id, padded, c.honest);
        eq(verdictOf(id), uint256(Verdict.ChallengerWon), "padding must be zero");
        eq(outcomeOf(claimId), uint256(Outcome.RefutedByDispute), "refuted");
    }

    /// A word beyond V never hides the output's difference, which is always to its left.
    function test_PaddingValue() public {
        Chain memory c = Chains.make(5, 10);
        Trace memory lie = c.altered(4, 9, 5, 6);
        bytes32[] memory roots = new bytes32[](6);
        for (uint256 v = 0; v < 5; ++v) {
            roots[v] = c.honest.tensors[v].root();
        }
        roots[4] = lie.tensors[4].root();
        roots[5] = bytes32(uint256(1));
        lie.tree = Trees.fromLeaves(roots, 0);
        (ClaimData memory d,, bytes32 id) = start(c, lie, c.honest);
        play(c, d, id, lie, c.honest);
        eq(rebut.dispute(id).position.value, 4, "the output differs first");
        step(c, d, id, lie);
        eq(verdictOf(id), uint256(Verdict.ChallengerWon), "refuted");
    }

    function test_SilenceRefutes() public {
        Chain memory c = Chains.make(4, 10);
        Trace memory lie = c.altered(2, 3, 1000, 1);
        (ClaimData memory d, bytes32 claimId) = post(c, lie);
        challengeAs(ALICE, claimId, c.honest);
        challengeAs(BOB, claimId, c.honest);
        vm.warp(T0 + 150);
        openAs(c, d, BOB, c.honest);
        bytes32 id = openAs(c, d, ALICE, c.honest);
        eq(uint160(rebut.dispute(id).principal), uint160(ALICE), "the earliest is principal");
        eq(rebut.dispute(id).members, 2, "merged");
        vm.warp(T0 + 211);
        eq(uint256(rebut.status(claimId).phase), uint256(ClaimPhase.Silent), "silent");
        rebut.finalize(d);
        settleAs(d, claimId, ALICE, c.honest);
        settleAs(d, claimId, BOB, c.honest);
        uint256 share = (BE - burnShare(BE)) / 2;
        eq(rebut.credit(ALICE), BC + share, "alice");
        eq(rebut.credit(BOB), BC + share, "bob");
        solvent();
    }

    function test_NoneOpenedBecomesFinal() public {
        Chain memory c = Chains.make(4, 10);
        (ClaimData memory d, bytes32 claimId) = post(c, c.honest);
        challengeAs(ALICE, claimId, c.altered(2, 3, 1000, 1));
        vm.warp(T0 + 151);
        rebut.finalize(d);
        rebut.settle(d, ALICE, hashOf(claimId, ALICE, c.altered(2, 3, 1000, 1)), 0, 0);
        eq(rebut.credit(EXECUTOR), BE + BC - burnShare(BC), "executor");
        solvent();
    }

    function test_Concessions() public {
        Chain memory c = Chains.make(4, 10);
        Trace memory lie = c.altered(2, 3, 1000, 1);
        // Nobody challenged.
        (ClaimData memory d, bytes32 claimId) = post(c, lie);
        vm.prank(EXECUTOR);
        rebut.concede(d);
        eq(rebut.credit(EXECUTOR), BE - burnShare(BE), "the rest is back");
        solvent();
        // Challenged, not opened.
        setUp();
        (d, claimId) = post(c, lie);
        challengeAs(ALICE, claimId, c.honest);
        challengeAs(BOB, claimId, c.honest);
        vm.prank(EXECUTOR);
        rebut.concede(d);
        rebut.settle(d, ALICE, hashOf(claimId, ALICE, c.honest), 0, 0);
        rebut.settle(d, BOB, hashOf(claimId, BOB, c.honest), 0, 0);
        eq(rebut.credit(ALICE), BC + (BE - burnShare(BE)) / 2, "alice");
        solvent();
        // One opened, the other could still have been.
        setUp();
        (d, claimId) = post(c, lie);
        challengeAs(ALICE, claimId, c.honest);
        challengeAs(BOB, claimId, c.honest);
        vm.warp(T0 + 120);
        openAs(c, d, ALICE, c.honest);
        vm.prank(EXECUTOR);
        rebut.concede(d);
        settleAs(d, claimId, ALICE, c.honest);
        rebut.settle(d, BOB, hashOf(claimId, BOB, c.honest), 0, 0);
        eq(rebut.credit(ALICE), BC + BE - burnShare(BE), "alice");
        eq(rebut.credit(BOB), BC, "bob");
        solvent();
        // Instead of committing to a trace.
        setUp();
        (d, claimId) = post(c, lie);
        challengeAs(ALICE, claimId, c.honest);
        vm.warp(T0 + 101);
        bytes32 id = openAs(c, d, ALICE, c.honest);
        vm.warp(T0 + 151);
        vm.prank(EXECUTOR);
        rebut.concede(d);
        eq(outcomeOf(claimId), uint256(Outcome.ConcededLate), "late");
        eq(uint256(rebut.dispute(id).phase), uint256(DisputePhase.Vacated), "vacated");
        settleAs(d, claimId, ALICE, c.honest);
        eq(rebut.credit(ALICE), BC + BE - burnShare(BE), "alice");
        solvent();
    }

    /// Whoever lets its clock run out loses, at every turn; exactly at the deadline it is still in time.
    function test_TimeoutAtEachTurn() public {
        Chain memory c = Chains.make(20, 2100);
        Trace memory lie = c.altered(4, 2050, 77, 78);
        for (uint256 turns = 0; turns < 6; ++turns) {
            setUp();
            (ClaimData memory d, bytes32 claimId, bytes32 id) = start(c, lie, c.honest);
            for (uint256 i = 0; i < turns; ++i) {
                if (!turn(c, d, id, lie, c.honest)) break;
            }
            bool stepping = rebut.dispute(id).phase == DisputePhase.Stepping;
            bool challenger = rebut.dispute(id).challengerToMove;
            uint256 deadline = rebut.dispute(id).deadline;
            vm.warp(deadline);
            vm.expectRevert();
            rebut.timeout(id);
            vm.warp(deadline + 1);
            yes(rebut.dispute(id).phase == DisputePhase.Overdue, "overdue");
            vm.expectRevert();
            this.turnExternal(c, d, id, lie, c.honest);
            vm.warp(deadline + 100 days);
            rebut.timeout(id);
            Verdict expected = stepping ? Verdict.NoStep : challenger ? Verdict.ChallengerLost : Verdict.ChallengerWon;
            eq(verdictOf(id), uint256(expected), "verdict");
            if (expected == Verdict.ChallengerLost) rebut.finalize(d);
            settleAs(d, claimId, ALICE, c.honest);
            if (stepping) eq(rebut.credit(ALICE), BC, "bond back, no reward");
            solvent();
        }
    }

    function turnExternal(Chain memory c, ClaimData memory d, bytes32 id, Trace memory e, Trace memory a) external {
        require(turn(c, d, id, e, a), "no turn");
    }

    /// A descriptor that nobody can compute from: refuted, without reward, and no freeze.
    function test_MalformedDescriptorRefutes() public {
        Chain memory c = Chains.make(4, 10);
        c.descriptors[2][0] = 0x07;
        c.seal();
        Trace memory other = c.altered(2, 3, 1000, 1);
        (ClaimData memory d, bytes32 claimId, bytes32 id) = start(c, other, c.honest);
        play(c, d, id, other, c.honest);
        eq(outcomeOf(claimId), uint256(Outcome.RefutedNoStep), "refuted");
        settleAs(d, claimId, ALICE, c.honest);
        eq(rebut.credit(ALICE), BC, "bond back");
        solvent();
    }

    /// One dispute refutes; the others are vacated and their bonds come back, whatever their traces are worth.
    function test_OtherDisputesAreVacated() public {
        Chain memory c = Chains.make(4, 10);
        Trace memory lie = c.altered(2, 3, 1000, 1);
        Trace memory garbage = c.altered(2, 4, 1000, 2);
        (ClaimData memory d, bytes32 claimId) = post(c, lie);
        challengeAs(BOB, claimId, garbage);
        challengeAs(ALICE, claimId, c.honest);
        vm.warp(T0 + 101);
        bytes32 bobs = openAs(c, d, BOB, garbage);
        bytes32 alices = openAs(c, d, ALICE, c.honest);
        vm.warp(T0 + 151);
        commitAs(c, d, lie);
        play(c, d, alices, lie, c.honest);
        step(c, d, alices, lie);
        eq(uint256(rebut.dispute(bobs).phase), uint256(DisputePhase.Vacated), "vacated");
        settleAs(d, claimId, BOB, garbage);
        settleAs(d, claimId, ALICE, c.honest);
        // Bob made no turn: his challenge and opening are refunded. What is set aside for him and not used is burnt.
        eq(rebut.credit(BOB), BC + Costs.OPENING * CAP, "bob");
        eq(rebut.credit(ALICE), BC + BE - burnShare(BE) - Costs.VACATED * CAP, "alice");
        solvent();
    }

    /// Any trace against any other: the game ends, the honest side never loses, and the money adds up.
    function testFuzz_HonestSideWins(uint256 seed) public {
        Chain memory c = Chains.make(4 + seed % 5, 10 + (seed >> 8) % 300);
        uint256 value = (seed >> 32) % c.count;
        uint256 element = (seed >> 64) % c.n;
        Trace memory wrong = c.altered(value, element, uint32(seed >> 96), uint32(seed >> 128) | 0x80000000);
        bool executorLies = (seed >> 200) & 1 == 0;
        Trace memory e = executorLies ? wrong : c.honest;
        Trace memory a = executorLies ? c.honest : wrong;
        (ClaimData memory d, bytes32 claimId, bytes32 id) = start(c, e, a);
        play(c, d, id, e, a);
        if (rebut.dispute(id).phase == DisputePhase.Stepping) step(c, d, id, e);
        eq(verdictOf(id), uint256(executorLies ? Verdict.ChallengerWon : Verdict.ChallengerLost), "honest side wins");
        if (!executorLies) rebut.finalize(d);
        settleAs(d, claimId, ALICE, a);
        solvent();
    }
}
