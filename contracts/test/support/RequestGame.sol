// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Build} from "./Build.sol";
import {ClaimData, TensorData} from "../../src/interfaces/RebutTypes.sol";
import {Game} from "./Game.sol";
import {IRequests} from "../../src/interfaces/IRequests.sol";
import {RebutResult} from "../../src/RebutResult.sol";
import {RequestTerms} from "../../src/interfaces/RequestTypes.sol";
import {Tree, Trees} from "./Tree.sol";
import {deployer} from "./Deployer.sol";
import {time} from "./Clock.sol";
import {vm} from "../Vm.sol";

/// Requests on a small program (three u8 in, five f32 out) whose claims nobody disputes: a claim is final 101 seconds
/// after it was posted, and its executor refutes it by conceding.
abstract contract RequestGame is Game {
    uint256 internal constant DEPOSIT = 0.5 ether + 1;
    uint256 internal constant REVEAL = 300;
    uint256 internal constant FEE = 1 ether + 3;
    uint256 internal constant COMMIT_SECONDS = 1000;
    address internal constant ASKER = address(0xa5ce);
    address internal constant PUBLISHER = address(0x9b11);
    bytes internal constant INPUT = hex"010203";
    // The largest is at index 1.
    bytes internal constant OUTPUT = hex"bf8000004000000040000000800000003f000000";
    bytes internal constant OTHER_OUTPUT = hex"bf8000004000000040000000800000003f000001";

    IRequests internal requests;
    bytes internal header;
    uint64 internal answers;

    function setUp() public virtual override {
        super.setUp();
        requests = IRequests(deployRequests(address(rebut), DEPOSIT, REVEAL));
        bytes memory tensors = bytes.concat(Build.tensor(2, Build.dims(3)), Build.tensor(1, Build.dims(1, 5)));
        header = Build.header(2, 1, 1, tensors, keccak256("d"));
        rebut.register(header);
        vm.deal(ASKER, 1000 ether);
    }

    function deployRequests(address rebut_, uint256 deposit, uint256 reveal) internal returns (address) {
        return deployer.deployCode("Requests.sol:Requests", abi.encode(rebut_, deposit, reveal));
    }

    // ---------------------------------------------------------------- content

    function terms() internal view returns (RequestTerms memory t) {
        t.deadline = uint40(time() + COMMIT_SECONDS);
        t.publisher = PUBLISHER;
        t.publisherBps = 1_234;
    }

    function one(bytes memory data, bytes32 root) internal pure returns (TensorData[] memory tensors) {
        tensors = new TensorData[](1);
        tensors[0] = TensorData(data, root);
    }

    function inputRoot() internal pure returns (bytes32) {
        return Trees.root(Trees.fromBytes(INPUT));
    }

    function answer(address executor, uint64 nonce) internal view returns (ClaimData memory d) {
        d = ClaimData(executor, header, new bytes32[](1), new bytes32[](1), nonce);
        d.inputRoots[0] = inputRoot();
        d.outputRoots[0] = Trees.root(Trees.fromBytes(OUTPUT));
    }

    // ---------------------------------------------------------------- calls

    function ask(RequestTerms memory t, uint256 fee) internal returns (bytes32) {
        vm.prank(ASKER);
        return requests.request{value: fee}(t, header, one(INPUT, 0));
    }

    function ask() internal returns (bytes32) {
        return ask(terms(), FEE);
    }

    /// A commitment to a claim that is not posted yet; the salt is SALT.
    function enter(bytes32 id, ClaimData memory d) internal returns (uint256) {
        bytes32 commitment = requests.commitmentOf(id, d.executor, rebut.claimIdOf(d), SALT);
        vm.deal(d.executor, d.executor.balance + DEPOSIT);
        vm.prank(d.executor);
        return requests.commit{value: DEPOSIT}(id, commitment);
    }

    function postAnswer(ClaimData memory d, TensorData[] memory inputs) internal {
        vm.deal(d.executor, d.executor.balance + BE);
        vm.prank(d.executor);
        bytes32 claimId = rebut.claim{value: BE}(d.header, inputs, one(OUTPUT, 0), d.nonce);
        eq(claimId, rebut.claimIdOf(d), "claim id");
    }

    function postAnswer(ClaimData memory d) internal {
        postAnswer(d, one(INPUT, 0));
    }

    /// An entry whose claim is posted a second later and revealed at once.
    function enterAndReveal(bytes32 id, address executor, uint64 nonce)
        internal
        returns (ClaimData memory d, uint256 order)
    {
        d = answer(executor, nonce);
        order = enter(id, d);
        vm.warp(time() + 1);
        postAnswer(d);
        requests.reveal(id, order, d, SALT);
    }

    /// The request has been answered by ALICE; her claim is final.
    function answered(RequestTerms memory t) internal returns (bytes32 id, ClaimData memory d) {
        id = ask(t, FEE);
        (d,) = enterAndReveal(id, ALICE, ++answers);
        vm.warp(time() + 101);
        yes(rebut.isFinal(rebut.claimIdOf(d)), "final");
    }

    function concede(ClaimData memory d) internal {
        vm.prank(d.executor);
        rebut.concede(d);
    }

    // ---------------------------------------------------------------- checks

    function publisherShare() internal pure returns (uint256) {
        return FEE * 1_234 / 10_000;
    }

    /// How OTHER_OUTPUT is refused where OUTPUT was claimed.
    function wrongOutput() internal pure returns (bytes memory) {
        bytes32 computed = Trees.root(Trees.fromBytes(OTHER_OUTPUT));
        bytes32 claimed = Trees.root(Trees.fromBytes(OUTPUT));
        return abi.encodeWithSelector(RebutResult.WrongOutput.selector, computed, claimed);
    }

    /// The call must revert with exactly this error.
    function refused(address from, uint256 value, bytes memory call_, bytes memory expected) internal {
        vm.deal(from, from.balance + value);
        vm.prank(from);
        (bool ok, bytes memory data) = address(requests).call{value: value}(call_);
        yes(!ok, "accepted");
        if (keccak256(data) == keccak256(expected)) return;
        assembly ("memory-safe") {
            revert(add(data, 0x20), mload(data))
        }
    }

    function refused(bytes memory call_, bytes memory expected) internal {
        refused(BOB, 0, call_, expected);
    }
}
