//! What reading a view over one window costs.
//!
//! The contract (`contracts/src/step/Gather.sol`) works by runs: stretches of k along the innermost r axes over which every form of the
//! view steps evenly. In each run it finds where each access holds, cuts the run where the first one that holds changes, and copies
//! lanes leaf by leaf. Guards that hold for a whole window are forgotten there, which only makes runs longer.

use super::leaves::Spread;
use super::{Cost, gas, window};
use crate::program::limits::{CHUNK, FIRST_REDUCTION_AXIS};
use crate::program::*;
use crate::tree;

/// What is read of a view.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// f32 lanes as they are, for a dot.
    Packed,
    /// A register for each k, or one for all of them.
    Registers,
    /// Whether some access holds.
    Valid,
}

/// Reading `view` as it is told: over the window in a core (`over` r axes), else once.
pub(super) fn cost(i: &Instruction, view: &View, kind: Kind, over: bool, spreads: &[Spread]) -> Cost {
    let n = if over { window(i) } else { 1 };
    let axes = if over { i.reduction.len() as u64 } else { 0 };
    let run = if over { Run::of(i, view) } else { Run { extent: 1, inner: 0, outer: 0 } };
    let runs = if over { run.most(i) } else { 1 };
    let forms = view.forms().count() as u64;
    let accesses = view.accesses.len() as u64;

    // Where the access that holds may change: at two ends of each access that does not hold everywhere.
    let unsure = view.accesses.iter().take_while(|a| !everywhere(i, a)).count() as u64;
    let stretches = (runs * (2 * unsure + 1)).min(n);
    let each_run = gas::PER_RUN
        + run.outer * gas::PER_RUN_AXIS
        + accesses * gas::PER_RUN_ACCESS
        + unsure * gas::NARROW
        + (forms - accesses) * gas::PER_RUN_GUARD
        + forms * run.outer * gas::PER_RUN_FORM_AXIS
        + indices(i, view, run.outer, spreads);
    let each_stretch = gas::PER_STRETCH + accesses * gas::PER_STRETCH_ACCESS;
    let lanes = match kind {
        Kind::Valid => n * gas::LANE_REPEATED,
        _ => lanes(i, view, kind, &run, (n, runs, stretches), spreads),
    };
    let words = match kind {
        Kind::Packed => n.div_ceil(8) + 1,
        Kind::Registers | Kind::Valid => n + 1,
    };
    Cost {
        gas: gas::GATHER + forms * axes * gas::PER_FORM_AXIS + runs * each_run + stretches * each_stretch + lanes,
        words: gas::GATHER_WORDS + words,
    }
}

/// Reading the indices of a run: of each access, if earlier ones leave something to it.
fn indices(i: &Instruction, view: &View, outer: u64, spreads: &[Spread]) -> u64 {
    if view.indirects().next().is_none() {
        return 0;
    }
    let accesses = view.accesses.len() as u64;
    let compared: u64 = (0..accesses).map(|a| a * a).sum();
    accesses * gas::PER_RUN_INDIRECT
        + compared * gas::PER_COMPARED
        + view.indirects().map(|t| index(i, t, outer, spreads)).sum::<u64>()
}

/// Reading one index of a run: a view at one point, whichever of its accesses holds.
fn index(i: &Instruction, term: &Indirect, outer: u64, spreads: &[Spread]) -> u64 {
    let Some(view) = i.views.get(usize::from(term.view)) else { return 0 };
    let forms = view.forms().count() as u64;
    let accesses = view.accesses.len() as u64;
    let find = view.accesses.iter().map(|a| find(a, spreads)).max().unwrap_or(0);
    gas::PER_INDEX
        + accesses * gas::PER_INDEX_ACCESS
        + forms * (gas::PER_INDEX_FORM + outer * gas::PER_RUN_FORM_AXIS)
        + find
        + gas::lane(dtype(i, view))
}

/// Finding a leaf of an access' operand.
fn find(access: &Access, spreads: &[Spread]) -> u64 {
    let leaves = spreads.get(usize::from(access.operand)).map_or(0, |s| s.leaves());
    gas::FIND + u64::from(tree::depth(leaves + 1)) * gas::FIND_LEVEL
}

/// The type of a view's lanes.
pub(super) fn dtype(i: &Instruction, view: &View) -> DType {
    let operand = view.accesses.first().and_then(|a| i.operands.get(usize::from(a.operand)));
    operand.map_or(DType::F32, |o| o.dtype)
}

