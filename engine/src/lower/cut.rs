//! Cutting a reduction into parts: no step takes more than 256 elements, nor as many as cost more than a step may.
//!
//! A part is an element of its own. Parts of 256 are the instruction's windows; shorter ones are more element axes, over which a fold
//! then combines them. Where no axis divides evenly the last part is filled up with elements that change nothing.

use super::builder::COMBINED;
use super::lazy::{Axis, Lazy, axis};
use super::spec::{Bound, Read, Spec};
use crate::program::limits::{CHUNK, FIRST_REDUCTION_AXIS, MAX_NODES, MAX_RANK};
use crate::program::*;

/// Numbers of parts of one axis that are tried where they do not come out even, ...
const FEW: u64 = 64;
/// ... and lengths that are, of a long axis.
const ROUND: u64 = 16;

/// A reduction's parts.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    /// What makes the parts, over the element axes and then `parts`; the whole itself if there are none.
    pub(super) spec: Spec,
    /// Extents of what is left to combine.
    pub(super) parts: Vec<u64>,
    /// Elements of a part.
    pub(super) length: u64,
}

impl Cut {
    /// Elements of all parts.
    pub(super) fn made(&self) -> u64 {
        let windows = if self.spec.windowed { self.parts.first().copied().unwrap_or(1) } else { 1 };
        if self.parts.is_empty() { 0 } else { product(&self.spec.extents).saturating_mul(windows) }
    }
}

/// The ways to cut a reduction with a core of type `core`, the longest parts first.
pub(super) fn cuts(whole: &Spec, core: DType) -> Vec<Cut> {
    let k = product(&whole.reduction);
    let first = if k <= CHUNK {
        Cut { spec: whole.clone(), parts: Vec::new(), length: k }
    } else {
        let spec = Spec { windowed: true, ..part(whole, core) };
        Cut { spec, parts: vec![k.div_ceil(CHUNK)], length: CHUNK }
    };
    let mut shorter = Vec::new();
    let mut inner = 1u64;
    for (j, &extent) in whole.reduction.iter().enumerate().rev() {
        // A part of one element would leave as many to combine.
        let fits = |d: &u64| (2..=CHUNK.min(k.saturating_sub(1))).contains(&d.saturating_mul(inner));
        let even = (1..=extent.min(CHUNK)).filter(|d| extent.is_multiple_of(*d));
        let few = (2..=extent.min(FEW)).map(|n| extent.div_ceil(n));
        let uneven = few.chain((1..=CHUNK.min(extent) / ROUND).map(|n| n * ROUND));
        let uneven = uneven.filter(|d| !extent.is_multiple_of(*d));
        let cut = |d: u64| cut_axis(whole, core, j, d).map(|spec| (spec, d));
        for (spec, d) in even.chain(uneven).filter(fits).filter_map(cut) {
            let parts = whole.reduction[..j].iter().copied().chain([extent.div_ceil(d)]).collect();
            shorter.push(Cut { spec, parts, length: d * inner });
        }
        inner = inner.saturating_mul(extent);
        if inner > CHUNK {
            break;
        }
    }
    // Few parts first; of as many, even ones.
    shorter.sort_by_key(|c| (product(&c.parts), c.length));
    shorter.dedup_by_key(|c| c.length);
    std::iter::once(first).chain(shorter).collect()
}

/// A reduction without what happens to its result.
fn part(whole: &Spec, core: DType) -> Spec {
    let epilogue = Expr { nodes: vec![Node::Core] };
    Spec { dtype: core, reads: Vec::new(), epilogue, leader: None, ..whole.clone() }
}

/// Parts of `d` coordinates of reduction axis `j` and all of the axes inside it; `None` where that cannot be said.
fn cut_axis(whole: &Spec, core: DType, j: usize, d: u64) -> Option<Spec> {
    let (e, extent) = (whole.extents.len(), whole.reduction[j]);
    let outer = extent.div_ceil(d);
    let even = extent.is_multiple_of(d);
    let at = e + j;
    let step = i64::try_from(d).ok()?;
    let mut spec = part(whole, core);
    for read in &mut spec.core_reads {
        for access in &mut read.accesses {
            let parts = split(&access.lazy, at, outer, d, even)?;
            access.lazy.axes.splice(at..=at, parts);
            for index in &mut access.indices {
                let parts = split(&index.lazy, at, outer, d, even)?;
                index.lazy.axes.splice(at..=at, parts);
            }
            access.guards.iter_mut().for_each(|g| g.terms = moved(&g.terms, at, step));
        }
    }
    if let Core::Fold { body, .. } = &mut spec.core {
        *body = counted(body, e, j, step)?;
    }
    if !even {
        fill_up(&mut spec, core, &Bound { limit: extent, base: 0, terms: vec![(at, step), (at + 1, 1)] })?;
    }
    spec.extents.extend(&whole.reduction[..j]);
    spec.extents.push(outer);
    if matches!(&spec.core, Core::Fold { body, .. } if body.nodes.len() > MAX_NODES) {
        return None;
    }
    spec.reduction = std::iter::once(d).chain(whole.reduction[j + 1..].iter().copied()).collect();
    Some(spec)
}

