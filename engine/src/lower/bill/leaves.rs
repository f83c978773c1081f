//! How many leaves one step touches, and how many siblings prove them: counted for every position of a window relative to a node.
//!
//! A step's siblings follow from the nodes that hold what it touches. Of the two children of each such node one or both are such nodes, so
//! at each level twice the nodes above, less its own, are siblings: in a tree of depth D with n(l) of them l levels above the leaves,
//! 2 + n(1) + ... + n(D - 1) - n(0) in all. A leaf costs more than a sibling, so with the most that each n can be, leaves and siblings
//! together are never more than billed; that guards, and positions other than the worst one, make any n smaller may be ignored.

use super::gather::Run;
use super::window;
use crate::program::limits::{CHUNK, FIRST_REDUCTION_AXIS};
use crate::program::*;
use crate::tree;
use std::collections::BTreeSet;

/// Windows that are counted one by one; of a reduction with more, each element is billed as if it lay in a leaf of its own.
const WINDOWS_COUNTED: u64 = 4096;
/// Shapes of windows that are counted for an instruction; what has more is billed so, too.
const SHAPES_COUNTED: u64 = 1024;
/// Positions in a node that are counted together for all groups of neighbours; where there are more, each group is where it is worst.
const POSITIONS_COUNTED: u64 = 1024;

/// Levels that are counted: no tensor's tree has more.
const LEVELS: usize = 40;

/// At each level of one operand's tree, from the leaves up, most nodes that hold what a step touches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Spread {
    nodes: [u64; LEVELS],
}

impl Spread {
    const NONE: Self = Self::anywhere(0, 0);

    /// One leaf.
    const ONE: Self = Self::anywhere(1, 1);

    /// Leaves in so many groups of neighbours that may be as far from each other as they like.
    pub(super) const fn anywhere(leaves: u64, groups: u64) -> Self {
        let mut nodes = [leaves; LEVELS];
        let mut level = 1;
        while level < LEVELS {
            // Of neighbours, a node more than they fill at each end.
            let most = (leaves >> level) + 2 * groups;
            if most < leaves {
                nodes[level] = most;
            }
            level += 1;
        }
        Self { nodes }
    }

    fn each(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        Self { nodes: std::array::from_fn(|level| f(self.nodes[level], other.nodes[level])) }
    }

    pub(super) const fn leaves(self) -> u64 {
        self.nodes[0]
    }

