// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Chain, Chains, Trace} from "./support/Chain.sol";
import {ClaimData, TensorData} from "../src/interfaces/RebutTypes.sol";
import {
    EntryPhase,
    EntryStatus,
    RequestOutcome,
    RequestPhase,
    RequestStatus,
    RequestTerms
} from "../src/interfaces/RequestTypes.sol";
import {Header} from "../src/program/Header.sol";
import {IRebutErrors} from "../src/interfaces/IRebutErrors.sol";
import {IRequests} from "../src/interfaces/IRequests.sol";
import {IRequestsErrors} from "../src/interfaces/IRequestsErrors.sol";
import {RequestGame} from "./support/RequestGame.sol";
import {Tree, Trees} from "./support/Tree.sol";
import {time} from "./support/Clock.sol";
import {vm} from "./Vm.sol";

/// Requests, entries and who is paid; every call that is refused, with its error.
contract RequestsTest is RequestGame {
    using Chains for Chain;
    using Trees for Tree;

    function phaseOf(bytes32 id) internal view returns (uint256) {
        return uint256(requests.status(id).phase);
    }

    function entryPhaseOf(bytes32 id, uint256 order) internal view returns (uint256) {
        return uint256(requests.entry(id, order).phase);
    }

    function wrongPhase(bytes32 id, uint256 order, EntryPhase phase) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IRequestsErrors.WrongEntryPhase.selector, id, order, phase);
    }

    function badParameter(string memory name, uint256 value, uint256 minimum, uint256 maximum)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(IRequestsErrors.BadParameter.selector, name, value, minimum, maximum);
    }

    // ---------------------------------------------------------------- construction

    function tryDeploy(address rebut_, uint256 deposit, uint256 reveal) external returns (address) {
        return deployRequests(rebut_, deposit, reveal);
    }

    function test_Constructor() public {
        uint256[4] memory deposits = [uint256(0), 1e27 + 1, 1, 1];
        uint256[4] memory reveals = [uint256(60), 60, 59, 1 days + 1];
        for (uint256 i = 0; i < 4; ++i) {
            vm.expectRevert();
            this.tryDeploy(address(rebut), deposits[i], reveals[i]);
        }
        vm.expectRevert();
        this.tryDeploy(address(0x1234), 1, 60);
        IRequests least = IRequests(deployRequests(address(rebut), 1, 60));
        IRequests most = IRequests(deployRequests(address(rebut), 1e27, 1 days));
        eq(least.deposit(), 1, "least deposit");
        eq(most.revealSeconds(), 1 days, "most seconds");
        yes(address(least.rebut()) == address(rebut), "rebut");
        yes(least.forwarder() != most.forwarder() && least.forwarder().code.length > 0, "a forwarder each");
    }

    // ---------------------------------------------------------------- request

    function test_RequestIsWhatWasAsked() public {
        RequestTerms memory t = terms();
        t.trustedDataAvailability = true;
        t.target = address(this);
        t.callbackGas = 77;
        t.nonce = 5;
        bytes32 content = keccak256(abi.encode(keccak256(header), keccak256(abi.encodePacked(inputRoot()))));
        bytes32 expected = keccak256(abi.encode(block.chainid, address(requests), ASKER, content, FEE, t));
        bytes32[] memory roots = new bytes32[](1);
        roots[0] = inputRoot();
        eq(requests.requestIdOf(ASKER, FEE, t, keccak256(header), roots), expected, "view");
        eq(requests.contentHashOf(keccak256(header), roots), content, "content");
        eq(phaseOf(expected), uint256(RequestPhase.None), "none");
        bytes32 id = ask(t, FEE);
        eq(id, expected, "id");
        RequestStatus memory s = requests.status(id);
        eq(uint256(s.phase), uint256(RequestPhase.Open), "open");
        yes(s.trustedDataAvailability && !s.delivered, "flags");
        yes(s.requester == ASKER && s.publisher == PUBLISHER && s.target == address(this), "addresses");
        eq(s.fee, FEE, "fee");
        eq(s.publisherBps, 1_234, "share");
        eq(s.callbackGas, 77, "gas");
        eq(s.deadline, t.deadline, "deadline");
        eq(s.contentHash, content, "content");
        eq(s.entries, 0, "entries");
        eq(s.head, 1, "head");
        eq(s.claimId, 0, "no claim");
        eq(address(requests).balance, FEE, "escrow");
    }

    /// The event has everything that an executor needs.
    function test_RequestEmitsItsInputs() public {
        RequestTerms memory t = terms();
        vm.recordLogs();
        bytes32 id = ask(t, FEE);
        bytes32[] memory roots = new bytes32[](1);
        roots[0] = inputRoot();
        bytes memory data = vm.getRecordedLogs()[0].data;
        eq(keccak256(data), keccak256(abi.encode(uint96(FEE), t, header, roots, one(INPUT, 0))), "event");
        yes(id != 0, "id");
    }

    /// Whatever differs, the id differs: content is what is asked.
    function testFuzz_RequestIdsAreContent(RequestTerms memory a, uint8 which, uint256 fee) public view {
        fee %= type(uint96).max;
        bytes32[] memory roots = new bytes32[](1);
        bytes32 id = requests.requestIdOf(ASKER, fee, a, keccak256(header), roots);
        address asker = ASKER;
        bytes32 program = keccak256(header);
        uint256 other = fee;
        which = which % 12;
        unchecked {
            if (which == 0) a.deadline ^= 1;
            if (which == 1) a.trustedDataAvailability = !a.trustedDataAvailability;
            if (which == 2) a.publisher = address(uint160(a.publisher) ^ 1);
            if (which == 3) a.publisherBps ^= 1;
            if (which == 4) a.outputIndex ^= 1;
            if (which == 5) a.target = address(uint160(a.target) ^ 1);
            if (which == 6) a.callbackGas ^= 1;
            if (which == 7) a.nonce ^= 1;
        }
        if (which == 8) asker = BOB;
        if (which == 9) program = 0;
        if (which == 10) other = fee + 1;
        if (which == 11) roots = new bytes32[](2);
        yes(id != requests.requestIdOf(asker, other, a, program, roots), "same id");
    }

    function test_RequestRefusals() public {
        RequestTerms memory t = terms();
        bytes memory good = abi.encodeCall(requests.request, (t, header, one(INPUT, 0)));
        bytes32 id = ask(t, 3);
        refused(ASKER, 3, good, abi.encodeWithSelector(IRequestsErrors.RequestExists.selector, id));
        // Another requester's, or another fee, is another request.
        vm.deal(BOB, 10);
        vm.prank(BOB);
        yes(requests.request{value: 3}(t, header, one(INPUT, 0)) != id, "other requester");
        yes(ask(t, 4) != id, "other fee");
        refused(
            ASKER,
            uint256(type(uint96).max) + 1,
            good,
            badParameter("fee", uint256(type(uint96).max) + 1, 0, type(uint96).max)
        );

        uint256 now_ = time();
        t.deadline = uint40(now_ - 1);
        refusedTerms(t, badParameter("deadline", now_ - 1, now_, now_ + 365 days));
        t.deadline = uint40(now_ + 365 days + 1);
        refusedTerms(t, badParameter("deadline", t.deadline, now_, now_ + 365 days));
        t = terms();
        t.publisherBps = 10_001;
        refusedTerms(t, badParameter("publisherBps", 10_001, 0, 10_000));
        (t.publisher, t.publisherBps) = (address(0), 1);
        refusedTerms(t, badParameter("publisherBps", 1, 0, 0));
        t = terms();
        t.callbackGas = 1;
        refusedTerms(t, badParameter("callbackGas", 1, 0, 0));
        t.target = address(this);
        t.callbackGas = 0;
        refusedTerms(t, badParameter("callbackGas", 0, 1, 5_000_000));
        t.callbackGas = 5_000_001;
        refusedTerms(t, badParameter("callbackGas", 5_000_001, 1, 5_000_000));
        t = terms();
        t.outputIndex = 1;
        refusedTerms(t, badParameter("outputIndex", 1, 0, 0));

        t = terms();
        t.nonce = 9;
        TensorData[] memory none = new TensorData[](0);
        refused(
            abi.encodeCall(requests.request, (t, header, none)),
            abi.encodeWithSelector(IRebutErrors.WrongTensorCount.selector, 0, 1)
        );
        refused(
            abi.encodeCall(requests.request, (t, header, one(hex"0102", 0))),
            abi.encodeWithSelector(IRebutErrors.WrongTensorSize.selector, 0, 2, 3)
        );
        refused(
            abi.encodeCall(requests.request, (t, header, one(INPUT, inputRoot()))),
            abi.encodeWithSelector(IRebutErrors.BytesAndRoot.selector, 0)
        );
        refused(
            abi.encodeCall(requests.request, (t, bytes.concat(header, hex"00"), one(INPUT, 0))),
            abi.encodeWithSelector(Header.WrongHeaderLength.selector, header.length + 1, header.length)
        );
        // At the bounds.
        t.deadline = uint40(now_);
        ask(t, 0);
        t.deadline = uint40(now_ + 365 days);
        t.publisherBps = 10_000;
        (t.target, t.callbackGas) = (address(this), 5_000_000);
        ask(t, 0);
    }

    function refusedTerms(RequestTerms memory t, bytes memory expected) internal {
        refused(abi.encodeCall(requests.request, (t, header, one(INPUT, 0))), expected);
    }

    // ---------------------------------------------------------------- entries

    function test_CommitRefusals() public {
        RequestTerms memory t = terms();
        bytes32 id = ask(t, FEE);
        bytes memory commit = abi.encodeCall(requests.commit, (id, keccak256("c")));
        refused(
            BOB,
            DEPOSIT - 1,
            commit,
            abi.encodeWithSelector(IRequestsErrors.WrongDeposit.selector, DEPOSIT - 1, DEPOSIT)
        );
        refused(
            BOB,
            DEPOSIT + 1,
            commit,
            abi.encodeWithSelector(IRequestsErrors.WrongDeposit.selector, DEPOSIT + 1, DEPOSIT)
        );
        bytes32 no = keccak256("no");
        refused(
            BOB,
            DEPOSIT,
            abi.encodeCall(requests.commit, (no, no)),
            abi.encodeWithSelector(IRequestsErrors.NoRequest.selector, no)
        );
        vm.warp(t.deadline);
        eq(enter(id, answer(ALICE, 1)), 1, "in the last second");
        vm.warp(t.deadline + 1);
        refused(BOB, DEPOSIT, commit, abi.encodeWithSelector(IRequestsErrors.TooLate.selector, id, t.deadline));
        // Paid before its deadline: closed.
        bytes32 paid = ask();
        enterAndReveal(paid, ALICE, 2);
        vm.warp(time() + 101);
        requests.pay(paid);
        refused(
            BOB,
            DEPOSIT,
            abi.encodeCall(requests.commit, (paid, no)),
            abi.encodeWithSelector(IRequestsErrors.RequestClosed.selector, paid, RequestOutcome.Paid)
        );
    }

    function test_EntriesHaveAnOrder() public {
        bytes32 id = ask();
        eq(enter(id, answer(BOB, 1)), 1, "first");
        eq(enter(id, answer(ALICE, 1)), 2, "second");
        eq(enter(id, answer(ALICE, 1)), 3, "the same again");
        EntryStatus memory e = requests.entry(id, 2);
        eq(uint256(e.phase), uint256(EntryPhase.Hidden), "hidden");
        yes(e.executor == ALICE, "executor");
        eq(e.committedAt, T0, "time");
        eq(e.revealEnds, T0 + REVEAL, "reveal");
        eq(e.claimId, 0, "hidden claim");
        eq(
            e.commitment,
            keccak256(abi.encode(block.chainid, address(requests), id, ALICE, rebut.claimIdOf(answer(ALICE, 1)), SALT)),
            "commitment"
        );
        eq(entryPhaseOf(id, 4), uint256(EntryPhase.None), "none");
        eq(requests.status(id).entries, 3, "entries");
        eq(address(requests).balance, FEE + 3 * DEPOSIT, "escrow");
    }

    function test_Reveal() public {
        bytes32 id = ask();
        ClaimData memory d = answer(ALICE, 1);
        uint256 order = enter(id, d);
        vm.warp(T0 + 1);
        postAnswer(d);
        vm.warp(T0 + REVEAL);
        bytes memory reveal = abi.encodeCall(requests.reveal, (id, order, d, SALT));
        // Anyone who knows the salt; the deposit is the executor's.
        vm.prank(BOB);
        requests.reveal(id, order, d, SALT);
        eq(requests.credit(ALICE), 0, "the deposit stays until the claim's end");
        eq(requests.credit(BOB), 0, "nothing for the messenger");
        EntryStatus memory e = requests.entry(id, order);
        eq(e.claimId, rebut.claimIdOf(d), "claim");
        eq(e.commitment, 0, "no commitment any more");
        eq(requests.status(id).claimId, e.claimId, "head's claim");
        refused(reveal, wrongPhase(id, order, EntryPhase(entryPhaseOf(id, order))));
    }

    function test_RevealRefusals() public {
        bytes32 id = ask();
        bytes32 other = ask(terms(), FEE + 1);
        ClaimData memory d = answer(ALICE, 1);
        bytes32 claimId = rebut.claimIdOf(d);
        uint256 order = enter(id, d);
        bytes memory reveal = abi.encodeCall(requests.reveal, (id, order, d, SALT));
        refused(
            abi.encodeCall(requests.reveal, (keccak256("no"), order, d, SALT)),
            abi.encodeWithSelector(IRequestsErrors.NoRequest.selector, keccak256("no"))
        );
        refused(
            abi.encodeCall(requests.reveal, (other, order, d, SALT)),
            abi.encodeWithSelector(IRequestsErrors.NoEntry.selector, other, order)
        );
        refused(
            abi.encodeCall(requests.reveal, (id, 0, d, SALT)),
            abi.encodeWithSelector(IRequestsErrors.NoEntry.selector, id, 0)
        );
        // An order that is this one in 32 bits.
        refused(
            abi.encodeCall(requests.reveal, (id, order + (1 << 32), d, SALT)),
            abi.encodeWithSelector(IRequestsErrors.NoEntry.selector, id, order + (1 << 32))
        );
        bytes32 commitment = requests.commitmentOf(id, ALICE, claimId, SALT);
        refused(
            abi.encodeCall(requests.reveal, (id, order, d, keccak256("other salt"))),
            abi.encodeWithSelector(
                IRequestsErrors.WrongPreimage.selector,
                requests.commitmentOf(id, ALICE, claimId, keccak256("other salt")),
                commitment
            )
        );
        refused(
            abi.encodeCall(requests.reveal, (id, order, answer(ALICE, 2), SALT)),
            abi.encodeWithSelector(
                IRequestsErrors.WrongPreimage.selector,
                requests.commitmentOf(id, ALICE, rebut.claimIdOf(answer(ALICE, 2)), SALT),
                commitment
            )
        );
        refused(reveal, abi.encodeWithSelector(IRequestsErrors.NoClaim.selector, claimId));
        // Posted in the commitment's own second: perhaps in the same block, before it.
        postAnswer(d);
        refused(reveal, abi.encodeWithSelector(IRequestsErrors.ClaimNotLater.selector, claimId, T0, T0));
        vm.warp(T0 + REVEAL + 1);
        refused(reveal, abi.encodeWithSelector(IRequestsErrors.TooLate.selector, id, T0 + REVEAL));
        requests.advance(id, 1);
        refused(reveal, abi.encodeWithSelector(IRequestsErrors.TooLate.selector, id, T0 + REVEAL));
    }

    /// A claim about something else does not answer, however it was committed.
    function test_RevealOfAnotherProgramOrInput() public {
        bytes32 id = ask();
        ClaimData memory otherInput = answer(ALICE, 1);
        otherInput.inputRoots[0] = Trees.root(Trees.fromBytes(hex"010204"));
        ClaimData memory otherProgram = answer(ALICE, 2);
        otherProgram.header = bytes.concat(header);
        otherProgram.header[header.length - 1] ^= 0x01;
        rebut.register(otherProgram.header);
        uint256 a = enter(id, otherInput);
        uint256 b = enter(id, otherProgram);
        vm.warp(T0 + 1);
        postAnswer(otherInput, one(hex"010204", 0));
        postAnswer(otherProgram);
        bytes32 expected = requests.status(id).contentHash;
        bytes32 given = requests.contentHashOf(keccak256(header), otherInput.inputRoots);
        refused(
            abi.encodeCall(requests.reveal, (id, a, otherInput, SALT)),
            abi.encodeWithSelector(IRequestsErrors.WrongContent.selector, given, expected)
        );
        given = requests.contentHashOf(keccak256(otherProgram.header), otherProgram.inputRoots);
        refused(
            abi.encodeCall(requests.reveal, (id, b, otherProgram, SALT)),
            abi.encodeWithSelector(IRequestsErrors.WrongContent.selector, given, expected)
        );
    }

    // ---------------------------------------------------------------- the head

    function test_PaysTheHead() public {
        RequestTerms memory t = terms();
        bytes32 id = ask(t, FEE);
        bytes memory pay = abi.encodeCall(requests.pay, (id));
        refused(pay, abi.encodeWithSelector(IRequestsErrors.NoEntry.selector, id, 1));
        ClaimData memory d = answer(ALICE, 1);
        uint256 order = enter(id, d);
        refused(pay, wrongPhase(id, 1, EntryPhase.Hidden));
        vm.warp(T0 + 1);
        postAnswer(d);
        requests.reveal(id, order, d, SALT);
        vm.warp(T0 + 101);
        refused(pay, wrongPhase(id, 1, EntryPhase.Standing));
        eq(phaseOf(id), uint256(RequestPhase.Open), "open");
        refused(abi.encodeCall(requests.advance, (id, 1)), wrongPhase(id, 1, EntryPhase.Standing));
        vm.warp(T0 + 102);
        eq(phaseOf(id), uint256(RequestPhase.Payable), "payable");
        refused(abi.encodeCall(requests.advance, (id, 1)), wrongPhase(id, 1, EntryPhase.Final));
        requests.pay(id);
        eq(phaseOf(id), uint256(RequestPhase.Paid), "paid");
        eq(requests.credit(ALICE), DEPOSIT + FEE - publisherShare(), "executor");
        eq(requests.credit(PUBLISHER), publisherShare(), "publisher");
        bytes memory closed = abi.encodeWithSelector(IRequestsErrors.RequestClosed.selector, id, RequestOutcome.Paid);
        refused(pay, closed);
        vm.warp(t.deadline + 1);
        refused(abi.encodeCall(requests.refund, (id)), closed);
        uint256 before = ALICE.balance;
        requests.withdraw(ALICE);
        requests.withdraw(PUBLISHER);
        eq(ALICE.balance - before, DEPOSIT + FEE - publisherShare(), "withdrawn");
        eq(address(requests).balance, 0, "nothing left");
        refused(
            abi.encodeCall(requests.withdraw, (ALICE)), abi.encodeWithSelector(IRequestsErrors.NoCredit.selector, ALICE)
        );
        bytes32 no = keccak256("no");
        bytes memory noRequest = abi.encodeWithSelector(IRequestsErrors.NoRequest.selector, no);
        refused(abi.encodeCall(requests.pay, (no)), noRequest);
        refused(abi.encodeCall(requests.refund, (no)), noRequest);
        refused(abi.encodeCall(requests.advance, (no, 1)), noRequest);
        refused(abi.encodeCall(requests.settle, (no, 1)), noRequest);
    }

    /// The earliest that survives is paid, though a later one was final first.
    function test_TheEarliestThatSurvivesIsPaid() public {
        bytes32 id = ask();
        enter(id, answer(address(0xc0), 1)); // never revealed
        (ClaimData memory conceded,) = enterAndReveal(id, BOB, 1);
        ClaimData memory late = answer(ALICE, 1);
        uint256 order = enter(id, late);
        (ClaimData memory last,) = enterAndReveal(id, EXECUTOR, 1);
        vm.warp(time() + 150);
        yes(rebut.isFinal(rebut.claimIdOf(last)), "the last one is final first");
        postAnswer(late);
        requests.reveal(id, order, late, SALT);
        refused(abi.encodeCall(requests.pay, (id)), wrongPhase(id, 1, EntryPhase.Hidden));
        refused(abi.encodeCall(requests.advance, (id, 1)), wrongPhase(id, 1, EntryPhase.Hidden));
        vm.warp(T0 + REVEAL + 1);
        eq(entryPhaseOf(id, 1), uint256(EntryPhase.Missed), "missed");
        vm.prank(address(0xd0));
        requests.advance(id, 1);
        eq(requests.credit(address(0xd0)), DEPOSIT, "its deposit is the caller's");
        yes(requests.entry(id, 1).settled && entryPhaseOf(id, 1) == uint256(EntryPhase.Missed), "settled");
        eq(requests.status(id).head, 2, "head");
        // BOB's claim is final: nothing that comes after it can be paid.
        eq(entryPhaseOf(id, 2), uint256(EntryPhase.Final), "final");
        requests.pay(id);
        eq(requests.credit(BOB), DEPOSIT + FEE - publisherShare(), "bob");
        yes(conceded.executor == BOB, "bob's");
    }

    function test_RefutedIsPassed() public {
        bytes32 id = ask();
        (ClaimData memory d,) = enterAndReveal(id, BOB, 1);
        enterAndReveal(id, ALICE, 1);
        concede(d);
        eq(entryPhaseOf(id, 1), uint256(EntryPhase.Refuted), "refuted");
        vm.warp(time() + 101);
        refused(abi.encodeCall(requests.pay, (id)), wrongPhase(id, 1, EntryPhase.Refuted));
        eq(phaseOf(id), uint256(RequestPhase.Open), "not payable yet");
        requests.advance(id, 1);
        eq(phaseOf(id), uint256(RequestPhase.Payable), "payable");
        requests.pay(id);
        eq(requests.credit(ALICE), DEPOSIT + FEE - publisherShare(), "alice");
        eq(requests.credit(BOB), 0, "a refuted claim costs its deposit");
        eq(requests.credit(address(this)), DEPOSIT, "which is who advanced's");
    }

    /// A lie is refuted by a whole dispute, the entry behind it is paid.
    function test_RefutedByADispute() public {
        Chain memory c = Chains.make(5, 10);
        Trace memory lie = c.altered(4, 3, 99, 98);
        vm.warp(T0 - 10);
        rebut.register(c.header);
        RequestTerms memory t = terms();
        vm.prank(ASKER);
        bytes32 id = requests.request{value: FEE}(t, c.header, one(c.honest.values[0], 0));
        uint256 order = enter(id, c.claimData(EXECUTOR, lie));
        ClaimData memory honest = c.claimData(BOB, c.honest);
        uint256 second = enter(id, honest);
        vm.warp(T0 - 1);
        vm.deal(BOB, 100 ether);
        vm.prank(BOB);
        rebut.claim{value: BE}(c.header, one(c.honest.values[0], 0), one(c.honest.values[4], 0), honest.nonce);
        requests.reveal(id, second, honest, SALT);
        vm.warp(T0);
        (ClaimData memory d,, bytes32 disputeId) = start(c, lie, c.honest);
        requests.reveal(id, order, d, SALT);
        play(c, d, disputeId, lie, c.honest);
        refused(abi.encodeCall(requests.advance, (id, 1)), wrongPhase(id, 1, EntryPhase.Standing));
        step(c, d, disputeId, lie);
        refused(abi.encodeCall(requests.pay, (id)), wrongPhase(id, 1, EntryPhase.Refuted));
        requests.advance(id, 1);
        requests.pay(id);
        eq(requests.credit(BOB), DEPOSIT + FEE - publisherShare(), "the honest one is paid");
        eq(requests.credit(EXECUTOR), 0, "the liar is not");
    }

    /// A claim whose executor falls silent is dead before anybody records it.
    function test_SilentIsPassed() public {
        Chain memory c = Chains.make(4, 10);
        Trace memory lie = c.altered(2, 3, 1000, 1);
        vm.warp(T0 - 10);
        rebut.register(c.header);
        RequestTerms memory t = terms();
        vm.prank(ASKER);
        bytes32 id = requests.request{value: FEE}(t, c.header, one(c.honest.values[0], 0));
        uint256 order = enter(id, c.claimData(EXECUTOR, lie));
        vm.warp(T0);
        (ClaimData memory d, bytes32 claimId) = post(c, lie);
        requests.reveal(id, order, d, SALT);
        challengeAs(ALICE, claimId, c.honest);
        vm.warp(T0 + 101);
        openAs(c, d, ALICE, c.honest);
        vm.warp(T0 + 210);
        refused(abi.encodeCall(requests.advance, (id, 1)), wrongPhase(id, 1, EntryPhase.Standing));
        vm.warp(T0 + 211);
        requests.advance(id, 1);
        rebut.finalize(d);
        vm.warp(t.deadline + 1);
        requests.refund(id);
        eq(requests.credit(ASKER), FEE, "refunded");
    }

    // ---------------------------------------------------------------- refunds and forfeits

    function test_Refund() public {
        RequestTerms memory t = terms();
        bytes32 id = ask(t, FEE);
        bytes memory refund = abi.encodeCall(requests.refund, (id));
        vm.warp(t.deadline);
        bytes memory early = abi.encodeWithSelector(IRequestsErrors.TooEarly.selector, id, t.deadline);
        refused(refund, early);
        enter(id, answer(ALICE, 1));
        vm.warp(t.deadline + 1);
        eq(phaseOf(id), uint256(RequestPhase.Waiting), "waiting");
        refused(refund, abi.encodeWithSelector(IRequestsErrors.EntriesLeft.selector, id, 1, 1));
        vm.warp(t.deadline + REVEAL);
        refused(abi.encodeCall(requests.advance, (id, 1)), wrongPhase(id, 1, EntryPhase.Hidden));
        vm.warp(t.deadline + REVEAL + 1);
        requests.advance(id, 1);
        refused(
            abi.encodeCall(requests.advance, (id, 1)), abi.encodeWithSelector(IRequestsErrors.NoEntry.selector, id, 2)
        );
        eq(phaseOf(id), uint256(RequestPhase.Refundable), "refundable");
        vm.warp(time() + 3650 days);
        vm.prank(BOB);
        requests.refund(id);
        eq(phaseOf(id), uint256(RequestPhase.Refunded), "refunded");
        eq(requests.credit(ASKER), FEE, "fee back");
        eq(requests.credit(BOB), 0, "nothing for the messenger");
        bytes memory closed =
            abi.encodeWithSelector(IRequestsErrors.RequestClosed.selector, id, RequestOutcome.Refunded);
        refused(refund, closed);
        refused(abi.encodeCall(requests.pay, (id)), closed);
        refused(abi.encodeCall(requests.settle, (id, 1)), abi.encodeWithSelector(IRequestsErrors.NotPaid.selector, id));
    }

    /// Deposits behind the paid entry are not lost: of final claims they go back, else to whoever collects them.
    function test_SettlesBehindTheWinner() public {
        bytes32 id = ask();
        enterAndReveal(id, ALICE, 1);
        vm.warp(T0 + 50);
        ClaimData memory late = answer(BOB, 1);
        uint256 second = enter(id, late);
        enter(id, answer(EXECUTOR, 1));
        vm.warp(T0 + 102);
        bytes memory third = abi.encodeCall(requests.settle, (id, 3));
        refused(third, wrongPhase(id, 3, EntryPhase.Hidden));
        requests.pay(id);
        postAnswer(late);
        requests.reveal(id, second, late, SALT);
        refused(third, wrongPhase(id, 3, EntryPhase.Hidden));
        refused(abi.encodeCall(requests.settle, (id, 2)), wrongPhase(id, 2, EntryPhase.Standing));
        vm.warp(T0 + 51 + REVEAL);
        requests.settle(id, 2);
        eq(requests.credit(BOB), DEPOSIT, "revealed after the payment, and final");
        refused(
            abi.encodeCall(requests.settle, (id, 1)),
            abi.encodeWithSelector(IRequestsErrors.EntryIsSettled.selector, id, 1)
        );
        refused(
            abi.encodeCall(requests.settle, (id, 4)), abi.encodeWithSelector(IRequestsErrors.NoEntry.selector, id, 4)
        );
        vm.prank(PUBLISHER);
        requests.settle(id, 3);
        eq(requests.credit(PUBLISHER), publisherShare() + DEPOSIT, "collected");
        refused(third, abi.encodeWithSelector(IRequestsErrors.EntryIsSettled.selector, id, 3));
        eq(
            address(requests).balance,
            requests.credit(ALICE) + requests.credit(BOB) + requests.credit(PUBLISHER),
            "nothing is left in escrow"
        );
    }

    /// Many commitments to one bad claim cost a deposit each, and the next one in line a single call.
    function test_DeadEntriesCostTheirMaker() public {
        bytes32 id = ask();
        ClaimData memory bad = answer(BOB, 1);
        for (uint256 i = 0; i < 20; ++i) {
            enter(id, bad);
        }
        enter(id, answer(address(0xc0), 1)); // never revealed
        enterAndReveal(id, ALICE, 1);
        postAnswer(bad);
        for (uint256 i = 1; i <= 20; ++i) {
            requests.reveal(id, i, bad, SALT);
        }
        concede(bad);
        vm.prank(ALICE);
        requests.advance(id, 5);
        eq(requests.status(id).head, 6, "as many as were asked for");
        vm.prank(ALICE);
        requests.advance(id, 100);
        eq(requests.status(id).head, 21, "up to the one that may still be paid");
        refused(abi.encodeCall(requests.advance, (id, 100)), wrongPhase(id, 21, EntryPhase.Hidden));
        vm.warp(T0 + REVEAL + 1);
        refused(abi.encodeCall(requests.advance, (id, 0)), wrongPhase(id, 21, EntryPhase.Missed));
        vm.prank(ALICE);
        requests.advance(id, 100);
        requests.pay(id);
        eq(requests.credit(ALICE), 22 * DEPOSIT + FEE - publisherShare(), "all deposits");
        eq(requests.credit(BOB), 0, "none back");
        eq(address(requests).balance, requests.credit(ALICE) + requests.credit(PUBLISHER), "nothing left");
    }

    /// A guardian stops claims between others' commitments and reveals: the time to reveal begins anew after the pause, so
    /// nobody's deposit is taken, and the pause ends by itself.
    function test_APauseTakesNoDeposit() public {
        RequestTerms memory t = terms();
        t.deadline = uint40(T0 + 100 days);
        bytes32 id = ask(t, FEE);
        enter(id, answer(address(0xc0), 1)); // missed before the pause
        vm.warp(T0 + 200);
        ClaimData memory d = answer(ALICE, 1);
        enter(id, d);
        vm.warp(T0 + REVEAL + 1);
        vm.prank(GUARDIAN);
        rebut.setPaused(true);
        ClaimData memory during = answer(BOB, 1);
        vm.warp(T0 + REVEAL + 100);
        enter(id, during);
        eq(entryPhaseOf(id, 1), uint256(EntryPhase.Missed), "what was missed before stays so");
        vm.warp(T0 + REVEAL + 20 days);
        eq(entryPhaseOf(id, 2), uint256(EntryPhase.Hidden), "waits");
        eq(requests.entry(id, 2).revealEnds, T0 + REVEAL + 1 + 30 days + REVEAL, "as if it lasted as long as it can");
        requests.advance(id, 3);
        eq(requests.status(id).head, 2, "is not passed");
        vm.prank(GUARDIAN);
        rebut.setPaused(false);
        vm.warp(T0 + REVEAL + 20 days + REVEAL);
        // No other pause can come in between.
        vm.prank(GUARDIAN);
        vm.expectPartialRevert(IRebutErrors.PauseTooEarly.selector);
        rebut.setPaused(true);
        postAnswer(d);
        postAnswer(during);
        requests.reveal(id, 2, d, SALT);
        requests.reveal(id, 3, during, SALT);
        vm.warp(time() + 101);
        requests.pay(id);
        eq(requests.credit(ALICE), DEPOSIT + FEE - publisherShare(), "answered");
        // After the new time an entry is missed as any other, and stays so in the next pause.
        enter(ask(t, FEE + 1), answer(EXECUTOR, 1));
        bytes32 other = ask(t, FEE + 2);
        vm.warp(time() + 2 days);
        vm.prank(GUARDIAN);
        rebut.setPaused(true);
        uint256 order = enter(other, answer(EXECUTOR, 2));
        vm.warp(time() + 30 days + REVEAL);
        eq(entryPhaseOf(other, order), uint256(EntryPhase.Hidden), "last second");
        vm.warp(time() + 1);
        eq(entryPhaseOf(other, order), uint256(EntryPhase.Missed), "the pause ended by itself");
        vm.warp(time() + 1 days);
        vm.prank(GUARDIAN);
        rebut.setPaused(true);
        eq(entryPhaseOf(other, order), uint256(EntryPhase.Missed), "for ever");
    }

    /// One claim may answer two requests, each with its own fee.
    function test_OneClaimForTwoRequests() public {
        bytes32 a = ask();
        bytes32 b = ask(terms(), FEE + 1);
        ClaimData memory d = answer(ALICE, 1);
        enter(a, d);
        enter(b, d);
        vm.warp(T0 + 1);
        postAnswer(d);
        requests.reveal(a, 1, d, SALT);
        requests.reveal(b, 1, d, SALT);
        vm.warp(T0 + 102);
        requests.pay(a);
        requests.pay(b);
        uint256 share = (FEE + 1) * 1_234 / 10_000;
        eq(requests.credit(ALICE), 2 * DEPOSIT + FEE - publisherShare() + FEE + 1 - share, "both");
    }

    function test_WithoutFeeOrPublisher() public {
        RequestTerms memory t = terms();
        (t.publisher, t.publisherBps) = (address(0), 0);
        bytes32 id = ask(t, 0);
        enterAndReveal(id, ALICE, 1);
        vm.warp(time() + 101);
        requests.pay(id);
        eq(requests.credit(ALICE), DEPOSIT, "nothing but the deposit");
    }

    /// Any sequence of ends: the first that survives is paid, or the fee comes back; and the money adds up.
    function testFuzz_HeadsAndRefunds(uint256 seed) public {
        uint256 count = seed % 6;
        RequestTerms memory t = terms();
        bytes32 id = ask(t, FEE);
        uint256 winner = 0;
        for (uint256 i = 1; i <= count; ++i) {
            // 0 final, 1 refuted, 2 and 3 not revealed (3: posted, though)
            uint256 end = (seed >> (8 * i)) % 4;
            ClaimData memory d = answer(address(uint160(0x1000 + i)), 1);
            uint256 order = enter(id, d);
            eq(order, i, "order");
            vm.warp(time() + 1);
            if (end != 2) postAnswer(d);
            if (end < 2) requests.reveal(id, order, d, SALT);
            if (end == 1) concede(d);
            if (end == 0 && winner == 0) winner = i;
        }
        vm.warp(t.deadline + REVEAL + 1);
        if (requests.status(id).phase == RequestPhase.Waiting) requests.advance(id, 10);
        eq(phaseOf(id), uint256(winner == 0 ? RequestPhase.Refundable : RequestPhase.Payable), "phase");
        if (winner == 0) requests.refund(id);
        else requests.pay(id);
        eq(requests.credit(ASKER), winner == 0 ? FEE : 0, "requester");
        uint256 credits = requests.credit(ASKER) + requests.credit(PUBLISHER);
        for (uint256 i = 1; i <= count; ++i) {
            uint256 end = (seed >> (8 * i)) % 4;
            // Paid: what is behind the winner is collected one by one.
            if (!requests.entry(id, i).settled) requests.settle(id, i);
            uint256 credit = requests.credit(address(uint160(0x1000 + i)));
            uint256 fee = i == winner ? FEE - publisherShare() : 0;
            eq(credit, (end == 0 ? DEPOSIT : 0) + fee, "executor");
            credits += credit;
        }
        credits += requests.credit(address(this)); // who advanced and collected
        eq(address(requests).balance, credits, "all escrow is credited");
    }

    function testFuzz_Shares(uint96 fee, uint16 bps) public {
        bps %= 10_001;
        RequestTerms memory t = terms();
        t.publisherBps = bps;
        vm.deal(ASKER, fee);
        bytes32 id = ask(t, fee);
        enterAndReveal(id, ALICE, 1);
        vm.warp(time() + 101);
        requests.pay(id);
        eq(requests.credit(PUBLISHER), uint256(fee) * bps / 10_000, "publisher");
        eq(requests.credit(ALICE) + requests.credit(PUBLISHER), fee + DEPOSIT, "all of it");
    }

    /// Ether that nobody accounts for is refused.
    function test_PlainEtherIsRefused() public {
        refused(ASKER, 1, "", "");
    }
}
