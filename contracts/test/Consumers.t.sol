// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ClaimData} from "../src/interfaces/RebutTypes.sol";
import {Classifier} from "../src/examples/Classifier.sol";
import {DigitRequester} from "../src/examples/DigitRequester.sol";
import {IRebut} from "../src/interfaces/IRebut.sol";
import {ProvisionalConsumer} from "../src/examples/ProvisionalConsumer.sol";
import {RebutRequester} from "../src/RebutRequester.sol";
import {Reliance, RebutResult, Standing} from "../src/RebutResult.sol";
import {RequestGame} from "./support/RequestGame.sol";
import {RequestTerms} from "../src/interfaces/RequestTypes.sol";
import {time} from "./support/Clock.sol";
import {vm} from "./Vm.sol";

/// Consumers that do not wait, and consumers that ask.
contract ConsumersTest is RequestGame {
    ProvisionalConsumer internal bold;
    DigitRequester internal asker;
    ResultCaller internal caller;

    function setUp() public override {
        super.setUp();
        bold = new ProvisionalConsumer(rebut, keccak256(header), false, 1, 40, 100, 30);
        asker = new DigitRequester(requests, keccak256(header), PUBLISHER, 100);
        caller = new ResultCaller(rebut);
    }

    function posted(address executor, uint64 nonce) internal returns (ClaimData memory d, bytes32 id) {
        d = answer(executor, nonce);
        postAnswer(d);
        id = rebut.claimIdOf(d);
    }

    function points(address account) internal view returns (int256) {
        return bold.points(account);
    }

    // ---------------------------------------------------------------- the library

    function test_StandingSaysEverything() public {
        (ClaimData memory d, bytes32 id) = posted(ALICE, 1);
        vm.warp(T0 + 40);
        Standing memory s = caller.standing(id);
        yes(s.reliance == Reliance.Provisional && s.age == 40 && s.postedAt == T0 && s.windowEnds == T0 + 100, "now");
        yes(!s.trustedDataAvailability && s.challenges == 0, "published, unchallenged");
        vm.expectRevert(abi.encodeWithSelector(RebutResult.NotFinal.selector, id, Reliance.Provisional));
        caller.requireFinal(id);
        vm.expectRevert(abi.encodeWithSelector(RebutResult.NotRefuted.selector, id, Reliance.Provisional));
        caller.requireRefuted(id);
        rebut.challenge{value: BC}(id, keccak256("h"));
        yes(caller.standing(id).reliance == Reliance.Challenged && caller.standing(id).challenges == 1, "challenged");
        vm.warp(T0 + 151);
        yes(caller.standing(id).reliance == Reliance.Final, "final");
        caller.requireFinal(id);
        (d, id) = posted(ALICE, 2);
        concede(d);
        yes(caller.standing(id).reliance == Reliance.Refuted, "refuted");
        caller.requireRefuted(id);
        s = caller.standing(keccak256("no"));
        yes(s.reliance == Reliance.Unknown && s.age == 0, "unknown");
        bytes32[] memory roots = new bytes32[](1);
        roots[0] = inputRoot();
        caller.requireInputs(d, roots);
        roots[0] = 0;
        vm.expectRevert(abi.encodeWithSelector(RebutResult.WrongInputs.selector, id));
        caller.requireInputs(d, roots);
    }

    // ---------------------------------------------------------------- provisional

    function test_ProvisionalByItsOwnRule() public {
        (ClaimData memory d, bytes32 id) = posted(ALICE, 1);
        vm.warp(T0 + 29);
        vm.expectRevert(abi.encodeWithSelector(ProvisionalConsumer.TooYoung.selector, id, 29, 30));
        bold.reward(d, 0, OUTPUT);
        vm.warp(T0 + 30);
        vm.expectRevert(wrongOutput());
        bold.reward(d, 0, OTHER_OUTPUT);
        bold.reward(d, 0, OUTPUT);
        yes(points(ALICE) == 40 && bold.atRisk() == 40, "provisional");
        vm.expectRevert(abi.encodeWithSelector(ProvisionalConsumer.AlreadyRewarded.selector, id));
        bold.reward(d, 0, OUTPUT);
        vm.expectRevert(abi.encodeWithSelector(RebutResult.NotFinal.selector, id, Reliance.Provisional));
        bold.settle(id);
        vm.expectRevert(abi.encodeWithSelector(RebutResult.NotRefuted.selector, id, Reliance.Provisional));
        bold.undo(id);
        vm.warp(T0 + 101);
        bold.settle(id);
        yes(points(ALICE) == 40 && bold.atRisk() == 0, "settled");
        vm.expectRevert(
            abi.encodeWithSelector(ProvisionalConsumer.NotAtRisk.selector, id, ProvisionalConsumer.Effect.Settled)
        );
        bold.undo(id);
    }

    function test_ProvisionalIsUndoneOnceRefuted() public {
        (ClaimData memory d, bytes32 id) = posted(ALICE, 1);
        vm.warp(T0 + 30);
        bold.reward(d, 0, OUTPUT);
        vm.prank(ALICE);
        bold.spend(30);
        concede(d);
        vm.expectRevert(abi.encodeWithSelector(RebutResult.NotFinal.selector, id, Reliance.Refuted));
        bold.settle(id);
        bold.undo(id);
        yes(points(ALICE) == -30 && bold.atRisk() == 0, "a debt");
        vm.expectRevert(
            abi.encodeWithSelector(ProvisionalConsumer.NotAtRisk.selector, id, ProvisionalConsumer.Effect.Undone)
        );
        bold.undo(id);
        vm.expectRevert(abi.encodeWithSelector(RebutResult.NotStanding.selector, id, Reliance.Refuted));
        bold.reward(d, 0, OUTPUT);
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(ProvisionalConsumer.TooFewPoints.selector, ALICE, int256(-30), 1));
        bold.spend(1);
        // Refuted before it brought anything: nothing.
        (d, id) = posted(ALICE, 2);
        concede(d);
        vm.expectRevert(abi.encodeWithSelector(RebutResult.NotStanding.selector, id, Reliance.Refuted));
        bold.reward(d, 0, OUTPUT);
        d.nonce = 99;
        id = rebut.claimIdOf(d);
        vm.expectRevert(abi.encodeWithSelector(RebutResult.NotStanding.selector, id, Reliance.Unknown));
        bold.reward(d, 0, OUTPUT);
    }

    function test_ProvisionalLimitAndContest() public {
        ClaimData[3] memory d;
        bytes32[3] memory ids;
        for (uint64 i = 0; i < 3; ++i) {
            (d[i], ids[i]) = posted(ALICE, i);
        }
        vm.warp(T0 + 30);
        bold.reward(d[0], 0, OUTPUT);
        bold.reward(d[1], 0, OUTPUT);
        vm.expectRevert(abi.encodeWithSelector(ProvisionalConsumer.TooMuchAtRisk.selector, 120, 100));
        bold.reward(d[2], 0, OUTPUT);
        rebut.challenge{value: BC}(ids[2], keccak256("h"));
        vm.expectRevert(abi.encodeWithSelector(ProvisionalConsumer.Contested.selector, ids[2], 1));
        bold.reward(d[2], 0, OUTPUT);
        // Final results are no risk, whatever the limit.
        vm.warp(T0 + 151);
        bold.reward(d[2], 0, OUTPUT);
        yes(points(ALICE) == 120 && bold.atRisk() == 80, "final counts at once");
        vm.expectRevert(
            abi.encodeWithSelector(ProvisionalConsumer.NotAtRisk.selector, ids[2], ProvisionalConsumer.Effect.Settled)
        );
        bold.settle(ids[2]);
    }

    /// Refutations at any time, in any order: the sum at risk never exceeds the limit and ends at zero.
    function testFuzz_ProvisionalBooks(uint256 seed) public {
        int256 expected = 0;
        for (uint64 i = 0; i < 8; ++i) {
            (ClaimData memory d, bytes32 id) = posted(ALICE, i);
            vm.warp(time() + 30);
            uint256 end = (seed >> (2 * i)) % 4;
            if (bold.atRisk() + 40 <= 100) {
                bold.reward(d, 0, OUTPUT);
                if (end == 0) {
                    concede(d);
                    bold.undo(id);
                } else {
                    expected += 40;
                    vm.warp(time() + 71);
                    if (end > 1) bold.settle(id);
                }
            }
            yes(bold.atRisk() <= 100, "limit");
        }
        yes(points(ALICE) == expected, "points");
    }

    function test_AnotherClassIsNotRewarded() public {
        ProvisionalConsumer other = new ProvisionalConsumer(rebut, keccak256(header), false, 3, 40, 100, 0);
        (ClaimData memory d,) = posted(ALICE, 1);
        vm.expectRevert(abi.encodeWithSelector(ProvisionalConsumer.WrongClass.selector, 1, 3));
        other.reward(d, 0, OUTPUT);
    }

    // ---------------------------------------------------------------- asking

    function askIt() internal returns (bytes32 id, ClaimData memory d) {
        vm.deal(ASKER, FEE);
        vm.prank(ASKER);
        id = asker.ask{value: FEE}(header, one(INPUT, 0), uint40(time() + 100));
        (d,) = enterAndReveal(id, ALICE, ++answers);
        vm.warp(time() + 101);
    }

    function test_AsksAndIsAnswered() public {
        (bytes32 id, ClaimData memory d) = askIt();
        yes(asker.awaited(id) && asker.labelPlusOne(id) == 0, "awaited");
        requests.deliver(id, d, OUTPUT);
        eq(asker.labelPlusOne(id), 2, "label 1");
        yes(!asker.awaited(id), "answered");
        vm.expectRevert(abi.encodeWithSelector(RebutRequester.NotAwaited.selector, id));
        asker.takeResult(id, d, OUTPUT);
        requests.pay(id);
        eq(requests.credit(PUBLISHER), FEE / 100, "publisher");
        vm.expectRevert(abi.encodeWithSelector(DigitRequester.WrongProgram.selector, keccak256("h"), keccak256(header)));
        asker.ask("h", one(INPUT, 0), uint40(time()));
    }

    /// The callback's gas is enough for a thousand classes.
    function test_CallbackGasIsEnough() public {
        bytes memory scores = new bytes(4000);
        uint256 before = gasleft();
        eq(caller.label(1, scores), 0, "label");
        // Two slots and an event come to it.
        yes(before - gasleft() + 50_000 < asker.CALLBACK_GAS(), "more than the callback gets");
    }

    /// Nobody else's call, and nobody else's request, is an answer.
    function test_C26_foreignCallsAndRequestsAreNoAnswer() public {
        (bytes32 id, ClaimData memory d) = askIt();
        bytes32 claimId = rebut.claimIdOf(d);
        vm.expectRevert(
            abi.encodeWithSelector(RebutRequester.NotForwarder.selector, address(this), requests.forwarder())
        );
        asker.onRebutResult(id, claimId, 0, 1, false, OUTPUT);
        // BOB's request names the contract as its target.
        RequestTerms memory t = terms();
        t.nonce = 77;
        (t.target, t.callbackGas) = (address(asker), 600_000);
        vm.deal(ASKER, 1);
        bytes32 foreign = ask(t, 1);
        (ClaimData memory answer_,) = enterAndReveal(foreign, BOB, 3);
        vm.warp(time() + 101);
        requests.deliver(foreign, answer_, OUTPUT);
        yes(!requests.status(foreign).delivered && asker.labelPlusOne(foreign) == 0, "refused by the consumer");
        // Nor can its claim be taken for the other request's.
        vm.expectRevert(abi.encodeWithSelector(RebutRequester.WrongClaim.selector, rebut.claimIdOf(answer_), claimId));
        asker.takeResult(id, answer_, OUTPUT);
    }

    /// What a delivery did not achieve can be made up for, once, and only when the claim is final.
    function test_TakesAResultItself() public {
        vm.deal(ASKER, FEE);
        vm.prank(ASKER);
        bytes32 id = asker.ask{value: FEE}(header, one(INPUT, 0), uint40(time() + 100));
        (ClaimData memory d,) = enterAndReveal(id, ALICE, 1);
        vm.expectRevert(abi.encodeWithSelector(RebutResult.NotFinal.selector, rebut.claimIdOf(d), Reliance.Provisional));
        asker.takeResult(id, d, OUTPUT);
        vm.warp(time() + 101);
        vm.expectRevert(wrongOutput());
        asker.takeResult(id, d, OTHER_OUTPUT);
        asker.takeResult(id, d, OUTPUT);
        eq(asker.labelPlusOne(id), 2, "label 1");
        // The delivery that comes after it is refused by the consumer.
        requests.deliver(id, d, OUTPUT);
        eq(asker.labelPlusOne(id), 2, "once");
    }

    function test_ReclaimsARefund() public {
        vm.deal(ASKER, FEE);
        vm.prank(ASKER);
        bytes32 id = asker.ask{value: FEE}(header, one(INPUT, 0), uint40(time() + 100));
        bytes memory nothing = abi.encodeWithSelector(DigitRequester.NothingToReclaim.selector, id);
        vm.warp(time() + 101);
        vm.expectRevert(nothing);
        asker.reclaim(id);
        requests.refund(id);
        vm.deal(address(this), 1);
        (bool ok,) = address(asker).call{value: 1}("");
        yes(!ok, "takes ether from Requests only");
        uint256 before = ASKER.balance;
        asker.reclaim(id);
        eq(ASKER.balance - before, FEE, "back");
        vm.expectRevert(nothing);
        asker.reclaim(id);
        vm.expectRevert(abi.encodeWithSelector(DigitRequester.NothingToReclaim.selector, bytes32(0)));
        asker.reclaim(0);
    }

    function test_ClassifierRefusesWhatItCannotRead() public {
        vm.expectRevert(abi.encodeWithSelector(Classifier.UnsupportedOutput.selector, 2, 1));
        caller.label(2, hex"00000000");
        vm.expectRevert(abi.encodeWithSelector(Classifier.UnsupportedOutput.selector, 1, 0));
        caller.label(1, "");
        vm.expectRevert(abi.encodeWithSelector(Classifier.UnsupportedOutput.selector, 1, 4097));
        caller.label(1, new bytes(4 * 4097));
        eq(caller.label(1, hex"800000007fc00000"), 1, "a NaN is the largest");
        eq(caller.label(1, hex"8000000000000000"), 0, "-0 is +0");
        eq(caller.label(1, hex"c0000000bf800000"), 1, "-1 is above -2");
    }
}

/// The libraries' functions, called from outside.
contract ResultCaller {
    IRebut internal immutable REBUT;

    constructor(IRebut rebut) {
        REBUT = rebut;
    }

    function standing(bytes32 id) external view returns (Standing memory) {
        return RebutResult.standing(REBUT, id);
    }

    function requireFinal(bytes32 id) external view {
        RebutResult.requireFinal(REBUT, id);
    }

    function requireRefuted(bytes32 id) external view {
        RebutResult.requireRefuted(REBUT, id);
    }

    function requireInputs(ClaimData calldata d, bytes32[] calldata roots) external view {
        RebutResult.requireInputs(REBUT, d, roots);
    }

    function label(uint256 dtype, bytes calldata output) external pure returns (uint256) {
        return Classifier.label(dtype, output);
    }
}
