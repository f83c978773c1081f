// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

/// What the embedded chain is tested with: state, events with any number of topics, errors, gas and time.
contract Probe {
    event Poked(address indexed by, uint256 indexed tag, bytes32 indexed mark, uint256 value);
    event Shouted(uint256 indexed tag);

    error Refused(uint256 got, string why);
    error TooEarly(uint256 time);

    uint256 public value;
    mapping(uint256 => uint256) public slots;

    function set(uint256 next) external payable {
        value = next;
    }

    function poke(uint256 tag, bytes32 mark, uint256 next) external {
        value = next;
        emit Poked(msg.sender, tag, mark, next);
    }

    /// One log with no topic, one with one, one with two: all that `Poked` is not.
    function shout(uint256 tag) external {
        assembly {
            mstore(0, tag)
            log0(0, 32)
            log1(0, 32, tag)
        }
        emit Shouted(tag);
    }

    function refuse(uint256 got) external pure {
        revert Refused(got, "always");
    }

    function only(uint256 time) external {
        if (block.timestamp < time) revert TooEarly(block.timestamp);
        value = block.timestamp;
    }

    /// The innermost call needs the gas; each call on the way keeps back a 64th.
    function deep(uint256 depth, uint256 rounds) external {
        if (depth != 0) this.deep(depth - 1, rounds);
        else for (uint256 i; i < rounds; ++i) slots[i] = i + 1;
    }

    /// Uses much and gives some of it back.
    function fillAndClear(uint256 rounds) external {
        for (uint256 i; i < rounds; ++i) slots[i] = i + 1;
        for (uint256 i; i < rounds; ++i) delete slots[i];
    }

    function swallow(bytes calldata) external {}

    function surroundings() external view returns (uint256, uint256, uint256, bytes32, uint256, address) {
        return (block.number, block.timestamp, block.basefee, blockhash(block.number - 1), block.chainid, msg.sender);
    }
}

/// Code just beyond what may be deployed.
contract Oversized {
    constructor() {
        assembly {
            return(0, 24577)
        }
    }
}
