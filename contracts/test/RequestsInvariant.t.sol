// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ClaimData} from "../src/interfaces/RebutTypes.sol";
import {RequestPhase, RequestStatus, RequestTerms} from "../src/interfaces/RequestTypes.sol";
import {RequestGame} from "./support/RequestGame.sol";
import {Target} from "./support/Target.sol";
import {time} from "./support/Clock.sol";
import {vm} from "./Vm.sol";

/// Plays everybody on a few requests at once, in any order, and keeps its own books.
contract RequestsHandler is RequestGame {
    struct Answer {
        bytes32 id;
        uint256 order;
        ClaimData claim;
        bool posted;
    }

    Target public target;
    bytes32[] public ids;
    Answer[] internal _answers;
    address[] public accounts;

    uint256 public paidIn;
    uint256 public withdrawn;
    mapping(bytes32 id => uint256) public feesPaid; // times that a request's fee was paid or refunded
    mapping(bytes32 id => uint256) public deliveries;
    uint256 public depositsLeft; // deposits that have not become credits

    function start() external {
        super.setUp();
        target = new Target();
        for (uint256 i = 0; i < 4; ++i) {
            accounts.push(address(uint160(0x2000 + i)));
        }
        accounts.push(ASKER);
        accounts.push(PUBLISHER);
    }

    function idCount() external view returns (uint256) {
        return ids.length;
    }

    function requestsAddress() external view returns (address) {
        return address(requests);
    }

    function creditOf(address account) external view returns (uint256) {
        return requests.credit(account);
    }

    function deliveredOf(bytes32 id) external view returns (bool) {
        return requests.status(id).delivered;
    }

    /// Fees of requests that are neither paid nor refunded.
    function feesInEscrow() external view returns (uint256 sum) {
        for (uint256 i = 0; i < ids.length; ++i) {
            RequestStatus memory s = requests.status(ids[i]);
            if (s.phase != RequestPhase.Paid && s.phase != RequestPhase.Refunded) sum += s.fee;
        }
    }

    // ---------------------------------------------------------------- what can happen

    function doRequest(uint96 fee, uint16 bps, bool callback) external {
        if (ids.length == 5) return;
        fee %= 10 ether;
        RequestTerms memory t = terms();
        t.publisherBps = bps % 10_001;
        t.nonce = uint64(ids.length);
        if (callback) (t.target, t.callbackGas) = (address(target), 500_000);
        vm.deal(ASKER, ASKER.balance + fee);
        ids.push(ask(t, fee));
        paidIn += fee;
    }

    function doCommit(uint256 which, uint256 who) external {
        if (ids.length == 0) return;
        bytes32 id = ids[which % ids.length];
        ClaimData memory d = answer(accounts[who % 4], ++answers);
        bytes32 commitment = requests.commitmentOf(id, d.executor, rebut.claimIdOf(d), SALT);
        vm.deal(d.executor, d.executor.balance + DEPOSIT);
        vm.prank(d.executor);
        try requests.commit{value: DEPOSIT}(id, commitment) returns (uint256 order) {
            Answer storage a = _answers.push();
            (a.id, a.order, a.claim) = (id, order, d);
            paidIn += DEPOSIT;
            depositsLeft += DEPOSIT;
        } catch {}
    }

    function doPost(uint256 which) public {
        if (_answers.length == 0) return;
        Answer storage a = _answers[which % _answers.length];
        if (a.posted) return;
        a.posted = true;
        postAnswer(a.claim);
    }

    /// The usual case, which single steps seldom meet: posted later than committed, and revealed.
    function doAnswer(uint256 which) external {
        vm.warp(time() + 1);
        doPost(which);
        doReveal(which);
    }

    function doReveal(uint256 which) public {
        if (_answers.length == 0) return;
        Answer storage a = _answers[which % _answers.length];
        try requests.reveal(a.id, a.order, a.claim, SALT) {} catch {}
    }

    function doConcede(uint256 which) external {
        if (_answers.length == 0) return;
        ClaimData memory d = _answers[which % _answers.length].claim;
        vm.prank(d.executor);
        try rebut.concede(d) {} catch {}
    }

    function doAdvance(uint256 which, uint256 who, uint256 count) external {
        if (ids.length == 0) return;
        bytes32 id = ids[which % ids.length];
        uint256 head = requests.status(id).head;
        vm.prank(accounts[who % 4]);
        try requests.advance(id, count % 4) {
            depositsLeft -= (requests.status(id).head - head) * DEPOSIT;
        } catch {}
    }

    function doSettle(uint256 which, uint256 order, uint256 who) external {
        if (ids.length == 0) return;
        bytes32 id = ids[which % ids.length];
        order %= requests.status(id).entries + 2;
        vm.prank(accounts[who % 4]);
        try requests.settle(id, order) {
            depositsLeft -= DEPOSIT;
        } catch {}
    }

    function doPay(uint256 which) external {
        if (ids.length == 0) return;
        bytes32 id = ids[which % ids.length];
        bool settled = requests.entry(id, requests.status(id).head).settled;
        try requests.pay(id) {
            ++feesPaid[id];
            if (!settled) depositsLeft -= DEPOSIT;
        } catch {}
    }

    function doRefund(uint256 which) external {
        if (ids.length == 0) return;
        bytes32 id = ids[which % ids.length];
        try requests.refund(id) {
            ++feesPaid[id];
        } catch {}
    }

    function doDeliver(uint256 which) external {
        if (_answers.length == 0) return;
        Answer storage a = _answers[which % _answers.length];
        uint256 before = target.calls();
        try requests.deliver(a.id, a.claim, OUTPUT) {
            deliveries[a.id] += target.calls() - before;
        } catch {}
    }

    function doWithdraw(uint256 who) external {
        address account = accounts[who % accounts.length];
        try requests.withdraw(account) returns (uint256 amount) {
            withdrawn += amount;
        } catch {}
    }

    function doWarp(uint16 seconds_) external {
        vm.warp(time() + seconds_ % 400);
    }
}