/// Whether an access holds at every element and k: it has no guards and its address never leaves the operand.
fn everywhere(i: &Instruction, access: &Access) -> bool {
    let Some(operand) = i.operands.get(usize::from(access.operand)) else { return false };
    let (mut least, mut greatest) = (i128::from(access.address.base), i128::from(access.address.base));
    for &(axis, coefficient) in &access.address.terms {
        let extent = match axis.checked_sub(FIRST_REDUCTION_AXIS) {
            Some(r) => i.reduction.get(usize::from(r)),
            None => i.extents.get(usize::from(axis)),
        };
        let reach = i128::from(coefficient) * (i128::from(extent.copied().unwrap_or(1)) - 1).max(0);
        least += reach.min(0);
        greatest += reach.max(0);
    }
    access.guards.is_empty() && access.indirects.is_empty() && least >= 0 && greatest < i128::from(operand.elements)
}

/// Copying `n` lanes in so many runs and stretches.
fn lanes(
    i: &Instruction,
    view: &View,
    kind: Kind,
    run: &Run,
    (n, runs, stretches): (u64, u64, u64),
    spreads: &[Spread],
) -> u64 {
    // Whichever access holds: the costliest one is billed for every lane.
    let access = |a: &Access| {
        let operand = i.operands.get(usize::from(a.operand));
        let dtype = operand.map_or(DType::I64, |o| o.dtype);
        let find = find(a, spreads);
        let slope = run.slope(&a.address);
        let together = slope == 1 && dtype == DType::F32;
        let lane = match kind {
            _ if slope == 0 => gas::LANE_REPEATED,
            Kind::Packed if together => gas::LANE_PACKED,
            _ if together => gas::LANE_TOGETHER,
            _ => gas::lane(dtype),
        };
        // Leaves are found where a stretch starts and where it enters another one.
        let entered = (i128::from(run.extent.min(n)) - 1) * slope.abs() / i128::from(dtype.lanes()) + 1;
        let entered = u64::try_from(entered).unwrap_or(u64::MAX).min(n);
        if slope == 0 {
            // One lane is loaded for each stretch.
            return n * lane + stretches * (find + gas::lane(dtype));
        }
        n * lane + (stretches + runs.saturating_mul(entered)).min(n) * find
    };
    stretches * gas::PER_COPY + view.accesses.iter().map(access).max().unwrap_or(0)
}

/// The inner r axes that a view steps evenly across, and over which its indices stay the same.
pub(super) struct Run {
    pub(super) extent: u64,
    /// The axis whose coefficients are the slopes.
    inner: u8,
    /// How many axes are outside.
    outer: u64,
}

impl Run {
    pub(super) fn of(i: &Instruction, view: &View) -> Self {
        let indices: Vec<&Affine> = view.accesses.iter().flat_map(|a| i.index_forms(a)).collect();
        let (mut extent, mut inner, mut outer) = (1u64, FIRST_REDUCTION_AXIS, i.reduction.len() as u64);
        let mut axis = FIRST_REDUCTION_AXIS + i.reduction.len() as u8; // at most 5
        for &e in i.reduction.iter().rev() {
            axis -= 1;
            if e != 1 && indices.iter().any(|f| f.terms.iter().any(|t| t.0 == axis)) {
                break;
            }
            let even = |f: &Affine| coefficient(f, axis) == i128::from(extent).saturating_mul(coefficient(f, inner));
            if extent == 1 {
                inner = axis;
            } else if e != 1 && !view.forms().all(even) {
                break;
            }
            extent = extent.saturating_mul(e);
            outer -= 1;
        }
        Self { extent: extent.max(1), inner, outer }
    }

    /// Most runs that a window is cut into: windows start at multiples of 256.
    pub(super) fn most(&self, i: &Instruction) -> u64 {
        let aligned = if i.windowed { gcd(self.extent, CHUNK) } else { self.extent };
        (window(i) + self.extent - aligned).div_ceil(self.extent)
    }

    pub(super) fn slope(&self, form: &Affine) -> i128 {
        coefficient(form, self.inner)
    }
}

fn coefficient(form: &Affine, axis: u8) -> i128 {
    i128::from(form.coefficient(axis.into()))
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
