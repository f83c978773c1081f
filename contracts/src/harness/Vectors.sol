// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

/// Runs vectors through operations and measures their gas, for tests only.
///
/// Operation codes are those of expression nodes in docs/program.md. Numbers are big-endian f32 lanes, 4 bytes each.
abstract contract Vectors {
    error UnknownOperation(uint8 op);
    error BadLength(uint256 length);

    /// One operation on each 12-byte triple (a, b, c); unary operations use a, binary ones a and b.
    /// @return out 4 bytes for each triple; a bool is 0 or 1.
    function run(uint8 op, bytes calldata triples) external view returns (bytes memory out) {
        unchecked {
            uint256 n = _count(triples);
            out = new bytes(n * 4);
            for (uint256 i = 0; i < n; i++) {
                (uint256 r,) = _apply(op, _lane(triples, i * 3), _lane(triples, i * 3 + 1), _lane(triples, i * 3 + 2));
                assembly ("memory-safe") {
                    let lane := add(add(out, 32), mul(i, 4))
                    mstore(lane, or(shl(224, r), and(mload(lane), shr(32, not(0)))))
                }
            }
        }
    }

    /// The gas of one operation on each triple, as 4 bytes each: the operation alone, neither its call nor its dispatch.
    function costs(uint8 op, bytes calldata triples) external view returns (bytes memory out) {
        unchecked {
            uint256 n = _count(triples);
            out = new bytes(n * 4);
            for (uint256 i = 0; i < n; i++) {
                (, uint256 gas_) =
                    _apply(op, _lane(triples, i * 3), _lane(triples, i * 3 + 1), _lane(triples, i * 3 + 2));
                assembly ("memory-safe") {
                    let lane := add(add(out, 32), mul(i, 4))
                    mstore(lane, or(shl(224, gas_), and(mload(lane), shr(32, not(0)))))
                }
            }
        }
    }

    /// The result of an operation and the gas between `gasleft()` and `_since`.
    function _apply(uint8 op, uint256 a, uint256 b, uint256 c) internal view virtual returns (uint256 r, uint256 gas_);

    /// What was spent since `start`, once r is known: storing it keeps the compiler from computing it later. The
    /// measurement's own cost, that of measuring nothing, is taken off.
    function _since(uint256 start, uint256 r) internal view returns (uint256, uint256 spent) {
        uint256 first;
        assembly ("memory-safe") {
            mstore(0, r)
            first := gas()
            mstore(0, r)
            spent := gas()
            spent := sub(sub(start, first), sub(first, spent))
        }
        return (r, spent);
    }

    function _count(bytes calldata triples) private pure returns (uint256) {
        if (triples.length % 12 != 0) revert BadLength(triples.length);
        return triples.length / 12;
    }

    function _lane(bytes calldata x, uint256 i) internal pure returns (uint256 r) {
        assembly ("memory-safe") {
            r := shr(224, calldataload(add(x.offset, mul(i, 4))))
        }
    }
}
