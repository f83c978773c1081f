// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Adjudicator} from "../src/Adjudicator.sol";
import {Build} from "./support/Build.sol";
import {Expression} from "../src/step/Expression.sol";
import {Instruction} from "../src/step/Instruction.sol";
import {Judge} from "./support/Judge.sol";
import {Tree, Trees} from "./support/Tree.sol";
import {Witness} from "../src/step/Witness.sol";
import {vm} from "./Vm.sol";

/// Scans: value 1 is made from value 0 and from itself.
contract ScanTest is Judge {
    uint8 internal constant F32 = 1;
    uint8 internal constant I32 = 6;
    uint256 internal constant ROW = 200;

    /// out[row, i] = out[row, i - 1] + x[row, i], from 7.0; 2 rows of 200.
    function _sums() internal pure returns (Parts memory p) {
        p.tensor = Build.tensor(F32, Build.dims(2, ROW));
        p.e = Build.list(Build.dims(2, ROW));
        p.r = hex"00";
        p.operands = bytes.concat(hex"01", Build.operand(0, F32, 2 * ROW));
        bytes memory dense = Build.affine(0, bytes.concat(Build.term(0, int64(uint64(ROW))), Build.term(1, 1)));
        // A guard that never holds: the view is its fill.
        bytes memory never =
            abi.encodePacked(int64(0x40e00000), uint8(1), uint8(0), Build.affine(0, ""), hex"01", uint40(0));
        p.views = bytes.concat(hex"02", Build.plain(0, dense), never, Build.affine(0, ""), hex"00");
        p.core = hex"030101";
        // core, load 0, add
        p.epilogue = hex"03020100100001";
    }

    function _trace(bytes memory x, bytes memory out) internal pure returns (Tree memory) {
        bytes32[] memory roots = new bytes32[](2);
        roots[0] = Trees.root(Trees.fromBytes(x));
        roots[1] = Trees.root(Trees.fromBytes(out));
        return Trees.fromLeaves(roots, 0);
    }

    function _witness(bytes memory x, uint256 leaf, bytes memory out, uint256[] memory own)
        internal
        pure
        returns (bytes memory)
    {
        uint256[] memory values = own.length == 0 ? Build.numbers(0) : Build.numbers(0, 1);
        bytes memory leaves = bytes.concat(Build.leaves(x, Build.numbers(leaf)), Build.leaves(out, own));
        return bytes.concat(leaves, Build.operands(_trace(x, out), values));
    }

    function evaluate(bytes memory d, uint256 element, bytes memory x, bytes memory out, bytes memory w)
        external
        view
        returns (uint256)
    {
        return judge.evaluate(d, 1, element, Trees.root(_trace(x, out)), 2, w);
    }

    function _lane(bytes memory d, uint256 element, bytes memory x, bytes memory out, uint256[] memory own)
        internal
        view
        returns (uint256)
    {
        return this.evaluate(d, element, x, out, _witness(x, element / 128, out, own));
    }

    function _refused(bytes memory d, uint256 element, uint256[] memory own, bytes memory reason) internal {
        bytes memory x = floats(2 * ROW, 1);
        bytes memory out = floats(2 * ROW, 1000);
        bytes memory w = _witness(x, element / 128, out, own);
        vm.expectRevert(reason);
        this.evaluate(d, element, x, out, w);
    }

    /// The predecessor in the same leaf, in an earlier one, and none at the beginning of each row.
    function test_PredecessorAlongTheLastAxis() public view {
        bytes memory d = encode(_sums());
        bytes memory x = floats(2 * ROW, 1);
        bytes memory out = floats(2 * ROW, 1000);
        eq(_lane(d, 0, x, out, none()), float(7 + 1), "the beginning");
        eq(_lane(d, 5, x, out, Build.numbers(0)), float(1004 + 6), "same leaf");
        eq(_lane(d, 128, x, out, Build.numbers(0)), float(1127 + 129), "earlier leaf");
        eq(_lane(d, ROW, x, out, none()), float(7 + 201), "the next row's beginning");
    }

    /// A row further up: 200 elements before.
    function test_PredecessorAlongTheFirstAxis() public view {
        Parts memory p = _sums();
        p.core = hex"030001";
        bytes memory d = encode(p);
        bytes memory x = floats(2 * ROW, 1);
        bytes memory out = floats(2 * ROW, 1000);
        eq(_lane(d, 150, x, out, none()), float(7 + 151), "the first row");
        eq(_lane(d, 300, x, out, Build.numbers(0)), float(1100 + 301), "two leaves before");
        eq(_lane(d, 399, x, out, Build.numbers(1)), float(1199 + 400), "the last element");
    }

    /// Whatever the trace has there: a NaN is canonical once it is loaded.
    function test_PredecessorIsCanonical() public view {
        Parts memory p = _sums();
        p.epilogue = hex"0102";
        bytes memory d = encode(p);
        bytes memory x = floats(2 * ROW, 1);
        bytes memory out = floats(2 * ROW, 1000);
        put(out, 4, 0xff812345);
        bytes memory w = bytes.concat(
            Build.leaves(x, none()),
            Build.leaves(out, Build.numbers(0)),
            Build.operands(_trace(x, out), Build.numbers(1))
        );
        eq(this.evaluate(d, 5, x, out, w), 0x7fc00000, "NaN");
    }

    /// Exactly the leaf of the element before, and only where there is one.
    function test_OwnLeavesMissingExtraAndLater() public {
        bytes memory d = encode(_sums());
        _refused(d, 5, none(), abi.encodeWithSelector(Witness.MissingLeaf.selector, 1, 0));
        _refused(d, 0, Build.numbers(0), abi.encodeWithSelector(Witness.UnusedLeaf.selector, 1, 0));
        _refused(d, ROW, Build.numbers(1), abi.encodeWithSelector(Witness.UnusedLeaf.selector, 1, 1));
        // The disputed leaf itself, and a later one, instead of the one before or beside it.
        _refused(d, 128, Build.numbers(1), abi.encodeWithSelector(Witness.MissingLeaf.selector, 1, 0));
        _refused(d, 128, Build.numbers(0, 1), abi.encodeWithSelector(Witness.UnusedLeaf.selector, 1, 1));
        _refused(d, 5, Build.numbers(0, 2), abi.encodeWithSelector(Witness.UnusedLeaf.selector, 1, 2));
    }

    function test_ALieAboutTheLeafBeforeProvesNothing() public {
        bytes memory d = encode(_sums());
        bytes memory x = floats(2 * ROW, 1);
        bytes memory out = floats(2 * ROW, 1000);
        bytes memory w = _witness(x, 0, out, Build.numbers(0));
        put(out, 4, float(5));
        bytes memory other = _witness(x, 0, out, Build.numbers(0));
        yes(keccak256(w) != keccak256(other), "another leaf");
        put(out, 4, float(1004));
        (bool ok, bytes memory data) = address(this).call(abi.encodeCall(this.evaluate, (d, 5, x, out, other)));
        yes(!ok && bytes4(data) == Witness.WrongTraceRoot.selector, "proven under another root");
    }

    function test_MalformedScansRevert() public {
        uint256[] memory own = Build.numbers(0);
        Parts memory p = _sums();
        p.core = hex"030201";
        _refused(encode(p), 5, own, abi.encodeWithSelector(Instruction.NoSuchAxis.selector, 2));
        p.core = hex"030801";
        _refused(encode(p), 5, own, abi.encodeWithSelector(Instruction.NoSuchAxis.selector, 8));
        p.core = hex"030102";
        _refused(encode(p), 5, own, abi.encodeWithSelector(Expression.NoSuchView.selector, 2, 2));

        p = _sums();
        p.r = Build.list(Build.dims(1));
        _refused(encode(p), 5, own, abi.encodeWithSelector(Adjudicator.ScanOfReduction.selector));
        p = _sums();
        p.flags = 1;
        p.e = bytes.concat(hex"03", abi.encodePacked(uint40(2), uint40(ROW), uint40(1)));
        _refused(encode(p), 5, own, abi.encodeWithSelector(Adjudicator.ScanOfReduction.selector));

        // The result's type is not that of the initial view.
        p = _sums();
        p.tensor = Build.tensor(I32, Build.dims(2, ROW));
        p.epilogue = hex"0406060000000002010006060105100201";
        _refused(encode(p), 5, own, abi.encodeWithSelector(Adjudicator.WrongResultType.selector, F32, I32));

        // No view reaches the result: its number is one too many.
        p = _sums();
        p.views = bytes.concat(hex"01", Build.plain(1, Build.affine(0, "")));
        p.core = hex"030100";
        _refused(encode(p), 5, own, abi.encodeWithSelector(Instruction.OperandOutOfRange.selector, 1, 1));
    }

    /// The next code is no core, and only a scan's own result is an operand.
    function test_CodesBehindTheScanAreUnknown() public {
        Parts memory p = _sums();
        p.core = hex"040101";
        bytes memory x = floats(2 * ROW, 1);
        bytes memory w = bytes.concat(Build.leaves(x, Build.numbers(0)), Build.operands(_trace(x, x), Build.numbers(0)));
        vm.expectRevert(abi.encodeWithSelector(Adjudicator.UnknownCore.selector, 4));
        this.evaluate(encode(p), 5, x, x, w);
    }

    function test_EveryTruncationReverts() public {
        bytes memory d = encode(_sums());
        bytes memory x = floats(2 * ROW, 1);
        bytes memory w = _witness(x, 0, x, Build.numbers(0));
        uint256 length = d.length;
        for (uint256 cut = 0; cut < length; ++cut) {
            assembly ("memory-safe") {
                mstore(d, cut)
            }
            (bool ok,) = address(this).call(abi.encodeCall(this.evaluate, (d, 5, x, x, w)));
            yes(!ok, "truncated");
        }
    }

    /// Whatever byte is changed, the step answers or reverts; it never runs out of its bounds (no panic).
    function testFuzz_AChangedByteNeverPanics(uint256 where, uint8 what) public {
        bytes memory d = encode(_sums());
        bytes memory x = floats(2 * ROW, 1);
        bytes memory w = _witness(x, 0, x, Build.numbers(0));
        d[where % d.length] = bytes1(what);
        (bool ok, bytes memory data) = address(this).call(abi.encodeCall(this.evaluate, (d, 5, x, x, w)));
        yes(ok || (data.length >= 4 && bytes4(data) != 0x4e487b71), "panic");
    }
}
