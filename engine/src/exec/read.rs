//! Reading a view along one axis: guards become intervals, so that the inner loops are plain strided copies.

use super::lanes::{Buffer, Lanes, f32_of};
use crate::program::limits::{FIRST_REDUCTION_AXIS, MAX_RANK, MAX_REDUCTION_AXES};
use crate::program::{Access, Affine, DType, Instruction, View};
use crate::tensor::Tensor;
use std::borrow::Cow;
use std::ops::Range;

/// Coordinates of all e and r axes.
pub(super) type Coordinates = [i64; MAX_RANK + MAX_REDUCTION_AXES];

/// What views read from: the operands and, for their indices, other views.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) instruction: &'a Instruction,
    pub(super) operands: &'a [&'a Tensor],
}

/// A run of elements: all coordinates fixed but one, which takes `start .. start + len`.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) at: &'a Coordinates,
    pub(super) axis: usize,
    pub(super) len: usize,
}

/// Index of reduction axis `r` among the coordinates.
pub(super) const fn reduction_axis(r: usize) -> usize {
    FIRST_REDUCTION_AXIS as usize + r
}

/// `base` at the start of the run, and the step along it.
fn along(form: &Affine, run: &Run<'_>) -> (i64, i64) {
    (form.value(run.at), form.coefficient(run.axis))
}

/// The `i` in `0..len` for which `0 <= base + step * i < limit`.
fn interval(base: i64, step: i64, limit: u64, len: usize) -> Range<usize> {
    // Affine forms stay within 2^62 and limits below 2^40, so none of this overflows.
    let limit = limit as i64;
    let len_wide = len as i64;
    let (lo, hi) = match step {
        0 if (0..limit).contains(&base) => (0, len_wide),
        0 => (0, 0),
        1 => (-base, limit - base),
        s if s > 0 => (div_ceil(-base, s), div_ceil(limit - base, s)),
        s => (div_ceil(base - limit + 1, -s), div_ceil(base + 1, -s)),
    };
    let clamp = |x: i64| x.clamp(0, len_wide) as usize; // within 0..=len
    clamp(lo)..clamp(hi).max(clamp(lo))
}

fn div_ceil(a: i64, b: i64) -> i64 {
    -((-a).div_euclid(b))
}

/// Where along the run the guards of an access hold.
fn guarded(access: &Access, run: &Run<'_>) -> Range<usize> {
    let all = 0..run.len;
    access.guards.iter().fold(all, |range, guard| {
        let (base, step) = along(&guard.affine, run);
        common(range, interval(base, step, guard.limit, run.len))
    })
}

fn common(a: Range<usize>, b: Range<usize>) -> Range<usize> {
    let start = a.start.max(b.start);
    start..a.end.min(b.end).max(start)
}

/// What the indirect terms of an access add to its address, for each element of `run`; `None` where an index is out of range. `indices`
/// is as long as `shifts`.
fn add_indices(access: &Access, source: &Source<'_>, run: &Run<'_>, shifts: &mut [Option<i64>], indices: &mut [i64]) {
    for term in &access.indirects {
        let Some(view) = source.instruction.views.get(usize::from(term.view)) else { continue };
        read_int(view, source, &Run { len: shifts.len(), ..*run }, indices);
        let limit = term.limit as i64; // below 2^40
        for (shift, &given) in shifts.iter_mut().zip(&*indices) {
            let index = if given < 0 { given.saturating_add(limit) } else { given };
            let inside = shift.filter(|_| (0..limit).contains(&index));
            *shift = inside.map(|s| s + term.coefficient * index); // with the address within 2^62
        }
    }
}

/// Whether the indices of an access are the same all along the run.
fn indices_stay(access: &Access, source: &Source<'_>, run: &Run<'_>) -> bool {
    let views = access.indirects.iter().filter_map(|t| source.instruction.views.get(usize::from(t.view)));
    views.flat_map(View::forms).all(|f| along(f, run).1 == 0)
}

