// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {Dot} from "../arith/Dot.sol";
import {F32} from "../arith/F32.sol";
import {F32Elementary} from "../arith/F32Elementary.sol";
import {Fold} from "../arith/Fold.sol";

/// Runs vectors through the arithmetic, for tests only.
///
/// Operation codes are those of expression nodes and folds in docs/program.md. Numbers are big-endian f32 lanes, 4 bytes
/// each; raw NaNs are made canonical as a load does.
contract ArithHarness {
    error UnknownOperation(uint8 op);
    error BadLength(uint256 length);

    /// One operation on each 12-byte triple (a, b, c); unary operations use a, binary ones a and b.
    ///
    /// Beside the codes of the table: 06 casts a to i32, and 07 casts the i32 with the bits a to f32.
    /// @return out 4 bytes for each triple; a bool is 0 or 1.
    function run(uint8 op, bytes calldata triples) external pure returns (bytes memory out) {
        unchecked {
            if (triples.length % 12 != 0) revert BadLength(triples.length);
            uint256 n = triples.length / 12;
            out = new bytes(n * 4);
            for (uint256 i = 0; i < n; i++) {
                uint256 r = _apply(op, _lane(triples, i * 3), _lane(triples, i * 3 + 1), _lane(triples, i * 3 + 2));
                assembly ("memory-safe") {
                    let lane := add(add(out, 32), mul(i, 4))
                    mstore(lane, or(shl(224, r), and(mload(lane), shr(32, not(0)))))
                }
            }
        }
    }

    /// The chain s = fma(a_k, b_k, s) from +0 over two equally long arrays, and the gas of the chain itself.
    function dot(bytes calldata a, bytes calldata b) external view returns (uint32 result, uint256 gasUsed) {
        if (a.length != b.length) revert BadLength(b.length);
        uint256 ptrA = _packed(a);
        uint256 ptrB = _packed(b);
        uint256 before = gasleft();
        uint256 r = Dot.chain(0, ptrA, ptrB, a.length / 4);
        return (uint32(r), before - gasleft());
    }

    /// A fold of f32 elements, and the gas of the fold itself.
    function fold(uint8 op, bytes calldata x) external view returns (uint32 result, uint256 gasUsed) {
        uint256 ptr = _words(x);
        uint256 n = x.length / 4;
        uint256 r;
        uint256 before = gasleft();
        if (op == 0) r = Fold.sum(ptr, n);
        else if (op == 1) r = Fold.sumsq(ptr, n);
        else if (op == 2) r = Fold.prod(ptr, n);
        else if (op == 3) r = Fold.min(ptr, n);
        else if (op == 4) r = Fold.max(ptr, n);
        else if (op == 7) r = Fold.seqAdd(ptr, n);
        else if (op == 8) r = Fold.seqMul(ptr, n);
        else revert UnknownOperation(op);
        return (uint32(r), before - gasleft());
    }

    /// The gas of one operation, dispatch excluded as far as an empty operation (code 00, which gives a) tells.
    function gasOf(uint8 op, uint32 a, uint32 b, uint32 c) external view returns (uint256) {
        unchecked {
            uint256 t0 = gasleft();
            uint256 r = _apply(op, a, b, c);
            uint256 t1 = gasleft();
            assembly ("memory-safe") {
                mstore(0, r)
            }
            return t0 - t1;
        }
    }

    function _apply(uint8 op, uint256 a, uint256 b, uint256 c) private pure returns (uint256) {
        if (op < 0x18) {
            if (op == 0x10) return F32.add(a, b);
            if (op == 0x11) return F32.sub(a, b);
            if (op == 0x12) return F32.mul(a, b);
            if (op == 0x13) return F32.div(a, b);
            if (op == 0x14) return F32.min(a, b);
            if (op == 0x15) return F32.max(a, b);
            if (op == 0x00) return F32.canonical(a);
            if (op == 0x06) return uint32(int32(F32.toInt(a, type(int32).min, type(int32).max)));
            if (op == 0x07) return F32.fromInt(int32(uint32(a)));
        } else if (op < 0x30) {
            if (op == 0x18) return F32.lt(a, b) ? 1 : 0;
            if (op == 0x19) return F32.le(a, b) ? 1 : 0;
            if (op == 0x1a) return F32.gt(a, b) ? 1 : 0;
            if (op == 0x1b) return F32.ge(a, b) ? 1 : 0;
            if (op == 0x1c) return F32.eq(a, b) ? 1 : 0;
            if (op == 0x1d) return F32.ne(a, b) ? 1 : 0;
            if (op == 0x21) return F32.fma(a, b, c);
        } else {
            if (op == 0x30) return F32.neg(a);
            if (op == 0x31) return F32.abs(a);
            if (op == 0x33) return F32.sqrt(a);
            if (op == 0x34) return F32Elementary.exp(a);
            if (op == 0x35) return F32Elementary.log(a);
            if (op == 0x36) return F32Elementary.tanh(a);
            if (op == 0x37) return F32Elementary.sigmoid(a);
            if (op == 0x38) return F32Elementary.erf(a);
            if (op == 0x39) return F32.floor(a);
            if (op == 0x3a) return F32.ceil(a);
            if (op == 0x3b) return F32.trunc(a);
            if (op == 0x3c) return F32.roundEven(a);
        }
        revert UnknownOperation(op);
    }

    function _lane(bytes calldata x, uint256 i) private pure returns (uint256 r) {
        assembly ("memory-safe") {
            r := shr(224, calldataload(add(x.offset, mul(i, 4))))
        }
    }

    /// The lanes of x in memory, eight a word; behind them is something that must not take part.
    function _packed(bytes calldata x) private pure returns (uint256 ptr) {
        if (x.length % 4 != 0) revert BadLength(x.length);
        assembly ("memory-safe") {
            ptr := mload(0x40)
            let end := add(ptr, x.length)
            mstore(0x40, and(add(end, 63), not(31)))
            mstore(end, not(0))
            calldatacopy(ptr, x.offset, x.length)
        }
    }

    /// The lanes of x as words in memory.
    function _words(bytes calldata x) private pure returns (uint256 ptr) {
        unchecked {
            if (x.length % 4 != 0) revert BadLength(x.length);
            uint256 n = x.length / 4;
            assembly ("memory-safe") {
                ptr := mload(0x40)
                mstore(0x40, add(ptr, mul(n, 32)))
            }
            for (uint256 i = 0; i < n; i++) {
                uint256 r = F32.canonical(_lane(x, i));
                assembly ("memory-safe") {
                    mstore(add(ptr, mul(i, 32)), r)
                }
            }
        }
    }
}
