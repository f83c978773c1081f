// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {DataType} from "../program/DataType.sol";
import {F32} from "../arith/F32.sol";
import {F32Elementary} from "../arith/F32Elementary.sol";
import {Half} from "../arith/Half.sol";

/// @title The scalar operations of expressions, on registers; all total (docs/arithmetic.md)
library Scalar {
    uint256 internal constant CONST = 0x00;
    uint256 internal constant LOAD = 0x01;
    uint256 internal constant CORE = 0x02;
    uint256 internal constant IOTA = 0x03;
    uint256 internal constant VALID = 0x04;
    uint256 internal constant SELECT = 0x05;
    uint256 internal constant CAST = 0x06;
    uint256 internal constant ADD = 0x10;
    uint256 internal constant SUB = 0x11;
    uint256 internal constant MUL = 0x12;
    uint256 internal constant DIV = 0x13;
    uint256 internal constant MIN = 0x14;
    uint256 internal constant MAX = 0x15;
    uint256 internal constant LT = 0x18;
    uint256 internal constant LE = 0x19;
    uint256 internal constant GT = 0x1a;
    uint256 internal constant GE = 0x1b;
    uint256 internal constant EQ = 0x1c;
    uint256 internal constant NE = 0x1d;
    uint256 internal constant AND = 0x1e;
    uint256 internal constant OR = 0x1f;
    uint256 internal constant XOR = 0x20;
    uint256 internal constant FMA = 0x21;
    uint256 internal constant REM = 0x23;
    uint256 internal constant SHL = 0x24;
    uint256 internal constant SHR = 0x25;
    uint256 internal constant NEG = 0x30;
    uint256 internal constant ABS = 0x31;
    uint256 internal constant NOT = 0x32;
    uint256 internal constant SQRT = 0x33;
    uint256 internal constant FLOOR = 0x39;
    uint256 internal constant CEIL = 0x3a;
    uint256 internal constant TRUNC = 0x3b;
    uint256 internal constant ROUND_EVEN = 0x3c;

    error UnknownCode(uint256 code);
    error WrongType(uint256 code, uint256 dtype);
    error InexactInFold(uint256 code, uint256 dtype);

    /// @notice How many operands a code of the table has (0 for the codes that are no operation on registers).
    function arity(uint256 code) internal pure returns (uint256) {
        if (code >= ADD && code <= XOR && code != 0x16 && code != 0x17) return 2;
        if (code >= REM && code <= SHR) return 2;
        if (code >= NEG && code <= SQRT || code >= FLOOR && code <= ROUND_EVEN) return 1;
        if (code == SELECT || code == FMA) return 3;
        return code == CAST ? 1 : F32Elementary.arity(code);
    }

    /// @notice The type of the result of a unary or binary operation on operands of one type; reverts if there is none.
    function resultType(uint256 code, uint256 dtype) internal pure returns (uint256) {
        bool ok;
        if (code <= GE || code == REM || code == NEG || code == ABS) ok = DataType.isNumber(dtype);
        else if (code <= NE) ok = !DataType.isHalf(dtype);
        else if (code <= XOR || code == NOT) ok = dtype == DataType.BOOL || DataType.isInteger(dtype);
        else if (code == SHL || code == SHR) ok = DataType.isInteger(dtype);
        else ok = dtype == DataType.F32;
        if (!ok) revert WrongType(code, dtype);
        return code >= LT && code <= NE ? DataType.BOOL : dtype;
    }

    /// @notice What the contract Elementary is asked to evaluate; 0 if it is not asked. It has the elementary functions, and the rare
    /// operations of f32 that need much code. Those of one argument are the last codes.
    function called(uint256 code, uint256 dtype) internal pure returns (uint256) {
        bool rare = (code == DIV || code == REM) && dtype == DataType.F32;
        return rare || code >= SQRT || code == F32Elementary.POW ? code : 0;
    }

    /// @notice The same for a cast, which is called from and to floats: from << 16 | to << 8 | CAST.
    function castCalled(uint256 from, uint256 to) internal pure returns (uint256) {
        bool rare = from != to && (DataType.isFloat(from) || DataType.isFloat(to));
        return rare ? (from << 16) | (to << 8) | CAST : 0;
    }

    /// @notice Refuses what a fold's body may not use: operations that round, and integer division.
    function requireExact(uint256 code, uint256 dtype) internal pure {
        bool exact = code != DIV && code != FMA && code != SQRT && !F32Elementary.exists(code)
            && !(dtype == DataType.F32 && code >= ADD && code <= MUL);
        if (!exact) revert InexactInFold(code, dtype);
    }

    /// @notice A unary operation that is not called; its type has been checked.
    function unary(uint256 code, uint256 dtype, uint256 a) internal pure returns (uint256) {
        if (code == NEG) return dtype == DataType.F32 ? F32.neg(a) : _negate(dtype, a);
        if (code == NOT) return dtype == DataType.BOOL ? a ^ 1 : DataType.wrap(dtype, ~a);
        if (dtype == DataType.F32) return F32.abs(a);
        return int256(a) < 0 ? _negate(dtype, a) : a;
    }

    /// @notice A binary operation that is not called; its type has been checked.
    function binary(uint256 code, uint256 dtype, uint256 a, uint256 b) internal pure returns (uint256) {
        if (code >= REM) return _remainderOrShift(code, dtype, a, b);
        if (dtype == DataType.F32) return code <= MAX ? _f32(code, a, b) : _compareF32(code, a, b);
        return code <= MAX ? _integer(code, dtype, a, b) : _compareOrBits(code, a, b);
    }

    function _f32(uint256 code, uint256 a, uint256 b) private pure returns (uint256) {
        if (code == ADD) return F32.add(a, b);
        if (code == SUB) return F32.sub(a, b);
        if (code == MUL) return F32.mul(a, b);
        return code == MIN ? F32.min(a, b) : F32.max(a, b);
    }

    function _compareF32(uint256 code, uint256 a, uint256 b) private pure returns (uint256) {
        // a > b is b < a, a >= b is b <= a, and both are false with NaN.
        if (code == GT || code == GE) (a, b) = (b, a);
        bool r;
        if (code == LT || code == GT) r = F32.lt(a, b);
        else if (code == LE || code == GE) r = F32.le(a, b);
        else r = F32.eq(a, b) == (code == EQ);
        return r ? 1 : 0;
    }

    /// @dev Integers wrap; x / 0 is 0 (as the EVM's own division says) and MIN / -1 wraps to MIN.
    function _integer(uint256 code, uint256 dtype, uint256 a, uint256 b) private pure returns (uint256 r) {
        if (code == MIN) return int256(a) < int256(b) ? a : b;
        if (code == MAX) return int256(a) < int256(b) ? b : a;
        assembly ("memory-safe") {
            switch code
            case 0x10 { r := add(a, b) }
            case 0x11 { r := sub(a, b) }
            case 0x12 { r := mul(a, b) }
            default { r := sdiv(a, b) }
        }
        return DataType.wrap(dtype, r);
    }

    /// @dev x % 0 is 0 (as the EVM's own remainder says); a count that does not fit shifts everything out.
    function _remainderOrShift(uint256 code, uint256 dtype, uint256 a, uint256 b) private pure returns (uint256 r) {
        assembly ("memory-safe") {
            switch code
            case 0x23 { r := smod(a, b) }
            case 0x24 { r := shl(b, a) }
            default { r := sar(b, a) }
        }
        return DataType.wrap(dtype, r);
    }

    function _compareOrBits(uint256 code, uint256 a, uint256 b) private pure returns (uint256 r) {
        assembly ("memory-safe") {
            switch code
            case 0x18 { r := slt(a, b) }
            case 0x19 { r := iszero(sgt(a, b)) }
            case 0x1a { r := sgt(a, b) }
            case 0x1b { r := iszero(slt(a, b)) }
            case 0x1c { r := eq(a, b) }
            case 0x1d { r := iszero(eq(a, b)) }
            case 0x1e { r := and(a, b) }
            case 0x1f { r := or(a, b) }
            default { r := xor(a, b) }
        }
    }

    /// @notice A cast that is called: truncates and saturates to integers (NaN gives 0), rounds once to f32; to bool, whatever is not
    /// zero (so NaN, too) is true. 16-bit floats convert through f32.
    function castFloat(uint256 from, uint256 to, uint256 a) internal pure returns (uint256) {
        if (from == DataType.F16) a = Half.fromF16(a);
        else if (from == DataType.BF16) a = Half.fromBF16(a);
        else if (from != DataType.F32) a = F32.fromInt(int256(a));
        // From here on it is an f32.
        if (to == DataType.F32) return a;
        if (to == DataType.F16) return Half.toF16(a);
        if (to == DataType.BF16) return Half.toBF16(a);
        if (to == DataType.BOOL) return a & 0x7fffffff == 0 ? 0 : 1;
        (int256 least, int256 greatest) = DataType.bounds(to);
        return uint256(F32.toInt(a, least, greatest));
    }

    /// @notice A cast that is not called: wraps between integers; to bool, whatever is not zero is true.
    function cast(uint256 to, uint256 a) internal pure returns (uint256) {
        return to == DataType.BOOL ? (a == 0 ? 0 : 1) : DataType.wrap(to, a);
    }

    function _negate(uint256 dtype, uint256 a) private pure returns (uint256) {
        unchecked {
            return DataType.wrap(dtype, 0 - a);
        }
    }
}
