// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Chain, Chains, Trace} from "./support/Chain.sol";
import {ClaimData, DisputePhase, Parameters, Stage, TensorData} from "../src/interfaces/RebutTypes.sol";
import {Build} from "./support/Build.sol";
import {Costs} from "../src/game/Costs.sol";
import {Game} from "./support/Game.sol";
import {IRebutErrors} from "../src/interfaces/IRebutErrors.sol";
import {Merkle} from "../src/Merkle.sol";
import {Tree, Trees} from "./support/Tree.sol";
import {deployer} from "./support/Deployer.sol";
import {vm} from "./Vm.sol";

/// What each entry point refuses.
contract RefusalsTest is Game {
    using Chains for Chain;
    using Trees for Tree;

    /// The last call must revert with this error.
    function refused(bytes memory call_, address from, uint256 value, bytes4 selector) internal {
        vm.deal(from, 100 ether);
        vm.prank(from);
        (bool ok, bytes memory data) = address(rebut).call{value: value}(call_);
        yes(!ok, "accepted");
        eq(uint256(uint32(bytes4(data))), uint256(uint32(selector)), "another error");
    }

    function test_Constructor() public {
        for (uint256 i = 0; i < 20; ++i) {
            Parameters memory p = params();
            if (i == 0) p.windowSeconds = 0;
            if (i == 1) p.openSeconds = 11;
            if (i == 2) p.commitSeconds = 0;
            if (i == 3) p.clockSeconds = type(uint32).max;
            if (i == 4) p.stepSeconds = 0;
            if (i == 5) p.burnBps = 4_999;
            if (i == 6) p.burnBps = 10_001;
            if (i == 7) p.executorBond = 0;
            if (i == 8) p.challengerBond = type(uint96).max;
            if (i == 9) p.burnAddress = address(0);
            if (i == 10) p.burnAddress = address(this);
            if (i == 12) (p.clockSeconds, p.exclusiveSeconds) = (131, 0);
            // More than half of the clock in all turns of a side; more than half of the time for the step.
            if (i == 13) (p.stepSeconds, p.exclusiveSeconds) = (60, 16);
            if (i == 19) (p.clockSeconds, p.exclusiveSeconds) = (3_400, 16);
            if (i == 14) p.leavesPerSecond = 0;
            if (i == 15) p.gasPriceCap = 1e15 + 1;
            // Bonds that do not cover what they must pay for.
            if (i == 16) p.gasPriceCap = 1e12;
            if (i == 17) p.traceCost = 1 ether;
            if (i == 18) p.burnBps = 10_000;
            try deployer.deployCode("Rebut.sol:Rebut", abi.encode(p, i == 11 ? address(1234) : judge)) {
                revert("accepted");
            } catch {}
        }
    }

    function test_RegisterAndClaim() public {
        Chain memory c = Chains.make(4, 10);
        TensorData[] memory one = new TensorData[](1);
        one[0].data = c.honest.values[0];
        TensorData[] memory out = new TensorData[](1);
        out[0].data = c.honest.values[3];
        bytes memory good = abi.encodeCall(rebut.claim, (c.header, one, out, 7));
        refused(good, EXECUTOR, BE, IRebutErrors.NotRegistered.selector);
        rebut.register(c.header);
        refused(abi.encodeCall(rebut.register, (c.header)), BOB, 0, IRebutErrors.AlreadyRegistered.selector);
        refused(good, EXECUTOR, BE - 1, IRebutErrors.WrongBond.selector);
        refused(
            abi.encodeCall(rebut.claim, (c.header, new TensorData[](0), out, 7)),
            EXECUTOR,
            BE,
            IRebutErrors.WrongTensorCount.selector
        );
        out[0].data = bytes.concat(c.honest.values[3], hex"00");
        refused(
            abi.encodeCall(rebut.claim, (c.header, one, out, 7)), EXECUTOR, BE, IRebutErrors.WrongTensorSize.selector
        );
        out[0].root = bytes32(uint256(1));
        refused(abi.encodeCall(rebut.claim, (c.header, one, out, 7)), EXECUTOR, BE, IRebutErrors.BytesAndRoot.selector);
        (, bytes32 claimId) = post(c, c.honest);
        refused(good, EXECUTOR, BE, IRebutErrors.ClaimExists.selector);
        yes(!rebut.status(claimId).trustedDataAvailability, "published");
        // Inputs by root only: the same content has the same id, another nonce another; the fact is recorded.
        one[0] = TensorData({data: "", root: c.honest.tensors[0].root()});
        out[0] = TensorData({data: c.honest.values[3], root: 0});
        vm.prank(EXECUTOR);
        claimId = rebut.claim{value: BE}(c.header, one, out, 8);
        yes(rebut.status(claimId).trustedDataAvailability, "trusted");
    }

    /// A program of `values` scalars, of which the first is the input and the last `outputs` are outputs.
    function scalars(uint256 values, uint256 outputs, bytes32 descriptors) internal pure returns (bytes memory header) {
        for (uint256 i = 0; i < 1 + outputs; ++i) {
            header = bytes.concat(header, hex"0200");
        }
        return Build.header(values, 1, uint8(outputs), header, descriptors);
    }

    /// Gas of a call with its calldata, as if no byte of that were zero.
    function costOf(address from, uint256 value, bytes memory call_) internal returns (uint256 used) {
        vm.prank(from);
        used = gasleft();
        (bool ok,) = address(rebut).call{value: value}(call_);
        used -= gasleft();
        yes(ok, "refused");
        return used + 21_000 + 16 * call_.length;
    }

    /// Calls about a claim carry its header and roots: of the largest program they cost little beside a whole game.
    function test_HeadersAreBounded() public {
        bytes memory large = scalars(256, 239, 0);
        refused(abi.encodeCall(rebut.register, (large)), BOB, 0, IRebutErrors.ContentTooLarge.selector);
        // All values are constants, the last one a wrong one in the lie.
        bytes32[] memory roots = new bytes32[](256);
        bytes32[] memory leaves = new bytes32[](256);
        for (uint256 i = 0; i < 256; ++i) {
            roots[i] = keccak256(abi.encode(i));
            leaves[i] = keccak256(abi.encodePacked(keccak256(abi.encodePacked(hex"010200", roots[i]))));
        }
        Tree memory honest = Trees.fromLeaves(roots, 0);
        Tree memory descriptors = Trees.fromLeaves(leaves, 0);
        bytes32 right = roots[255];
        ClaimData memory d;
        d.executor = EXECUTOR;
        d.header = scalars(256, 238, descriptors.root());
        rebut.register(d.header);
        d.inputRoots = new bytes32[](1);
        d.inputRoots[0] = roots[0];
        d.outputRoots = new bytes32[](238);
        TensorData[] memory inputs = new TensorData[](1);
        TensorData[] memory outputs = new TensorData[](238);
        roots[255] = keccak256("lie");
        Tree memory lie = Trees.fromLeaves(roots, 0);
        inputs[0].root = roots[0];
        uint256[] memory indices = new uint256[](238);
        for (uint256 i = 0; i < 238; ++i) {
            (indices[i], outputs[i].root, d.outputRoots[i]) = (18 + i, roots[18 + i], roots[18 + i]);
        }
        vm.prank(EXECUTOR);
        bytes32 claimId = rebut.claim{value: BE}(d.header, inputs, outputs, 0);
        bytes32 hash = rebut.challengeHashOf(claimId, ALICE, honest.root(), SALT);
        uint256 opening = costOf(ALICE, BC, abi.encodeCall(rebut.challenge, (claimId, hash)));
        vm.warp(T0 + 101);
        opening += costOf(
            ALICE, 0, abi.encodeCall(rebut.open, (d, ALICE, honest.root(), SALT, 237, right, honest.proof(255)))
        );
        vm.warp(T0 + 151);
        bytes32[] memory list = lie.below(0, 8, 4);
        uint256 commitment =
            costOf(EXECUTOR, 0, abi.encodeCall(rebut.commit, (d, lie.root(), lie.multiproof(indices), list)));
        bytes32 id = rebut.disputeIdOf(claimId, honest.root());
        list = honest.below(15, 4, 4);
        uint256 move = costOf(ALICE, 0, abi.encodeCall(rebut.move, (id, 15, honest.path(lie, 0, 8, 4, 15), list)));
        bytes32[] memory own = new bytes32[](1);
        own[0] = roots[255];
        bytes memory enter = abi.encodeCall(
            rebut.enter,
            (
                id,
                d,
                15,
                lie.path(honest, 15, 4, 4, 15),
                abi.encodePacked(hex"010200", right),
                descriptors.proof(255),
                own
            )
        );
        uint256 entering = costOf(EXECUTOR, 0, enter);
        // What `enter` costs more than a move is what a step would cost more, too.
        uint256 dearest = opening > commitment ? opening : commitment;
        uint256 game = dearest + Costs.TURNS * 140_000 + 500_000 + 2 * (entering - move);
        yes(game <= Costs.GAME, vm.toString(game));
    }

    /// C23, C39: for somebody else, twice, too early, too late, copied.
    function test_ChallengeOpenCommit() public {
        Chain memory c = Chains.make(5, 10);
        Trace memory lie = c.altered(2, 3, 1000, 1);
        (ClaimData memory d, bytes32 claimId) = post(c, lie);
        bytes32 hash = hashOf(claimId, ALICE, c.honest);
        bytes memory challenge = abi.encodeCall(rebut.challenge, (claimId, hash));
        refused(challenge, ALICE, BC + 1, IRebutErrors.WrongBond.selector);
        // A copied hash does not stand in the original's way, and cannot be opened by its copier.
        vm.prank(BOB);
        rebut.challenge{value: BC}(claimId, hash);
        challengeAs(ALICE, claimId, c.honest);
        refused(challenge, ALICE, BC, IRebutErrors.ChallengeExists.selector);
        bytes32 root = c.honest.tree.root();
        bytes32 output = c.honest.tensors[4].root();
        bytes32[] memory proof = c.honest.tree.proof(4);
        bytes memory open_ = abi.encodeCall(rebut.open, (d, ALICE, root, SALT, 0, output, proof));
        refused(open_, ALICE, 0, IRebutErrors.WrongPhase.selector);
        vm.warp(T0 + 101);
        refused(challenge, ALICE, BC, IRebutErrors.WrongPhase.selector);
        refused(
            abi.encodeCall(rebut.open, (d, BOB, root, SALT, 0, output, proof)),
            BOB,
            0,
            IRebutErrors.NoChallenge.selector
        );
        refused(
            abi.encodeCall(rebut.open, (d, ALICE, root, SALT, 1, output, proof)), BOB, 0, IRebutErrors.NoOutput.selector
        );
        refused(
            abi.encodeCall(rebut.open, (d, ALICE, root, SALT, 0, lie.tensors[4].root(), proof)),
            BOB,
            0,
            IRebutErrors.SameOutput.selector
        );
        refused(
            abi.encodeCall(rebut.open, (d, ALICE, root, SALT, 0, bytes32(uint256(5)), proof)),
            BOB,
            0,
            IRebutErrors.WrongRoot.selector
        );
        bytes memory finalize = abi.encodeCall(rebut.finalize, (d));
        refused(finalize, BOB, 0, IRebutErrors.WrongPhase.selector);
        openAs(c, d, ALICE, c.honest);
        refused(open_, BOB, 0, IRebutErrors.AlreadyOpened.selector);

        bytes32[] memory list = lie.tree.below(0, 3, 3);
        bytes memory commit_ = abi.encodeCall(rebut.commit, (d, lie.tree.root(), lie.tree.proof(4), list));
        refused(commit_, EXECUTOR, 0, IRebutErrors.WrongPhase.selector);
        vm.warp(T0 + 151);
        refused(open_, BOB, 0, IRebutErrors.WrongPhase.selector);
        refused(commit_, BOB, 0, IRebutErrors.NotExecutor.selector);
        refused(
            abi.encodeCall(rebut.commit, (d, root, proof, c.honest.tree.below(0, 3, 3))),
            EXECUTOR,
            0,
            IRebutErrors.WrongRoot.selector
        );
        refused(
            abi.encodeCall(rebut.commit, (d, lie.tree.root(), lie.tree.proof(4), lie.tree.below(0, 3, 2))),
            EXECUTOR,
            0,
            IRebutErrors.WrongListLength.selector
        );
        refused(abi.encodeCall(rebut.concede, (d)), BOB, 0, IRebutErrors.NotExecutor.selector);
        commitAs(c, d, lie);
        refused(commit_, EXECUTOR, 0, IRebutErrors.WrongPhase.selector);
        refused(abi.encodeCall(rebut.settle, (d, ALICE, hash, root, SALT)), ALICE, 0, IRebutErrors.WrongPhase.selector);
    }

    function test_Moves() public {
        Chain memory c = Chains.make(20, 2100);
        Trace memory lie = c.altered(4, 2050, 77, 78);
        (ClaimData memory d, bytes32 claimId, bytes32 id) = start(c, lie, c.honest);
        bytes32[] memory path = c.honest.tree.path(lie.tree, 0, 5, 4, 2);
        bytes32[] memory list = c.honest.tree.below(2, 1, 1);
        refused(
            abi.encodeCall(rebut.move, (bytes32(uint256(1)), 2, path, list)), BOB, 0, IRebutErrors.NoDispute.selector
        );
        // Another child, a changed sibling, a list of another width, a wrong list.
        bytes32[] memory other = c.honest.tree.path(lie.tree, 0, 5, 4, 1);
        bytes4 selector = IRebutErrors.NoDifference.selector;
        refused(abi.encodeCall(rebut.move, (id, 1, other, c.honest.tree.below(1, 1, 1))), BOB, 0, selector);
        other = c.honest.tree.path(lie.tree, 0, 5, 4, 9);
        refused(
            abi.encodeCall(rebut.move, (id, 9, other, c.honest.tree.below(9, 1, 1))),
            BOB,
            0,
            IRebutErrors.WrongNodes.selector
        );
        refused(abi.encodeCall(rebut.move, (id, 18, path, list)), BOB, 0, Merkle.IndexOutOfTree.selector);
        refused(abi.encodeCall(rebut.move, (id, 3, path, list)), BOB, 0, Merkle.WrongProofLength.selector);
        refused(
            abi.encodeCall(rebut.move, (id, 2, path, c.honest.tree.below(2, 1, 0))),
            BOB,
            0,
            IRebutErrors.WrongListLength.selector
        );
        refused(
            abi.encodeCall(rebut.move, (id, 2, path, lie.tree.below(2, 1, 1))),
            BOB,
            0,
            IRebutErrors.NoDifference.selector
        );
        bytes32[16] memory leaf;
        refused(abi.encodeCall(rebut.revealLeaf, (id, leaf, leaf)), BOB, 0, IRebutErrors.WrongStage.selector);
        bytes memory step_ = abi.encodeCall(
            rebut.step, (id, d, lie.tree.root(), c.descriptors[4], c.descriptorTree.proof(4), c.witness(lie, 4, 2050))
        );
        refused(step_, BOB, 0, IRebutErrors.WrongStage.selector);
        turn(c, d, id, lie, c.honest);
        // A copied move.
        refused(abi.encodeCall(rebut.move, (id, 2, path, list)), BOB, 0, IRebutErrors.WrongStage.selector);
        play(c, d, id, lie, c.honest);

        // The step: another descriptor, another value's proof, a broken witness, too little gas.
        refused(
            abi.encodeCall(
                rebut.step,
                (id, d, lie.tree.root(), c.descriptors[5], c.descriptorTree.proof(4), c.witness(lie, 4, 2050))
            ),
            BOB,
            0,
            IRebutErrors.WrongRoot.selector
        );
        (bool ok,) = address(rebut).call{gas: 45_000}(step_);
        yes(!ok && rebut.dispute(id).phase == DisputePhase.Stepping, "out of gas decides nothing");
        d.nonce += 1;
        refused(
            abi.encodeCall(
                rebut.step,
                (id, d, lie.tree.root(), c.descriptors[4], c.descriptorTree.proof(4), c.witness(lie, 4, 2050))
            ),
            BOB,
            0,
            IRebutErrors.WrongClaim.selector
        );
        d.nonce -= 1;
        vm.warp(block.timestamp + 31);
        refused(step_, BOB, 0, IRebutErrors.TooLate.selector);
        rebut.timeout(id);
        refused(step_, BOB, 0, IRebutErrors.WrongStage.selector);
        refused(abi.encodeCall(rebut.timeout, (id)), BOB, 0, IRebutErrors.WrongStage.selector);
        refused(abi.encodeCall(rebut.finalize, (d)), BOB, 0, IRebutErrors.WrongPhase.selector);
        refused(abi.encodeCall(rebut.concede, (d)), EXECUTOR, 0, IRebutErrors.WrongPhase.selector);
        bytes32 hash = hashOf(claimId, ALICE, c.honest);
        bytes32 root = c.honest.tree.root();
        refused(
            abi.encodeCall(rebut.settle, (d, ALICE, hash, lie.tree.root(), SALT)),
            BOB,
            0,
            IRebutErrors.WrongPreimage.selector
        );
        rebut.settle(d, ALICE, hash, root, SALT);
        refused(
            abi.encodeCall(rebut.settle, (d, ALICE, hash, root, SALT)), BOB, 0, IRebutErrors.AlreadySettled.selector
        );
        refused(abi.encodeCall(rebut.withdraw, (ALICE, 1)), BOB, 0, IRebutErrors.NotOwner.selector);
        uint256 credit = rebut.credit(ALICE);
        refused(abi.encodeCall(rebut.withdraw, (ALICE, credit + 1)), ALICE, 0, IRebutErrors.NoCredit.selector);
        vm.prank(ALICE);
        rebut.withdraw(ALICE, credit);
        refused(abi.encodeCall(rebut.withdraw, (ALICE, 1)), ALICE, 0, IRebutErrors.NoCredit.selector);
        refused(abi.encodeCall(rebut.withdraw, (ALICE, 0)), ALICE, 0, IRebutErrors.NoCredit.selector);
    }

    /// C08: an account that refuses ether only stops its own payment.
    function test_RefusingRecipient() public {
        Chain memory c = Chains.make(4, 10);
        (ClaimData memory d,) = post(c, c.honest);
        vm.warp(T0 + 101);
        rebut.finalize(d);
        vm.etch(EXECUTOR, hex"5f5ffd");
        refused(abi.encodeCall(rebut.withdraw, (EXECUTOR, BE)), EXECUTOR, 0, IRebutErrors.PaymentRefused.selector);
        eq(rebut.credit(EXECUTOR), BE, "still there");
    }
}