/// Reads an f32 view along a run into `out` (`run.len` elements).
pub(super) fn read_f32(view: &View, source: &Source<'_>, run: &Run<'_>, out: &mut [f32]) {
    if let Some(from) = lying_or_read(view, source, run, out) {
        out.copy_from_slice(from);
    }
}

/// The floats of a run where they lie, if all of it lies together in one operand; else it is read into `out`.
pub(super) fn lying_or_read<'a>(view: &View, source: &Source<'a>, run: &Run<'_>, out: &mut [f32]) -> Option<&'a [f32]> {
    let lying = lying(view, source, run);
    if lying.is_some() {
        return lying;
    }
    read(view, source, run, out, f32_of(view.fill), |t, range, base, step, out| {
        match t {
            // Inside the range every address lies in the tensor.
            Tensor::F32(a) if step == 1 && !range.is_empty() => {
                let first = (base + range.start as i64) as usize;
                out[range.clone()].copy_from_slice(&slice(a)[first..first + range.len()]);
            }
            Tensor::F32(a) => copy(slice(a), range, base, step, out, |x| x),
            _ => {}
        }
    });
    None
}

/// The floats of a run where they lie, if all of it lies together in one operand.
fn lying<'a>(view: &View, source: &Source<'a>, run: &Run<'_>) -> Option<&'a [f32]> {
    let [access] = view.accesses.as_slice() else { return None };
    let Tensor::F32(tensor) = *source.operands.get(usize::from(access.operand))? else { return None };
    let (start, step) = along(&access.address, run);
    let whole = access.indirects.is_empty() && (step == 1 || run.len == 1) && guarded(access, run) == (0..run.len);
    let start = usize::try_from(start).ok().filter(|_| whole)?;
    slice(tensor).get(start..start.checked_add(run.len)?)
}

/// Reads a view of another type along a run into `out` as registers.
fn read_int(view: &View, source: &Source<'_>, run: &Run<'_>, out: &mut [i64]) {
    read(view, source, run, out, view.fill, |t, range, base, step, out| match t {
        Tensor::F32(_) => {}
        Tensor::U8(a) => copy(slice(a), range, base, step, out, i64::from),
        Tensor::Bool(a) => copy(slice(a), range, base, step, out, |x| i64::from(x != 0)),
        Tensor::I8(a) => copy(slice(a), range, base, step, out, i64::from),
        Tensor::U16(a) => copy(slice(a), range, base, step, out, i64::from),
        Tensor::I16(a) => copy(slice(a), range, base, step, out, i64::from),
        Tensor::F16(a) => copy(slice(a), range, base, step, out, |x| DType::F16.canonical(x.into())),
        Tensor::BF16(a) => copy(slice(a), range, base, step, out, |x| DType::BF16.canonical(x.into())),
        Tensor::I32(a) => copy(slice(a), range, base, step, out, i64::from),
        Tensor::I64(a) => copy(slice(a), range, base, step, out, |x| x),
    });
}

/// Sets the reduction coordinates of flat index `k`.
pub(super) fn set_reduction(at: &mut Coordinates, extents: &[u64], mut k: u64) {
    for (r, &extent) in extents.iter().enumerate().rev() {
        let extent = extent.max(1);
        at[reduction_axis(r)] = (k % extent) as i64; // extents are below 2^40
        k /= extent;
    }
}

/// Rows of elements that an expression is evaluated over at once: row after row, each along `axis`.
#[derive(Clone)]
pub(super) struct Block<'a> {
    pub(super) rows: Cow<'a, [Coordinates]>,
    /// More than 1 where there is one row for many in which no view reads anything else.
    pub(super) copies: usize,
    pub(super) axis: usize,
    pub(super) len: usize,
}

