//! Instructions element by element: blocks of rows, each block evaluated node by node.

use super::block::Scope;
use super::fold;
use super::linked::finish_row;
use super::matrix::differs;
use super::out::{Layout, Out};
use super::points::{Grid, Point, strides};
use super::read::{Block, Run, lying_or_read};
use super::straight::Straight;
use super::tiles::Tiles;
use crate::program::limits::CHUNK;
use crate::program::{Access, Core, DType, Instruction, Node};
use crate::tasks;

/// Elements that are evaluated at once.
pub(super) const BLOCK: usize = 1 << 14;
/// Fewest elements of a task.
pub(super) const LEAST: usize = 1 << 11;

/// The shortest row that goes through its operations by itself.
const SHORT: u64 = 96;

/// An instruction that is computed element by element, ready to run.
pub(super) struct Elements {
    tiles: Tiles,
    /// Where each row is what one view reads, with the same operations and what they read along every row: the view, and these.
    chain: Option<(u8, Straight)>,
}

impl Elements {
    pub(super) fn new(instruction: &Instruction) -> Self {
        Self { tiles: Tiles::new(instruction), chain: chain(instruction) }
    }
}

/// Computes all elements of an instruction that is no scan into `out`, which is not empty.
#[allow(unsafe_code)]
pub(super) fn run(scope: &Scope<'_>, Elements { tiles, chain }: &Elements, out: &Out<'_>) {
    let i = scope.instruction;
    let window_axis = i.windowed.then(|| i.extents.len() - 1);
    let total_k: u64 = i.reduction.iter().product();
    let windows = window_axis.map_or(1, |x| i.extents[x]);
    let by_reduction = fold::runs_along_reduction(i);
    let along = longest(0..i.extents.len() - usize::from(i.windowed), i).filter(|_| !by_reduction);
    let stride = along.map_or(1, |x| strides(i)[x]);
    let len = along.map_or(1, |x| i.extents[x] as usize); // the result is in memory, so this fits
    let others: Vec<usize> = (0..i.extents.len()).filter(|&x| Some(x) != along && Some(x) != window_axis).collect();
    let grid = Grid::new(i, &others);
    for w in 0..windows {
        let ks = if i.windowed { w * CHUNK..total_k.min((w + 1) * CHUNK) } else { 0..total_k };
        let at_once = if by_reduction { (ks.end - ks.start) as usize } else { len }; // below the result's or a chunk's size
        // A long row is cut, so that its lanes stay in the cache.
        let cuts = len.div_ceil(BLOCK).max(1);
        let per_block = tasks::share(grid.len(), LEAST / at_once.max(1), BLOCK / at_once.max(1));
        let blocks = grid.len().div_ceil(per_block);
        tasks::each(blocks * cuts, |task| {
            let (block, cut) = (task / cuts, task % cuts);
            let points = block * per_block..grid.len().min((block + 1) * per_block);
            let (first, last) = (cut * BLOCK, len.min((cut + 1) * BLOCK));
            let mut origin = Point::ORIGIN;
            if let Some(x) = window_axis {
                origin.at[x] = w as i64;
                origin.offset += w as usize;
            }
            if let Some(x) = along {
                origin.at[x] = first as i64;
                origin.offset += first * stride;
            }
            if let (Some((view, straight)), Some(axis)) = (chain, along) {
                let row = grid.point(points.start, &origin).at;
                let row = Block { rows: vec![row].into(), copies: 1, axis, len: last - first };
                let links = straight.along(tiles, scope, &row);
                let (view, source) = (&i.views[usize::from(*view)], scope.source());
                grid.each(points, &origin, |at, start| {
                    // SAFETY: every task has rows or parts of rows of its own.
                    let to = unsafe { out.floats(start, row.len) };
                    let run = Run { at, axis, len: row.len };
                    let from = lying_or_read(view, &source, &run, to);
                    finish_row(out.level(), &links, from, to);
                });
                return;
            }
            let (mut rows, mut starts) = (Vec::with_capacity(points.len()), Vec::with_capacity(points.len()));
            grid.each(points, &origin, |at, offset| {
                rows.push(*at);
                starts.push(offset);
            });
            let block = Block {
                rows: rows.into(),
                copies: 1,
                axis: along.unwrap_or(0),
                len: if along.is_some() { last - first } else { 1 },
            };
            let core = match &i.core {
                Core::None | Core::Scan { .. } => None,
                Core::Dot { a, b } => Some(fold::dot(scope, [*a, *b], &block, ks.clone())),
                Core::Fold { op, body } if by_reduction => Some(fold::along(scope, *op, body, &block, &ks)),
                Core::Fold { op, body } => Some(fold::fold(scope, *op, body, &block, ks.clone())),
            };
            // SAFETY: every task has rows or parts of rows of its own.
            unsafe { tiles.store(scope, &block, core, out, (&starts, 0, Layout { len: block.len, stride })) };
        });
    }
}

/// The view and the operations of an instruction whose rows go through them one by one.
fn chain(i: &Instruction) -> Option<(u8, Straight)> {
    let along = longest(0..i.extents.len(), i).filter(|&x| i.core == Core::None && strides(i)[x] == 1)?;
    let nodes = &i.epilogue.nodes;
    let loads =
        || nodes.iter().enumerate().filter_map(|(n, node)| if let Node::Load(v) = node { Some((n, *v)) } else { None });
    let mut rows = loads().filter(|(_, v)| differs(i, *v, |x| x != along));
    let (start, view) = rows.next().or_else(|| loads().next())?;
    let float = |a: &Access| i.operands[usize::from(a.operand)].dtype == DType::F32;
    let accesses = &i.views[usize::from(view)].accesses;
    let one = rows.next().is_none() && !accesses.is_empty() && accesses.iter().all(float);
    let long = nodes.len() == 1 || i.extents[along] >= SHORT;
    Straight::of(i, start).filter(|_| one && long).map(|straight| (view, straight))
}

/// The axis along which runs go: the innermost one unless it is short and another is longer. `axes` are those that it may be, never
/// the windows'.
pub(super) fn longest(axes: impl DoubleEndedIterator<Item = usize> + Clone, i: &Instruction) -> Option<usize> {
    const LONG: u64 = 16;
    let long = axes.clone().rev().find(|&x| i.extents[x] >= LONG);
    long.or_else(|| axes.rev().max_by_key(|&x| i.extents[x]))
}
