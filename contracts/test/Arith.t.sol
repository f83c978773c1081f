// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.37;

import {Dot} from "../src/arith/Dot.sol";
import {F32} from "../src/arith/F32.sol";
import {F32Elementary} from "../src/arith/F32Elementary.sol";
import {PlainFma} from "./support/PlainFma.sol";
import {Fold} from "../src/arith/Fold.sol";
import {vm} from "./Vm.sol";

contract ArithTest {
    uint256 private constant NAN = 0x7fc00000;
    uint256 private constant INF = 0x7f800000;
    uint256 private constant NEG_INF = 0xff800000;
    uint256 private constant NEG_ZERO = 0x80000000;
    uint256 private constant ONE = 0x3f800000;
    uint256 private constant NEG_ONE = 0xbf800000;
    uint256 private constant TWO = 0x40000000;
    uint256 private constant HALF = 0x3f000000;
    uint256 private constant LARGEST = 0x7f7fffff;
    uint256 private constant NORMAL = 0x00800000;

    error Unequal(uint256 left, uint256 right);

    function _eq(uint256 left, uint256 right) private pure {
        if (left != right) revert Unequal(left, right);
    }

    function test_add() external pure {
        _eq(F32.add(ONE, ONE), TWO);
        _eq(F32.add(ONE, NEG_ONE), 0);
        _eq(F32.add(NEG_ZERO, NEG_ZERO), NEG_ZERO);
        _eq(F32.add(NEG_ZERO, 0), 0);
        _eq(F32.add(1, NEG_ZERO), 1);
        _eq(F32.add(INF, NEG_INF), NAN);
        _eq(F32.add(INF, LARGEST), INF);
        _eq(F32.add(LARGEST, LARGEST), INF);
        // Half a unit: to even. 2^-24 beside 1, and beside 1 + 2^-23.
        _eq(F32.add(ONE, 0x33800000), ONE);
        _eq(F32.add(ONE + 1, 0x33800000), ONE + 2);
        _eq(F32.add(0x007fffff, 1), NORMAL);
        _eq(F32.sub(NORMAL, 1), 0x007fffff);
    }

    function test_mul_and_div() external pure {
        _eq(F32.mul(TWO, HALF), ONE);
        _eq(F32.mul(INF, 0), NAN);
        _eq(F32.mul(NEG_ONE, 0), NEG_ZERO);
        _eq(F32.mul(NORMAL, HALF), 0x00400000);
        // The smallest subnormal halves to 0, three of them to 2.
        _eq(F32.mul(1, HALF), 0);
        _eq(F32.mul(3, HALF), 2);
        _eq(F32.mul(LARGEST, TWO), INF);
        _eq(F32.div(ONE, 0x40400000), 0x3eaaaaab);
        _eq(F32.div(ONE, 0), INF);
        _eq(F32.div(ONE, NEG_ZERO), NEG_INF);
        _eq(F32.div(0, 0), NAN);
        _eq(F32.div(INF, INF), NAN);
        _eq(F32.div(3, TWO), 2);
    }

    function test_sqrt() external pure {
        _eq(F32.sqrt(0x40800000), TWO);
        _eq(F32.sqrt(TWO), 0x3fb504f3);
        _eq(F32.sqrt(NEG_ZERO), NEG_ZERO);
        _eq(F32.sqrt(NEG_ONE), NAN);
        _eq(F32.sqrt(INF), INF);
        _eq(F32.sqrt(1), 0x1a3504f3);
    }

    function test_fma_rounds_once() external pure {
        // (1 + 2^-12)^2 - (1 + 2^-11) is 2^-24; the rounded product has lost it.
        uint256 a = 0x3f800800;
        uint256 c = 0xbf801000;
        _eq(Dot.fma(a, a, c), 0x33800000);
        _eq(F32.add(F32.mul(a, a), c), 0);
        _eq(Dot.fma(INF, 0, ONE), NAN);
        _eq(Dot.fma(INF, ONE, NEG_INF), NAN);
        _eq(Dot.fma(ONE, NEG_ONE, ONE), 0);
        _eq(Dot.fma(NEG_ONE, 0, NEG_ZERO), NEG_ZERO);
    }

    function test_order() external pure {
        require(F32.lt(NEG_ONE, ONE) && !F32.lt(ONE, ONE) && !F32.lt(NEG_ZERO, 0));
        require(F32.le(0, NEG_ZERO) && F32.ge(NEG_ZERO, 0) && F32.gt(INF, LARGEST));
        require(F32.eq(0, NEG_ZERO) && !F32.eq(NAN, NAN) && F32.ne(NAN, NAN));
        require(!F32.lt(NAN, ONE) && !F32.le(ONE, NAN) && !F32.gt(NAN, ONE) && !F32.ge(ONE, NAN));
        _eq(F32.min(0, NEG_ZERO), NEG_ZERO);
        _eq(F32.max(NEG_ZERO, 0), 0);
        _eq(F32.min(0x7f800001, NEG_INF), NAN);
        _eq(F32.max(NEG_ONE, NEG_INF), NEG_ONE);
    }

    function test_integers() external pure {
        _eq(F32.floor(0xbf000000), NEG_ONE);
        _eq(F32.ceil(0xbf000000), NEG_ZERO);
        _eq(F32.ceil(1), ONE);
        _eq(F32.trunc(0xc0200000), 0xc0000000);
        _eq(F32.roundEven(HALF), 0);
        _eq(F32.roundEven(0x3fc00000), TWO);
        _eq(F32.roundEven(0x40200000), TWO);
        _eq(F32.roundEven(0x7f800001), NAN);
        _eq(F32.fromInt(16777217), 0x4b800000);
        _eq(F32.fromInt(type(int64).min), 0xdf000000);
        require(F32.toInt(0xbfc00000, -128, 127) == -1 && F32.toInt(0x43800000, 0, 255) == 255);
        require(F32.toInt(NEG_INF, type(int64).min, type(int64).max) == type(int64).min);
        require(F32.toInt(NAN, -128, 127) == 0);
    }

    /// Every function is total, gives 32 bits and no other NaN than the canonical one.
    function testFuzz_total(uint32 a, uint32 b, uint32 c) external pure {
        uint256[18] memory results = [
            F32.add(a, b),
            F32.sub(a, b),
            F32.mul(a, b),
            F32.div(a, b),
            F32.min(a, b),
            F32.max(a, b),
            Dot.fma(a, b, c),
            F32.sqrt(a),
            F32.neg(a),
            F32.abs(a),
            F32.floor(a),
            F32.roundEven(a),
            F32Elementary.apply_(0x34, a, 0),
            F32Elementary.apply_(0x35, a, 0),
            F32Elementary.apply_(0x36, a, 0),
            F32Elementary.apply_(0x37, a, 0),
            F32Elementary.apply_(0x38, a, 0),
            F32.fromInt(int256(int32(a)))
        ];
        for (uint256 i = 0; i < results.length; i++) {
            require(results[i] >> 32 == 0 && F32.canonical(results[i]) == results[i]);
        }
    }

    function testFuzz_add_and_mul_commute(uint32 a, uint32 b) external pure {
        _eq(F32.add(a, b), F32.add(b, a));
        _eq(F32.mul(a, b), F32.mul(b, a));
        _eq(Dot.fma(a, ONE, b), F32.canonical(F32.add(a, b)));
    }

    function testFuzz_integer_round_trip(int24 x) external pure {
        require(F32.toInt(F32.fromInt(x), type(int32).min, type(int32).max) == x);
    }

    /// The window, its edges and what lies outside of it, against the chain by the book.
    function testFuzz_dot_is_a_chain(uint256 seed, uint8 length, uint8 odd, uint32 first) external pure {
        uint256 n = length;
        uint256[] memory a = _array(seed, n);
        uint256[] memory b = _array(~seed, n);
        if (n > 0) a[odd % n] = uint32(seed);
        _checkDot(F32.canonical(first), a, b);
        _checkDot(0, a, b);
    }

    /// One number from the window's edges or from outside among good ones, at every place, in either factor and in both.
    function test_dot_with_one_odd_lane() external pure {
        // The window is from 0x2a000000 (2^-43) up to 0x49ffffff.
        uint32[18] memory odd = [
            0,
            1,
            0x007fffff,
            0x00800000,
            0x29800000,
            0x29ffffff,
            0x2a000000,
            0x2a000001,
            0x49ffffff,
            0x4a000000,
            0x4a000001,
            0x6a000000,
            0x7effffff,
            0x7f000000,
            0x7f7fffff,
            0x7f800000,
            0x7f800001,
            0x7fc00000
        ];
        for (uint256 k = 0; k < 2 * odd.length; k++) {
            uint256 x = odd[k / 2] | (k % 2 == 0 ? 0 : NEG_ZERO);
            for (uint256 place = 0; place < 17; place++) {
                uint256 free = _free(0);
                uint256[] memory a = _array(k, 17);
                uint256[] memory b = _array(~k, 17);
                a[place] = x;
                _checkDot(0, a, b);
                _checkDot(0, b, a);
                b[place] = x;
                _checkDot(0, a, b);
                _free(free);
            }
        }
    }

    /// Sums at the largest number, and half a unit above it, where they become infinite for good.
    function test_dot_at_the_largest_number() external pure {
        uint256[] memory a = new uint256[](3);
        uint256[] memory b = new uint256[](3);
        (b[0], b[1], b[2]) = (ONE, ONE, ONE);
        for (uint256 sign = 0; sign <= NEG_ZERO; sign += NEG_ZERO) {
            for (uint256 near = 0x72ffffff; near <= 0x73000001; near++) {
                (a[0], a[1], a[2]) = (sign ^ LARGEST, sign ^ near, sign ^ 0xff000000);
                _checkDot(0, a, b);
            }
        }
        (a[0], a[1]) = (LARGEST ^ NEG_ZERO, 0xf3000000);
        a[2] = 0x7f000000;
        _eq(Dot.chain(0, _pack(a), _pack(b), 3), NEG_INF);
    }

    /// Every length around a word, from zeros of both signs and from what cancels.
    function test_dot_lengths_and_zeros() external pure {
        uint8[9] memory lengths = [0, 1, 7, 8, 9, 15, 16, 17, 255];
        for (uint256 i = 0; i < 10; i++) {
            uint256 n = i == 9 ? 256 : lengths[i];
            uint256[] memory a = _array(i, n);
            uint256[] memory b = _array(~i, n);
            _checkDot(NEG_ZERO, a, b);
            for (uint256 k = 1; k < n; k += 2) {
                (a[k], b[k]) = (a[k - 1] ^ NEG_ZERO, b[k - 1]);
            }
            _checkDot(0, a, b);
            for (uint256 k = 0; k < n; k++) {
                (a[k], b[k]) = (NEG_ZERO, ONE);
            }
            // Chains start from +0, which stays; one from -0 stays there as long as its products do.
            _checkDot(0, a, b);
            _checkDot(NEG_ZERO, a, b);
        }
    }

    /// Products of a few bits whose sums lie half way between two numbers again and again.
    function testFuzz_dot_ties(uint256 seed) external pure {
        uint256[] memory a = new uint256[](24);
        uint256[] memory b = new uint256[](24);
        for (uint256 k = 0; k < 24; k++) {
            uint256 h = uint256(keccak256(abi.encode(seed, k)));
            a[k] = (h & NEG_ZERO) | (115 + (h >> 32) % 25) << 23 | (h >> 60 & 3 == 0 ? 1 : 0);
            b[k] = ONE | (h >> 70 & 3 == 0 ? h & 0x7fffff : 0);
        }
        _checkDot(0, a, b);
    }

    function _checkDot(uint256 s, uint256[] memory a, uint256[] memory b) private pure {
        uint256 expected = s;
        for (uint256 k = 0; k < a.length; k++) {
            expected = PlainFma.fma(a[k], b[k], expected);
        }
        _eq(Dot.chain(s, _pack(a), _pack(b), a.length), expected);
    }

    /// Eight lanes a word, and ones behind them.
    function _pack(uint256[] memory x) private pure returns (uint256 ptr) {
        bytes memory lanes = "";
        for (uint256 k = 0; k < x.length; k += 8) {
            uint256 word = 0;
            for (uint256 l = k; l < k + 8; l++) {
                word = word << 32 | (l < x.length ? x[l] : ONE);
            }
            lanes = bytes.concat(lanes, bytes32(word));
        }
        assembly ("memory-safe") {
            ptr := add(lanes, 32)
        }
    }

    /// Sets the end of the memory in use, if it is not 0.
    function _free(uint256 to) private pure returns (uint256 ptr) {
        assembly ("memory-safe") {
            ptr := mload(0x40)
            if to { mstore(0x40, to) }
        }
    }

    function testFuzz_sum_is_lanes_and_a_tree(uint256 seed, uint8 length, uint8 odd) external pure {
        uint256[] memory x = _array(seed, length);
        if (length > 0) x[odd % length] = F32.canonical(uint32(seed));
        uint256[16] memory lanes;
        for (uint256 l = 0; l < 16; l++) {
            lanes[l] = NEG_ZERO;
        }
        for (uint256 j = 0; j < x.length; j++) {
            lanes[j % 16] = F32.add(lanes[j % 16], x[j]);
        }
        for (uint256 w = 8; w > 0; w /= 2) {
            for (uint256 l = 0; l < w; l++) {
                lanes[l] = F32.add(lanes[l], lanes[l + w]);
            }
        }
        _eq(Fold.sum(_data(x), x.length), x.length == 0 ? 0 : lanes[0]);
    }

    function testFuzz_sumsq_is_lanes_and_a_tree(uint256 seed, uint8 length, uint8 odd) external pure {
        uint256[] memory x = _array(seed, length);
        if (length > 0) x[odd % length] = F32.canonical(uint32(seed));
        uint256[16] memory lanes;
        for (uint256 l = 0; l < 16; l++) {
            lanes[l] = NEG_ZERO;
        }
        for (uint256 j = 0; j < x.length; j++) {
            lanes[j % 16] = PlainFma.fma(x[j], x[j], lanes[j % 16]);
        }
        for (uint256 w = 8; w > 0; w /= 2) {
            for (uint256 l = 0; l < w; l++) {
                lanes[l] = F32.add(lanes[l], lanes[l + w]);
            }
        }
        _eq(Fold.sumsq(_data(x), x.length), x.length == 0 ? 0 : lanes[0]);
    }

    function test_empty_folds() external pure {
        _eq(Dot.chain(0, 0, 0, 0), 0);
        _eq(Fold.sum(0, 0), 0);
        _eq(Fold.sumsq(0, 0), 0);
        _eq(Fold.prod(0, 0), ONE);
        _eq(Fold.min(0, 0), INF);
        _eq(Fold.max(0, 0), NEG_INF);
        _eq(Fold.seqAdd(0, 0), 0);
        _eq(Fold.seqMul(0, 0), ONE);
    }

    function test_folds() external pure {
        uint256[] memory x = new uint256[](3);
        x[0] = TWO;
        x[1] = NEG_ONE;
        x[2] = HALF;
        _eq(Fold.sum(_data(x), 3), 0x3fc00000);
        _eq(Fold.sumsq(_data(x), 3), 0x40a80000);
        _eq(Fold.prod(_data(x), 3), NEG_ONE);
        _eq(Fold.min(_data(x), 3), NEG_ONE);
        _eq(Fold.max(_data(x), 3), TWO);
        _eq(Fold.seqAdd(_data(x), 3), 0x3fc00000);
        _eq(Fold.seqMul(_data(x), 3), NEG_ONE);
        x[0] = NEG_ZERO;
        _eq(Fold.sum(_data(x), 1), NEG_ZERO);
        _eq(Fold.seqAdd(_data(x), 1), NEG_ZERO);
    }

    /// Lines `function argument result` made with arbitrary precision.
    function test_elementary_vectors() external view {
        string memory path = "../engine/tests/data/elementary.txt";
        uint256 lines = 0;
        for (bytes memory line = bytes(vm.readLine(path)); line.length > 0; line = bytes(vm.readLine(path))) {
            uint256 n = line.length;
            uint256 a = _hex(line, n - 17);
            uint256 r = F32Elementary.apply_(_code(_name(line)), a, 0);
            if (r != _hex(line, n - 8)) revert(string(line));
            lines++;
        }
        require(lines > 13000);
    }

    function _code(bytes32 name) private pure returns (uint256) {
        if (name == "exp") return F32Elementary.EXP;
        if (name == "log") return F32Elementary.LOG;
        if (name == "tanh") return F32Elementary.TANH;
        if (name == "sigmoid") return F32Elementary.SIGMOID;
        if (name == "erf") return F32Elementary.ERF;
        if (name == "exp2") return F32Elementary.EXP2;
        if (name == "expm1") return F32Elementary.EXPM1;
        if (name == "log2") return F32Elementary.LOG2;
        if (name == "log1p") return F32Elementary.LOG1P;
        if (name == "sinh") return F32Elementary.SINH;
        if (name == "cosh") return F32Elementary.COSH;
        if (name == "asinh") return F32Elementary.ASINH;
        if (name == "acosh") return F32Elementary.ACOSH;
        if (name == "atanh") return F32Elementary.ATANH;
        if (name == "sin") return F32Elementary.SIN;
        if (name == "cos") return F32Elementary.COS;
        if (name == "tan") return F32Elementary.TAN;
        if (name == "asin") return F32Elementary.ASIN;
        if (name == "acos") return F32Elementary.ACOS;
        if (name == "atan") return F32Elementary.ATAN;
        if (name == "softplus") return F32Elementary.SOFTPLUS;
        if (name == "rsqrt") return F32Elementary.RSQRT;
        if (name == "reciprocal") return F32Elementary.RECIPROCAL;
        revert(string(abi.encodePacked(name)));
    }

    /// What stands before the two numbers of a line.
    function _name(bytes memory line) private pure returns (bytes32 name) {
        for (uint256 i = 0; i < line.length - 18; i++) {
            name |= bytes32(line[i]) >> 8 * i;
        }
    }

    function _hex(bytes memory text, uint256 offset) private pure returns (uint256 x) {
        for (uint256 i = offset; i < offset + 8; i++) {
            uint256 c = uint8(text[i]);
            x = x << 4 | (c < 58 ? c - 48 : c - 87);
        }
    }

    /// Numbers of ordinary size, some of them zero.
    function _array(uint256 seed, uint256 n) private pure returns (uint256[] memory x) {
        x = new uint256[](n);
        for (uint256 i = 0; i < n; i++) {
            uint256 h = uint256(keccak256(abi.encode(seed, i)));
            x[i] = h & 0x807fffff | (120 + (h >> 32) % 8) << 23;
            if ((h >> 64) % 8 == 0) x[i] &= NEG_ZERO;
        }
    }

    function _data(uint256[] memory x) private pure returns (uint256 ptr) {
        assembly ("memory-safe") {
            ptr := add(x, 32)
        }
    }
}
