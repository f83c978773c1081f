//! How many leaves one step touches, and how many siblings prove them: counted for every position of a window relative to a leaf.
//!
//! Guards are ignored, and so is that at some positions fewer leaves are touched. A leaf that is left out may leave a gap, and a sibling in
//! its place: one at most, which costs less. So leaves and siblings together are never more than billed.

use super::gather::Run;
use super::window;
use crate::program::limits::{CHUNK, FIRST_REDUCTION_AXIS};
use crate::program::*;
use crate::tree;
use std::collections::BTreeSet;

/// Windows that are counted one by one; of a reduction with more, each element is billed as if it lay in a leaf of its own.
const WINDOWS_COUNTED: u64 = 4096;

/// Levels of a tree at which groups are counted: no tensor's has more.
const LEVELS: usize = 40;

/// Most leaves of one operand, and at each level above them most groups of neighbours that they form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Spread {
    pub(super) leaves: u64,
    groups: [u64; LEVELS],
}

impl Spread {
    const NONE: Self = Self::anywhere(0, 0);

    /// One leaf.
    const ONE: Self = Self::anywhere(1, 1);

    /// Leaves in so many groups that may be as far from each other as they like.
    pub(super) const fn anywhere(leaves: u64, groups: u64) -> Self {
        Self { leaves, groups: [groups; LEVELS] }
    }

    fn each(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        let groups = std::array::from_fn(|level| f(self.groups[level], other.groups[level]));
        Self { leaves: f(self.leaves, other.leaves), groups }
    }

    /// Siblings that their multiproof needs at most in a tree of this depth.
    pub(super) fn siblings(self, depth: u32) -> u64 {
        // All of them far apart share the upper levels; of a group, each level needs a sibling at either end.
        let apart = self.leaves.checked_ilog2().map_or(0, |log| self.leaves * u64::from(depth.saturating_sub(log)));
        let [groups, ..] = self.groups;
        let ends = if self.leaves > groups { 2 * depth.saturating_sub(1).max(1) } else { depth };
        // At each level, of a pair of nodes at most one.
        let at = |level: u32| {
            let groups = self.groups[LEVELS.min(level as usize + 1) - 1]; // levels are few
            let pairs = 1u64.checked_shl(depth - level - 1).unwrap_or(u64::MAX);
            (2 * groups).min(self.leaves).min(pairs)
        };
        let levels = (0..depth).map(at).sum();
        apart.min(groups * u64::from(ends)).min(levels)
    }
}

/// The views that the core reads for each k.
fn core_views(i: &Instruction) -> BTreeSet<u8> {
    match &i.core {
        Core::None | Core::Scan { .. } => BTreeSet::new(),
        Core::Dot { a, b } => [*a, *b].into(),
        Core::Fold { body, .. } => loads(body).collect(),
    }
}

fn loads(expr: &Expr) -> impl Iterator<Item = u8> {
    expr.nodes.iter().filter_map(|n| if let Node::Load(view) = n { Some(*view) } else { None })
}

/// The views that say where others read: those of the indices of `views`, and of the views that `expr` asks whether they hold.
fn index_views(i: &Instruction, views: BTreeSet<u8>, expr: Option<&Expr>) -> BTreeSet<u8> {
    let nodes = expr.iter().flat_map(|e| &e.nodes);
    let asked = nodes.filter_map(|n| if let Node::Valid(view) = n { Some(*view) } else { None });
    let all = views.into_iter().chain(asked).filter_map(|v| i.views.get(usize::from(v)));
    all.flat_map(View::indirects).map(|t| t.view).collect()
}

/// The views that are read once: the epilogue's, and what a scan begins with.
fn views_read_once(i: &Instruction) -> BTreeSet<u8> {
    let initial = if let Core::Scan { initial, .. } = i.core { Some(initial) } else { None };
    loads(&i.epilogue).chain(initial).collect()
}

/// Most leaves of each operand that one step touches; of a scan's own result, which is behind the operands, one.
pub(super) fn spread(i: &Instruction) -> Vec<Spread> {
    let (mut core, mut once) = (core_views(i), views_read_once(i));
    let body = if let Core::Fold { body, .. } = &i.core { Some(body) } else { None };
    core.extend(index_views(i, core.clone(), body));
    once.extend(index_views(i, once.clone(), Some(&i.epilogue)));
    let mut spreads = vec![Spread::NONE; i.operands.len()];
    // Accesses whose leaves are counted: others at the same addresses read no more.
    let mut counted: Vec<(u8, &Affine, &[Indirect])> = Vec::new();
    for (v, view) in (0u8..).zip(&i.views).filter(|(v, _)| core.contains(v) || once.contains(v)) {
        let mut read = BTreeSet::new();
        // A limit of 0 is how a view says that it is nothing but its fill.
        let holds = |a: &&Access| a.guards.iter().all(|g| g.limit > 0);
        for access @ Access { operand: o, address, indirects, .. } in view.accesses.iter().filter(holds) {
            let Some(operand) = i.operands.get(usize::from(*o)) else { continue };
            // Outside of a core one element is read, of the first access that holds: one leaf of whichever operand.
            let either = !core.contains(&v) && view.accesses.len() > 1;
            let place = (*o, address, indirects.as_slice());
            if either && !read.insert(*o) || !either && counted.contains(&place) {
                continue;
            }
            if !either {
                counted.push(place);
            }
            let reduces = |form: &Affine| form.terms.iter().any(|t| t.0 >= FIRST_REDUCTION_AXIS);
            let add = if i.index_forms(access).any(reduces) {
                scattered_leaves(i, view, address, operand.dtype.lanes())
            } else if reduces(address) {
                window_leaves(i, address, indirects, operand.dtype.lanes())
            } else {
                Spread::ONE
            };
            let spread = &mut spreads[usize::from(*o)];
            *spread = spread.each(add, |a, b| a + b);
        }
    }
    for (spread, o) in spreads.iter_mut().zip(&i.operands) {
        let leaves = spread.leaves.min(tree::leaf_count(o.dtype, o.elements));
        *spread = spread.each(Spread::anywhere(leaves, leaves), u64::min);
    }
    let itself = matches!(i.core, Core::Scan { .. }).then_some(Spread::ONE);
    spreads.into_iter().chain(itself).collect()
}

