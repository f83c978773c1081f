// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Assert} from "./Assert.sol";
import {Chain, Chains, Trace} from "./Chain.sol";
import {
    ClaimData,
    DisputePhase,
    DisputeStatus,
    Parameters,
    Stage,
    TensorData
} from "../../src/interfaces/RebutTypes.sol";
import {IRebut} from "../../src/interfaces/IRebut.sol";
import {Tree, Trees} from "./Tree.sol";
import {deployer, deployAdjudicator} from "./Deployer.sol";
import {vm} from "../Vm.sol";

/// Plays whole games: knows both traces and makes the forced moves.
abstract contract Game is Assert {
    using Chains for Chain;
    using Trees for Tree;

    address internal constant EXECUTOR = address(0xe0e0);
    address internal constant ALICE = address(0xa11ce);
    address internal constant BOB = address(0xb0b);
    address internal constant BURN = address(0xdead);
    address internal constant HELPER = address(0x4e1);
    address internal constant GUARDIAN = address(0x96a);
    uint256 internal constant CAP = 100 gwei;
    bytes32 internal constant SALT = keccak256("salt");
    uint96 internal constant BE = 10 ether + 1;
    uint96 internal constant BC = 3 ether + 1;
    uint256 internal constant T0 = 1_000_000;

    IRebut internal rebut;
    address internal judge;

    function setUp() public virtual {
        judge = deployAdjudicator();
        rebut = IRebut(deployer.deployCode("Rebut.sol:Rebut", abi.encode(params(), judge)));
        vm.warp(T0);
        vm.deal(EXECUTOR, 100 ether);
        vm.deal(ALICE, 100 ether);
        vm.deal(BOB, 100 ether);
    }

    function params() internal pure returns (Parameters memory) {
        return Parameters({
            windowSeconds: 100,
            openSeconds: 50,
            commitSeconds: 60,
            clockSeconds: 340,
            stepSeconds: 30,
            exclusiveSeconds: 15,
            leavesPerSecond: type(uint32).max,
            burnBps: 6_000,
            executorBond: BE,
            challengerBond: BC,
            gasPriceCap: uint64(CAP),
            traceCost: 0.01 ether,
            burnAddress: BURN,
            guardian: GUARDIAN
        });
    }

    function burnShare(uint256 bond) internal pure returns (uint256) {
        return (bond * 6_000 + 9_999) / 10_000;
    }

    /// Registers (once) and claims with all bytes given.
    function post(Chain memory c, Trace memory t) internal returns (ClaimData memory d, bytes32 claimId) {
        return postFrom(c, t, BE, 7);
    }

    /// The same with another value sent and another nonce.
    function postFrom(Chain memory c, Trace memory t, uint256 value, uint64 nonce)
        internal
        returns (ClaimData memory d, bytes32 claimId)
    {
        d = c.claimData(EXECUTOR, t);
        d.nonce = nonce;
        if (rebut.publisher(keccak256(c.header)) == address(0)) rebut.register(c.header);
        TensorData[] memory inputs = new TensorData[](1);
        inputs[0].data = c.honest.values[0];
        TensorData[] memory outputs = new TensorData[](1);
        outputs[0].data = t.values[c.count - 1];
        vm.prank(EXECUTOR);
        claimId = rebut.claim{value: value}(c.header, inputs, outputs, d.nonce);
        eq(claimId, rebut.claimIdOf(d), "claim id");
    }

    function hashOf(bytes32 claimId, address who, Trace memory t) internal view returns (bytes32) {
        return rebut.challengeHashOf(claimId, who, t.tree.root(), SALT);
    }

    function challengeAs(address who, bytes32 claimId, Trace memory t) internal {
        bytes32 hash = hashOf(claimId, who, t);
        vm.prank(who);
        rebut.challenge{value: BC}(claimId, hash);
    }

    function openAs(Chain memory c, ClaimData memory d, address who, Trace memory t) internal returns (bytes32) {
        uint256 last = c.count - 1;
        return rebut.open(d, who, t.tree.root(), SALT, 0, t.tensors[last].root(), t.tree.proof(last));
    }

    function commitAs(Chain memory c, ClaimData memory d, Trace memory t) internal {
        uint256 depth = t.tree.depthOf();
        bytes32[] memory proof = t.tree.proof(c.count - 1);
        bytes32[] memory list = t.tree.below(0, depth, depth < 4 ? depth : 4);
        vm.prank(EXECUTOR);
        rebut.commit(d, t.tree.root(), proof, list);
    }

    /// Claim by `e`, challenge by ALICE with `a`, opened and committed.
    function start(Chain memory c, Trace memory e, Trace memory a)
        internal
        returns (ClaimData memory d, bytes32 claimId, bytes32 id)
    {
        (d, claimId) = post(c, e);
        challengeAs(ALICE, claimId, a);
        vm.warp(T0 + 101);
        id = openAs(c, d, ALICE, a);
        vm.warp(T0 + 151);
        commitAs(c, d, e);
    }

    /// One turn of whoever is to move. False if there is none.
    function turn(Chain memory c, ClaimData memory d, bytes32 id, Trace memory e, Trace memory a)
        internal
        returns (bool)
    {
        DisputeStatus memory s = rebut.dispute(id);
        if (s.phase != DisputePhase.Moving) return false;
        (Trace memory own, Trace memory other) = s.challengerToMove ? (a, e) : (e, a);
        uint256 r = s.position.remaining;
        if (s.position.stage == Stage.Tensor && r == 0) {
            _revealLeaf(id, s, own, other);
            return true;
        }
        bool tensor = s.position.stage == Stage.Tensor;
        Tree memory mine = tensor ? own.tensors[s.position.value] : own.tree;
        Tree memory theirs = tensor ? other.tensors[s.position.value] : other.tree;
        uint256 levels = r < 4 ? r : 4;
        uint256 index = difference(mine, theirs, s.position.index, r, levels);
        bytes32[] memory path = mine.path(theirs, s.position.index, r, levels, index);
        uint256 child = (uint256(s.position.index) << levels) + index;
        if (tensor || r > 4) {
            uint256 below = r - levels;
            bytes32[] memory list = tensor && below == 0
                ? Trees.leafWords(own.values[s.position.value], child)
                : mine.below(child, below, below < 4 ? below : 4);
            rebut.move(id, index, path, list);
        } else {
            _enter(c, d, id, own, index, child, path);
        }
        return true;
    }

    function play(Chain memory c, ClaimData memory d, bytes32 id, Trace memory e, Trace memory a) internal {
        while (turn(c, d, id, e, a)) vm.warp(block.timestamp + 1);
    }

    function step(Chain memory c, ClaimData memory d, bytes32 id, Trace memory e) internal {
        DisputeStatus memory s = rebut.dispute(id);
        yes(s.phase == DisputePhase.Stepping, "stepping");
        uint256 v = s.position.value;
        rebut.step(id, d, e.tree.root(), c.descriptors[v], c.descriptorTree.proof(v), c.witness(e, v, s.position.index));
    }

    function settleAs(ClaimData memory d, bytes32 claimId, address who, Trace memory t) internal {
        rebut.settle(d, who, hashOf(claimId, who, t), t.tree.root(), SALT);
    }

    /// When everything is settled: nothing is left in escrow, and all is paid.
    function solvent() internal {
        uint256 credits = rebut.credit(EXECUTOR) + rebut.credit(ALICE) + rebut.credit(BOB) + rebut.credit(HELPER)
            + rebut.credit(BURN);
        eq(address(rebut).balance, credits, "nothing is left in escrow");
        address[5] memory all = [EXECUTOR, ALICE, BOB, HELPER, BURN];
        for (uint256 i = 0; i < 5; ++i) {
            uint256 credit = rebut.credit(all[i]);
            if (credit == 0) continue;
            vm.prank(all[i]);
            rebut.withdraw(all[i], credit);
        }
        eq(address(rebut).balance, 0, "all paid");
    }

    function difference(Tree memory a, Tree memory b, uint256 node, uint256 remaining, uint256 levels)
        internal
        pure
        returns (uint256 index)
    {
        while (true) {
            uint256 child = (node << levels) + index;
            if (a.levels[remaining - levels][child] != b.levels[remaining - levels][child]) return index;
            ++index;
        }
    }

    function toLeaf(bytes memory data, uint256 i) internal pure returns (bytes32[16] memory leaf) {
        bytes32[] memory words = Trees.leafWords(data, i);
        for (uint256 k = 0; k < 16; ++k) {
            leaf[k] = words[k];
        }
    }

    function _revealLeaf(bytes32 id, DisputeStatus memory s, Trace memory own, Trace memory other) private {
        uint256 v = s.position.value;
        rebut.revealLeaf(id, toLeaf(own.values[v], s.position.index), toLeaf(other.values[v], s.position.index));
    }

    function _enter(
        Chain memory c,
        ClaimData memory d,
        bytes32 id,
        Trace memory own,
        uint256 index,
        uint256 value,
        bytes32[] memory path
    ) private {
        bytes32[] memory list;
        bytes32[] memory proof;
        bytes memory descriptor;
        if (value < c.count) {
            descriptor = c.descriptors[value];
            proof = c.descriptorTree.proof(value);
        }
        if (value >= 2 && value < c.count && descriptor[0] == 0x02) {
            Tree memory t = own.tensors[value];
            uint256 depth = t.depthOf();
            list = depth == 0 ? Trees.leafWords(own.values[value], 0) : t.below(0, depth, depth < 4 ? depth : 4);
        } else {
            list = new bytes32[](1);
            list[0] = own.tree.levels[0][value];
        }
        rebut.enter(id, d, index, path, descriptor, proof, list);
    }
}
