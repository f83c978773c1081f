// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Forwarder} from "./Forwarder.sol";
import {IRebut} from "../interfaces/IRebut.sol";
import {IRequests} from "../interfaces/IRequests.sol";

/// @title What is fixed at construction, and credits: whoever is owed something withdraws it
/// @dev Balance = fees and deposits in escrow + credits, after every call.
abstract contract RequestLedger is IRequests {
    /// @notice A claim must be posted in a later block than its commitment, and then be revealed: some blocks at least.
    uint256 internal constant MINIMUM_REVEAL_SECONDS = 60;
    /// @notice A hidden entry holds up those behind it for so long. Not longer than the distance of two pauses of Rebut.
    uint256 internal constant MAXIMUM_REVEAL_SECONDS = 1 days;
    /// @notice More than there is ether.
    uint256 internal constant MAXIMUM_DEPOSIT = 1e27;

    /// @inheritdoc IRequests
    IRebut public immutable override rebut;
    /// @inheritdoc IRequests
    uint256 public immutable override deposit;
    /// @inheritdoc IRequests
    uint256 public immutable override revealSeconds;
    /// @inheritdoc IRequests
    address public immutable override forwarder;

    /// @inheritdoc IRequests
    mapping(address account => uint256 amount) public override credit;

    constructor(IRebut rebut_, uint256 deposit_, uint256 revealSeconds_) {
        if (address(rebut_).code.length == 0) revert BadAddress(address(rebut_));
        // Without a deposit, entries that hold up others would cost nothing.
        _bound("deposit", deposit_, 1, MAXIMUM_DEPOSIT);
        _bound("revealSeconds", revealSeconds_, MINIMUM_REVEAL_SECONDS, MAXIMUM_REVEAL_SECONDS);
        rebut = rebut_;
        deposit = deposit_;
        revealSeconds = revealSeconds_;
        forwarder = address(new Forwarder());
    }

    /// @inheritdoc IRequests
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

    function _credit(bytes32 requestId, address account, uint256 amount) internal {
        if (amount == 0) return;
        credit[account] += amount;
        emit Credited(requestId, account, amount);
    }

    function _bound(string memory name, uint256 value, uint256 minimum, uint256 maximum) internal pure {
        if (value < minimum || value > maximum) revert BadParameter(name, value, minimum, maximum);
    }
}
