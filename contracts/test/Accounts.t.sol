// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Chain, Chains} from "./support/Chain.sol";
import {ClaimData} from "../src/interfaces/RebutTypes.sol";
import {Game} from "./support/Game.sol";
import {IRebutErrors} from "../src/interfaces/IRebutErrors.sol";
import {vm} from "./Vm.sol";

/// One stake behind many claims, pull payments, and what the guardian can do.
contract AccountsTest is Game {
    using Chains for Chain;

    function test_OneStakeBacksManyClaims() public {
        Chain memory c = Chains.make(4, 5);
        rebut.deposit{value: 2 * uint256(BE) + 5}(EXECUTOR);
        (ClaimData memory first,) = postFrom(c, c.honest, 0, 1);
        postFrom(c, c.honest, 0, 2);
        eq(rebut.credit(EXECUTOR), 5, "both are reserved in full");
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.WrongBond.selector, 5, BE));
        this.postExternal(c, 0, 3);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.WrongBond.selector, uint256(BE) + 1, BE));
        this.postExternal(c, uint256(BE) + 1, 3);
        postFrom(c, c.honest, BE - 5, 3);
        eq(rebut.credit(EXECUTOR), 0, "value and credit together");
        vm.warp(T0 + 101);
        rebut.finalize(first);
        postFrom(c, c.honest, 0, 4);
        eq(rebut.credit(EXECUTOR), 0, "a bond that is back backs the next claim");
    }

    function postExternal(Chain memory c, uint256 value, uint64 nonce) external {
        postFrom(c, c.honest, value, nonce);
    }

    /// Nobody else can pay an executor's stake out from under it; what is burnt goes where it must whoever calls.
    function test_WithdrawIsTheOwners() public {
        vm.expectRevert(IRebutErrors.NothingDeposited.selector);
        rebut.deposit(EXECUTOR);
        rebut.deposit{value: 3}(EXECUTOR);
        rebut.deposit{value: 2}(BURN);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.NotOwner.selector, address(this), EXECUTOR));
        rebut.withdraw(EXECUTOR, 1);
        rebut.withdraw(BURN, 2);
        eq(BURN.balance, 2, "burnt");
        uint256 before = EXECUTOR.balance;
        vm.prank(EXECUTOR);
        rebut.withdraw(EXECUTOR, 2);
        eq(EXECUTOR.balance, before + 2, "paid");
        eq(rebut.credit(EXECUTOR), 1, "the rest stays");
    }

    /// The guardian stops new claims and nothing else.
    function test_PauseStopsNewClaimsOnly() public {
        Chain memory c = Chains.make(4, 10);
        (ClaimData memory d, bytes32 claimId) = post(c, c.altered(2, 3, 1000, 1));
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.NotGuardian.selector, address(this), GUARDIAN));
        rebut.setPaused(true);
        vm.prank(GUARDIAN);
        rebut.setPaused(true);
        yes(rebut.isPaused(), "paused");
        vm.expectRevert(IRebutErrors.ClaimsPaused.selector);
        this.postExternal(c, BE, 9);
        vm.expectRevert(IRebutErrors.ClaimsPaused.selector);
        rebut.claimBatch{value: BE}(c.header, 1, new bytes(80));
        // Everything about the claim that exists goes on.
        challengeAs(ALICE, claimId, c.honest);
        vm.warp(T0 + 101);
        bytes32 id = openAs(c, d, ALICE, c.honest);
        vm.warp(T0 + 151);
        commitAs(c, d, c.altered(2, 3, 1000, 1));
        play(c, d, id, c.altered(2, 3, 1000, 1), c.honest);
        step(c, d, id, c.altered(2, 3, 1000, 1));
        settleAs(d, claimId, ALICE, c.honest);
        solvent();
        vm.prank(GUARDIAN);
        rebut.setPaused(false);
        this.postExternal(c, BE, 9);
    }

    /// A pause ends by itself, and a day lies between two.
    function test_PausesEndAndAreApart() public {
        Chain memory c = Chains.make(4, 10);
        vm.startPrank(GUARDIAN);
        vm.expectRevert(IRebutErrors.NotPaused.selector);
        rebut.setPaused(false);
        rebut.setPaused(true);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.PauseTooEarly.selector, T0 + 31 days + 1));
        rebut.setPaused(true);
        (uint40 from, uint40 until) = rebut.lastPause();
        yes(from == T0 && until == T0 + 30 days, "as long as it can");
        vm.warp(T0 + 30 days - 1);
        yes(rebut.isPaused(), "last second");
        vm.warp(T0 + 30 days);
        yes(!rebut.isPaused(), "over");
        vm.expectRevert(IRebutErrors.NotPaused.selector);
        rebut.setPaused(false);
        vm.stopPrank();
        post(c, c.honest);
        vm.startPrank(GUARDIAN);
        vm.warp(T0 + 31 days);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.PauseTooEarly.selector, T0 + 31 days + 1));
        rebut.setPaused(true);
        vm.warp(T0 + 31 days + 1);
        rebut.setPaused(true);
        vm.warp(T0 + 31 days + 5);
        rebut.setPaused(false);
        (from, until) = rebut.lastPause();
        yes(from == T0 + 31 days + 1 && until == T0 + 31 days + 5, "ended early");
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.PauseTooEarly.selector, T0 + 32 days + 6));
        rebut.setPaused(true);
    }
}