/// forge-config: default.invariant.runs = 32
/// forge-config: default.invariant.depth = 120
contract RequestsInvariantTest is RequestGame {
    RequestsHandler internal handler;

    function setUp() public override {
        handler = new RequestsHandler();
        handler.start();
    }

    /// Only the handler's actions, not what it inherits.
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function targetSelectors() public view returns (FuzzSelector[] memory all) {
        all = new FuzzSelector[](1);
        all[0].addr = address(handler);
        all[0].selectors = new bytes4[](13);
        all[0].selectors[0] = handler.doRequest.selector;
        all[0].selectors[1] = handler.doCommit.selector;
        all[0].selectors[2] = handler.doPost.selector;
        all[0].selectors[3] = handler.doReveal.selector;
        all[0].selectors[4] = handler.doConcede.selector;
        all[0].selectors[5] = handler.doAdvance.selector;
        all[0].selectors[6] = handler.doSettle.selector;
        all[0].selectors[7] = handler.doPay.selector;
        all[0].selectors[8] = handler.doRefund.selector;
        all[0].selectors[9] = handler.doDeliver.selector;
        all[0].selectors[10] = handler.doWithdraw.selector;
        all[0].selectors[11] = handler.doWarp.selector;
        all[0].selectors[12] = handler.doAnswer.selector;
    }

    function targetContracts() public view returns (address[] memory all) {
        all = new address[](1);
        all[0] = address(handler);
    }

    function credits() internal view returns (uint256 sum) {
        for (uint256 i = 0; i < 6; ++i) {
            sum += handler.creditOf(handler.accounts(i));
        }
    }

    /// Balance = fees and deposits in escrow + credits; deposits in = escrow + credits + paid out. A fee is paid or refunded
    /// at most once, and an output is delivered at most once.
    function invariant_solventAndOnceEach() public view {
        uint256 escrow = handler.feesInEscrow() + handler.depositsLeft();
        eq(handler.requestsAddress().balance, escrow + credits(), "balance = escrow + credits");
        eq(handler.paidIn(), escrow + credits() + handler.withdrawn(), "in = escrow + credits + out");
        for (uint256 i = 0; i < handler.idCount(); ++i) {
            bytes32 id = handler.ids(i);
            yes(handler.feesPaid(id) < 2, "fee twice");
            eq(handler.deliveries(id), handler.deliveredOf(id) ? 1 : 0, "deliveries");
        }
    }

    /// The handler can reach every end: a run of it by hand, so that the invariants above are about something.
    function test_TheHandlerReachesEverything() public {
        handler.doRequest(1 ether, 500, true);
        handler.doRequest(2 ether, 0, false);
        handler.doCommit(0, 0); // 0: never revealed
        handler.doCommit(0, 1); // 1: refuted
        handler.doCommit(0, 2); // 2: wins
        handler.doCommit(0, 3); // 3: forfeited
        handler.doCommit(1, 1); // 4: refuted
        handler.doWarp(1);
        for (uint256 i = 1; i < 5; ++i) {
            handler.doPost(i);
            if (i != 3) handler.doReveal(i);
        }
        handler.doConcede(1);
        handler.doConcede(4);
        handler.doWarp(399);
        handler.doAdvance(0, 3, 3);
        handler.doAdvance(1, 3, 1);
        handler.doPay(0);
        handler.doSettle(0, 4, 1);
        handler.doDeliver(2);
        for (uint256 i = 0; i < 3; ++i) {
            handler.doWarp(399);
        }
        handler.doRefund(1);
        for (uint256 i = 0; i < 6; ++i) {
            handler.doWithdraw(i);
        }
        eq(handler.feesPaid(handler.ids(0)), 1, "paid");
        eq(handler.feesPaid(handler.ids(1)), 1, "refunded");
        eq(handler.deliveries(handler.ids(0)), 1, "delivered");
        eq(handler.depositsLeft(), 0, "no deposit is left");
        eq(handler.requestsAddress().balance, 0, "nothing is left");
        eq(handler.withdrawn(), handler.paidIn(), "all came out");
    }
}