impl Block<'_> {
    /// Number of elements.
    pub(super) fn lanes(&self) -> usize {
        self.rows.len() * self.copies * self.len
    }

    fn each<T>(&self, out: &mut [T], f: impl Fn(&Run<'_>, &mut [T])) {
        for (at, out) in self.rows.iter().zip(out.chunks_exact_mut(self.len.max(1))) {
            f(&Run { at, axis: self.axis, len: self.len }, out);
        }
    }

    /// Reads an f32 view; NaNs keep their bits.
    pub(super) fn read_f32(&self, view: &View, source: &Source<'_>, out: &mut [f32]) {
        self.each(out, |run, out| read_f32(view, source, run, out));
    }

    /// Reads a view of any type.
    pub(super) fn read<'a>(&self, view: &View, dtype: DType, source: &Source<'a>) -> Lanes<'a> {
        match self.read_rows(view, dtype, source) {
            column @ Lanes::Column(_) => column.spread(dtype, self.lanes()),
            lanes => lanes.together(self.lanes(), self.len),
        }
    }

    /// As [`read`](Self::read); rows that lie apart are left there, and what is the same along a row is read once.
    pub(super) fn read_rows<'a>(&self, view: &View, dtype: DType, source: &Source<'a>) -> Lanes<'a> {
        if dtype == DType::F32 {
            if let Some((rows, apart)) = self.in_place(view, source) {
                return Lanes::Apart(rows, apart);
            }
            if self.copies > 1 || (self.rows.len() > 1 && self.is_one_row(view)) {
                let mut row = Buffer::new(self.len);
                read_f32(view, source, &Run { at: &self.rows[0], axis: self.axis, len: self.len }, &mut row);
                return Lanes::Row(row);
            }
            if self.len > 1 && self.is_column(view) {
                let mut column = Buffer::new(self.rows.len());
                for (at, to) in self.rows.iter().zip(column.chunks_exact_mut(1)) {
                    read_f32(view, source, &Run { at, axis: self.axis, len: 1 }, to);
                }
                return Lanes::Column(column);
            }
            let mut out = Buffer::new(self.lanes());
            self.read_f32(view, source, &mut out);
            return Lanes::F32(out);
        }
        let mut out = Buffer::new(self.lanes());
        self.each(&mut out, |run, out| read_int(view, source, run, out));
        Lanes::Int(out)
    }

    /// The rows of an f32 view where they lie in an operand, and how far one is after the one before: no less than a row.
    fn in_place<'a>(&self, view: &View, source: &Source<'a>) -> Option<(&'a [f32], usize)> {
        let [Access { operand, address, guards, indirects }] = view.accesses.as_slice() else { return None };
        let plain = guards.is_empty() && indirects.is_empty() && self.copies == 1;
        if !plain || (address.coefficient(self.axis) != 1 && self.len > 1) {
            return None;
        }
        let Tensor::F32(tensor) = *source.operands.get(usize::from(*operand))? else { return None };
        let first = address.value(self.rows.first()?);
        let apart = self.rows.get(1).map_or(self.len as i64, |second| address.value(second) - first); // in memory
        let follows = |(n, at): (usize, &Coordinates)| address.value(at) == first + n as i64 * apart;
        if apart < self.len as i64 || !self.rows.iter().enumerate().all(follows) {
            return None;
        }
        let first = usize::try_from(first).ok()?;
        let apart = usize::try_from(apart).ok()?;
        let end = first + (self.rows.len() - 1) * apart + self.len;
        Some((slice(tensor).get(first..end)?, apart))
    }

    /// Whether the view reads the same all along each row.
    fn is_column(&self, view: &View) -> bool {
        let stays = |form: &Affine| form.coefficient(self.axis) == 0;
        self.copies == 1 && view.indirects().next().is_none() && view.forms().all(stays)
    }

    /// Whether the view reads the same in every row.
    fn is_one_row(&self, view: &View) -> bool {
        let same = |axis: usize| self.rows.iter().all(|at| at[axis] == self.rows[0][axis]);
        let [access] = view.accesses.as_slice() else { return false };
        access.indirects.is_empty() && view.forms().all(|f| f.terms.iter().all(|t| same(usize::from(t.0))))
    }

    /// For each element, whether some access of the view holds.
    pub(super) fn read_valid(&self, view: &View, source: &Source<'_>) -> Lanes<'static> {
        let mut out = Buffer::new(self.lanes());
        out.fill(0);
        self.each(&mut out, |run, out| {
            read(view, source, run, out, 0, |_, range, _, _, out| out[range].fill(1));
        });
        Lanes::Int(out)
    }

    /// The coordinate of an axis.
    pub(super) fn iota(&self, axis: usize) -> Lanes<'static> {
        let step = i64::from(axis == self.axis);
        let mut out = Buffer::new(self.lanes());
        self.each(&mut out, |run, out| out.iter_mut().zip(0..).for_each(|(o, i)| *o = run.at[axis] + step * i));
        Lanes::Int(out)
    }
}

