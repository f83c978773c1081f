// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IRebutClaims} from "../interfaces/IRebutClaims.sol";
import {State} from "./State.sol";

/// @title Credits: one stake for many bonds, and pull payments
abstract contract Accounts is State, IRebutClaims {
    /// @inheritdoc IRebutClaims
    function deposit(address account) external payable {
        if (msg.value == 0) revert NothingDeposited();
        _credits[account] += msg.value;
        emit Deposited(account, msg.value);
    }

    /// @inheritdoc IRebutClaims
    function withdraw(address account, uint256 amount) external {
        // INVARIANT: nobody else can take an executor's stake from under its next bond. Burning may be done by anyone.
        if (msg.sender != account && account != BURN_ADDRESS) revert NotOwner(msg.sender, account);
        uint256 available = _credits[account];
        if (amount == 0 || amount > available) revert NoCredit(account, amount, available);
        // INVARIANT: the credit is gone before the account can run code: reentering finds nothing.
        _credits[account] = available - amount;
        emit Withdrawn(account, amount);
        bool paid;
        // Only the account's own payment can fail; what it returns is not copied.
        assembly ("memory-safe") {
            paid := call(gas(), account, amount, 0, 0, 0, 0)
        }
        if (!paid) revert PaymentRefused(account, amount);
    }

    /// @dev Reserves a bond: from the value sent, the rest from the caller's credit.
    function _reserve(uint256 bond) internal {
        if (msg.value > bond) revert WrongBond(msg.value, bond);
        uint256 rest = bond - msg.value;
        if (rest == 0) return;
        uint256 available = _credits[msg.sender];
        if (available < rest) revert WrongBond(msg.value + available, bond);
        _credits[msg.sender] = available - rest;
        emit Reserved(msg.sender, rest);
    }
}
