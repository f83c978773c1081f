// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {DataType} from "../program/DataType.sol";
import {Instruction} from "./Instruction.sol";
import {LeafLanes} from "./LeafLanes.sol";
import {Tensor} from "../program/Tensor.sol";

/// @title What a view reads over a window of k
/// @dev Works by runs along the innermost reduction axis (several axes at once where every form of the view allows it).
/// Along a run each guard and each address is c + s i, so an access holds on one interval of i: found with a few
/// divisions, or without any where both ends hold. Lanes are then copied leaf by leaf. Indices are the same all along a
/// run: each is read once, if some k of the run needs it.
library Gather {
    uint256 private constant FORM = Instruction.FORM;

    /// @dev What a run needs to know, filled once per view and changed per run.
    struct Run {
        uint256 outer; // how many leading r axes are outside of the run
        uint256 inner; // the axis whose coefficients are the slopes along the run
        uint256 extent; // i < extent
        bool onlyValid; // 0 or 1 for whether some access holds, instead of lanes
        uint256 size; // LeafLanes.REGISTERS or LeafLanes.PACKED
        uint256[5] coordinates; // of the outer axes
        int256[4] base; // per access: address at i = 0
        int256[4] slope; // per access: address step
        uint256[4] low; // per access: where it holds
        uint256[4] high;
    }

    /// @notice The registers that a view reads at k = first .. first + count - 1, one a word.
    /// @param r The reduction's extents; empty where the view has e axes only.
    /// @param onlyValid Give whether some access holds instead; reads no leaf.
    /// @return pointer Memory address of the first word.
    function lanes(
        Instruction.View memory v,
        uint256[] memory r,
        uint256 first,
        uint256 count,
        uint256[][] memory tables,
        bool onlyValid
    ) internal pure returns (uint256 pointer) {
        Run memory run;
        run.onlyValid = onlyValid;
        run.size = LeafLanes.REGISTERS;
        return _lanes(v, r, first, count, tables, run);
    }

    /// @notice The f32 lanes that a view reads at k = first .. first + count - 1, eight a word, raw.
    /// @param r The reduction's extents.
    /// @return pointer Memory address of the first word; what is behind the last lane is undefined.
    function packed(
        Instruction.View memory v,
        uint256[] memory r,
        uint256 first,
        uint256 count,
        uint256[][] memory tables
    ) internal pure returns (uint256 pointer) {
        Run memory run;
        run.size = LeafLanes.PACKED;
        return _lanes(v, r, first, count, tables, run);
    }

    function _lanes(
        Instruction.View memory v,
        uint256[] memory r,
        uint256 first,
        uint256 count,
        uint256[][] memory tables,
        Run memory run
    ) private pure returns (uint256 pointer) {
        uint256 size = run.size;
        assembly ("memory-safe") {
            pointer := mload(0x40)
            // A word more, for what packed lanes overwrite.
            mstore(0x40, and(add(add(pointer, mul(size, count)), 63), not(31)))
        }
        if (count == 0) return pointer;
        for (uint256 a = 0; a < v.forms.length; ++a) {
            _dropGuards(v.forms[a], r);
        }
        _plan(v, r, run);
        uint256 to = pointer;
        unchecked {
            while (count > 0) {
                uint256 from = first % run.extent;
                uint256 outer = first / run.extent;
                uint256 stop = run.extent - from > count ? from + count : run.extent;
                for (uint256 axis = run.outer; axis > 0; --axis) {
                    run.coordinates[axis - 1] = outer % r[axis - 1];
                    outer /= r[axis - 1];
                }
                for (uint256 a = 0; a < v.forms.length; ++a) {
                    _resolve(v, run, a, from, stop, tables);
                }
                _emit(v, run, from, stop, to, tables);
                to += size * (stop - from);
                first += stop - from;
                count -= stop - from;
            }
        }
    }

    /// @dev Forgets the guards that hold for every k, as most do away from an edge: without them more axes are even.
    function _dropGuards(int256[] memory forms, uint256[] memory r) private pure {
        uint256 kept = FORM;
        unchecked {
            for (uint256 f = FORM; f < forms.length; f += FORM) {
                int256 least = _word(forms, f + 1);
                int256 greatest = least;
                for (uint256 axis = 0; axis < r.length; ++axis) {
                    int256 x = _word(forms, f + 2 + axis) * int256(r[axis] - 1);
                    if (x < 0) least += x;
                    else greatest += x;
                }
                if (least >= 0 && greatest < _word(forms, f)) continue;
                assembly ("memory-safe") {
                    mcopy(add(add(forms, 0x20), shl(5, kept)), add(add(forms, 0x20), shl(5, f)), 224)
                }
                kept += FORM;
            }
        }
        assembly ("memory-safe") {
            mstore(forms, kept)
        }
    }

    /// @dev Merges inner axes while every form steps evenly across them and no index depends on them.
    function _plan(Instruction.View memory v, uint256[] memory r, Run memory run) private pure {
        uint256 outer = r.length;
        uint256 inner = 0;
        uint256 extent = 1;
        unchecked {
            while (outer > 0) {
                uint256 axis = outer - 1;
                if ((v.indexAxes >> axis) & 1 != 0 && r[axis] != 1) break;
                if (extent == 1) {
                    inner = axis;
                } else if (r[axis] != 1 && !_even(v, axis, inner, extent)) {
                    break;
                }
                extent *= r[axis];
                outer = axis;
            }
        }
        run.outer = outer;
        run.inner = inner;
        run.extent = extent;
    }

    function _even(Instruction.View memory v, uint256 axis, uint256 inner, uint256 extent) private pure returns (bool) {
        unchecked {
            for (uint256 a = 0; a < v.forms.length; ++a) {
                int256[] memory forms = v.forms[a];
                for (uint256 f = 2; f < forms.length; f += FORM) {
                    if (_word(forms, f + axis) != _word(forms, f + inner) * int256(extent)) return false;
                }
            }
        }
        return true;
    }

    /// @dev A word of forms, whose indices come from their own length.
    function _word(int256[] memory forms, uint256 i) private pure returns (int256 x) {
        assembly ("memory-safe") {
            x := mload(add(add(forms, 0x20), shl(5, i)))
        }
    }

    /// @dev Where in from .. stop - 1 access `a` holds: the intersection of its forms' intervals. The address is the last,
    /// behind the guards, because only where they hold its indices are read.
    function _resolve(
        Instruction.View memory v,
        Run memory run,
        uint256 a,
        uint256 from,
        uint256 stop,
        uint256[][] memory tables
    ) private pure {
        int256[] memory forms = v.forms[a];
        uint256 low = from;
        uint256 high = stop;
        uint256[5] memory coordinates = run.coordinates;
        uint256 outer = 32 * run.outer;
        uint256 inner = 32 * run.inner;
        unchecked {
            for (uint256 f = forms.length; f > 0;) {
                f -= FORM;
                int256 limit;
                int256 c;
                int256 s;
                assembly ("memory-safe") {
                    let form := add(add(forms, 0x20), shl(5, f))
                    limit := mload(form)
                    c := mload(add(form, 0x20))
                    form := add(form, 0x40)
                    s := mload(add(form, inner))
                    let x := coordinates
                    for { let end := add(x, outer) } lt(x, end) { x := add(x, 0x20) } {
                        c := add(c, mul(mload(form), mload(x)))
                        form := add(form, 0x20)
                    }
                }
                if (f == 0) {
                    if (v.indexAxes != 0) {
                        bool ok;
                        (ok, c) = _indirect(v, run, a, c, low, high, tables);
                        if (!ok) high = low;
                    }
                    run.base[a] = c;
                    run.slope[a] = s;
                }
                // As unsigned numbers, negative ones are above every limit.
                bool ends = uint256(c + s * int256(from)) < uint256(limit)
                    && uint256(c + s * int256(stop - 1)) < uint256(limit);
                if (!ends) (low, high) = _narrow(c, s, limit, low, high);
            }
        }
        run.low[a] = low;
        run.high[a] = high > low ? high : low;
    }

    /// @dev Adds what its indices say to the address of access `a`. Not ok where one is out of range, or where none is needed
    /// because everywhere in low .. high - 1 an earlier access holds. They are read in order up to the first that fails.
    function _indirect(
        Instruction.View memory v,
        Run memory run,
        uint256 a,
        int256 address_,
        uint256 low,
        uint256 high,
        uint256[][] memory tables
    ) private pure returns (bool, int256) {
        uint256 terms = v.operands[a] >> 8;
        unchecked {
            // Each of the earlier accesses moves the lower end at most once.
            for (uint256 i = 0; i < a * a; ++i) {
                uint256 b = i % a;
                if (run.low[b] <= low && low < run.high[b]) low = run.high[b];
            }
            if (low >= high) return (false, 0);
            uint256 pos = terms >> 8;
            for (uint256 count = terms & 0xff; count > 0; --count) {
                int256 limit = int256(Tensor.read(pos + 1, 5));
                int256 index = int256(_point(v.views[Tensor.read(pos, 1)], run, tables));
                if (index < 0) index += limit;
                if (uint256(index) >= uint256(limit)) return (false, 0);
                address_ += index * Tensor.readI64(pos + 6);
                pos += Instruction.INDIRECT;
            }
        }
        return (true, address_);
    }

    /// @dev The register of a view without indirect terms in a run all along which it is the same.
    function _point(Instruction.View memory v, Run memory run, uint256[][] memory tables)
        private
        pure
        returns (uint256)
    {
        unchecked {
            for (uint256 a = 0; a < v.forms.length; ++a) {
                int256[] memory forms = v.forms[a];
                int256 c;
                uint256 f = forms.length;
                do {
                    f -= FORM;
                    c = _word(forms, f + 1);
                    for (uint256 axis = 0; axis < run.outer; ++axis) {
                        c += _word(forms, f + 2 + axis) * int256(run.coordinates[axis]);
                    }
                } while (uint256(c) < uint256(_word(forms, f)) && f > 0);
                if (uint256(c) < uint256(_word(forms, f))) {
                    return LeafLanes.load(tables[v.operands[a]], v.operands[a], v.dtype, uint256(c));
                }
            }
        }
        return v.fill;
    }

    /// @dev Narrows low .. high - 1 to the i with 0 <= c + s i < limit.
    function _narrow(int256 c, int256 s, int256 limit, uint256 low, uint256 high)
        private
        pure
        returns (uint256, uint256)
    {
        uint256 least = 0;
        uint256 end = high;
        unchecked {
            if (s == 0) {
                if (c < 0 || c >= limit) end = 0;
            } else if (s > 0) {
                if (c < 0) least = uint256((-c + s - 1) / s);
                end = c >= limit ? 0 : uint256((limit - c + s - 1) / s);
            } else {
                int256 t = -s;
                if (c >= limit) least = uint256((c - limit) / t + 1);
                end = c < 0 ? 0 : uint256(c / t + 1);
            }
        }
        return (least > low ? least : low, end < high ? end : high);
    }

    /// @dev Cuts the run where the first access that holds changes.
    function _emit(
        Instruction.View memory v,
        Run memory run,
        uint256 from,
        uint256 stop,
        uint256 to,
        uint256[][] memory tables
    ) private pure {
        unchecked {
            while (from < stop) {
                uint256 end = stop;
                uint256 a = 0;
                for (; a < v.forms.length; ++a) {
                    if (run.low[a] <= from && from < run.high[a]) {
                        if (run.high[a] < end) end = run.high[a];
                        break;
                    }
                    if (run.low[a] > from && run.low[a] < run.high[a] && run.low[a] < end) end = run.low[a];
                }
                bool holds = a < v.forms.length;
                if (run.onlyValid) {
                    LeafLanes.repeat(holds ? 1 : 0, end - from, to, run.size);
                } else if (holds) {
                    uint256 operand = v.operands[a] & 0xff;
                    uint256 address_ = uint256(run.base[a] + run.slope[a] * int256(from));
                    LeafLanes.copy(tables[operand], operand, v.dtype, address_, run.slope[a], end - from, to, run.size);
                } else {
                    LeafLanes.repeat(v.fill, end - from, to, run.size);
                }
                to += run.size * (end - from);
                from = end;
            }
        }
    }
}
