// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IRebutConsumer} from "../../src/interfaces/IRebutConsumer.sol";

/// A callback that writes down what it was told, and then behaves as it was set up.
contract Target is IRebutConsumer {
    enum Mode {
        Record,
        Revert,
        BurnGas,
        ReturnBomb,
        RevertBomb,
        Reenter
    }

    Mode public mode;
    bytes[] public reentries; // calls to `escrow`, all of which must be refused
    address public escrow;

    uint256 public calls;
    uint256 public gasAtEntry;
    address public sender;
    uint256 public value;
    bytes32 public requestId;
    bytes32 public claimId;
    uint256 public outputIndex;
    uint256 public dtype;
    bool public trusted;
    bytes public output;
    uint256 public refusals;

    function set(Mode mode_) external {
        mode = mode_;
    }

    function reenter(address escrow_, bytes calldata call_) external {
        mode = Mode.Reenter;
        escrow = escrow_;
        reentries.push(call_);
    }

    function onRebutResult(
        bytes32 requestId_,
        bytes32 claimId_,
        uint256 outputIndex_,
        uint256 dtype_,
        bool trusted_,
        bytes calldata output_
    ) external override {
        uint256 gas_ = gasleft();
        Mode mode_ = mode;
        if (mode_ == Mode.Revert) revert("no");
        if (mode_ == Mode.BurnGas) {
            assembly {
                invalid()
            }
        }
        if (mode_ == Mode.ReturnBomb) {
            assembly {
                return(0, 200000)
            }
        }
        if (mode_ == Mode.RevertBomb) {
            assembly {
                revert(0, 200000)
            }
        }
        ++calls;
        (gasAtEntry, sender) = (gas_, msg.sender);
        (requestId, claimId, outputIndex, dtype, trusted) = (requestId_, claimId_, outputIndex_, dtype_, trusted_);
        output = output_;
        for (uint256 i = 0; i < reentries.length; ++i) {
            (bool ok,) = escrow.call(reentries[i]);
            if (!ok) ++refusals;
        }
    }
}
