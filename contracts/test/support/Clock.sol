// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// The time as a call: the optimizer takes `block.timestamp` for a constant of the transaction, which `warp` changes.
interface Clock {
    function getBlockTimestamp() external view returns (uint256);
}

function time() view returns (uint256) {
    return Clock(address(uint160(uint256(keccak256("hevm cheat code"))))).getBlockTimestamp();
}
