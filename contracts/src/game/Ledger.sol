// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Configuration} from "./Configuration.sol";
import {IRebut} from "../interfaces/IRebut.sol";

/// @title Credits: whoever is owed something withdraws it
/// @dev Balance = bonds in escrow + credits, after every call. What is burnt is the burn address' credit, so burning needs
/// no payment of its own and cannot fail.
abstract contract Ledger is Configuration {
    /// @inheritdoc IRebut
    mapping(address account => uint256 amount) public override credit;

    /// @inheritdoc IRebut
    function withdraw(address account) external returns (uint256 amount) {
        amount = credit[account];
        if (amount == 0) revert NoCredit(account);
        // INVARIANT: the credit is gone before the account can run code: reentering finds nothing.
        delete credit[account];
        emit Withdrawn(account, amount);
        bool paid;
        // Only the account's own payment can fail; what it returns is not copied.
        assembly ("memory-safe") {
            paid := call(gas(), account, amount, 0, 0, 0, 0)
        }
        if (!paid) revert PaymentRefused(account, amount);
    }

    function _credit(bytes32 claimId, address account, uint256 amount) internal {
        if (amount == 0) return;
        credit[account] += amount;
        emit Credited(claimId, account, amount);
    }

    function _burn(bytes32 claimId, uint256 amount) internal {
        if (amount == 0) return;
        credit[BURN_ADDRESS] += amount;
        emit Burnt(claimId, amount);
    }

    function _requireBond(uint256 bond) internal view {
        if (msg.value != bond) revert WrongBond(msg.value, bond);
    }
}
