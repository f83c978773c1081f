// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ClaimData, ClaimPhase, Outcome, TensorData, Verdict} from "../src/interfaces/RebutTypes.sol";
import {Chain, Chains, Trace} from "./support/Chain.sol";
import {Game} from "./support/Game.sol";
import {IRebutErrors} from "../src/interfaces/IRebutErrors.sol";
import {IRebutEvents} from "../src/interfaces/IRebutEvents.sol";
import {Tree, Trees} from "./support/Tree.sol";
import {Vm, vm} from "./Vm.sol";
import {deployer} from "./support/Deployer.sol";
import {IRebut} from "../src/interfaces/IRebut.sol";
import {Parameters} from "../src/interfaces/RebutTypes.sol";
import {time} from "./support/Clock.sol";

/// Many claims in one transaction, each disputable, finalisable and readable alone.
contract BatchesTest is Game {
    using Chains for Chain;
    using Trees for Tree;

    /// The nonce of an item of a batch that is posted now.
    function itemNonce(uint256 count, uint256 index) internal view returns (uint64) {
        return uint64((1 << 63) + (time() << 28) + (count << 14) + index);
    }

    struct Posted {
        bytes32 id;
        ClaimData[] claims;
        Tree tree;
        uint32 count;
    }

    /// A batch whose item `liar` is `lie`, all others honest.
    function postBatch(Chain memory c, uint32 count, uint256 liar, Trace memory lie)
        internal
        returns (Posted memory b)
    {
        if (rebut.publisher(keccak256(c.header)) == address(0)) rebut.register(c.header);
        bytes memory items;
        bytes32[] memory ids = new bytes32[](count);
        b.claims = new ClaimData[](count);
        b.count = count;
        for (uint256 i = 0; i < count; ++i) {
            Trace memory t = i == liar ? lie : c.honest;
            items = bytes.concat(items, c.honest.values[0], t.values[c.count - 1]);
            b.claims[i] = c.claimData(EXECUTOR, t);
            b.claims[i].nonce = itemNonce(count, i);
            ids[i] = rebut.claimIdOf(b.claims[i]);
        }
        b.tree = Trees.fromLeaves(ids, 0);
        vm.deal(EXECUTOR, count * uint256(BE));
        vm.prank(EXECUTOR);
        bytes32 root;
        (b.id, root) = rebut.claimBatch{value: count * uint256(BE)}(c.header, count, items);
        eq(root, b.tree.root(), "items root");
    }

    function phaseOf(Posted memory b, uint256 i) internal view returns (uint256) {
        return uint256(rebut.itemPhase(b.claims[i], b.tree.root(), b.count, b.tree.proof(i)));
    }

    function extract(Posted memory b, uint256 i) internal returns (bytes32) {
        return rebut.extract(b.claims[i], b.tree.root(), b.count, b.tree.proof(i));
    }

    function finalizeAll(Chain memory c, Posted memory b) internal {
        rebut.finalizeBatch(EXECUTOR, keccak256(c.header), b.tree.root(), b.count);
    }

    function test_ItemsBecomeFinalTogether() public {
        Chain memory c = Chains.make(4, 5);
        Posted memory b = postBatch(c, 3, 3, c.honest);
        vm.warp(T0 + 100);
        for (uint256 i = 0; i < 3; ++i) {
            eq(phaseOf(b, i), uint256(ClaimPhase.Window), "window");
        }
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.WrongPhase.selector, b.id, ClaimPhase.Window));
        finalizeAll(c, b);
        vm.warp(T0 + 101);
        eq(phaseOf(b, 2), uint256(ClaimPhase.Final), "final before anybody says so");
        finalizeAll(c, b);
        eq(rebut.credit(EXECUTOR), 3 * uint256(BE), "all bonds");
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.WrongPhase.selector, b.id, ClaimPhase.Final));
        finalizeAll(c, b);
        // An item that is read later: final, and without a bond that could be paid again.
        bytes32 claimId = extract(b, 1);
        yes(rebut.isFinal(claimId), "readable alone");
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.WrongPhase.selector, claimId, ClaimPhase.Final));
        rebut.finalize(b.claims[1]);
        solvent();
    }

    /// C28: a dispute over one item touches no other.
    function test_OneItemIsRefutedAlone() public {
        Chain memory c = Chains.make(4, 10);
        Trace memory lie = c.altered(2, 3, 1000, 1);
        Posted memory b = postBatch(c, 5, 2, lie);
        bytes32 claimId = extract(b, 2);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.ClaimExists.selector, claimId));
        extract(b, 2);
        extract(b, 4);
        challengeAs(ALICE, claimId, c.honest);
        vm.warp(T0 + 101);
        bytes32 id = openAs(c, b.claims[2], ALICE, c.honest);
        finalizeAll(c, b);
        eq(rebut.credit(EXECUTOR), 3 * uint256(BE), "the extracted items' bonds stay");
        eq(phaseOf(b, 0), uint256(ClaimPhase.Final), "others are final meanwhile");
        eq(phaseOf(b, 2), uint256(ClaimPhase.Opening), "this one is not");
        rebut.finalize(b.claims[4]);
        vm.warp(T0 + 151);
        commitAs(c, b.claims[2], lie);
        play(c, b.claims[2], id, lie, c.honest);
        step(c, b.claims[2], id, lie);
        eq(uint256(rebut.dispute(id).verdict), uint256(Verdict.ChallengerWon), "verdict");
        eq(phaseOf(b, 2), uint256(ClaimPhase.Refuted), "refuted");
        settleAs(b.claims[2], claimId, ALICE, c.honest);
        eq(rebut.credit(EXECUTOR), 4 * uint256(BE), "the others' bonds are back");
        eq(rebut.credit(ALICE), BC + BE - burnShare(BE), "reward");
        solvent();
    }

    /// An item extracted after the window, before the release: final, with its own bond.
    function test_ExtractedLateKeepsItsBond() public {
        Chain memory c = Chains.make(4, 5);
        Posted memory b = postBatch(c, 2, 2, c.honest);
        vm.warp(T0 + 101);
        bytes32 claimId = extract(b, 0);
        yes(rebut.isFinal(claimId), "final");
        finalizeAll(c, b);
        eq(rebut.credit(EXECUTOR), BE, "one bond");
        rebut.finalize(b.claims[0]);
        eq(rebut.credit(EXECUTOR), 2 * uint256(BE), "both bonds");
        eq(uint256(rebut.status(claimId).outcome), uint256(Outcome.Final), "outcome");
        solvent();
    }

    function test_Refusals() public {
        Chain memory c = Chains.make(4, 5);
        bytes memory items = new bytes(2 * 40);
        vm.startPrank(EXECUTOR);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.NotRegistered.selector, keccak256(c.header)));
        rebut.claimBatch{value: 2 * uint256(BE)}(c.header, 2, items);
        rebut.register(c.header);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.WrongBond.selector, BE, 2 * uint256(BE)));
        rebut.claimBatch{value: BE}(c.header, 2, items);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.WrongItemCount.selector, 0, 16383));
        rebut.claimBatch(c.header, 0, "");
        uint32 many = 1 << 14;
        vm.deal(EXECUTOR, many * uint256(BE));
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.WrongItemCount.selector, many, 16383));
        rebut.claimBatch{value: many * uint256(BE)}(c.header, many, items);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.WrongItemsSize.selector, 79, 80));
        rebut.claimBatch{value: 2 * uint256(BE)}(c.header, 2, new bytes(79));
        (bytes32 id, bytes32 root) = rebut.claimBatch{value: 2 * uint256(BE)}(c.header, 2, items);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.ClaimExists.selector, id));
        rebut.claimBatch{value: 2 * uint256(BE)}(c.header, 2, items);
        vm.stopPrank();
        // Another's batch, another place, another content.
        Posted memory b;
        b.claims = new ClaimData[](2);
        bytes32[] memory ids = new bytes32[](2);
        for (uint256 i = 0; i < 2; ++i) {
            b.claims[i] = c.claimData(EXECUTOR, c.honest);
            b.claims[i].inputRoots[0] = Trees.root(Trees.fromBytes(new bytes(20)));
            b.claims[i].outputRoots[0] = b.claims[i].inputRoots[0];
            b.claims[i].nonce = itemNonce(2, i);
            ids[i] = rebut.claimIdOf(b.claims[i]);
        }
        b.tree = Trees.fromLeaves(ids, 0);
        b.count = 2;
        eq(root, b.tree.root(), "root");
        vm.expectPartialRevert(IRebutErrors.WrongRoot.selector);
        rebut.extract(b.claims[0], root, 2, b.tree.proof(1));
        // Another's batch; a batch of one item in which the item would be the root.
        vm.expectPartialRevert(IRebutErrors.NoBatch.selector);
        rebut.extract(b.claims[0], ids[0], 1, new bytes32[](0));
        b.claims[1].executor = ALICE;
        vm.expectPartialRevert(IRebutErrors.WrongRoot.selector);
        extract(b, 1);
        extract(b, 0);
    }

    /// Clocks depend on the number of a batch's items, so one content at one place of two batches of one second is one claim only
    /// where these have as many items: a final item has no twin that is not final yet.
    function test_BatchesOfOneSecondShareNoItemWithOtherClocks() public {
        Chain memory c = Chains.make(4, 5);
        Posted memory short = postBatch(c, 1, 1, c.honest);
        Posted memory long = postBatch(c, 5, 5, c.honest);
        yes(rebut.claimIdOf(short.claims[0]) != rebut.claimIdOf(long.claims[0]), "other claims");
    }

    /// What an item's id stands for can be posted by its batch only: whatever its executor posts later, a final item stays
    /// final, before it is extracted and afterwards.
    function test_ItemsAreNeverPostedAlone() public {
        Chain memory c = Chains.make(4, 5);
        Posted memory b = postBatch(c, 2, 2, c.honest);
        vm.deal(EXECUTOR, 100 ether);
        TensorData[] memory inputs = new TensorData[](1);
        TensorData[] memory outputs = new TensorData[](1);
        (inputs[0].data, outputs[0].data) = (c.honest.values[0], c.honest.values[3]);
        uint64 nonce = b.claims[0].nonce;
        vm.warp(T0 + 101);
        finalizeAll(c, b);
        bytes memory reserved = abi.encodeWithSelector(IRebutErrors.ReservedNonce.selector, nonce);
        vm.startPrank(EXECUTOR);
        vm.expectRevert(reserved);
        rebut.claim{value: BE}(c.header, inputs, outputs, nonce);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.ReservedNonce.selector, uint64(1 << 63)));
        rebut.claim{value: BE}(c.header, inputs, outputs, 1 << 63);
        vm.stopPrank();
        // The same content in a later batch is other claims.
        Posted memory later = postBatch(c, 2, 2, c.honest);
        yes(later.id != b.id && rebut.claimIdOf(later.claims[0]) != rebut.claimIdOf(b.claims[0]), "other ids");
        bytes32 claimId = extract(later, 0);
        vm.prank(EXECUTOR);
        rebut.concede(later.claims[0]);
        eq(uint256(rebut.status(claimId).phase), uint256(ClaimPhase.Refuted), "the later one");
        eq(phaseOf(b, 0), uint256(ClaimPhase.Final), "the first one stays final");
        claimId = extract(b, 0);
        vm.prank(EXECUTOR);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.WrongPhase.selector, claimId, ClaimPhase.Final));
        rebut.concede(b.claims[0]);
        eq(phaseOf(b, 0), uint256(ClaimPhase.Final), "and as a claim");
    }

    /// One content at one place of two batches of one second and as many items is one claim, with one end and one bond; the other comes back.
    function test_OneContentTwiceInASecondIsOneClaim() public {
        Chain memory c = Chains.make(4, 5);
        Posted memory b = postBatch(c, 2, 2, c.honest);
        Posted memory other = postBatch(c, 2, 1, c.altered(2, 3, 1000, 1));
        yes(other.id != b.id, "two batches");
        bytes32 claimId = extract(b, 0);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.ClaimExists.selector, claimId));
        extract(other, 0);
        vm.prank(EXECUTOR);
        rebut.concede(b.claims[0]);
        eq(phaseOf(other, 0), uint256(ClaimPhase.Refuted), "refuted in both");
        vm.warp(T0 + 101);
        finalizeAll(c, b);
        finalizeAll(c, other);
        eq(rebut.credit(EXECUTOR), 4 * uint256(BE) - burnShare(BE), "one of four bonds is lost");
        solvent();
    }

    /// Logs say of an item that was extracted after its batch's end what they say of any final claim.
    function test_ExtractedAfterTheReleaseIsInTheLog() public {
        Chain memory c = Chains.make(4, 5);
        Posted memory b = postBatch(c, 2, 2, c.honest);
        vm.warp(T0 + 101);
        finalizeAll(c, b);
        vm.recordLogs();
        bytes32 claimId = extract(b, 1);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        eq(logs.length, 2, "two events");
        yes(logs[0].topics[0] == IRebutEvents.Extracted.selector && logs[0].topics[1] == claimId, "Extracted");
        yes(logs[1].topics[0] == IRebutEvents.ClaimDecided.selector && logs[1].topics[1] == claimId, "ClaimDecided");
        eq(abi.decode(logs[1].data, (uint256)), uint256(Outcome.Final), "Final");
    }

    /// Whoever checks a batch has the time of as many traces as it has items, and so has who defends it.
    function test_TimeGrowsWithTheItems() public {
        Parameters memory p = params();
        p.leavesPerSecond = 1_000_000;
        rebut = IRebut(deployer.deployCode("Rebut.sol:Rebut", abi.encode(p, judge)));
        Chain memory c = Chains.make(4, 5);
        // The header says 4 << 20 leaves: 4 seconds alone, 41 for ten of them.
        Posted memory b = postBatch(c, 10, 10, c.honest);
        eq(rebut.batch(b.id).windowEnds, T0 + 100 + 41, "window");
        bytes32 claimId = extract(b, 3);
        eq(rebut.status(claimId).windowEnds, T0 + 100 + 41, "an item's window");
        eq(rebut.status(claimId).committingEnds, T0 + 100 + 50 + 60 + 2 * 41, "commitment");
        eq(rebut.longest(c.header, 10), 920 + 4 * 41, "longest");
        eq(rebut.longest(c.header, 1), 920 + 4 * 4, "alone");
        // More traces than there can be time for.
        p.leavesPerSecond = 1;
        rebut = IRebut(deployer.deployCode("Rebut.sol:Rebut", abi.encode(p, judge)));
        rebut.register(c.header);
        vm.deal(EXECUTOR, 2 * uint256(BE));
        vm.prank(EXECUTOR);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.TraceTooLarge.selector, 8 << 20, 90 days));
        rebut.claimBatch{value: 2 * uint256(BE)}(c.header, 2, new bytes(80));
    }

    function testFuzz_RootsOfAnyCount(uint8 count_, uint8 item_) public {
        uint32 count = uint32(count_ % 40) + 1;
        Chain memory c = Chains.make(4, 3);
        Posted memory b = postBatch(c, count, count, c.honest);
        extract(b, item_ % count);
        vm.warp(T0 + 101);
        finalizeAll(c, b);
        rebut.finalize(b.claims[item_ % count]);
        eq(rebut.credit(EXECUTOR), count * uint256(BE), "every bond once");
        solvent();
    }
}
