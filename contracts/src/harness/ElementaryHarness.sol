// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {F32Elementary} from "../arith/F32Elementary.sol";
import {Acos} from "../arith/Acos.sol";
import {Acosh} from "../arith/Acosh.sol";
import {Asin} from "../arith/Asin.sol";
import {Asinh} from "../arith/Asinh.sol";
import {Atan} from "../arith/Atan.sol";
import {Atanh} from "../arith/Atanh.sol";
import {Cos} from "../arith/Cos.sol";
import {Cosh} from "../arith/Cosh.sol";
import {Erf} from "../arith/Erf.sol";
import {Exp} from "../arith/Exp.sol";
import {Exp2} from "../arith/Exp2.sol";
import {Expm1} from "../arith/Expm1.sol";
import {Log} from "../arith/Log.sol";
import {Log1p} from "../arith/Log1p.sol";
import {Log2} from "../arith/Log2.sol";
import {Pow} from "../arith/Pow.sol";
import {Reciprocal} from "../arith/Reciprocal.sol";
import {Rsqrt} from "../arith/Rsqrt.sol";
import {Sigmoid} from "../arith/Sigmoid.sol";
import {Sin} from "../arith/Sin.sol";
import {Sinh} from "../arith/Sinh.sol";
import {Softplus} from "../arith/Softplus.sol";
import {Tan} from "../arith/Tan.sol";
import {Tanh} from "../arith/Tanh.sol";
import {Vectors} from "./Vectors.sol";

/// The elementary functions, for tests only.
contract ElementaryHarness is Vectors {
    function _apply(uint8 op, uint256 a, uint256 b, uint256) internal view override returns (uint256, uint256) {
        uint256 start;
        if (op <= F32Elementary.ERF) {
            if (op == F32Elementary.EXP) {
                start = gasleft();
                return _since(start, Exp.exp(a));
            }
            if (op == F32Elementary.LOG) {
                start = gasleft();
                return _since(start, Log.log(a));
            }
            if (op == F32Elementary.TANH) {
                start = gasleft();
                return _since(start, Tanh.tanh(a));
            }
            if (op == F32Elementary.SIGMOID) {
                start = gasleft();
                return _since(start, Sigmoid.sigmoid(a));
            }
            if (op == F32Elementary.ERF) {
                start = gasleft();
                return _since(start, Erf.erf(a));
            }
            if (op == F32Elementary.POW) {
                start = gasleft();
                return _since(start, Pow.pow(a, b));
            }
        } else if (op <= F32Elementary.ATANH) {
            if (op == F32Elementary.EXP2) {
                start = gasleft();
                return _since(start, Exp2.exp2(a));
            }
            if (op == F32Elementary.EXPM1) {
                start = gasleft();
                return _since(start, Expm1.expm1(a));
            }
            if (op == F32Elementary.LOG2) {
                start = gasleft();
                return _since(start, Log2.log2(a));
            }
            if (op == F32Elementary.LOG1P) {
                start = gasleft();
                return _since(start, Log1p.log1p(a));
            }
            if (op == F32Elementary.SINH) {
                start = gasleft();
                return _since(start, Sinh.sinh(a));
            }
            if (op == F32Elementary.COSH) {
                start = gasleft();
                return _since(start, Cosh.cosh(a));
            }
            if (op == F32Elementary.ASINH) {
                start = gasleft();
                return _since(start, Asinh.asinh(a));
            }
            if (op == F32Elementary.ACOSH) {
                start = gasleft();
                return _since(start, Acosh.acosh(a));
            }
            if (op == F32Elementary.ATANH) {
                start = gasleft();
                return _since(start, Atanh.atanh(a));
            }
        } else {
            if (op == F32Elementary.SIN) {
                start = gasleft();
                return _since(start, Sin.sin(a));
            }
            if (op == F32Elementary.COS) {
                start = gasleft();
                return _since(start, Cos.cos(a));
            }
            if (op == F32Elementary.TAN) {
                start = gasleft();
                return _since(start, Tan.tan(a));
            }
            if (op == F32Elementary.ASIN) {
                start = gasleft();
                return _since(start, Asin.asin(a));
            }
            if (op == F32Elementary.ACOS) {
                start = gasleft();
                return _since(start, Acos.acos(a));
            }
            if (op == F32Elementary.ATAN) {
                start = gasleft();
                return _since(start, Atan.atan(a));
            }
            if (op == F32Elementary.SOFTPLUS) {
                start = gasleft();
                return _since(start, Softplus.softplus(a));
            }
            if (op == F32Elementary.RSQRT) {
                start = gasleft();
                return _since(start, Rsqrt.rsqrt(a));
            }
            if (op == F32Elementary.RECIPROCAL) {
                start = gasleft();
                return _since(start, Reciprocal.reciprocal(a));
            }
        }
        revert UnknownOperation(op);
    }
}
