// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IRequests} from "../src/interfaces/IRequests.sol";
import {Parameters} from "../src/interfaces/RebutTypes.sol";
import {cheats} from "./Cheats.sol";

/// @notice Where the contracts of one deployment are.
struct Deployment {
    address elementary;
    address adjudicator;
    address rebut;
    address requests;
    address forwarder; // deployed by `requests`
}

/// @title Deploys everything from the committed artifacts, in scripts and in tests
/// @dev From artifacts and not from sources, so that the code is the reviewed one whatever the project's compiler settings.
/// forge must be allowed to read the package's folder (README.md).
library RebutDeployer {
    /// @notice A number of the parameters' file does not fit its field.
    error NumberTooLarge(string key, uint256 value, uint256 maximum);
    /// @notice A contract was not deployed: its constructor refused the parameters. `reason` is its error.
    error NotDeployed(string name, bytes reason);

    /// @notice Deploys Elementary, Adjudicator, Rebut and Requests (which deploys its Forwarder).
    /// @param package The package's folder with a slash at its end: "node_modules/@rebut/contracts/", or "" inside it.
    /// @param parametersFile A file as script/parameters.example.json.
    function deploy(string memory package, string memory parametersFile) internal returns (Deployment memory d) {
        string memory json = cheats.readFile(parametersFile);
        d.elementary = _create(package, "Elementary", "");
        d.adjudicator = _create(package, "Adjudicator", abi.encode(d.elementary));
        d.rebut = _create(package, "Rebut", abi.encode(rebutParameters(json), d.adjudicator));
        uint256 deposit = cheats.parseJsonUint(json, ".requests.deposit");
        uint256 revealSeconds = cheats.parseJsonUint(json, ".requests.revealSeconds");
        d.requests = _create(package, "Requests", abi.encode(d.rebut, deposit, revealSeconds));
        d.forwarder = IRequests(d.requests).forwarder();
    }

    /// @notice The constructor's parameters of Rebut from a parameters' file.
    function rebutParameters(string memory json) internal pure returns (Parameters memory p) {
        p.windowSeconds = uint32(_number(json, ".rebut.windowSeconds", type(uint32).max));
        p.openSeconds = uint32(_number(json, ".rebut.openSeconds", type(uint32).max));
        p.commitSeconds = uint32(_number(json, ".rebut.commitSeconds", type(uint32).max));
        p.clockSeconds = uint32(_number(json, ".rebut.clockSeconds", type(uint32).max));
        p.stepSeconds = uint32(_number(json, ".rebut.stepSeconds", type(uint32).max));
        p.exclusiveSeconds = uint32(_number(json, ".rebut.exclusiveSeconds", type(uint32).max));
        p.leavesPerSecond = uint32(_number(json, ".rebut.leavesPerSecond", type(uint32).max));
        p.burnBps = uint16(_number(json, ".rebut.burnBps", type(uint16).max));
        p.executorBond = uint96(_number(json, ".rebut.executorBond", type(uint96).max));
        p.challengerBond = uint96(_number(json, ".rebut.challengerBond", type(uint96).max));
        p.gasPriceCap = uint64(_number(json, ".rebut.gasPriceCap", type(uint64).max));
        p.traceCost = uint96(_number(json, ".rebut.traceCost", type(uint96).max));
        p.burnAddress = cheats.parseJsonAddress(json, ".rebut.burnAddress");
        p.guardian = cheats.parseJsonAddress(json, ".rebut.guardian");
    }

    function _number(string memory json, string memory key, uint256 maximum) private pure returns (uint256 value) {
        value = cheats.parseJsonUint(json, key);
        if (value > maximum) revert NumberTooLarge(key, value, maximum);
    }

    function _create(string memory package, string memory name, bytes memory arguments)
        private
        returns (address account)
    {
        bytes memory code = bytes.concat(cheats.getCode(string.concat(package, "artifacts/", name, ".json")), arguments);
        bytes memory reason;
        assembly ("memory-safe") {
            account := create(0, add(code, 0x20), mload(code))
            if iszero(account) {
                reason := mload(0x40)
                mstore(0x40, add(reason, add(0x20, returndatasize())))
                mstore(reason, returndatasize())
                returndatacopy(add(reason, 0x20), 0, returndatasize())
            }
        }
        if (account == address(0)) revert NotDeployed(name, reason);
    }
}