    /// Siblings that their multiproof needs in a tree of this depth, if it has as many leaves: fewer leaves may need more.
    pub(super) fn siblings(self, depth: u32) -> u64 {
        if self.leaves() == 0 || depth == 0 {
            return 0;
        }
        let below_root = (1..depth).map(|level| {
            let all = 1u64.checked_shl(depth - level).unwrap_or(u64::MAX);
            self.nodes[LEVELS.min(level as usize + 1) - 1].min(all) // levels are few
        });
        (2 + below_root.sum::<u64>()).saturating_sub(self.leaves())
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
    let mut shapes = SHAPES_COUNTED;
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
                window_leaves(i, (address, indirects), operand, &mut shapes)
            } else {
                Spread::ONE
            };
            let spread = &mut spreads[usize::from(*o)];
            *spread = spread.each(add, |a, b| a + b);
        }
    }
    for (spread, o) in spreads.iter_mut().zip(&i.operands) {
        let leaves = tree::leaf_count(o.dtype, o.elements);
        *spread = spread.each(Spread::anywhere(leaves, 1), u64::min);
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

/// Most leaves, and nodes above them, that an address touches over one window in which its indices, if it has any, are the same.
fn window_leaves(
    i: &Instruction,
    (address, indirects): (&Affine, &[Indirect]),
    operand: &Operand,
    shapes: &mut u64,
) -> Spread {
    let k = product(&i.reduction);
    let window = k.min(CHUNK);
    let coefficient = |axis: u8| address.coefficient(axis.into());
    let mut step = 0;
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
    let depth = tree::depth(tree::leaf_count(operand.dtype, operand.elements));
    // Windows of the same shape, at the same place in whatever is counted, touch as many.
    let mut seen = BTreeSet::new();
    let mut most = Spread::NONE;
    for w in 0..counted {
        let mut offsets: Vec<i64> =
            (w * CHUNK..k.min((w + 1) * CHUNK)).map(|k| offset(&i.reduction, &strides, k)).collect();
        offsets.sort_unstable();
        offsets.dedup();
        let Some(&first) = offsets.first() else { continue };
        let base = address.base.wrapping_add(first);
        let base = if step == 0 { base } else { base.rem_euclid(step) };
        offsets.iter_mut().for_each(|o| *o = o.wrapping_sub(first));
        if !seen.insert((base, offsets.clone())) {
            continue;
        }
        let Some(left) = shapes.checked_sub(1) else { return Spread::anywhere(window, window) };
        *shapes = left;
        let mut groups: Vec<(i64, i64)> = offsets.iter().map(|&o| (o, o)).collect();
        for (level, most) in (0..=depth).zip(&mut most.nodes) {
            *most = nodes(&mut groups, base, step, operand.dtype.lanes() << level).max(*most);
        }
    }
    most
}

/// Most nodes of `size` lanes that offsets from 0 up touch, at any position that is `base` and a multiple of `step` (at `base` if it is 0).
/// `groups` are the first and last of each group of them, in order; those that are neighbours become one.
fn nodes(groups: &mut Vec<(i64, i64)>, base: i64, step: i64, size: u64) -> u64 {
    let size = size as i64; // below 2^50: 2^40 leaves of 2^9 lanes
    // No node lies between offsets that are less than a node apart.
    groups.dedup_by(|next, before| {
        let together = (0..size).contains(&next.0.wrapping_sub(before.1));
        if together {
            before.1 = next.1;
        }
        together
    });
    let step = gcd(step, size);
    let base = base.rem_euclid(step);
    let positions = size / step;
    // A group of w lanes is in w / size nodes and one more, and in yet another where it begins within w % size of a node's end.
    let (mut always, mut sometimes) = (0, 0);
    let mut changes = vec![0i64; if positions as u64 > POSITIONS_COUNTED { 0 } else { positions as usize + 1 }];
    // How many of the positions are before a place.
    let before = |place: i64| ((place - base).max(0) as u64).div_ceil(step as u64) as usize; // at most `positions`
    for &(first, last) in groups.iter() {
        let width = last.wrapping_sub(first).unsigned_abs();
        let (whole, rest) = (width / size as u64, (width % size as u64) as i64);
        always += whole + 1;
        if changes.is_empty() {
            let latest = size - step + base.wrapping_add(first).rem_euclid(step);
            sometimes += u64::from(latest + rest >= size);
            continue;
        }
        let from = first.wrapping_add(rest).wrapping_neg().rem_euclid(size);
        for (from, to) in [(from, (from + rest).min(size)), (0, from + rest - size)] {
            let (from, to) = (before(from), before(to));
            if from < to {
                changes[from] += 1;
                changes[to] -= 1;
            }
        }
    }
    let most = changes.iter().scan(0, |sum, change| {
        *sum += change;
        Some(*sum)
    });
    always + sometimes + most.max().unwrap_or(0).unsigned_abs()
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

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const CASES: usize = 3_000;

    /// The different multiples of `size` below or at these places.
    fn held(places: impl Iterator<Item = i64>, size: i64) -> u64 {
        places.map(|place| place.div_euclid(size)).collect::<BTreeSet<i64>>().len() as u64
    }

    #[test]
    fn nodes_are_as_many_as_at_the_worst_position() {
        let mut rng = ChaCha8Rng::seed_from_u64(61);
        for case in 0..CASES {
            let size = 8u64 << rng.random_range(0..10);
            let gap = [1, 3, 9, 40, 300][rng.random_range(0..5)];
            let mut offsets = vec![0];
            for _ in 0..rng.random_range(0..12) {
                offsets.push(offsets.last().unwrap() + rng.random_range(1..=gap));
            }
            let step = [0, 1, 2, 3, 4, 8, 12, 16, 64, 96][rng.random_range(0..10)];
            let base = rng.random_range(-500..500);
            let at = |n: i64| held(offsets.iter().map(|o| base + n * step + o), size as i64);
            let positions = size as i64 / gcd(step, size as i64);
            let worst = (0..positions).map(at).max().unwrap();
            let mut groups: Vec<(i64, i64)> = offsets.iter().map(|&o| (o, o)).collect();
            let counted = nodes(&mut groups, base, step, size);
            let exact = positions as u64 <= POSITIONS_COUNTED || groups.len() == 1;
            let what = format!("{case}: {offsets:?} from {base} by {step}, {size}");
            assert!(if exact { counted == worst } else { counted >= worst }, "{what}: {counted}, not {worst}");
        }
    }

    #[test]
    fn siblings_follow_from_nodes() {
        let mut rng = ChaCha8Rng::seed_from_u64(62);
        for case in 0..CASES {
            let depth = rng.random_range(0..9u32);
            let leaves = 1u64 << depth;
            let touched: BTreeSet<u64> = (0..rng.random_range(1..20)).map(|_| rng.random_range(0..leaves)).collect();
            let level = |l: u32| touched.iter().map(|leaf| leaf >> l).collect::<BTreeSet<u64>>();
            let alone = |l: u32| level(l).iter().filter(|&node| !level(l).contains(&(node ^ 1))).count() as u64;
            let siblings: u64 = (0..depth).map(alone).sum();
            let nodes = std::array::from_fn(|l| level(u32::try_from(l).unwrap()).len() as u64);
            assert_eq!(Spread { nodes }.siblings(depth), siblings, "{case}: {touched:?} of {leaves}");
            // What may lie anywhere is never fewer, in as many groups as there are and in more.
            let groups = 1 + touched.iter().zip(touched.iter().skip(1)).filter(|(a, b)| *a + 1 < **b).count() as u64;
            for groups in groups..=touched.len() as u64 {
                let anywhere = Spread::anywhere(touched.len() as u64, groups).siblings(depth);
                assert!(
                    anywhere >= siblings,
                    "{case}: {touched:?} of {leaves}: {anywhere} siblings in {groups} groups"
                );
            }
        }
    }
}
