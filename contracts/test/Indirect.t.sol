// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Build} from "./support/Build.sol";
import {Instruction} from "../src/step/Instruction.sol";
import {Judge} from "./support/Judge.sol";
import {Trees} from "./support/Tree.sol";
import {Witness} from "../src/step/Witness.sol";
import {vm} from "./Vm.sol";

/// Rows of a table (value 1) that integers (value 0) choose.
contract IndirectTest is Judge {
    uint8 internal constant F32 = 1;
    uint8 internal constant I32 = 6;
    uint256 internal constant ROWS = 3;
    uint256 internal constant WIDTH = 200;

    function _term(uint8 view_, uint256 limit, int64 coefficient) internal pure returns (bytes memory) {
        return abi.encodePacked(view_, uint40(limit), coefficient);
    }

    /// out[i, j] = table[ids[i], j]; 5 rows of 200, 9.0 where there is no such row. `guard`: only where i < 4.
    function _rows(bytes memory terms, bool guarded) internal pure returns (Parts memory p) {
        p.tensor = Build.tensor(F32, Build.dims(5, WIDTH));
        p.e = Build.list(Build.dims(5, WIDTH));
        p.r = hex"00";
        p.operands = bytes.concat(hex"02", Build.operand(0, I32, 5), Build.operand(1, F32, ROWS * WIDTH));
        bytes memory guards =
            guarded ? abi.encodePacked(uint8(1), uint40(4), Build.affine(0, Build.term(0, 1))) : bytes(hex"00");
        bytes memory row = abi.encodePacked(
            int64(0x41100000),
            uint8(1),
            uint8(1),
            Build.affine(0, Build.term(1, 1)),
            guards,
            uint8(terms.length / 14),
            terms
        );
        p.views = bytes.concat(hex"02", Build.plain(0, Build.affine(0, Build.term(0, 1))), row);
        p.core = hex"00";
        p.epilogue = hex"010101";
    }

    function _plain() internal pure returns (Parts memory) {
        return _rows(_term(0, ROWS, int64(uint64(WIDTH))), false);
    }

    function _ids() internal pure returns (bytes memory) {
        int256[] memory ids = new int256[](5);
        (ids[0], ids[1], ids[2], ids[3], ids[4]) = (2, 0, -1, 3, -4);
        return Build.i32s(ids);
    }

    function evaluate(bytes memory d, uint256 element, uint256[] memory ids, uint256[] memory leaves)
        external
        view
        returns (uint256)
    {
        bytes memory table = floats(ROWS * WIDTH, 1);
        return run(d, element, _ids(), table, witness(_ids(), ids, table, leaves, true));
    }

    function _refused(Parts memory p, bytes memory reason) internal {
        bytes memory d = encode(p);
        vm.expectRevert(reason);
        this.evaluate(d, 0, Build.numbers(0), Build.numbers(3));
    }

    function test_RowsThatDataChooses() public view {
        bytes memory d = encode(_plain());
        uint256[] memory one = Build.numbers(0);
        eq(this.evaluate(d, 7, one, Build.numbers(3)), float(2 * WIDTH + 7 + 1), "row 2");
        eq(this.evaluate(d, WIDTH + 7, one, Build.numbers(0)), float(7 + 1), "row 0");
        eq(this.evaluate(d, 2 * WIDTH + 7, one, Build.numbers(3)), float(2 * WIDTH + 7 + 1), "the last row");
        eq(this.evaluate(d, 3 * WIDTH + 7, one, none()), float(9), "behind the last row");
        eq(this.evaluate(d, 4 * WIDTH + 7, one, none()), float(9), "before the first row");
    }

    /// The table's leaf is the one that the index says, and no other.
    function test_OtherLeavesAreRefused() public {
        bytes memory d = encode(_plain());
        vm.expectRevert(abi.encodeWithSelector(Witness.MissingLeaf.selector, 1, 3));
        this.evaluate(d, 7, Build.numbers(0), Build.numbers(0));
        vm.expectRevert(abi.encodeWithSelector(Witness.UnusedLeaf.selector, 1, 0));
        this.evaluate(d, 7, Build.numbers(0), Build.numbers(0, 3));
        vm.expectRevert(abi.encodeWithSelector(Witness.MissingLeaf.selector, 0, 0));
        this.evaluate(d, 7, none(), Build.numbers(3));
    }

    /// Where a guard fails no index is read.
    function test_GuardsComeBeforeIndices() public {
        bytes memory d = encode(_rows(_term(0, ROWS, int64(uint64(WIDTH))), true));
        eq(this.evaluate(d, 4 * WIDTH, none(), none()), float(9), "the guard fails");
        eq(this.evaluate(d, 3 * WIDTH, Build.numbers(0), none()), float(9), "the index fails");
        vm.expectRevert(abi.encodeWithSelector(Witness.UnusedLeaf.selector, 0, 0));
        this.evaluate(d, 4 * WIDTH, Build.numbers(0), none());
    }

    /// Whether an access holds depends on its index, which is read for that; the element is not.
    function test_ValidReadsTheIndex() public view {
        Parts memory p = _plain();
        p.tensor = Build.tensor(9, Build.dims(5, WIDTH));
        p.epilogue = hex"010401";
        bytes memory d = encode(p);
        eq(this.evaluate(d, 7, Build.numbers(0), none()), 1, "a row");
        eq(this.evaluate(d, 3 * WIDTH, Build.numbers(0), none()), 0, "no row");
    }

    /// A sum over a row, one index for the whole run; and one over a column, with another index at each k.
    function test_ReductionsOverWhatIndicesChoose() public view {
        Parts memory p = _plain();
        p.tensor = Build.tensor(F32, Build.dims(1));
        p.e = hex"00";
        p.r = Build.list(Build.dims(2, 100));
        bytes memory term = _term(0, ROWS, int64(uint64(WIDTH)));
        bytes memory ids = Build.plain(0, Build.affine(0, Build.term(8, 1)));
        bytes memory row =
            abi.encodePacked(int64(0), uint8(1), uint8(1), Build.affine(0, Build.term(9, 1)), uint8(0), uint8(1), term);
        p.views = bytes.concat(hex"02", ids, row);
        p.core = hex"0200010101";
        p.epilogue = hex"0102";
        // Rows 2 and 0: leaves 3 (400 .. 499 lie in 384 .. 511) and 0.
        uint256 sum = (401 + 500) * 100 / 2 + (1 + 100) * 100 / 2;
        eq(this.evaluate(encode(p), 0, Build.numbers(0), Build.numbers(0, 3)), float(sum), "two runs");
    }

    function test_MalformedTermsAreRefused() public {
        int64 width = int64(uint64(WIDTH));
        bytes memory noIndex = abi.encodeWithSelector(Instruction.NoIndex.selector, 1);
        _refused(_rows(_term(1, ROWS, width), false), noIndex);
        _refused(_rows(_term(0, 0, width), false), abi.encodeWithSelector(Instruction.NoIndex.selector, 0));
        bytes memory term = _term(0, ROWS, width);
        _refused(
            _rows(bytes.concat(term, term, term, term, term), false),
            abi.encodeWithSelector(Instruction.TooMany.selector, 5, 4)
        );
        // 200 e + 2^23 * 2^39 and more.
        _refused(
            _rows(_term(0, 1 << 39, -(1 << 23)), false),
            abi.encodeWithSelector(Instruction.AffineTooWide.selector, (1 << 62) + WIDTH)
        );
        // An index of floats.
        Parts memory p = _plain();
        p.operands = bytes.concat(hex"02", Build.operand(0, F32, 5), Build.operand(1, F32, ROWS * WIDTH));
        _refused(p, abi.encodeWithSelector(Instruction.NoIndex.selector, 0));
        // An index that needs another one.
        p = _plain();
        p.operands = bytes.concat(hex"02", Build.operand(0, I32, 5), Build.operand(1, I32, ROWS * WIDTH));
        bytes memory ids = Build.plain(0, Build.affine(0, Build.term(0, 1)));
        bytes memory second = abi.encodePacked(
            int64(0), uint8(1), uint8(1), Build.affine(0, ""), uint8(0), uint8(1), _term(0, ROWS, width)
        );
        bytes memory third = abi.encodePacked(
            int64(0), uint8(1), uint8(1), Build.affine(0, ""), uint8(0), uint8(1), _term(1, ROWS, width)
        );
        p.views = bytes.concat(hex"03", ids, second, third);
        _refused(p, noIndex);
    }
}
