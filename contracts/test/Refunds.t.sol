// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Chain, Chains, Trace} from "./support/Chain.sol";
import {ClaimData, ClaimPhase, DisputePhase} from "../src/interfaces/RebutTypes.sol";
import {Costs} from "../src/game/Costs.sol";
import {Game} from "./support/Game.sol";
import {IRebutErrors} from "../src/interfaces/IRebutErrors.sol";
import {Tree, Trees} from "./support/Tree.sol";
import {vm} from "./Vm.sol";

/// C03, C15, C30: who is refunded, how much, and out of whose bond.
contract RefundsTest is Game {
    using Chains for Chain;
    using Trees for Tree;

    /// Plays all turns and the step as HELPER, each `late` seconds into its turn, at a gas price.
    function playLate(Chain memory c, ClaimData memory d, bytes32 id, Trace memory e, Trace memory a, uint256 late)
        internal
        returns (uint256 turns)
    {
        vm.startPrank(HELPER);
        // The optimiser takes the block's time for a constant: no `block.timestamp` here.
        uint256 time = T0 + 151 + late;
        vm.warp(time);
        while (turn(c, d, id, e, a)) {
            ++turns;
            time += late;
            vm.warp(time);
        }
        if (rebut.dispute(id).phase == DisputePhase.Stepping) step(c, d, id, e);
        vm.stopPrank();
    }

    function test_WhoStandsInIsRefundedByTheLoser() public {
        // A base fee and a quarter of it for a tip. What the transaction pays says nothing: a proposer pays the tip to itself.
        vm.fee(8 gwei);
        vm.txGasPrice(1000 gwei);
        Chain memory c = Chains.make(4, 10);
        Trace memory lie = c.altered(2, 3, 1000, 1);
        (ClaimData memory d, bytes32 claimId, bytes32 id) = start(c, lie, c.honest);
        uint256 turns = playLate(c, d, id, lie, c.honest, 16);
        eq(turns, 2, "the challenger enters, the executor reveals");
        uint256 owed = (Costs.ENTER + Costs.STEP) * 10 gwei;
        eq(rebut.refund(id, true, HELPER), owed, "for the challenger's side");
        eq(rebut.refund(id, false, HELPER), Costs.REVEAL * 10 gwei, "for the executor's side");
        rebut.collect(id, HELPER);
        eq(rebut.credit(HELPER), owed, "the winner's side only");
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.NothingToCollect.selector, id, HELPER));
        rebut.collect(id, HELPER);
        settleAs(d, claimId, ALICE, c.honest);
        eq(rebut.credit(ALICE), BC + BE - burnShare(BE) - owed, "out of the reward");
        solvent();
    }

    function test_ExecutorsSideIsRefundedByTheChallenger() public {
        vm.fee(1000 gwei);
        Chain memory c = Chains.make(4, 10);
        Trace memory wrong = c.altered(2, 3, 1000, 1);
        (ClaimData memory d, bytes32 claimId, bytes32 id) = start(c, c.honest, wrong);
        playLate(c, d, id, c.honest, wrong, 16);
        // The price is capped.
        uint256 owed = (Costs.REVEAL + Costs.STEP) * CAP;
        rebut.finalize(d);
        settleAs(d, claimId, ALICE, wrong);
        eq(rebut.credit(EXECUTOR), BE + BC - burnShare(BC) - owed, "out of the challenger's bond");
        rebut.collect(id, HELPER);
        eq(rebut.credit(HELPER), owed, "collected after settling");
        solvent();
    }

    /// In the first part of a turn a move is the party's own: a copier gets nothing for being faster.
    function test_NoRefundInTheExclusivePart() public {
        vm.fee(7 gwei);
        Chain memory c = Chains.make(4, 10);
        Trace memory lie = c.altered(2, 3, 1000, 1);
        (ClaimData memory d, bytes32 claimId, bytes32 id) = start(c, lie, c.honest);
        playLate(c, d, id, lie, c.honest, 15);
        eq(rebut.refund(id, true, HELPER) + rebut.refund(id, false, HELPER), 0, "nothing");
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.NothingToCollect.selector, id, HELPER));
        rebut.collect(id, HELPER);
        settleAs(d, claimId, ALICE, c.honest);
        solvent();
    }

    /// Many disputes end at once: some of the vacated ones are refunded, never more than was set aside.
    function test_VacatedDisputesAreRefundedUpToALimit() public {
        Chain memory c = Chains.make(4, 10);
        Trace memory lie = c.altered(2, 3, 1000, 1);
        (ClaimData memory d, bytes32 claimId) = post(c, lie);
        vm.deal(BOB, 100 ether);
        Trace[] memory garbage = new Trace[](5);
        for (uint32 i = 0; i < 5; ++i) {
            garbage[i] = c.altered(2, 4, 1000, i + 2);
            challengeAs(BOB, claimId, garbage[i]);
        }
        challengeAs(ALICE, claimId, c.honest);
        vm.warp(T0 + 101);
        for (uint256 i = 0; i < 5; ++i) {
            openAs(c, d, BOB, garbage[i]);
        }
        bytes32 id = openAs(c, d, ALICE, c.honest);
        vm.warp(T0 + 151);
        commitAs(c, d, lie);
        play(c, d, id, lie, c.honest);
        step(c, d, id, lie);
        eq(rebut.status(claimId).refundable, Costs.OTHERS, "set aside");
        settleAs(d, claimId, ALICE, c.honest);
        eq(rebut.credit(ALICE), BC + BE - burnShare(BE) - Costs.OTHERS * Costs.VACATED * CAP, "alice");
        for (uint256 i = 0; i < 5; ++i) {
            settleAs(d, claimId, BOB, garbage[i]);
        }
        eq(rebut.credit(BOB), 5 * uint256(BC) + Costs.OTHERS * Costs.OPENING * CAP, "bob");
        solvent();
    }

    /// An accomplice ends the lie with a wrong trace of its own while somebody stands in for the silent honest challenger:
    /// what the stand-in is owed comes out of what is set aside, and the principal gets the rest of it.
    function test_MoversInAVacatedDisputeAreRefunded() public {
        vm.fee(8 gwei);
        Chain memory c = Chains.make(4, 10);
        Trace memory lie = c.altered(2, 3, 1000, 1);
        Trace memory wrong = c.altered(2, 3, 1001, 2);
        (ClaimData memory d, bytes32 claimId) = post(c, lie);
        challengeAs(ALICE, claimId, c.honest);
        challengeAs(BOB, claimId, wrong);
        vm.warp(T0 + 101);
        bytes32 id = openAs(c, d, ALICE, c.honest);
        bytes32 bobs = openAs(c, d, BOB, wrong);
        vm.warp(T0 + 151);
        commitAs(c, d, lie);
        vm.warp(T0 + 167);
        vm.startPrank(HELPER);
        turn(c, d, id, lie, c.honest);
        vm.stopPrank();
        uint256 owed = Costs.ENTER * 10 gwei;
        eq(rebut.refund(id, true, HELPER), owed, "owed");
        turn(c, d, bobs, lie, wrong);
        turn(c, d, bobs, lie, wrong);
        step(c, d, bobs, lie);
        eq(uint256(rebut.dispute(id).phase), uint256(DisputePhase.Vacated), "vacated");
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.NothingToCollect.selector, id, HELPER));
        rebut.collect(id, HELPER);
        settleAs(d, claimId, ALICE, c.honest);
        rebut.collect(id, HELPER);
        eq(rebut.credit(HELPER), owed, "the stand-in");
        eq(rebut.credit(ALICE), BC + (Costs.OPENING + Costs.MOVE) * CAP - owed, "the principal");
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.NothingToCollect.selector, id, HELPER));
        rebut.collect(id, HELPER);
        settleAs(d, claimId, BOB, wrong);
        eq(rebut.credit(BURN), uint256(BE) + BC - (Costs.OPENING + Costs.MOVE) * CAP, "the rest is burnt");
        solvent();
    }

    /// Whoever has moved is owed something if the executor loses: it cannot end the game by giving up, only lose it.
    function test_NoConcessionOnceCommitted() public {
        vm.fee(8 gwei);
        Chain memory c = Chains.make(4, 10);
        Trace memory lie = c.altered(2, 3, 1000, 1);
        (ClaimData memory d, bytes32 claimId, bytes32 id) = start(c, lie, c.honest);
        vm.warp(T0 + 167);
        vm.startPrank(HELPER);
        turn(c, d, id, lie, c.honest);
        vm.stopPrank();
        vm.prank(EXECUTOR);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.WrongPhase.selector, claimId, ClaimPhase.Disputing));
        rebut.concede(d);
        // Silence loses the dispute, with the refunds of any lost dispute.
        vm.warp(T0 + 167 + 341);
        rebut.timeout(id);
        rebut.collect(id, HELPER);
        eq(rebut.credit(HELPER), Costs.ENTER * 10 gwei, "the stand-in");
        settleAs(d, claimId, ALICE, c.honest);
        eq(rebut.credit(ALICE), BC + BE - burnShare(BE) - Costs.ENTER * 10 gwei, "the principal");
        solvent();
    }

    /// The longest that a claim takes: both sides use their clocks up in every turn, and nobody steps until the end.
    function test_LongestIsTheFormula() public {
        Chain memory c = Chains.make(4, 10);
        Trace memory lie = c.altered(2, 3, 1000, 1);
        (ClaimData memory d, bytes32 claimId) = post(c, lie);
        challengeAs(ALICE, claimId, c.honest);
        vm.warp(T0 + 150);
        bytes32 id = openAs(c, d, ALICE, c.honest);
        vm.warp(T0 + 210);
        commitAs(c, d, lie);
        vm.warp(T0 + 550);
        turn(c, d, id, lie, c.honest);
        vm.warp(T0 + 890);
        turn(c, d, id, lie, c.honest);
        vm.warp(T0 + 920);
        step(c, d, id, lie);
        eq(920, rebut.longest(c.header, 1), "W + T_open + T_commit + 2 C + T_step");
        eq(uint256(rebut.status(claimId).phase), uint256(ClaimPhase.Refuted), "ended");
    }
}
