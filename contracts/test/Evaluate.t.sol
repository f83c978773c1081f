// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Build} from "./support/Build.sol";
import {Instruction} from "../src/step/Instruction.sol";
import {Judge} from "./support/Judge.sol";
import {Reduction} from "../src/step/Reduction.sol";
import {Trees} from "./support/Tree.sol";
import {Witness} from "../src/step/Witness.sol";
import {vm} from "./Vm.sol";

/// The step on hand-made instructions.
contract EvaluateTest is Judge {
    uint8 internal constant F32 = 1;
    uint8 internal constant I64 = 7;
    uint8 internal constant BOOL = 9;

    /// out[i] = sum over k < 300 of a[k] b[k], in windows of 256; the fill stands in front of a (one place of padding).
    function _dot() internal pure returns (Parts memory p) {
        p.tensor = Build.tensor(F32, Build.dims(2));
        p.e = Build.list(Build.dims(2));
        p.r = Build.list(Build.dims(300));
        p.flags = 1;
        p.operands = bytes.concat(hex"02", Build.operand(0, F32, 300), Build.operand(1, F32, 300));
        bytes memory first = abi.encodePacked(
            int64(0),
            uint8(1),
            uint8(0),
            Build.affine(-1, Build.term(8, 1)),
            uint8(1),
            uint40(299),
            Build.affine(-1, Build.term(8, 1)),
            uint8(0)
        );
        p.views = bytes.concat(hex"02", first, Build.plain(1, Build.affine(0, Build.term(8, 1))));
        p.core = hex"010001";
        p.epilogue = hex"0102";
    }

    function test_DotInWindowsWithAPaddingGuard() public view {
        bytes memory d = encode(_dot());
        bytes memory a = floats(300, 1);
        bytes memory ones = new bytes(1200);
        for (uint256 i = 0; i < 300; ++i) {
            put(ones, i, float(1));
        }
        // Window 0: 0 + 1 + ... + 255; it reads a[0 .. 254] (leaves 0, 1) and b[0 .. 255] (leaves 0, 1).
        uint256 lane = run(d, 0, a, ones, witness(a, Build.numbers(0, 1), ones, Build.numbers(0, 1), true));
        eq(lane, float(255 * 256 / 2), "window 0");
        // Window 1: 256 + ... + 299, from leaves 1 and 2 of a and leaf 2 of b.
        lane = run(d, 1, a, ones, witness(a, Build.numbers(1, 2), ones, Build.numbers(2), true));
        eq(lane, float((256 + 299) * 44 / 2), "window 1");
    }

    /// The budget of a step on a full window: kernel, gathering, proofs and parsing.
    function test_GasOfADot() public view {
        bytes memory d = encode(_dot());
        bytes memory a = floats(300, 1);
        bytes memory w = witness(a, Build.numbers(0, 1), a, Build.numbers(0, 1), true);
        bytes32 root = Trees.root(treeOf(a, a));
        uint256 spent = gasleft();
        judge.evaluate(d, 2, 0, root, 3, w);
        spent -= gasleft();
        if (spent > 120_000) revert NotEqual(spent, 120_000, "a dot of 256 stays below 120,000 gas");
    }

    /// Factors gathered backwards, with steps, from one element alone and from the fill; 21 lanes are two words and a part.
    function test_DotOfEveryKindOfRun() public view {
        Parts memory p;
        p.tensor = Build.tensor(F32, Build.dims(1));
        p.e = Build.list(Build.dims(1));
        p.r = Build.list(Build.dims(3, 7));
        p.operands = bytes.concat(hex"02", Build.operand(0, F32, 300), Build.operand(1, F32, 300));
        bytes memory alone = Build.plain(1, Build.affine(2, ""));
        bytes memory back = Build.plain(0, Build.affine(140, bytes.concat(Build.term(8, -7), Build.term(9, -1))));
        // 3.0 where the inner axis is not below 5
        bytes memory steps = abi.encodePacked(
            int64(0x40400000),
            uint8(1),
            uint8(0),
            Build.affine(100, bytes.concat(Build.term(8, 20), Build.term(9, 2))),
            uint8(1),
            uint40(5),
            Build.affine(0, Build.term(9, 1)),
            uint8(0)
        );
        p.core = hex"010001";
        p.epilogue = hex"0102";
        bytes memory a = floats(300, 1);
        bytes memory b = floats(300, 5);
        p.views = bytes.concat(hex"02", back, alone);
        bytes memory w = witness(a, Build.numbers(0, 1), b, Build.numbers(0), true);
        eq(run(encode(p), 0, a, b, w), float(7 * (121 + 141) * 21 / 2), "backwards");
        p.views = bytes.concat(hex"02", alone, steps);
        uint256 expected = 0;
        for (uint256 i = 0; i < 21; ++i) {
            expected += i % 7 < 5 ? 101 + 20 * (i / 7) + 2 * (i % 7) : 3;
        }
        eq(run(encode(p), 0, a, b, w), float(7 * expected), "steps");
        // A NaN is canonical in the result, whatever it was in a leaf, and one beside the lanes takes no part.
        put(a, 119, 0x7f800001);
        w = witness(a, Build.numbers(0, 1), b, Build.numbers(0), true);
        eq(run(encode(p), 0, a, b, w), float(7 * expected), "a NaN that is not read");
        put(a, 120, 0xffc12345);
        w = witness(a, Build.numbers(0, 1), b, Build.numbers(0), true);
        eq(run(encode(p), 0, a, b, w), 0x7fc00000, "NaN");
    }

    /// A padded 3 x 3 convolution over 4 x 4 x 2: corners, edges, and inside, where no guard is needed.
    function test_PaddedConvolution() public view {
        Parts memory p;
        p.tensor = Build.tensor(F32, Build.dims(16));
        p.e = Build.list(Build.dims(4, 4));
        p.r = abi.encodePacked(uint8(3), uint40(3), uint40(3), uint40(2));
        p.operands = bytes.concat(hex"02", Build.operand(0, F32, 32), Build.operand(1, F32, 18));
        bytes memory terms = bytes.concat(Build.term(0, 8), Build.term(1, 2), Build.term(8, 8), Build.term(9, 2));
        bytes memory image = abi.encodePacked(
            int64(0),
            uint8(1),
            uint8(0),
            Build.affine(-10, bytes.concat(terms, Build.term(10, 1))),
            uint8(2),
            uint40(4),
            Build.affine(-1, bytes.concat(Build.term(0, 1), Build.term(8, 1))),
            uint40(4),
            Build.affine(-1, bytes.concat(Build.term(1, 1), Build.term(9, 1))),
            uint8(0)
        );
        terms = bytes.concat(Build.term(8, 6), Build.term(9, 2), Build.term(10, 1));
        p.views = bytes.concat(hex"02", image, Build.plain(1, Build.affine(0, terms)));
        p.core = hex"010001";
        p.epilogue = hex"0102";
        bytes memory d = encode(p);
        bytes memory a = floats(32, 1);
        bytes memory b = floats(18, 1);
        bytes memory w = witness(a, Build.numbers(0), b, Build.numbers(0), true);
        for (uint256 element = 0; element < 16; ++element) {
            uint256 expected = 0;
            for (uint256 k = 0; k < 18; ++k) {
                (uint256 y, uint256 x) = (element / 4 + k / 6, element % 4 + (k / 2) % 3);
                if (y == 0 || y > 4 || x == 0 || x > 4) continue;
                expected += (8 * (y - 1) + 2 * (x - 1) + k % 2 + 1) * (k + 1);
            }
            eq(run(d, element, a, b, w), float(expected), "convolution");
        }
    }

    function test_ExtraMissingAndForeignLeavesRevert() public {
        bytes memory d = encode(_dot());
        bytes memory a = floats(300, 1);
        bytes memory w = witness(a, Build.numbers(1, 2), a, Build.numbers(1, 2), true);
        vm.expectRevert(abi.encodeWithSelector(Witness.UnusedLeaf.selector, 1, 1));
        this.runExternal(d, 1, a, w);
        w = witness(a, Build.numbers(2), a, Build.numbers(2), true);
        vm.expectRevert(abi.encodeWithSelector(Witness.MissingLeaf.selector, 0, 1));
        this.runExternal(d, 1, a, w);
        w = witness(a, Build.numbers(1, 2), a, Build.numbers(2), true);
        vm.expectRevert(abi.encodeWithSelector(Witness.WrongWitnessLength.selector, w.length + 1, w.length));
        this.runExternal(d, 1, a, bytes.concat(w, hex"00"));
        w[20] ^= 0x01;
        (bool ok, bytes memory data) = address(this).call(abi.encodeCall(this.runExternal, (d, 1, a, w)));
        yes(!ok && bytes4(data) == Witness.WrongTraceRoot.selector, "a changed leaf proves nothing");
        vm.expectRevert(abi.encodeWithSelector(Instruction.ElementOutOfRange.selector, 2, 2));
        this.runExternal(d, 2, a, w);
    }

    function runExternal(bytes memory d, uint256 element, bytes memory a, bytes memory w) external view {
        run(d, element, a, a, w);
    }

    /// The descriptor cut short or with a byte more, at every length.
    function test_EveryTruncationReverts() public {
        bytes memory d = encode(_dot());
        bytes memory a = floats(300, 1);
        bytes memory w = witness(a, Build.numbers(1, 2), a, Build.numbers(2), true);
        uint256 length = d.length;
        for (uint256 cut = 0; cut < length; ++cut) {
            assembly ("memory-safe") {
                mstore(d, cut)
            }
            (bool ok,) = address(this).call(abi.encodeCall(this.runExternal, (d, 1, a, w)));
            yes(!ok, "truncated");
        }
        assembly ("memory-safe") {
            mstore(d, length)
        }
        vm.expectRevert();
        this.runExternal(bytes.concat(d, hex"00"), 1, a, w);
        run(d, 1, a, a, w);
    }

    /// C21: whatever byte is changed, the step answers or reverts; it never runs out of its bounds (no panic).
    function testFuzz_AChangedByteNeverPanics(uint256 where, uint8 what) public {
        bytes memory d = encode(_dot());
        bytes memory a = floats(300, 1);
        bytes memory w = witness(a, Build.numbers(1, 2), a, Build.numbers(2), true);
        d[where % d.length] = bytes1(what);
        (bool ok, bytes memory data) = address(this).call(abi.encodeCall(this.runExternal, (d, 1, a, w)));
        yes(ok || (data.length >= 4 && bytes4(data) != 0x4e487b71), "panic");
    }

    /// max over a 3-wide window with one element of padding on each side: fill -inf, guard on the coordinate.
    function test_MaxPoolWithPadding() public view {
        Parts memory p;
        p.tensor = Build.tensor(F32, Build.dims(5));
        p.e = Build.list(Build.dims(5));
        p.r = Build.list(Build.dims(3));
        p.operands = bytes.concat(hex"01", Build.operand(0, F32, 5));
        bytes memory form = Build.affine(-1, bytes.concat(Build.term(0, 1), Build.term(8, 1)));
        p.views = abi.encodePacked(hex"01", int64(0xff800000), uint8(1), uint8(0), form, uint8(0), uint8(0));
        p.core = hex"0204010100";
        p.epilogue = hex"0102";
        bytes memory d = encode(p);
        bytes memory a = floats(5, 10);
        bytes memory w = witness(a, Build.numbers(0), a, none(), false);
        eq(run(d, 0, a, a, w), float(11), "left edge");
        eq(run(d, 2, a, a, w), float(13), "middle");
        eq(run(d, 4, a, a, w), float(14), "right edge");
    }

    /// Concat: the first access that holds; only its leaf is read.
    function test_PickReadsOnlyWhatHolds() public view {
        Parts memory p;
        p.tensor = Build.tensor(F32, Build.dims(7));
        p.e = Build.list(Build.dims(7));
        p.r = hex"00";
        p.operands = bytes.concat(hex"02", Build.operand(0, F32, 4), Build.operand(1, F32, 3));
        bytes memory left = abi.encodePacked(uint8(0), Build.affine(0, Build.term(0, 1)), uint8(0), uint8(0));
        bytes memory right = abi.encodePacked(uint8(1), Build.affine(-4, Build.term(0, 1)), uint8(0), uint8(0));
        p.views = abi.encodePacked(hex"01", int64(0), uint8(2), left, right);
        p.core = hex"00";
        p.epilogue = hex"010100";
        bytes memory d = encode(p);
        bytes memory a = floats(4, 1);
        bytes memory b = floats(3, 100);
        eq(run(d, 3, a, b, witness(a, Build.numbers(0), b, none(), true)), float(4), "left");
        eq(run(d, 5, a, b, witness(a, none(), b, Build.numbers(0), true)), float(101), "right");
    }

    /// A pick whose accesses change along a run: k < 4 from a, then from b, then the fill 1.0.
    function test_PickAlongAWindow() public view {
        Parts memory p;
        p.tensor = Build.tensor(F32, Build.dims(1));
        p.e = Build.list(Build.dims(1));
        p.r = Build.list(Build.dims(3, 3));
        p.operands = bytes.concat(hex"02", Build.operand(0, F32, 4), Build.operand(1, F32, 3));
        bytes memory terms = bytes.concat(Build.term(8, 3), Build.term(9, 1));
        bytes memory left = abi.encodePacked(uint8(0), Build.affine(0, terms), uint8(0), uint8(0));
        bytes memory right = abi.encodePacked(uint8(1), Build.affine(-4, terms), uint8(0), uint8(0));
        p.views = abi.encodePacked(hex"01", int64(0x3f800000), uint8(2), left, right);
        p.core = hex"0200010100";
        p.epilogue = hex"0102";
        bytes memory a = floats(4, 1);
        bytes memory b = floats(3, 100);
        bytes memory w = witness(a, Build.numbers(0), b, Build.numbers(0), true);
        eq(run(encode(p), 0, a, b, w), float(10 + 303 + 2), "sum");
    }

    /// arg max: m is operand 1; the least k with x == m, else 99.
    function test_ArgFoldInI64() public view {
        Parts memory p;
        p.tensor = Build.tensor(I64, Build.dims(1));
        p.e = Build.list(Build.dims(1));
        p.r = Build.list(Build.dims(6));
        p.operands = bytes.concat(hex"02", Build.operand(0, F32, 6), Build.operand(1, F32, 1));
        p.views = bytes.concat(
            hex"02", Build.plain(0, Build.affine(0, Build.term(8, 1))), Build.plain(1, Build.affine(0, ""))
        );
        // load 0, load 1, eq, iota 8, const 99, select; fold min
        p.core = hex"020306010001011c000103080007000000000000006305020304";
        p.epilogue = hex"0102";
        bytes memory a = floats(6, 5);
        bytes memory b = floats(1, 8);
        bytes memory w = witness(a, Build.numbers(0), b, Build.numbers(0), true);
        eq(run(encode(p), 0, a, b, w), 3, "index of the maximum");
    }

    /// valid, select, casts and wrapping in an epilogue: valid(view) ? i32(f32 -> i32) * 2^31 : 5, as i64.
    function test_EpilogueTypes() public view {
        Parts memory p;
        p.tensor = Build.tensor(I64, Build.dims(3));
        p.e = Build.list(Build.dims(3));
        p.r = hex"00";
        p.operands = bytes.concat(hex"01", Build.operand(0, F32, 2));
        p.views = bytes.concat(hex"01", Build.plain(0, Build.affine(0, Build.term(0, 1))));
        p.core = hex"00";
        // load; cast i32; const i32 MIN; mul; cast i64; valid; const i64 5; select
        p.epilogue = hex"0801000606000006ffffffff8000000012010206070304000007000000000000000505050406";
        bytes memory a = floats(2, 3);
        bytes memory w = witness(a, Build.numbers(0), a, none(), false);
        eq(run(encode(p), 0, a, a, w), 0xffffffff80000000, "3 * MIN wraps to MIN");
        eq(run(encode(p), 1, a, a, w), 0, "4 * MIN wraps to 0");
        eq(run(encode(p), 2, a, a, witness(a, none(), a, none(), false)), 5, "not valid");
    }

    /// A NaN payload in an operand, and a bool byte 2, load canonically.
    function test_CanonicalLoads() public view {
        Parts memory p;
        p.tensor = Build.tensor(F32, Build.dims(8));
        p.e = Build.list(Build.dims(8));
        p.r = hex"00";
        p.operands = bytes.concat(hex"01", Build.operand(0, F32, 8));
        p.views = bytes.concat(hex"01", Build.plain(0, Build.affine(0, Build.term(0, 1))));
        p.core = hex"00";
        p.epilogue = hex"010100";
        bytes memory a = floats(8, 1);
        put(a, 4, 0xffc12345);
        bytes memory w = witness(a, Build.numbers(0), a, none(), false);
        eq(run(encode(p), 4, a, a, w), 0x7fc00000, "NaN");
        p.tensor = Build.tensor(BOOL, Build.dims(8));
        p.operands = bytes.concat(hex"01", Build.operand(0, BOOL, 8));
        bytes memory b = hex"0002000000000000";
        eq(run(encode(p), 1, b, b, witness(b, Build.numbers(0), b, none(), false)), 1, "bool 2 is true");
    }

    /// sum of nothing is +0, also for a window whose reduction has an extent 0.
    function test_EmptyFolds() public view {
        uint32[9] memory expected = [0, 0, 0x3f800000, 0x7f800000, 0xff800000, uint32(0), 0, 0, 0x3f800000];
        for (uint256 op = 0; op < 9; ++op) {
            if (op == 5 || op == 6) continue;
            Parts memory p;
            p.tensor = Build.tensor(F32, Build.dims(1));
            p.e = hex"00";
            p.r = Build.list(Build.dims(3, 0));
            p.operands = bytes.concat(hex"01", Build.operand(0, F32, 8));
            p.views = bytes.concat(hex"01", Build.plain(0, Build.affine(0, Build.term(8, 1))));
            p.core = abi.encodePacked(hex"02", uint8(op), hex"010100");
            p.epilogue = hex"0102";
            bytes memory a = floats(8, 1);
            eq(run(encode(p), 0, a, a, witness(a, none(), a, none(), false)), expected[op], "empty");
        }
    }

    /// 32 nodes that read one view of uneven runs whose guards never hold: once it took 120 million gas.
    function test_GasOfAViewThatIsReadOften() public view {
        bytes memory descriptor = hex"020901000000000101000000000105000000001000000000020000000002000000000200000000020001000000000001000000012c01000000000000000104000000000000000001050800000000000000030900000000000000050a000000"
            hex"00000000010b00000000000000070c0000000000000001040000000001fffffffffffffffd010c00000000000000010000000001fffffffffffffffd010c00000000000000010000000001fffffffffffffffd010c00000000000000010000"
            hex"000001fffffffffffffffd010c00000000000000010000000000000000000100040000000001fffffffffffffffd010c00000000000000010000000001fffffffffffffffd010c00000000000000010000000001fffffffffffffffd010c00"
            hex"000000000000010000000001fffffffffffffffd010c00000000000000010000000000000000000100040000000001fffffffffffffffd010c00000000000000010000000001fffffffffffffffd010c00000000000000010000000001ffff"
            hex"fffffffffffd010c00000000000000010000000001fffffffffffffffd010c00000000000000010000000000000000000100040000000001fffffffffffffffd010c00000000000000010000000001fffffffffffffffd010c000000000000"
            hex"00010000000001fffffffffffffffd010c00000000000000010000000001fffffffffffffffd010c00000000000000010002062004000400040004000400040004000400040004000400040004000400040004000400040004000400040004"
            hex"0004000400040004000400040004000400040004000102";
        bytes memory a = floats(300, 0);
        uint256 start = gasleft();
        uint256 lane = run(descriptor, 0, a, a, hex"000000000000");
        uint256 used = start - gasleft();
        eq(lane, 0, "no access holds");
        require(used < 6_000_000, "read again for every node");
    }

    /// A fold's body that calls another contract for every k: 28 roundings of 256 elements.
    function test_GasOfABodyThatCalls() public view {
        Parts memory p;
        p.tensor = Build.tensor(F32, Build.dims(1));
        p.e = Build.list(Build.dims(1));
        p.r = Build.list(Build.dims(256));
        p.operands = bytes.concat(hex"01", Build.operand(0, F32, 256));
        p.views = bytes.concat(hex"01", Build.plain(0, Build.affine(0, Build.term(8, 1))));
        p.core = hex"02001d0100";
        for (uint8 i = 0; i < 28; ++i) {
            p.core = bytes.concat(p.core, hex"3c", bytes1(i));
        }
        p.epilogue = hex"0102";
        bytes memory d = encode(p);
        bytes memory a = floats(256, 1);
        bytes memory w = witness(a, Build.numbers(0, 1), a, none(), false);
        bytes32 root = Trees.root(treeOf(a, a));
        uint256 used = gasleft();
        uint256 lane = judge.evaluate(d, 2, 0, root, 3, w);
        used -= gasleft();
        eq(lane, float(257 * 128), "the sum");
        // The bill says 1,500 for a call and 720 for the rounding; with the rest of the step each takes less than this.
        uint256 billed = 28 * 256 * 1_280;
        if (used > billed) revert NotEqual(used, billed, "calls cost more than they are billed");
    }

    /// 16-bit floats are stored and converted, not folded.
    function test_FoldsOfHalvesAreRefused() public {
        bytes memory descriptor =
            hex"020a010000000001010000000001010000000004000100000000000a00000000040100000000000000000100000000000000000001080000000000000001000002000101000102";
        bytes memory a = hex"3c003c003c003c00";
        bytes memory w = witness(a, Build.numbers(0), a, none(), false);
        (bool ok, bytes memory data) = address(this).call(abi.encodeCall(this.runExternal, (descriptor, 0, a, w)));
        yes(!ok && bytes4(data) == Reduction.WrongFoldType.selector, "a fold of f16");
    }
}
