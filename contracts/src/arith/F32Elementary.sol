// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {Acos} from "./Acos.sol";
import {Acosh} from "./Acosh.sol";
import {Asin} from "./Asin.sol";
import {Asinh} from "./Asinh.sol";
import {Atan} from "./Atan.sol";
import {Atanh} from "./Atanh.sol";
import {Cos} from "./Cos.sol";
import {Cosh} from "./Cosh.sol";
import {Erf} from "./Erf.sol";
import {Exp} from "./Exp.sol";
import {Exp2} from "./Exp2.sol";
import {Expm1} from "./Expm1.sol";
import {Log} from "./Log.sol";
import {Log1p} from "./Log1p.sol";
import {Log2} from "./Log2.sol";
import {Pow} from "./Pow.sol";
import {Reciprocal} from "./Reciprocal.sol";
import {Rsqrt} from "./Rsqrt.sol";
import {Sigmoid} from "./Sigmoid.sol";
import {Sin} from "./Sin.sol";
import {Sinh} from "./Sinh.sol";
import {Softplus} from "./Softplus.sol";
import {Tan} from "./Tan.sol";
import {Tanh} from "./Tanh.sol";

/// The elementary functions of binary32 in 256-bit fixed point, by their codes among expression nodes (docs/program.md): the
/// f32 nearest to the exact value, for every input.
library F32Elementary {
    uint256 internal constant POW = 0x22;
    uint256 internal constant EXP = 0x34;
    uint256 internal constant LOG = 0x35;
    uint256 internal constant TANH = 0x36;
    uint256 internal constant SIGMOID = 0x37;
    uint256 internal constant ERF = 0x38;
    uint256 internal constant EXP2 = 0x3d;
    uint256 internal constant EXPM1 = 0x3e;
    uint256 internal constant LOG2 = 0x3f;
    uint256 internal constant LOG1P = 0x40;
    uint256 internal constant SINH = 0x41;
    uint256 internal constant COSH = 0x42;
    uint256 internal constant ASINH = 0x43;
    uint256 internal constant ACOSH = 0x44;
    uint256 internal constant ATANH = 0x45;
    uint256 internal constant SIN = 0x46;
    uint256 internal constant COS = 0x47;
    uint256 internal constant TAN = 0x48;
    uint256 internal constant ASIN = 0x49;
    uint256 internal constant ACOS = 0x4a;
    uint256 internal constant ATAN = 0x4b;
    uint256 internal constant SOFTPLUS = 0x4c;
    uint256 internal constant RSQRT = 0x4d;
    uint256 internal constant RECIPROCAL = 0x4e;

    error NotElementary(uint256 code);

    /// Whether a code is one of these functions.
    function exists(uint256 code) internal pure returns (bool) {
        return code == POW || (code >= EXP && code <= ERF) || (code >= EXP2 && code <= RECIPROCAL);
    }

    /// The number of arguments, 0 for other codes.
    function arity(uint256 code) internal pure returns (uint256) {
        return code == POW ? 2 : exists(code) ? 1 : 0;
    }

    /// The function of that code; those of one argument ignore b.
    function apply_(uint256 code, uint256 a, uint256 b) internal pure returns (uint256) {
        if (code <= ERF) {
            if (code == EXP) return Exp.exp(a);
            if (code == LOG) return Log.log(a);
            if (code == TANH) return Tanh.tanh(a);
            if (code == SIGMOID) return Sigmoid.sigmoid(a);
            if (code == ERF) return Erf.erf(a);
            if (code == POW) return Pow.pow(a, b);
        } else if (code <= LOG1P) {
            if (code == EXP2) return Exp2.exp2(a);
            if (code == EXPM1) return Expm1.expm1(a);
            if (code == LOG2) return Log2.log2(a);
            if (code == LOG1P) return Log1p.log1p(a);
        } else if (code <= ATANH) {
            if (code == SINH) return Sinh.sinh(a);
            if (code == COSH) return Cosh.cosh(a);
            if (code == ASINH) return Asinh.asinh(a);
            if (code == ACOSH) return Acosh.acosh(a);
            if (code == ATANH) return Atanh.atanh(a);
        } else if (code <= ACOS) {
            if (code == SIN) return Sin.sin(a);
            if (code == COS) return Cos.cos(a);
            if (code == TAN) return Tan.tan(a);
            if (code == ASIN) return Asin.asin(a);
            if (code == ACOS) return Acos.acos(a);
        } else {
            if (code == ATAN) return Atan.atan(a);
            if (code == SOFTPLUS) return Softplus.softplus(a);
            if (code == RSQRT) return Rsqrt.rsqrt(a);
            if (code == RECIPROCAL) return Reciprocal.reciprocal(a);
        }
        revert NotElementary(code);
    }
}
