//! Reading a view along the reduction, the rows of a packed matrix: as few runs as the view allows.

use super::super::read::{Coordinates, Run, Source, read_f32, reduction_axis, set_reduction, slice};
use crate::program::{Affine, Instruction, View};
use crate::tensor::Tensor;
use std::borrow::Cow;
use std::ops::Range;

/// A view whose runs along the reduction are known, where it is guarded and where it is not.
pub(super) struct Rows<'a> {
    reduction: &'a [u64],
    guarded: Runs<'a>,
    /// Most rows of a padded convolution touch no padding: there the guards need not be asked, nor cut the runs short.
    free: Option<(Runs<'a>, Vec<Inside>)>,
}

/// A view that is read in runs of `length` along the last reduction axis.
struct Runs<'a> {
    view: Cow<'a, View>,
    length: u64,
}

/// Holds at an element if a guard holds for its whole reduction.
struct Inside {
    affine: Affine,
    allowed: Range<i64>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(instruction: &'a Instruction, view: &'a View) -> Self {
        let reduction = &instruction.reduction;
        let runs = |view: Cow<'a, View>| Runs { length: run_length(instruction, &view), view };
        let free = match view.accesses.as_slice() {
            [access] if !access.guards.is_empty() => {
                let guards = access.guards.iter().map(|g| Inside::new(&g.affine, g.limit, reduction)).collect();
                let mut view = view.clone();
                view.accesses[0].guards.clear();
                Some((runs(Cow::Owned(view)), guards))
            }
            _ => None,
        };
        Self { reduction, guarded: runs(Cow::Borrowed(view)), free }
    }

    /// The elements `ks` of the reduction at the point `at` where they lie, if they lie together.
    pub(super) fn lying<'t>(&self, source: &Source<'t>, mut at: Coordinates, ks: &Range<u64>) -> Option<&'t [f32]> {
        let Runs { view, length } = &self.guarded;
        let [access] = view.accesses.as_slice() else { return None };
        let axis = reduction_axis(self.reduction.len().checked_sub(1)?);
        let plain = access.guards.is_empty() && access.indirects.is_empty() && access.address.coefficient(axis) == 1;
        let (Tensor::F32(operand), true) = (source.operands.get(usize::from(access.operand))?, plain) else {
            return None;
        };
        let len = usize::try_from(ks.end.checked_sub(ks.start)?).ok()?;
        if len == 0 || ks.start / length != (ks.end - 1) / length {
            return None;
        }
        set_reduction(&mut at, self.reduction, ks.start);
        let start = usize::try_from(access.address.value(&at)).ok()?;
        slice(operand).get(start..start.checked_add(len)?)
    }

    /// Reads the elements `ks` of the reduction at the point `at`.
    pub(super) fn read(&self, source: &Source<'_>, mut at: Coordinates, ks: &Range<u64>, out: &mut [f32]) {
        let Some(last) = self.reduction.len().checked_sub(1) else {
            return read_f32(&self.guarded.view, source, &Run { at: &at, axis: 0, len: out.len() }, out);
        };
        let runs = match &self.free {
            Some((runs, guards)) if guards.iter().all(|g| g.holds(&at)) => runs,
            _ => &self.guarded,
        };
        let axis = reduction_axis(last);
        let mut k = ks.start;
        let mut done = 0;
        while k < ks.end {
            set_reduction(&mut at, self.reduction, k);
            let len = (runs.length - k % runs.length).min(ks.end - k) as usize; // at most a chunk
            read_f32(&runs.view, source, &Run { at: &at, axis, len }, &mut out[done..done + len]);
            done += len;
            k += len as u64;
        }
    }
}

impl Inside {
    fn new(affine: &Affine, limit: u64, reduction: &[u64]) -> Self {
        let mut allowed = 0..limit as i64; // limits are below 2^40
        let mut affine = affine.clone();
        affine.terms.retain(|&(axis, a)| {
            let Some(r) = (0..reduction.len()).find(|&r| reduction_axis(r) == usize::from(axis)) else { return true };
            let reach = a * reduction[r].saturating_sub(1) as i64; // a validated form stays within 2^62
            allowed.start -= reach.min(0);
            allowed.end -= reach.max(0);
            false
        });
        Self { affine, allowed }
    }

    fn holds(&self, at: &Coordinates) -> bool {
        self.allowed.contains(&self.affine.value(at))
    }
}

/// How many of the innermost k a view reads as one run along the last reduction axis: axes merge where every form's steps do.
pub(in crate::exec) fn run_length(instruction: &Instruction, view: &View) -> u64 {
    let reduction = &instruction.reduction;
    let step = |form: &Affine, r: usize| i128::from(form.coefficient(reduction_axis(r)));
    let Some((last, &extent)) = reduction.iter().enumerate().next_back() else { return 1 };
    let mut length = extent;
    for r in (0..last).rev() {
        let merges =
            reduction[r] == 1 || instruction.forms(view).all(|f| step(f, r) == step(f, last) * i128::from(length));
        if !merges {
            break;
        }
        length *= reduction[r];
    }
    length
}
