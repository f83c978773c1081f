// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// What the tests compare with.
abstract contract Assert {
    error NotEqual(uint256 given, uint256 expected, string what);
    error NotTrue(string what);

    function eq(uint256 given, uint256 expected, string memory what) internal pure {
        if (given != expected) revert NotEqual(given, expected, what);
    }

    function eq(bytes32 given, bytes32 expected, string memory what) internal pure {
        eq(uint256(given), uint256(expected), what);
    }

    function yes(bool condition, string memory what) internal pure {
        if (!condition) revert NotTrue(what);
    }
}
