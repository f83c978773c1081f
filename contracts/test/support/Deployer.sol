// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// Deploys a contract by name, so that a test does not contain its code (and compile it again).
interface Deployer {
    function deployCode(string calldata artifact) external returns (address);
    function deployCode(string calldata artifact, bytes calldata arguments) external returns (address);
}

Deployer constant deployer = Deployer(address(uint160(uint256(keccak256("hevm cheat code")))));

function deployAdjudicator() returns (address) {
    address elementary = deployer.deployCode("Elementary.sol:Elementary");
    return deployer.deployCode("Adjudicator.sol:Adjudicator", abi.encode(elementary));
}
