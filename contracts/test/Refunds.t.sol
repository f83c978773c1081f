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
        vm.txGasPrice(7 gwei);
        Chain memory c = Chains.make(4, 10);
        Trace memory lie = c.altered(2, 3, 1000, 1);
        (ClaimData memory d, bytes32 claimId, bytes32 id) = start(c, lie, c.honest);
        uint256 turns = playLate(c, d, id, lie, c.honest, 16);
        eq(turns, 2, "the challenger enters, the executor reveals");
        uint256 owed = (Costs.ENTER + Costs.STEP) * 7 gwei;
        eq(rebut.refund(id, true, HELPER), owed, "for the challenger's side");
        eq(rebut.refund(id, false, HELPER), Costs.REVEAL * 7 gwei, "for the executor's side");
        rebut.collect(id, HELPER);
        eq(rebut.credit(HELPER), owed, "the winner's side only");
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.NothingToCollect.selector, id, HELPER));
        rebut.collect(id, HELPER);
        settleAs(d, claimId, ALICE, c.honest);
        eq(rebut.credit(ALICE), BC + BE - burnShare(BE) - owed, "out of the reward");
        solvent();
    }

    function test_ExecutorsSideIsRefundedByTheChallenger() public {
        vm.txGasPrice(1000 gwei);
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
        vm.txGasPrice(7 gwei);
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
        eq(rebut.credit(ALICE), BC + BE - burnShare(BE) - Costs.OTHERS * Costs.GAME * CAP, "alice");
        for (uint256 i = 0; i < 5; ++i) {
            settleAs(d, claimId, BOB, garbage[i]);
        }
        eq(rebut.credit(BOB), 5 * uint256(BC) + Costs.OTHERS * Costs.OPENING * CAP, "bob");
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
        vm.warp(T0 + 350);
        turn(c, d, id, lie, c.honest);
        vm.warp(T0 + 490);
        turn(c, d, id, lie, c.honest);
        vm.warp(T0 + 520);
        step(c, d, id, lie);
        eq(520, rebut.longest(c.header), "W + T_open + T_commit + 2 C + T_step");
        eq(uint256(rebut.status(claimId).phase), uint256(ClaimPhase.Refuted), "ended");
    }
}
