// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {BatchItem, ClaimData, ClaimPhase, Outcome, Verdict} from "../src/interfaces/RebutTypes.sol";
import {Chain, Chains, Trace} from "./support/Chain.sol";
import {Game} from "./support/Game.sol";
import {IRebutErrors} from "../src/interfaces/IRebutErrors.sol";
import {Tree, Trees} from "./support/Tree.sol";
import {vm} from "./Vm.sol";

/// Many claims in one transaction, each disputable, finalisable and readable alone.
contract BatchesTest is Game {
    using Chains for Chain;
    using Trees for Tree;

    uint64 internal constant NONCE = 100;

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
            b.claims[i].nonce = uint64(NONCE + i);
            ids[i] = rebut.claimIdOf(b.claims[i]);
        }
        b.tree = Trees.fromLeaves(ids, 0);
        vm.deal(EXECUTOR, count * uint256(BE));
        vm.prank(EXECUTOR);
        bytes32 root;
        (b.id, root) = rebut.claimBatch{value: count * uint256(BE)}(c.header, count, items, NONCE);
        eq(root, b.tree.root(), "items root");
    }

    function itemOf(Posted memory b, uint256 index) internal pure returns (BatchItem memory) {
        return BatchItem({itemsRoot: b.tree.root(), count: b.count, nonce: NONCE, index: uint32(index)});
    }

    function phaseOf(Posted memory b, uint256 i) internal view returns (uint256) {
        return uint256(rebut.itemPhase(b.claims[i], itemOf(b, i), b.tree.proof(i)));
    }

    function extract(Posted memory b, uint256 i) internal returns (bytes32) {
        return rebut.extract(b.claims[i], itemOf(b, i), b.tree.proof(i));
    }

    function finalizeAll(Chain memory c, Posted memory b) internal {
        rebut.finalizeBatch(EXECUTOR, c.header, b.tree.root(), b.count, NONCE);
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
        rebut.claimBatch{value: 2 * uint256(BE)}(c.header, 2, items, NONCE);
        rebut.register(c.header);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.WrongBond.selector, BE, 2 * uint256(BE)));
        rebut.claimBatch{value: BE}(c.header, 2, items, NONCE);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.WrongItemCount.selector, 0, NONCE));
        rebut.claimBatch(c.header, 0, "", NONCE);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.WrongItemCount.selector, 2, type(uint64).max - 1));
        rebut.claimBatch{value: 2 * uint256(BE)}(c.header, 2, items, type(uint64).max - 1);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.WrongItemsSize.selector, 79, 80));
        rebut.claimBatch{value: 2 * uint256(BE)}(c.header, 2, new bytes(79), NONCE);
        (bytes32 id, bytes32 root) = rebut.claimBatch{value: 2 * uint256(BE)}(c.header, 2, items, NONCE);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.ClaimExists.selector, id));
        rebut.claimBatch{value: 2 * uint256(BE)}(c.header, 2, items, NONCE);
        vm.stopPrank();
        // Another's batch, another place, another content.
        Posted memory b;
        b.claims = new ClaimData[](2);
        bytes32[] memory ids = new bytes32[](2);
        for (uint256 i = 0; i < 2; ++i) {
            b.claims[i] = c.claimData(EXECUTOR, c.honest);
            b.claims[i].inputRoots[0] = Trees.root(Trees.fromBytes(new bytes(20)));
            b.claims[i].outputRoots[0] = b.claims[i].inputRoots[0];
            b.claims[i].nonce = uint64(NONCE + i);
            ids[i] = rebut.claimIdOf(b.claims[i]);
        }
        b.tree = Trees.fromLeaves(ids, 0);
        b.count = 2;
        eq(root, b.tree.root(), "root");
        vm.expectPartialRevert(IRebutErrors.WrongRoot.selector);
        rebut.extract(b.claims[0], itemOf(b, 1), b.tree.proof(1));
        BatchItem memory other = itemOf(b, 0);
        other.nonce += 1;
        vm.expectPartialRevert(IRebutErrors.NoBatch.selector);
        rebut.extract(b.claims[0], other, b.tree.proof(0));
        extract(b, 0);
    }

    /// The same content posted alone and in a batch is one claim: challenged where it stands.
    function test_PostedAloneAndInABatch() public {
        Chain memory c = Chains.make(4, 5);
        Posted memory b = postBatch(c, 2, 2, c.honest);
        vm.deal(EXECUTOR, BE);
        ClaimData memory alone = b.claims[0];
        vm.warp(T0 + 50);
        postFrom(c, c.honest, BE, alone.nonce);
        vm.expectRevert(abi.encodeWithSelector(IRebutErrors.ClaimExists.selector, rebut.claimIdOf(alone)));
        extract(b, 0);
        vm.warp(T0 + 101);
        eq(phaseOf(b, 0), uint256(ClaimPhase.Window), "the single claim's window");
        finalizeAll(c, b);
        vm.warp(T0 + 151);
        rebut.finalize(alone);
        eq(rebut.credit(EXECUTOR), 3 * uint256(BE), "three bonds");
        solvent();
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