fn split(lazy: &Lazy, at: usize, outer: u64, inner: u64, even: bool) -> Option<Vec<Axis>> {
    let old = lazy.axes.get(at)?;
    if even {
        return Some(Lazy { axes: vec![old.clone()], ..lazy.clone() }.reshape(&[outer, inner])?.axes);
    }
    match old.as_slice() {
        [f] => Some(vec![axis(outer, f.stride.checked_mul(i64::try_from(inner).ok()?)?), axis(inner, f.stride)]),
        _ => None,
    }
}

/// The terms of a bound where axis `at` has become two.
fn moved(terms: &[(usize, i64)], at: usize, step: i64) -> Vec<(usize, i64)> {
    let two = |&(axis, c): &(usize, i64)| match axis.cmp(&at) {
        std::cmp::Ordering::Less => vec![(axis, c)],
        std::cmp::Ordering::Equal => vec![(at, c.saturating_mul(step)), (at + 1, c)],
        std::cmp::Ordering::Greater => vec![(axis + 1, c)],
    };
    terms.iter().flat_map(two).collect()
}

/// Makes what is not `inside` change nothing; `None` where that cannot be said.
fn fill_up(spec: &mut Spec, core: DType, inside: &Bound) -> Option<()> {
    let fill = match &mut spec.core {
        Core::None | Core::Scan { .. } => return None,
        // Both factors.
        Core::Dot { .. } => Some(0),
        Core::Fold { op, body } => {
            let neutral = match op {
                FoldOp::Sum | FoldOp::SeqAdd if core == DType::F32 => i64::from((-0.0f32).to_bits()),
                op => op.empty(core),
            };
            if body.nodes == COMBINED {
                Some(neutral)
            } else {
                // Of a body that computes, its result.
                let plain = spec.core_reads.iter().position(|r| r.as_plain().is_some())?;
                let n = NodeId::try_from(body.nodes.len()).ok()?;
                body.nodes.extend([
                    Node::Valid(u8::try_from(plain).ok()?),
                    Node::Const(core, neutral),
                    Node::Select(n, n.checked_sub(1)?, n + 1),
                ]);
                None
            }
        }
    };
    for read in &mut spec.core_reads {
        let plain = read.as_plain().is_some();
        match fill {
            Some(fill) if plain => read.fill = fill,
            Some(fill) if read.fill != fill => return None,
            None if !plain => continue,
            _ => {}
        }
        read.accesses.iter_mut().for_each(|a| a.guards.push(inside.clone()));
    }
    Some(())
}

/// The body where reduction axis `j` has become two, the outer one an element axis; coordinates are counted on.
fn counted(body: &Expr, e: usize, j: usize, step: i64) -> Option<Expr> {
    let element = |r: usize| u8::try_from(e + r).ok().filter(|&axis| usize::from(axis) < MAX_RANK).map(Node::Iota);
    let mut nodes: Vec<Node> = Vec::new();
    let mut renamed: Vec<NodeId> = Vec::new();
    for &node in &body.nodes {
        let mut push = |node: Node| -> Option<NodeId> {
            nodes.push(node);
            NodeId::try_from(nodes.len() - 1).ok()
        };
        let at = match node {
            Node::Iota(axis) if axis >= FIRST_REDUCTION_AXIS => match usize::from(axis - FIRST_REDUCTION_AXIS) {
                r if r < j => push(element(r)?)?,
                r if r > j => push(Node::Iota(FIRST_REDUCTION_AXIS + u8::try_from(r - j).ok()?))?,
                r => {
                    let (outer, step) = (push(element(r)?)?, push(Node::Const(DType::I64, step))?);
                    let first = push(Node::Apply(Op::Mul, [outer, step, 0]))?;
                    let inner = push(Node::Iota(FIRST_REDUCTION_AXIS))?;
                    push(Node::Apply(Op::Add, [first, inner, 0]))?
                }
            },
            node => push(node.renumbered(|a| renamed[usize::from(a)]))?,
        };
        renamed.push(at);
    }
    Some(Expr { nodes })
}

/// The sum of a step's products of integers between -255 and 255 is below 2^24, so exact in f32.
const _: () = assert!(CHUNK * 255 * 255 < 1 << 24);

/// The fold that combines the parts, with the whole's epilogue, and the type of its core.
pub(super) fn combine(whole: Spec, core: DType, parts: Vec<u64>, results: Lazy) -> (Spec, DType) {
    let (op, nodes, core) = match &whole.core {
        _ if whole.integers => (FoldOp::Sum, vec![Node::Load(0), Node::Cast(DType::I32, 0)], DType::I32),
        Core::Fold { op: FoldOp::Prod | FoldOp::SeqMul, .. } => (FoldOp::SeqMul, COMBINED.to_vec(), core),
        Core::Fold { op: op @ (FoldOp::Min | FoldOp::Max | FoldOp::And | FoldOp::Or), .. } => {
            (*op, COMBINED.to_vec(), core)
        }
        _ => (FoldOp::SeqAdd, COMBINED.to_vec(), core),
    };
    let core_reads = vec![Read::plain(results)];
    let fold = Core::Fold { op, body: Expr { nodes } };
    (Spec { reduction: parts, core: fold, core_reads, integers: false, ..whole }, core)
}
