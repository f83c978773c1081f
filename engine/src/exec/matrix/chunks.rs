//! A dot whose reduction is cut into chunks, and the fold that adds these up, as one product: the chunk results need not be kept.

use super::super::axes::over;
use crate::program::limits::MAX_RANK;
use crate::program::{Affine, Core, Expr, FoldOp, Instruction, Node, View, product};

/// A dot and the fold over its results, with the same e axes but for the chunks'.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::exec) struct Chunked {
    pub(in crate::exec) dot: Instruction,
    pub(in crate::exec) fold: Instruction,
    /// For each e axis of the fold that of the dot.
    pub(in crate::exec) axes: Vec<usize>,
    /// The dot's axes over its chunks, in the order in which they are added.
    pub(in crate::exec) chunks: Vec<usize>,
}

/// An axis that both instructions have, or that is part of an axis of each.
struct Common {
    extent: u64,
    /// The dot's axis and what a step is worth there.
    dot: (usize, u64),
    /// The fold's e or reduction axis, and what a step is worth there.
    fold: (FoldAxis, u64),
}

#[derive(Clone, Copy, PartialEq)]
enum FoldAxis {
    Element(usize),
    Reduction(usize),
}

/// One factor of a flat index: its extent and the axis it belongs to.
struct Factor<A> {
    extent: u64,
    axis: A,
}

/// The two as one, if the fold adds up exactly the dot's chunks in order. `operand` is the dot's result among the fold's operands.
pub(in crate::exec) fn chunked(dot: &Instruction, fold: &Instruction, operand: usize) -> Option<Chunked> {
    let Core::Fold { op: FoldOp::SeqAdd, body } = &fold.core else { return None };
    let [Node::Load(view)] = body.nodes.as_slice() else { return None };
    let reads = |v: &View| v.accesses.iter().any(|a| usize::from(a.operand) == operand);
    let others = fold.views.iter().enumerate().any(|(n, v)| n != usize::from(*view) && reads(v));
    let loads = fold.epilogue.nodes.iter().any(|n| matches!(n, Node::Load(v) | Node::Valid(v) if v == view));
    let plain =
        matches!(dot.core, Core::Dot { .. }) && dot.epilogue == Expr { nodes: vec![Node::Core] } && !fold.windowed;
    if others || loads || !plain {
        return None;
    }
    let [access] = fold.views[usize::from(*view)].accesses.as_slice() else { return None };
    if usize::from(access.operand) != operand
        || !access.guards.is_empty()
        || !access.indirects.is_empty()
        || access.address.base != 0
    {
        return None;
    }
    // An empty fold is its identity, and an empty result nothing.
    if [&dot.extents, &fold.extents, &fold.reduction].into_iter().flatten().any(|&extent| extent == 0) {
        return None;
    }
    let common = common(dot, fold, &access.address)?;
    if common.len() > MAX_RANK || has_iota(&fold.epilogue) {
        return None;
    }
    let part_of_chunks = |c: &&Common| matches!(c.fold.0, FoldAxis::Reduction(_));
    // The fold's order: its e axes row-major, and the chunks row-major over its reduction axes.
    let mut elements: Vec<usize> = (0..common.len()).filter(|&n| !part_of_chunks(&&common[n])).collect();
    let mut chunks: Vec<usize> = (0..common.len()).filter(|&n| part_of_chunks(&&common[n])).collect();
    let order = |n: &usize| match common[*n].fold {
        (FoldAxis::Element(x) | FoldAxis::Reduction(x), worth) => (x, std::cmp::Reverse(worth)),
    };
    elements.sort_by_key(order);
    chunks.sort_by_key(order);
    // A window's number is the dot's innermost axis, and must stay one axis.
    let last = chunks.last().filter(|&&n| n + 1 == common.len());
    if chunks.is_empty() || (dot.windowed && (last.is_none() || common.last()?.extent != *dot.extents.last()?)) {
        return None;
    }
    let split_dot = |axis: usize| -> Vec<(usize, u64)> {
        common.iter().enumerate().filter(|(_, c)| c.dot.0 == axis).map(|(n, c)| (n, c.dot.1)).collect()
    };
    let split_fold = |axis: usize| -> Vec<(usize, u64)> {
        let parts = elements.iter().enumerate().filter(|(_, n)| common[**n].fold.0 == FoldAxis::Element(axis));
        parts.map(|(place, n)| (place, common[*n].fold.1)).collect()
    };
    let extents = |over: &mut dyn Iterator<Item = usize>| over.map(|n| common[n].extent).collect::<Vec<u64>>();
    Some(Chunked {
        dot: split(dot, extents(&mut (0..common.len())), split_dot),
        fold: split(fold, extents(&mut elements.iter().copied()), split_fold),
        axes: elements,
        chunks,
    })
}

fn has_iota(expr: &Expr) -> bool {
    expr.nodes.iter().any(|n| matches!(n, Node::Iota(_)))
}

/// The axes that both have in common, in the dot's order; `None` where the fold's address is no renumbering of the dot's result.
fn common(dot: &Instruction, fold: &Instruction, address: &Affine) -> Option<Vec<Common>> {
    let mut reads: Vec<(u64, Factor<FoldAxis>)> = Vec::new();
    let axes = (0..fold.extents.len()).map(|x| (FoldAxis::Element(x), x, fold.extents[x]));
    let reductions = fold.reduction.iter().enumerate();
    let axes = axes.chain(reductions.map(|(x, &n)| (FoldAxis::Reduction(x), crate::exec::read::reduction_axis(x), n)));
    for (axis, at, extent) in axes {
        let step = address.coefficient(at);
        if extent > 1 {
            reads.push((u64::try_from(step).ok().filter(|&s| s > 0)?, Factor { extent, axis }));
        }
    }
    reads.sort_by_key(|r| r.0);
    let mut expected = 1u64;
    for (step, factor) in &reads {
        if *step != expected {
            return None;
        }
        expected = expected.checked_mul(factor.extent)?;
    }
    let made = dot.extents.iter().enumerate().rev().map(|(axis, &extent)| Factor { extent, axis });
    let made: Vec<Factor<usize>> = made.filter(|f| f.extent > 1).collect();
    if expected != product(&dot.extents) || expected == 0 {
        return None;
    }
    // Both are factorisations of one flat index, from the innermost: cut them at each other's borders.
    let (mut made, mut reads) = (made.into_iter(), reads.into_iter().map(|r| r.1));
    let (mut a, mut b) = (made.next(), reads.next());
    let (mut worth_a, mut worth_b) = (1, 1);
    let mut common = Vec::new();
    while let (Some(x), Some(y)) = (&mut a, &mut b) {
        let extent = x.extent.min(y.extent);
        if !x.extent.is_multiple_of(extent) || !y.extent.is_multiple_of(extent) {
            return None;
        }
        common.push(Common { extent, dot: (x.axis, worth_a), fold: (y.axis, worth_b) });
        (x.extent, y.extent) = (x.extent / extent, y.extent / extent);
        (worth_a, worth_b) = (worth_a * extent, worth_b * extent);
        if x.extent == 1 {
            (a, worth_a) = (made.next(), 1);
        }
        if y.extent == 1 {
            (b, worth_b) = (reads.next(), 1);
        }
    }
    common.reverse();
    Some(common)
}

/// The instruction over other e axes, as [`over`] has their parts.
fn split(i: &Instruction, extents: Vec<u64>, parts: impl Fn(usize) -> Vec<(usize, u64)>) -> Instruction {
    let mut new = Instruction { extents, ..i.clone() };
    new.views.iter_mut().for_each(|view| over(view, &parts));
    new
}
