// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Assert} from "./support/Assert.sol";
import {Build} from "./support/Build.sol";
import {ClaimData, Parameters, TensorData} from "../src/interfaces/RebutTypes.sol";
import {DigitConsumer} from "../src/examples/DigitConsumer.sol";
import {IRebut} from "../src/interfaces/IRebut.sol";
import {Reliance, RebutResult} from "../src/RebutResult.sol";
import {Tree, Trees} from "./support/Tree.sol";
import {deployer, deployAdjudicator} from "./support/Deployer.sol";
import {vm} from "./Vm.sol";

/// A consumer takes a result only when it is final, and only the claimed bytes.
contract ConsumerTest is Assert {
    IRebut internal rebut;
    DigitConsumer internal consumer;
    bytes internal header;

    function setUp() public {
        address judge = deployAdjudicator();
        Parameters memory p = Parameters(
            100, 100, 100, 140, 100, 0, type(uint32).max, 5_000, 1 ether, 1 ether, 0, 0, address(0xdead), address(0)
        );
        rebut = IRebut(deployer.deployCode("Rebut.sol:Rebut", abi.encode(p, judge)));
        header = Build.header(
            2, 1, 1, bytes.concat(Build.tensor(2, Build.dims(3)), Build.tensor(1, Build.dims(1, 5))), keccak256("d")
        );
        rebut.register(header);
        consumer = new DigitConsumer(rebut, keccak256(header), false);
        vm.warp(1000);
        vm.deal(address(this), 10 ether);
    }

    function post(bytes memory output, bool byRoot) internal returns (ClaimData memory d, bytes32 id) {
        d = ClaimData(address(this), header, new bytes32[](1), new bytes32[](1), byRoot ? 1 : 0);
        d.inputRoots[0] = Trees.root(Trees.fromBytes(hex"010203"));
        d.outputRoots[0] = Trees.root(Trees.fromBytes(output));
        TensorData[] memory inputs = new TensorData[](1);
        if (byRoot) inputs[0].root = d.inputRoots[0];
        else inputs[0].data = hex"010203";
        TensorData[] memory outputs = new TensorData[](1);
        outputs[0].data = output;
        id = rebut.claim{value: 1 ether}(header, inputs, outputs, d.nonce);
    }

    function test_OnlyFinalAndOnlyTheClaimedBytes() public {
        // -1, 2, 2, NaN-free, 0.5: the largest is 2, first at index 1.
        bytes memory output = hex"bf8000004000000040000000800000003f000000";
        (ClaimData memory d, bytes32 id) = post(output, false);
        eq(uint256(consumer.reliance(id)), uint256(Reliance.Provisional), "provisional");
        vm.expectRevert(abi.encodeWithSelector(RebutResult.NotFinal.selector, id, Reliance.Provisional));
        consumer.accept(d, 0, output);
        rebut.challenge{value: 1 ether}(id, keccak256("h"));
        eq(uint256(consumer.reliance(id)), uint256(Reliance.Challenged), "challenged");
        vm.warp(1201);
        eq(uint256(consumer.reliance(id)), uint256(Reliance.Final), "never opened");
        bytes memory other = hex"bf8000004000000040000000800000003f000001";
        vm.expectRevert();
        consumer.accept(d, 0, other);
        vm.expectRevert(abi.encodeWithSelector(RebutResult.NoSuchOutput.selector, 1, 1));
        consumer.accept(d, 1, output);
        consumer.accept(d, 0, output);
        eq(consumer.label(), 1, "label");
        eq(consumer.accepted(), 1, "accepted");
        vm.expectRevert(abi.encodeWithSelector(DigitConsumer.AlreadyAccepted.selector, id));
        consumer.accept(d, 0, output);
    }

    function test_UnpublishedInputsNeedOptIn() public {
        bytes memory output = hex"ff800000ff800000ff800000ff800000ff800000";
        (ClaimData memory d, bytes32 id) = post(output, true);
        vm.warp(1101);
        vm.expectRevert(abi.encodeWithSelector(RebutResult.InputsNotPublished.selector, id));
        consumer.accept(d, 0, output);
        eq(uint256(consumer.reliance(keccak256("no"))), uint256(Reliance.Unknown), "unknown");
    }

    function test_RefutedNeverReachesAConsumer() public {
        bytes memory output = hex"0000000080000000000000000000000000000000";
        (ClaimData memory d, bytes32 id) = post(output, false);
        rebut.concede(d);
        vm.warp(5000);
        eq(uint256(consumer.reliance(id)), uint256(Reliance.Refuted), "refuted");
        vm.expectRevert(abi.encodeWithSelector(RebutResult.NotFinal.selector, id, Reliance.Refuted));
        consumer.accept(d, 0, output);
    }
}