/// The elements of a tensor inside the engine.
pub(super) fn slice<T>(a: &ndarray::ArrayD<T>) -> &[T] {
    a.as_slice().unwrap_or_default() // tensors inside the engine are in standard layout
}

fn read<T: Copy>(
    view: &View,
    source: &Source<'_>,
    run: &Run<'_>,
    out: &mut [T],
    fill: T,
    copy: impl Fn(&Tensor, Range<usize>, i64, i64, &mut [T]),
) {
    // The first access that holds wins: write them from the last to the first.
    let mut covered = false;
    for access in view.accesses.iter().rev() {
        let Some(&tensor) = source.operands.get(usize::from(access.operand)) else { continue };
        let elements = tensor.len() as u64;
        let range = guarded(access, run);
        let (base, step) = along(&access.address, run);
        let shift = if access.indirects.is_empty() {
            Some(0)
        } else if indices_stay(access, source, run) {
            // One index for the whole run: rows are copied as rows.
            let mut shift = [Some(0)];
            add_indices(access, source, run, &mut shift, &mut [0]);
            shift[0]
        } else {
            if !std::mem::replace(&mut covered, true) {
                out.fill(fill);
            }
            let mut shifts = vec![Some(0); run.len];
            add_indices(access, source, run, &mut shifts, &mut vec![0; run.len]);
            for (n, shift) in shifts.iter().enumerate().take(range.end).skip(range.start) {
                let address = shift.map_or(-1, |s| base + step * n as i64 + s);
                if (0..elements as i64).contains(&address) {
                    copy(tensor, n..n + 1, address, 0, out);
                }
            }
            continue;
        };
        let range = match shift {
            Some(shift) => common(range, interval(base + shift, step, elements, run.len)),
            None => 0..0,
        };
        if !covered && range.len() < run.len {
            out.fill(fill);
        }
        covered = true;
        copy(tensor, range, base + shift.unwrap_or(0), step, out);
    }
    if !covered {
        out.fill(fill);
    }
}

fn copy<T: Copy, U>(from: &[T], range: Range<usize>, base: i64, step: i64, out: &mut [U], f: impl Fn(T) -> U) {
    if range.is_empty() {
        return;
    }
    // Inside the range every address lies in the tensor, so these conversions are exact.
    let first = (base + step * range.start as i64) as usize;
    let out = &mut out[range];
    match step {
        0 => out.iter_mut().for_each(|o| *o = f(from[first])),
        1 => out.iter_mut().zip(&from[first..]).for_each(|(o, &x)| *o = f(x)),
        s if s > 0 => out.iter_mut().zip(from[first..].iter().step_by(s as usize)).for_each(|(o, &x)| *o = f(x)),
        s => {
            let reversed = from[..=first].iter().rev().step_by(s.unsigned_abs() as usize);
            out.iter_mut().zip(reversed).for_each(|(o, &x)| *o = f(x));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::interval;

    #[test]
    fn intervals_agree_with_counting() {
        for base in -9..9 {
            for step in -4..5 {
                for limit in 0..8u64 {
                    let counted: Vec<usize> =
                        (0..6).filter(|&i| (0..limit as i64).contains(&(base + step * i as i64))).collect();
                    let found: Vec<usize> = interval(base, step, limit, 6).collect();
                    assert_eq!(found, counted, "base {base} step {step} limit {limit}");
                }
            }
        }
    }
}