/// Most leaves touched over one window where the indices change in it: every run of k may lie anywhere.
fn scattered_leaves(i: &Instruction, view: &View, address: &Affine, lanes: u64) -> Spread {
    let run = Run::of(i, view);
    let n = window(i);
    let (runs, length) = (run.most(i).min(n), run.extent.min(n));
    let slope = u64::try_from(run.slope(address).unsigned_abs()).unwrap_or(u64::MAX);
    // A run may begin at the end of a leaf.
    let entered = length.saturating_sub(1).saturating_mul(slope).div_ceil(lanes).saturating_add(1).min(length);
    let together = if slope > lanes { entered } else { 1 };
    Spread::anywhere((runs * entered).min(n), (runs * together).min(n))
}

/// Most leaves that an address touches over one window in which its indices, if it has any, are the same.
fn window_leaves(i: &Instruction, address: &Affine, indirects: &[Indirect], lanes: u64) -> Spread {
    let k = product(&i.reduction);
    let window = k.min(CHUNK);
    let l = lanes as i64;
    let coefficient = |axis: u8| address.coefficient(axis.into());
    let mut step = l;
    for (axis, &extent) in (0u8..).zip(&i.extents) {
        if extent > 1 {
            step = gcd(step, coefficient(axis));
        }
    }
    for term in indirects {
        step = gcd(step, term.coefficient);
    }
    let strides: Vec<i64> = (FIRST_REDUCTION_AXIS..).zip(&i.reduction).map(|(axis, _)| coefficient(axis)).collect();
    let windows = k.div_ceil(CHUNK).max(1);
    let one_loop = strides.len() <= 1;
    if one_loop && windows > 1 {
        // All windows look alike, each shifted by 256 strides.
        step = gcd(step, strides[0].wrapping_mul(CHUNK as i64));
    } else if windows > WINDOWS_COUNTED {
        return Spread::anywhere(window, window);
    }
    let counted = if one_loop { 1 } else { windows };
    let all = (0..counted).map(|w| positions(i, &strides, w, address.base, step, l));
    all.fold(Spread::NONE, |a, b| a.each(b, u64::max))
}

/// Most leaves touched by window `w` over all positions relative to a leaf that are `base` modulo `step`.
fn positions(i: &Instruction, strides: &[i64], w: u64, base: i64, step: i64, lanes: i64) -> Spread {
    let k = product(&i.reduction);
    let mut offsets: Vec<i64> = (w * CHUNK..k.min((w + 1) * CHUNK)).map(|k| offset(&i.reduction, strides, k)).collect();
    offsets.sort_unstable();
    offsets.dedup();
    if offsets.is_empty() {
        return Spread::NONE;
    }
    // How many more leaves there are at each position: a neighbour `gap` further on is in another leaf where the position is within
    // `gap` of the leaf's end.
    let mut change = vec![0i64; lanes as usize + 1];
    let (mut always, mut groups) = (1, [1; LEVELS]);
    for pair in offsets.windows(2) {
        let gap = pair[1].saturating_sub(pair[0]);
        // Nodes that hold neighbours no further apart than a node is long are neighbours, or one.
        (0..).zip(&mut groups).for_each(|(level, groups)| *groups += u64::from(gap > lanes << level));
        if gap >= lanes {
            always += 1;
            continue;
        }
        let from = (-gap - pair[0]).rem_euclid(lanes);
        let to = from + gap;
        change[from as usize] += 1;
        change[to.min(lanes) as usize] -= 1;
        if to > lanes {
            change[0] += 1;
            change[(to - lanes) as usize] -= 1;
        }
    }
    let mut sum = 0;
    let mut worst = 0;
    for (position, c) in (0i64..).zip(&change[..lanes as usize]) {
        sum += c;
        if (position - base).rem_euclid(step) == 0 {
            worst = worst.max(sum);
        }
    }
    Spread { leaves: (always + worst) as u64, groups }
}

fn offset(extents: &[u64], strides: &[i64], mut k: u64) -> i64 {
    let mut sum: i64 = 0;
    for (&extent, &stride) in extents.iter().zip(strides).rev() {
        sum = sum.wrapping_add(stride.wrapping_mul((k % extent.max(1)) as i64));
        k /= extent.max(1);
    }
    sum
}

fn gcd(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    i64::try_from(a).unwrap_or(1)
}
