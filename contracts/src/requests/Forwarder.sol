// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IRebutConsumer} from "../interfaces/IRebutConsumer.sol";

/// @title The sender of callbacks: an address that owns nothing and may do nothing
/// @notice Whatever a request aims its callback at, the call comes from here, has this one selector and carries no value.
contract Forwarder {
    /// @notice What the call itself may cost before the callback's gas is taken from the rest: access to the account and
    /// to a delegate of it (2,600 each now), and some for dearer chains to come.
    uint256 internal constant CALL_GAS = 10_000;

    /// @notice The only contract that may forward: the one that deployed this.
    address public immutable REQUESTS = msg.sender;

    /// @notice The caller is not the Requests contract.
    error NotRequests(address caller, address requests);
    /// @notice The callback would get less gas than it was promised: send more.
    error NotEnoughGas(uint256 available, uint256 needed);

    /// @notice Calls `onRebutResult` of the target with exactly `callbackGas`.
    /// @param target Whom to call.
    /// @param callbackGas The gas that the call gets.
    /// @param arguments The ABI-encoded arguments of `IRebutConsumer.onRebutResult`.
    /// @return success Whether the call did not revert.
    function forward(address target, uint256 callbackGas, bytes calldata arguments) external returns (bool success) {
        if (msg.sender != REQUESTS) revert NotRequests(msg.sender, REQUESTS);
        bytes memory data = bytes.concat(IRebutConsumer.onRebutResult.selector, arguments);
        // A call gets at most all but a 64th of what is left. INVARIANT: shortage of gas reverts, and decides nothing.
        uint256 needed = callbackGas + callbackGas / 63 + 1 + CALL_GAS;
        uint256 available = gasleft();
        if (available < needed) revert NotEnoughGas(available, needed);
        // What the target returns is not copied.
        assembly ("memory-safe") {
            success := call(callbackGas, target, 0, add(data, 0x20), mload(data), 0, 0)
        }
    }
}
