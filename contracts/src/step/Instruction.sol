// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {DataType} from "../program/DataType.sol";
import {Tensor} from "../program/Tensor.sol";

/// @title The part of an instruction's descriptor before its core: extents, operands and views
/// @dev Reads are not bounded by the descriptor's end; the caller checks that parsing ends exactly there. Counts are
/// capped, so a short descriptor cannot make parsing long.
library Instruction {
    uint256 internal constant KIND = 2;
    uint256 internal constant MAX_EXTENTS = 8;
    uint256 internal constant MAX_REDUCTION = 5;
    uint256 internal constant MAX_OPERANDS = 6;
    uint256 internal constant MAX_VIEWS = 16;
    uint256 internal constant MAX_ACCESSES = 4;
    uint256 internal constant MAX_GUARDS = 4;
    uint256 internal constant MAX_INDIRECTS = 4;
    /// @notice Bytes of an indirect term.
    uint256 internal constant INDIRECT = 14;
    uint256 internal constant CHUNK = 256;
    /// @notice Words of a form: its limit, its constant and one coefficient per reduction axis.
    uint256 internal constant FORM = 7;
    /// @notice |base| plus every |coefficient| times its axis' extent is below this.
    uint256 internal constant AFFINE_LIMIT = 1 << 62;

    /// @notice One element of an instruction.
    struct Parsed {
        uint256 dtype; // of the result
        uint256[] e; // the element's coordinates
        uint256[] extents; // of the e axes
        uint256[] r; // the reduction's extents
        bool reduces; // has r axes or windows
        uint256 first; // the first k of the element's window
        uint256 count; // how many k it has
        uint256[] operands; // value << 64 | elements << 8 | dtype; behind the last one in memory is the result itself
        View[] views;
    }

    /// @notice A view, for one element: the e axes are already in the constants.
    struct View {
        uint256 dtype;
        uint256 fill; // a register
        uint256 axes; // bit by bit, the r axes that some term uses: its own or an index view's
        uint256 indexAxes; // of these the index views'; bit MAX_REDUCTION where there are indirect terms; 0 where not
        uint256[] operands; // per access: calldata offset of its indirect terms << 16 | their number << 8 | which operand
        int256[][] forms; // per access: FORM words each; the address first, its limit the operand's elements; then guards
        View[] views; // all of the instruction's: those before this one are its index views
    }

    error NotAnInstruction(uint256 kind);
    error MalformedExtents();
    error UnknownFlags(uint256 flags);
    error WrongElementCount(uint256 extents, uint256 shape);
    error ElementOutOfRange(uint256 element, uint256 elements);
    error WrongWindows(uint256 extent, uint256 windows);
    error WindowTooLong(uint256 k);
    error TooMany(uint256 count, uint256 maximum);
    error UnknownType(uint256 dtype);
    error OperandOutOfOrder(uint256 operand);
    error OperandOutOfRange(uint256 operand, uint256 operands);
    error MixedTypes(uint256 first, uint256 other);
    error NotARegister(uint256 dtype, int256 value);
    error AxisOutOfOrder(uint256 axis);
    error NoSuchAxis(uint256 axis);
    error AffineTooWide(uint256 reach);
    error NoIndex(uint256 view_);

    /// @notice Parses up to and including the views. `pos` is the calldata offset of the descriptor.
    /// @return p The instruction for this element.
    /// @return next The offset of the core.
    function parse(uint256 pos, uint256 value, uint256 element) internal pure returns (Parsed memory p, uint256 next) {
        if (Tensor.read(pos, 1) != KIND) revert NotAnInstruction(Tensor.read(pos, 1));
        uint256 elements;
        uint256 size;
        {
            bool ok;
            (ok, p.dtype, elements, size) = Tensor.parse(pos + 1);
            if (!ok) revert MalformedExtents();
        }
        if (element >= elements) revert ElementOutOfRange(element, elements);
        pos = _parseExtents(p, pos + 1 + size, element, elements);
        pos = _parseOperands(p, pos, value, elements);
        uint256 count = _count(pos, MAX_VIEWS);
        ++pos;
        p.views = new View[](count);
        for (uint256 i = 0; i < count; ++i) {
            pos = _parseView(p, i, pos);
        }
        return (p, pos);
    }

    /// @notice Makes the instruction's own value the last operand: once, and after the views, which cannot name it so.
    function addItself(Parsed memory p) internal pure {
        _resize(p.operands, p.operands.length + 1);
    }

    function _resize(uint256[] memory array, uint256 length) private pure {
        assembly ("memory-safe") {
            mstore(array, length)
        }
    }

    /// @dev Extents e (as the element's coordinates), extents r, flags and the window.
    function _parseExtents(Parsed memory p, uint256 pos, uint256 element, uint256 elements)
        private
        pure
        returns (uint256)
    {
        uint256 eCount = _count(pos, MAX_EXTENTS);
        uint256 eAt = pos + 1;
        (bool ok, uint256 total) = Tensor.product(eAt, eCount);
        if (!ok) revert MalformedExtents();
        if (total != elements) revert WrongElementCount(total, elements);
        pos = eAt + 5 * eCount;
        p.e = new uint256[](eCount);
        p.extents = new uint256[](eCount);
        for (uint256 i = eCount; i > 0; --i) {
            // Not zero: the element exists.
            uint256 extent = Tensor.read(eAt + 5 * (i - 1), 5);
            p.extents[i - 1] = extent;
            p.e[i - 1] = element % extent;
            element /= extent;
        }

        uint256 rCount = _count(pos, MAX_REDUCTION);
        ++pos;
        uint256 k;
        (ok, k) = Tensor.product(pos, rCount);
        if (!ok) revert MalformedExtents();
        p.r = new uint256[](rCount);
        for (uint256 i = 0; i < rCount; ++i) {
            p.r[i] = Tensor.read(pos, 5);
            pos += 5;
        }

        uint256 flags = Tensor.read(pos, 1);
        if (flags > 1) revert UnknownFlags(flags);
        p.reduces = rCount != 0 || flags == 1;
        if (flags == 1) {
            if (eCount == 0) revert WrongWindows(0, 0);
            uint256 windows = (k + CHUNK - 1) / CHUNK;
            uint256 extent = Tensor.read(eAt + 5 * (eCount - 1), 5);
            if (extent != windows) revert WrongWindows(extent, windows);
            p.first = CHUNK * p.e[eCount - 1];
            p.count = k - p.first < CHUNK ? k - p.first : CHUNK;
        } else {
            if (k > CHUNK) revert WindowTooLong(k);
            p.count = k;
        }
        return pos + 1;
    }

    function _parseOperands(Parsed memory p, uint256 pos, uint256 value, uint256 elements)
        private
        pure
        returns (uint256)
    {
        uint256 count = _count(pos, MAX_OPERANDS);
        ++pos;
        uint256[] memory operands = new uint256[](count + 1);
        p.operands = operands;
        uint256 least = 0;
        for (uint256 i = 0; i < count; ++i) {
            uint256 operand = Tensor.read(pos, 5);
            uint256 dtype = Tensor.read(pos + 5, 1);
            if (operand < least || operand >= value) revert OperandOutOfOrder(operand);
            if (!DataType.exists(dtype)) revert UnknownType(dtype);
            operands[i] = (operand << 64) | (Tensor.read(pos + 6, 5) << 8) | dtype;
            least = operand + 1;
            pos += 11;
        }
        operands[count] = (value << 64) | (elements << 8) | p.dtype;
        _resize(operands, count);
        return pos;
    }

    function _parseView(Parsed memory p, uint256 number, uint256 pos) private pure returns (uint256) {
        View memory v = p.views[number];
        v.views = p.views;
        int256 fill = Tensor.readI64(pos);
        uint256 accesses = Tensor.read(pos + 8, 1);
        if (accesses == 0 || accesses > MAX_ACCESSES) revert TooMany(accesses, MAX_ACCESSES);
        pos += 9;
        v.operands = new uint256[](accesses);
        v.forms = new int256[][](accesses);
        for (uint256 i = 0; i < accesses; ++i) {
            uint256 operand = Tensor.read(pos, 1);
            if (operand >= p.operands.length) revert OperandOutOfRange(operand, p.operands.length);
            uint256 dtype = p.operands[operand] & 0xff;
            if (i == 0) v.dtype = dtype;
            if (dtype != v.dtype) revert MixedTypes(v.dtype, dtype);
            v.operands[i] = operand;
            pos = _parseAccess(p, v, number, i, pos + 1);
        }
        if (!DataType.isRegister(v.dtype, uint256(fill))) revert NotARegister(v.dtype, fill);
        v.fill = uint256(fill);
        return pos;
    }

    /// @dev The address, the guards and the indirect terms of an access. `pos` is past the operand's number.
    function _parseAccess(Parsed memory p, View memory v, uint256 number, uint256 access, uint256 pos)
        private
        pure
        returns (uint256)
    {
        // The number of guards stands behind the address: find it first.
        uint256 guards = Tensor.read(pos + 9 + 9 * _count(pos + 8, 13), 1);
        if (guards > MAX_GUARDS) revert TooMany(guards, MAX_GUARDS);
        int256[] memory forms = new int256[](FORM * (1 + guards));
        v.forms[access] = forms;
        forms[0] = int256((p.operands[v.operands[access]] >> 8) & 0xffffffffff);
        uint256 reach;
        (pos, reach) = _parseAffine(p, v, forms, 0, pos);
        ++pos;
        for (uint256 g = 1; g <= guards; ++g) {
            forms[FORM * g] = int256(Tensor.read(pos, 5));
            (pos,) = _parseAffine(p, v, forms, FORM * g, pos + 5);
        }
        uint256 indirects = _count(pos, MAX_INDIRECTS);
        ++pos;
        if (indirects == 0) return pos;
        v.operands[access] |= (pos << 16) | (indirects << 8);
        return _parseIndirects(v, number, indirects, reach, pos);
    }

    /// @dev (view u8 | limit u40 | coefficient i64) * count. `reach` is the address form's own.
    function _parseIndirects(View memory v, uint256 number, uint256 count, uint256 reach, uint256 pos)
        private
        pure
        returns (uint256)
    {
        v.indexAxes |= 1 << MAX_REDUCTION;
        unchecked {
            for (; count > 0; --count) {
                uint256 index = Tensor.read(pos, 1);
                if (index >= number) revert NoIndex(index);
                View memory view_ = v.views[index];
                uint256 limit = Tensor.read(pos + 1, 5);
                // INVARIANT: an index view has no indirect terms, so a view is read in a bounded number of steps.
                if (view_.indexAxes != 0 || limit == 0 || !DataType.isInteger(view_.dtype)) revert NoIndex(index);
                v.indexAxes |= view_.axes;
                v.axes |= view_.axes;
                reach += _size(Tensor.readI64(pos + 6)) * limit;
                pos += INDIRECT;
            }
        }
        if (reach >= AFFINE_LIMIT) revert AffineTooWide(reach);
        return pos;
    }

    /// @dev base i64 | terms u8 | (axis u8 | coefficient i64) * terms. Below 2^107 in size: cannot wrap.
    function _parseAffine(Parsed memory p, View memory v, int256[] memory forms, uint256 form, uint256 pos)
        private
        pure
        returns (uint256, uint256 reach)
    {
        int256 constant_ = Tensor.readI64(pos);
        uint256 terms = _count(pos + 8, 13);
        pos += 9;
        uint256 least = 0;
        uint256 eCount = p.e.length;
        reach = _size(constant_);
        unchecked {
            for (uint256 i = 0; i < terms; ++i) {
                uint256 axis = Tensor.read(pos, 1);
                int256 coefficient = Tensor.readI64(pos + 1);
                pos += 9;
                if (axis < least) revert AxisOutOfOrder(axis);
                least = axis + 1;
                if (axis < MAX_EXTENTS) {
                    if (axis >= eCount) revert NoSuchAxis(axis);
                    constant_ += coefficient * int256(p.e[axis]);
                    reach += _size(coefficient) * p.extents[axis];
                } else {
                    if (axis - MAX_EXTENTS >= p.r.length) revert NoSuchAxis(axis);
                    forms[form + 2 + axis - MAX_EXTENTS] = coefficient;
                    v.axes |= 1 << (axis - MAX_EXTENTS);
                    reach += _size(coefficient) * p.r[axis - MAX_EXTENTS];
                }
            }
        }
        if (reach >= AFFINE_LIMIT) revert AffineTooWide(reach);
        forms[form + 1] = constant_;
        return (pos, reach);
    }

    function _size(int256 x) private pure returns (uint256) {
        unchecked {
            return x < 0 ? uint256(-x) : uint256(x);
        }
    }

    function _count(uint256 pos, uint256 maximum) private pure returns (uint256 count) {
        count = Tensor.read(pos, 1);
        if (count > maximum) revert TooMany(count, maximum);
    }
}
