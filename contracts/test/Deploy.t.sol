// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Assert} from "./support/Assert.sol";
import {Deploy} from "../script/Deploy.s.sol";
import {Deployment, RebutDeployer} from "../script/RebutDeployer.sol";
import {IRebut} from "../src/interfaces/IRebut.sol";
import {IRequests} from "../src/interfaces/IRequests.sol";
import {cheats} from "../script/Cheats.sol";
import {vm} from "./Vm.sol";

/// The deployment from artifacts, and the file it writes.
contract DeployTest is Assert {
    string internal constant EXAMPLE = "script/parameters.example.json";

    function number(string memory json, string memory key) internal pure returns (uint256) {
        return cheats.parseJsonUint(json, key);
    }

    function test_EverythingIsDeployedAndConnected() public {
        string memory json = cheats.readFile(EXAMPLE);
        Deployment memory d = RebutDeployer.deploy("", EXAMPLE);
        IRebut rebut = IRebut(d.rebut);
        IRequests requests = IRequests(d.requests);
        yes(rebut.adjudicator() == d.adjudicator, "adjudicator");
        yes(address(requests.rebut()) == d.rebut, "rebut");
        yes(requests.forwarder() == d.forwarder, "forwarder");
        eq(requests.deposit(), number(json, ".requests.deposit"), "deposit");
        eq(requests.revealSeconds(), number(json, ".requests.revealSeconds"), "seconds");
        bytes32 wanted = keccak256(abi.encode(RebutDeployer.rebutParameters(json)));
        eq(keccak256(abi.encode(rebut.parameters())), wanted, "parameters");
    }

    function test_TheAddressesFileIsJson() public {
        Deploy script = new Deploy();
        Deployment memory d = Deployment(address(1), address(2), address(3), address(4), address(5));
        string memory file = script.addressesFile(d, 77, cheats.readFile(EXAMPLE));
        eq(number(file, ".format"), 1, "format");
        eq(number(file, ".chainId"), block.chainid, "chain");
        eq(number(file, ".fromBlock"), 77, "block");
        yes(cheats.parseJsonAddress(file, ".contracts.elementary") == address(1), "elementary");
        yes(cheats.parseJsonAddress(file, ".contracts.adjudicator") == address(2), "adjudicator");
        yes(cheats.parseJsonAddress(file, ".contracts.rebut") == address(3), "rebut");
        yes(cheats.parseJsonAddress(file, ".contracts.requests") == address(4), "requests");
        yes(cheats.parseJsonAddress(file, ".contracts.forwarder") == address(5), "forwarder");
        eq(number(file, ".parameters.requests.deposit"), 0.02 ether, "parameters");
    }

    function parse(string memory json) external pure {
        RebutDeployer.rebutParameters(json);
    }

    /// A number that does not fit is an error, not another number.
    function test_NumbersDoNotWrap() public {
        string memory json = '{"rebut": {"windowSeconds": 4294967296}}';
        vm.expectRevert(
            abi.encodeWithSelector(
                RebutDeployer.NumberTooLarge.selector, ".rebut.windowSeconds", 1 << 32, type(uint32).max
            )
        );
        this.parse(json);
    }
}
