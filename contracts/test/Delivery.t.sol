// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ClaimData} from "../src/interfaces/RebutTypes.sol";
import {EntryPhase, RequestOutcome, RequestPhase, RequestTerms} from "../src/interfaces/RequestTypes.sol";
import {Forwarder} from "../src/requests/Forwarder.sol";
import {IRebutConsumer} from "../src/interfaces/IRebutConsumer.sol";
import {IRequests} from "../src/interfaces/IRequests.sol";
import {IRequestsErrors} from "../src/interfaces/IRequestsErrors.sol";
import {IRequestsEvents} from "../src/interfaces/IRequestsEvents.sol";
import {Reliance, RebutResult} from "../src/RebutResult.sol";
import {RequestGame} from "./support/RequestGame.sol";
import {Target} from "./support/Target.sol";
import {Vm, vm} from "./Vm.sol";
import {time} from "./support/Clock.sol";

/// Deliveries, and the attacks of docs/failure-modes.md that concern requests.
contract DeliveryTest is RequestGame {
    uint32 internal constant CALLBACK_GAS = 400_000;

    Target internal target;

    function setUp() public override {
        super.setUp();
        target = new Target();
    }

    function termsTo(address to) internal view returns (RequestTerms memory t) {
        t = terms();
        t.target = to;
        t.callbackGas = CALLBACK_GAS;
    }

    function deliverCall(bytes32 id, ClaimData memory d) internal view returns (bytes memory) {
        return abi.encodeCall(requests.deliver, (id, d, OUTPUT));
    }

    /// What `ResultDelivered` of the last call says.
    function deliverAndSuccess(bytes32 id, ClaimData memory d) internal returns (bool success) {
        vm.recordLogs();
        requests.deliver(id, d, OUTPUT);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        Vm.Log memory last = logs[logs.length - 1];
        eq(last.topics[0], IRequestsEvents.ResultDelivered.selector, "event");
        eq(last.topics[1], id, "request");
        eq(last.topics[2], rebut.claimIdOf(d), "claim");
        return abi.decode(last.data, (bool));
    }

    function test_DeliversTheOutput() public {
        (bytes32 id, ClaimData memory d) = answered(termsTo(address(target)));
        vm.prank(BOB);
        requests.deliver(id, d, OUTPUT);
        eq(target.calls(), 1, "once");
        eq(target.requestId(), id, "request");
        eq(target.claimId(), rebut.claimIdOf(d), "claim");
        eq(target.outputIndex(), 0, "index");
        eq(target.dtype(), 1, "f32");
        yes(!target.trusted(), "published");
        eq(keccak256(target.output()), keccak256(OUTPUT), "bytes");
        yes(target.sender() == requests.forwarder(), "the forwarder calls");
        yes(requests.status(id).delivered, "delivered");
        eq(uint256(requests.status(id).phase), uint256(RequestPhase.Payable), "payment is apart");
        requests.pay(id);
        eq(requests.credit(BOB), 0, "nothing for the messenger");
    }

    function test_DeliverRefusals() public {
        bytes32 no = keccak256("no");
        (bytes32 plain, ClaimData memory d) = answered(terms());
        refused(deliverCall(no, d), abi.encodeWithSelector(IRequestsErrors.NoRequest.selector, no));
        refused(deliverCall(plain, d), abi.encodeWithSelector(IRequestsErrors.NoCallback.selector, plain));
        bytes32 id = ask(termsTo(address(target)), FEE);
        refused(deliverCall(id, d), abi.encodeWithSelector(IRequestsErrors.NoEntry.selector, id, 1));
        uint256 order = enter(id, answer(ALICE, 2));
        refused(
            deliverCall(id, answer(ALICE, 2)),
            abi.encodeWithSelector(IRequestsErrors.WrongEntryPhase.selector, id, order, EntryPhase.Hidden)
        );
        vm.warp(time() + REVEAL + 1);
        refused(
            deliverCall(id, answer(ALICE, 2)),
            abi.encodeWithSelector(IRequestsErrors.WrongEntryPhase.selector, id, order, EntryPhase.Missed)
        );
        // No code yet: nobody would hear of it.
        (id, d) = answered(termsTo(address(0x7a59e7)));
        refused(deliverCall(id, d), abi.encodeWithSelector(IRequestsErrors.TargetHasNoCode.selector, address(0x7a59e7)));
        vm.etch(address(0x7a59e7), address(target).code);
        requests.deliver(id, d, OUTPUT);
        eq(Target(address(0x7a59e7)).calls(), 1, "once it has code");
        // Not the output's bytes.
        (id, d) = answered(termsTo(address(target)));
        refused(
            abi.encodeCall(requests.deliver, (id, d, bytes.concat(OUTPUT, hex"00"))),
            abi.encodeWithSelector(RebutResult.WrongOutputSize.selector, 21, 20)
        );
        vm.expectRevert(wrongOutput());
        requests.deliver(id, d, OTHER_OUTPUT);
    }

    // ---------------------------------------------------------------- C20

    /// Whatever is behind the head, passing, paying and delivering cost the same.
    function test_C20_entriesOfOthersCostNothing() public {
        uint256[2] memory used;
        for (uint256 k = 0; k < 2; ++k) {
            uint256 snapshot = vm.snapshotState();
            RequestTerms memory t = termsTo(address(target));
            bytes32 id = ask(t, FEE);
            enter(id, answer(BOB, 1));
            (ClaimData memory d,) = enterAndReveal(id, ALICE, 1);
            for (uint256 i = 0; i < (k == 0 ? 1 : 400); ++i) {
                enter(id, answer(address(uint160(0x1000 + i)), 1));
            }
            vm.warp(T0 + REVEAL + 2);
            // Storage and accounts are equally warm in both rounds: everything was touched in this transaction.
            uint256 before = gasleft();
            requests.advance(id, 1);
            requests.pay(id);
            requests.deliver(id, d, OUTPUT);
            used[k] = before - gasleft();
            vm.revertToState(snapshot);
        }
        uint256 difference = used[0] > used[1] ? used[0] - used[1] : used[1] - used[0];
        yes(used[0] > 50_000 && difference < 5_000, "grows with the entries");
    }

    // ---------------------------------------------------------------- C23

    /// Nobody answers for somebody else: neither with its claim, nor with its entry.
    function test_C23_nobodyAnswersForAnother() public {
        bytes32 id = ask();
        ClaimData memory alices = answer(ALICE, 1);
        bytes32 claimId = rebut.claimIdOf(alices);
        // BOB knows ALICE's claim ahead and commits to it under his name, and under hers.
        vm.deal(BOB, 10 ether);
        bytes32 own = requests.commitmentOf(id, BOB, claimId, SALT);
        bytes32 hers = requests.commitmentOf(id, ALICE, claimId, SALT);
        vm.startPrank(BOB);
        requests.commit{value: DEPOSIT}(id, own);
        requests.commit{value: DEPOSIT}(id, hers);
        vm.stopPrank();
        enter(id, alices);
        vm.warp(T0 + 1);
        postAnswer(alices);
        refused(
            abi.encodeCall(requests.reveal, (id, 1, alices, SALT)),
            abi.encodeWithSelector(IRequestsErrors.WrongExecutor.selector, ALICE, BOB)
        );
        refused(
            abi.encodeCall(requests.reveal, (id, 2, alices, SALT)),
            abi.encodeWithSelector(IRequestsErrors.WrongPreimage.selector, own, hers)
        );
        // Whoever reveals, pays or delivers gets nothing of it.
        vm.prank(BOB);
        requests.reveal(id, 3, alices, SALT);
        vm.warp(T0 + REVEAL + 1);
        vm.startPrank(EXECUTOR);
        requests.advance(id, 1);
        requests.advance(id, 1);
        requests.pay(id);
        vm.stopPrank();
        eq(requests.credit(BOB), 0, "bob");
        eq(requests.credit(EXECUTOR), 2 * DEPOSIT, "bob's deposits are who cleared the way's");
        eq(requests.credit(ALICE), DEPOSIT + FEE - publisherShare(), "alice");
    }

    // ---------------------------------------------------------------- C26

    function test_C26_notBeforeFinality() public {
        bytes32 id = ask(termsTo(address(target)), FEE);
        (ClaimData memory d,) = enterAndReveal(id, ALICE, 1);
        bytes32 claimId = rebut.claimIdOf(d);
        refused(
            deliverCall(id, d), abi.encodeWithSelector(RebutResult.NotFinal.selector, claimId, Reliance.Provisional)
        );
        vm.warp(time() + 100);
        rebut.challenge{value: BC}(claimId, keccak256("h"));
        refused(deliverCall(id, d), abi.encodeWithSelector(RebutResult.NotFinal.selector, claimId, Reliance.Challenged));
        concede(d);
        vm.warp(time() + 1000);
        refused(deliverCall(id, d), abi.encodeWithSelector(RebutResult.NotFinal.selector, claimId, Reliance.Refuted));
        eq(target.calls(), 0, "never called");
    }

    function test_C26_notTwice() public {
        (bytes32 id, ClaimData memory d) = answered(termsTo(address(target)));
        requests.deliver(id, d, OUTPUT);
        bytes memory again = abi.encodeWithSelector(IRequestsErrors.AlreadyDelivered.selector, id);
        refused(deliverCall(id, d), again);
        requests.pay(id);
        vm.warp(time() + 10_000);
        refused(deliverCall(id, d), again);
        eq(target.calls(), 1, "once");
    }

    /// Neither another final claim, nor the claim of a later entry, nor that of another request.
    function test_C26_notAnotherRequestsResult() public {
        bytes32 id = ask(termsTo(address(target)), FEE);
        bytes32 other = ask(termsTo(address(target)), FEE + 1);
        (ClaimData memory first,) = enterAndReveal(id, ALICE, 1);
        (ClaimData memory second,) = enterAndReveal(id, BOB, 1);
        (ClaimData memory others,) = enterAndReveal(other, ALICE, 2);
        ClaimData memory apart = answer(EXECUTOR, 5);
        postAnswer(apart);
        vm.warp(time() + 101);
        bytes32 head = rebut.claimIdOf(first);
        ClaimData[3] memory wrong = [second, others, apart];
        for (uint256 i = 0; i < 3; ++i) {
            refused(
                deliverCall(id, wrong[i]),
                abi.encodeWithSelector(IRequestsErrors.WrongClaim.selector, rebut.claimIdOf(wrong[i]), head)
            );
        }
        requests.deliver(id, first, OUTPUT);
        eq(target.claimId(), head, "the head's");
    }

    function test_C26_failingCallbackBlocksNothing() public {
        Target.Mode[4] memory modes =
            [Target.Mode.Revert, Target.Mode.BurnGas, Target.Mode.ReturnBomb, Target.Mode.RevertBomb];
        for (uint256 i = 0; i < 4; ++i) {
            (bytes32 id, ClaimData memory d) = answered(termsTo(address(target)));
            target.set(modes[i]);
            yes(deliverAndSuccess(id, d) == (modes[i] == Target.Mode.ReturnBomb), "the event says it");
            yes(requests.status(id).delivered == (modes[i] == Target.Mode.ReturnBomb), "taken or not");
            requests.pay(id);
            // Whatever it was, it can be tried again until the target takes it.
            target.set(Target.Mode.Record);
            if (modes[i] != Target.Mode.ReturnBomb) yes(deliverAndSuccess(id, d), "taken");
            refused(deliverCall(id, d), abi.encodeWithSelector(IRequestsErrors.AlreadyDelivered.selector, id));
            rebut.finalize(d);
            requests.withdraw(ALICE);
            requests.withdraw(PUBLISHER);
            setUp();
        }
    }

    /// Whoever delivers in the middle of a call of the target, which guards against that, has done nothing.
    function test_AForcedRefusalIsTriedAgain() public {
        Guarded guarded = new Guarded();
        (bytes32 id, ClaimData memory d) = answered(termsTo(address(guarded)));
        guarded.callOut(address(requests), deliverCall(id, d));
        yes(guarded.calledOut() && !guarded.taken() && !requests.status(id).delivered, "refused");
        yes(deliverAndSuccess(id, d) && guarded.taken(), "taken afterwards");
        refused(deliverCall(id, d), abi.encodeWithSelector(IRequestsErrors.AlreadyDelivered.selector, id));
    }

    // ---------------------------------------------------------------- C36

    function test_C36_unpublishedInputsNeedOptIn() public {
        RequestTerms memory t = termsTo(address(target));
        // In the request.
        refused(
            abi.encodeCall(requests.request, (t, header, one("", inputRoot()))),
            abi.encodeWithSelector(IRequestsErrors.InputNotPublished.selector, 0)
        );
        // In a claim on a request that publishes them: the watchers of claims need not know of requests.
        bytes32 id = ask(t, FEE);
        ClaimData memory d = answer(ALICE, 1);
        enter(id, d);
        vm.warp(T0 + 1);
        postAnswer(d, one("", inputRoot()));
        refused(
            abi.encodeCall(requests.reveal, (id, 1, d, SALT)),
            abi.encodeWithSelector(IRequestsErrors.ClaimInputsNotPublished.selector, rebut.claimIdOf(d))
        );
    }

    function test_C36_theCallbackIsToldWhatWasNotPublished() public {
        for (uint256 i = 0; i < 2; ++i) {
            bool byRoot = i == 1;
            RequestTerms memory t = termsTo(address(target));
            t.trustedDataAvailability = true;
            vm.deal(ASKER, FEE);
            vm.prank(ASKER);
            bytes32 id = requests.request{value: FEE}(t, header, one("", inputRoot()));
            ClaimData memory d = answer(ALICE, 1);
            enter(id, d);
            vm.warp(time() + 1);
            postAnswer(d, byRoot ? one("", inputRoot()) : one(INPUT, 0));
            requests.reveal(id, 1, d, SALT);
            vm.warp(time() + 101);
            requests.deliver(id, d, OUTPUT);
            yes(target.trusted() == byRoot, "told");
            setUp();
        }
    }

    // ---------------------------------------------------------------- C38

    /// Whatever gas a delivery is sent with: either the callback gets all that it was promised, or nothing is decided.
    function test_C38_starvedDeliverDecidesNothing() public {
        (bytes32 id, ClaimData memory d) = answered(termsTo(address(target)));
        bytes memory call_ = deliverCall(id, d);
        uint256 refusals = 0;
        uint256 deliveries = 0;
        for (uint256 gas_ = 20_000; gas_ < 600_000; gas_ += gas_ < 400_000 || gas_ > 500_000 ? 9_973 : 499) {
            uint256 snapshot = vm.snapshotState();
            (bool ok,) = address(requests).call{gas: gas_}(call_);
            if (ok) {
                ++deliveries;
                eq(target.calls(), 1, "called");
                // What is between the call and the target's first line.
                yes(target.gasAtEntry() + 500 > CALLBACK_GAS && target.gasAtEntry() < CALLBACK_GAS, "all of it");
            } else {
                ++refusals;
                yes(!requests.status(id).delivered && target.calls() == 0, "nothing is decided");
            }
            vm.revertToState(snapshot);
        }
        yes(refusals > 50 && deliveries > 10, "both happen");
    }

    /// A callback that needs all of its gas gets it: no transaction exists in which it fails for want of gas.
    function test_C38_noGasMakesAGoodCallbackFail() public {
        RequestTerms memory t = termsTo(address(target));
        // Found by trial: what the callback needs, and not much more.
        for (t.callbackGas = 150_000;; t.callbackGas += 5_000) {
            uint256 trial = vm.snapshotState();
            (bytes32 id_, ClaimData memory d_) = answered(t);
            bool enough = deliverAndSuccess(id_, d_);
            vm.revertToState(trial);
            if (enough) break;
        }
        (bytes32 id, ClaimData memory d) = answered(t);
        bytes memory call_ = deliverCall(id, d);
        uint256 deliveries = 0;
        for (uint256 gas_ = t.callbackGas; gas_ < t.callbackGas + 150_000; gas_ += 997) {
            uint256 snapshot = vm.snapshotState();
            (bool ok,) = address(requests).call{gas: gas_}(call_);
            if (ok) {
                ++deliveries;
                eq(target.calls(), 1, "starved");
            }
            vm.revertToState(snapshot);
        }
        yes(deliveries > 10, "delivers");
    }

    /// What the target returns is never copied: no matter how much it is, it is paid from the callback's gas.
    function test_C38_returnBombIsNotCopied() public {
        Target.Mode[3] memory modes = [Target.Mode.Record, Target.Mode.ReturnBomb, Target.Mode.RevertBomb];
        uint256[3] memory used;
        for (uint256 i = 0; i < 3; ++i) {
            (bytes32 id, ClaimData memory d) = answered(termsTo(address(target)));
            target.set(modes[i]);
            uint256 before = gasleft();
            requests.deliver(id, d, OUTPUT);
            used[i] = before - gasleft();
            setUp();
        }
        // 200,000 bytes cost 95,000 gas of memory where they are made, and would cost more where they are copied.
        yes(used[1] < used[0] + 95_000 && used[2] < used[0] + 95_000, "copied");
    }

    function test_C38_theEscrowIsNoTarget() public {
        address[3] memory targets = [address(requests), address(rebut), requests.forwarder()];
        for (uint256 i = 0; i < 3; ++i) {
            refused(
                abi.encodeCall(requests.request, (termsTo(targets[i]), header, one(INPUT, 0))),
                abi.encodeWithSelector(IRequestsErrors.BadAddress.selector, targets[i])
            );
        }
    }

    /// The forwarder serves nobody else, keeps nothing and knows one selector.
    function test_C38_theForwarderHasNoRights() public {
        Forwarder forwarder = Forwarder(requests.forwarder());
        yes(forwarder.REQUESTS() == address(requests), "its owner");
        vm.expectRevert(abi.encodeWithSelector(Forwarder.NotRequests.selector, address(this), address(requests)));
        forwarder.forward(address(target), 1, "");
        vm.deal(address(this), 1 ether);
        (bool ok,) = address(forwarder).call{value: 1}("");
        yes(!ok, "takes ether");
        (ok,) = address(forwarder).call{value: 1}(abi.encodeCall(forwarder.forward, (address(target), 1, "")));
        yes(!ok, "takes ether");
        // Another contract that is aimed at sees only the one selector, and no value.
        SelectorRecorder recorder = new SelectorRecorder();
        (bytes32 id, ClaimData memory d) = answered(termsTo(address(recorder)));
        requests.deliver(id, d, OUTPUT);
        eq(uint256(uint32(recorder.selector())), uint256(uint32(IRebutConsumer.onRebutResult.selector)), "selector");
        yes(recorder.sender() == address(forwarder), "sender");
        eq(recorder.value(), 0, "value");
    }

    /// A callback may call what it likes; it finds everything decided, and nothing is paid twice.
    function test_C38_reenteringCallback() public {
        (bytes32 id, ClaimData memory d) = answered(termsTo(address(target)));
        requests.pay(id);
        target.reenter(address(requests), deliverCall(id, d));
        target.reenter(address(requests), abi.encodeCall(requests.pay, (id)));
        target.reenter(address(requests), abi.encodeCall(requests.refund, (id)));
        target.reenter(address(requests), abi.encodeCall(requests.advance, (id, 1)));
        target.reenter(address(requests), abi.encodeCall(requests.withdraw, (address(target))));
        target.reenter(requests.forwarder(), abi.encodeCall(Forwarder(address(0)).forward, (address(target), 1, "")));
        yes(deliverAndSuccess(id, d), "the callback itself does not fail");
        eq(target.calls(), 1, "once");
        eq(target.refusals(), 6, "all refused");
        eq(address(requests).balance, requests.credit(ALICE) + requests.credit(PUBLISHER), "solvent");
    }

    // ---------------------------------------------------------------- C39

    /// A commitment copied from the mempool, even ahead of the original, cannot be revealed by its copier and does not
    /// stand in the original's way; nor can anyone commit after an output was seen.
    function test_C39_copiedCommitmentIsWorthless() public {
        bytes32 id = ask();
        ClaimData memory d = answer(ALICE, 1);
        bytes32 commitment = requests.commitmentOf(id, ALICE, rebut.claimIdOf(d), SALT);
        vm.deal(BOB, 100 ether);
        vm.prank(BOB);
        requests.commit{value: DEPOSIT}(id, commitment);
        enter(id, d);
        vm.warp(T0 + 1);
        postAnswer(d);
        // BOB has seen ALICE's claim and makes the same, in her block.
        ClaimData memory copied = answer(BOB, 1);
        enter(id, copied);
        postAnswer(copied);
        requests.reveal(id, 2, d, SALT);
        refused(
            abi.encodeCall(requests.reveal, (id, 3, copied, SALT)),
            abi.encodeWithSelector(IRequestsErrors.ClaimNotLater.selector, rebut.claimIdOf(copied), T0 + 1, T0 + 1)
        );
        refused(
            abi.encodeCall(requests.reveal, (id, 1, copied, SALT)),
            abi.encodeWithSelector(
                IRequestsErrors.WrongPreimage.selector,
                requests.commitmentOf(id, BOB, rebut.claimIdOf(copied), SALT),
                commitment
            )
        );
        refused(
            abi.encodeCall(requests.reveal, (id, 1, d, SALT)),
            abi.encodeWithSelector(
                IRequestsErrors.WrongPreimage.selector,
                requests.commitmentOf(id, BOB, rebut.claimIdOf(d), SALT),
                commitment
            )
        );
        // Posted later, his copy is behind.
        ClaimData memory behind = answer(BOB, 2);
        enter(id, behind);
        vm.warp(T0 + 2);
        postAnswer(behind);
        requests.reveal(id, 4, behind, SALT);
        vm.warp(T0 + REVEAL + 1);
        requests.advance(id, 1);
        requests.pay(id);
        eq(requests.credit(ALICE), DEPOSIT + FEE - publisherShare(), "the original is paid");
    }

    /// The same commitment, and the same request, mean something else on another request, contract or chain.
    function test_C39_commitmentsAreForOneRequestContractAndChain() public {
        bytes32 id = ask();
        bytes32 other = ask(terms(), FEE + 1);
        ClaimData memory d = answer(ALICE, 1);
        bytes32 claimId = rebut.claimIdOf(d);
        bytes32 commitment = requests.commitmentOf(id, ALICE, claimId, SALT);
        vm.deal(ALICE, 100 ether);
        vm.prank(ALICE);
        requests.commit{value: DEPOSIT}(other, commitment);
        IRequests elsewhere = IRequests(deployRequests(address(rebut), DEPOSIT, REVEAL));
        vm.deal(ASKER, FEE);
        vm.prank(ASKER);
        bytes32 elsewheres = elsewhere.request{value: FEE}(terms(), header, one(INPUT, 0));
        yes(elsewheres != id, "another id on another contract");
        vm.prank(ALICE);
        elsewhere.commit{value: DEPOSIT}(elsewheres, commitment);
        vm.warp(T0 + 1);
        postAnswer(d);
        refused(
            abi.encodeCall(requests.reveal, (other, 1, d, SALT)),
            abi.encodeWithSelector(
                IRequestsErrors.WrongPreimage.selector, requests.commitmentOf(other, ALICE, claimId, SALT), commitment
            )
        );
        vm.expectRevert(
            abi.encodeWithSelector(
                IRequestsErrors.WrongPreimage.selector,
                elsewhere.commitmentOf(elsewheres, ALICE, claimId, SALT),
                commitment
            )
        );
        elsewhere.reveal(elsewheres, 1, d, SALT);
        RequestTerms memory t = terms();
        bytes32[] memory roots = new bytes32[](1);
        bytes32 here = requests.requestIdOf(ASKER, FEE, t, claimId, roots);
        vm.chainId(4242);
        yes(requests.requestIdOf(ASKER, FEE, t, claimId, roots) != here, "another id on another chain");
        yes(requests.commitmentOf(id, ALICE, claimId, SALT) != commitment, "another commitment on another chain");
    }

    // ---------------------------------------------------------------- C08, C15

    /// An account that refuses ether, or burns the gas, only stops its own payment.
    function test_C08_refusingRecipientStopsOnlyItself() public {
        (bytes32 id, ClaimData memory d) = answered(termsTo(address(target)));
        vm.etch(ALICE, hex"5f5ffd");
        vm.etch(PUBLISHER, hex"fe");
        requests.pay(id);
        requests.deliver(id, d, OUTPUT);
        uint256 owed = requests.credit(ALICE);
        refused(
            abi.encodeCall(requests.withdraw, (ALICE)),
            abi.encodeWithSelector(IRequestsErrors.PaymentRefused.selector, ALICE, owed)
        );
        eq(requests.credit(ALICE), owed, "still there");
        (bool ok,) = address(requests).call{gas: 1_000_000}(abi.encodeCall(requests.withdraw, (PUBLISHER)));
        yes(!ok && requests.credit(PUBLISHER) == publisherShare(), "still there");
        vm.etch(ALICE, "");
        requests.withdraw(ALICE);
    }

    /// A recipient that withdraws again while it is paid finds nothing.
    function test_C08_reenteringRecipientIsPaidOnce() public {
        Greedy greedy = new Greedy(requests);
        vm.deal(address(greedy), 100 ether);
        bytes32 id = ask(terms(), FEE);
        ClaimData memory d = answer(address(greedy), 1);
        enter(id, d);
        vm.warp(T0 + 1);
        postAnswer(d);
        requests.reveal(id, 1, d, SALT);
        vm.warp(T0 + 102);
        requests.settle(id, 1);
        uint256 before = address(greedy).balance;
        requests.withdraw(address(greedy));
        eq(address(greedy).balance - before, DEPOSIT, "once");
        yes(greedy.refused(), "it tried");
        eq(address(requests).balance, FEE, "escrow");
    }
}

/// Takes any call, and notes what it was.
contract SelectorRecorder {
    bytes4 public selector;
    address public sender;
    uint256 public value;

    fallback() external payable {
        (selector, sender, value) = (msg.sig, msg.sender, msg.value);
    }

    receive() external payable {}
}

/// Takes no results while it calls somebody else.
contract Guarded is IRebutConsumer {
    bool public taken;
    bool public calledOut;
    bool internal locked;

    function callOut(address to, bytes calldata data) external {
        locked = true;
        (calledOut,) = to.call(data);
        locked = false;
    }

    function onRebutResult(bytes32, bytes32, uint256, uint256, bool, bytes calldata) external override {
        require(!locked, "reentered");
        taken = true;
    }
}

/// Withdraws again whenever it is paid.
contract Greedy {
    IRequests internal immutable REQUESTS;
    bool public refused;

    constructor(IRequests requests) {
        REQUESTS = requests;
    }

    receive() external payable {
        try REQUESTS.withdraw(address(this)) returns (uint256) {}
        catch {
            refused = true;
        }
    }
}
