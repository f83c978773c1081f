// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Deployment, RebutDeployer} from "./RebutDeployer.sol";
import {cheats} from "./Cheats.sol";

/// @title `forge script`: deploys everything and writes the addresses' file (script/deployment.schema.json)
/// @dev Environment: REBUT_PACKAGE, the package's folder with a slash at its end ("" by default: run inside it);
/// REBUT_PARAMETERS, the parameters' file; REBUT_ADDRESSES, the file to write.
contract Deploy {
    function run() external returns (Deployment memory d) {
        string memory package = cheats.envOr("REBUT_PACKAGE", "");
        string memory example = string.concat(package, "script/parameters.example.json");
        string memory parameters = cheats.envOr("REBUT_PARAMETERS", example);
        uint256 fromBlock = cheats.getBlockNumber();
        cheats.startBroadcast();
        d = RebutDeployer.deploy(package, parameters);
        cheats.stopBroadcast();
        string memory file = cheats.envOr("REBUT_ADDRESSES", "deployment.json");
        cheats.writeFile(file, addressesFile(d, fromBlock, cheats.readFile(parameters)));
    }

    /// @notice The content of the addresses' file. Blocks before `fromBlock` have no logs of these contracts.
    function addressesFile(Deployment memory d, uint256 fromBlock, string memory parameters)
        public
        view
        returns (string memory)
    {
        string memory contracts = string.concat(
            _field("elementary", d.elementary, ","),
            _field("adjudicator", d.adjudicator, ","),
            _field("rebut", d.rebut, ","),
            _field("requests", d.requests, ","),
            _field("forwarder", d.forwarder, "")
        );
        return string.concat(
            '{\n  "format": 1,\n  "chainId": ',
            cheats.toString(block.chainid),
            ',\n  "fromBlock": ',
            cheats.toString(fromBlock),
            ',\n  "contracts": {',
            contracts,
            '\n  },\n  "parameters": ',
            parameters,
            "}\n"
        );
    }

    function _field(string memory name, address account, string memory comma) private pure returns (string memory) {
        return string.concat('\n    "', name, '": "', cheats.toString(account), '"', comma);
    }
}
