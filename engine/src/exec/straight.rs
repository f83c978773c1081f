//! Epilogues in which each operation takes the result of the one before and something else, as those of most convolutions do: a tile of a product
//! is finished while it is in the first cache, and goes to memory while the next one is multiplied.

use super::block::Scope;
use super::lanes::{Lanes, f32_of};
use super::matrix::COLUMNS;
use super::out::Out;
use super::read::Block;
use super::tiles::Tiles;
use crate::arith::for_each_level;
use crate::arith::native::{self, canonical};
use crate::program::{DType, Instruction, Node, NodeId, Op, epilogue_types};
use std::ops::Range;

/// Such an epilogue: each operation, with the node that it takes besides. Which of the two comes first makes no difference to any of them.
#[derive(Debug)]
pub(super) struct Straight(Vec<(Op, NodeId)>);

/// What an epilogue reads over some rows and a run of columns.
pub(super) struct Reads<'a> {
    values: Vec<(DType, Lanes<'a>)>,
    len: usize,
}

/// Where a tile is: its rows among those that were read, its columns in the run.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) rows: Range<usize>,
    pub(super) columns: Range<usize>,
}

impl Straight {
    /// The epilogue of an instruction, if it is one of these.
    pub(super) fn new(instruction: &Instruction) -> Option<Self> {
        let nodes = &instruction.epilogue.nodes;
        let types = epilogue_types(instruction)?;
        if types.iter().any(|&ty| ty != DType::F32) {
            return None;
        }
        let mut last: Option<usize> = None;
        let mut links = Vec::new();
        for (n, node) in nodes.iter().enumerate() {
            match *node {
                Node::Core if last.is_none() => last = Some(n),
                Node::Core | Node::Valid(_) | Node::Iota(_) => return None,
                Node::Load(_) | Node::Const(..) => {}
                Node::Apply(op @ (Op::Add | Op::Mul | Op::Max | Op::Min), [a, b, _]) => {
                    let before = NodeId::try_from(last?).ok()?;
                    let other = if a == before { b } else { a };
                    let read = matches!(nodes.get(usize::from(other)), Some(Node::Load(_) | Node::Const(..)));
                    if (a != before && b != before) || !read {
                        return None;
                    }
                    links.push((op, other));
                    last = Some(n);
                }
                Node::Apply(..) | Node::Select(..) | Node::Cast(..) => return None,
            }
        }
        (last? + 1 == nodes.len()).then_some(Self(links))
    }

    /// Reads what the epilogue needs for a block.
    pub(super) fn read<'a>(tiles: &Tiles, scope: &Scope<'a>, block: &Block<'_>) -> Reads<'a> {
        Reads { values: tiles.evaluate(scope, block, None), len: block.len }
    }

    /// Makes a tile's elements of its chains, which are `stride` apart from row to row, and writes them to the rows of the result that begin at
    /// `starts`.
    ///
    /// # Safety
    /// No other thread writes any of these elements.
    #[allow(unsafe_code)]
    pub(super) unsafe fn finish(
        &self,
        reads: &Reads<'_>,
        place: &Place,
        (chains, stride): (&mut [f32], usize),
        (out, starts, from): (&Out<'_>, &[usize], usize),
    ) {
        finish_tile(out.level(), self, reads, place, (chains, stride), (out, starts, from));
    }
}

for_each_level!(fn finish_tile = tile, (straight: &Straight, reads: &Reads<'_>, place: &Place, chains: (&mut [f32], usize), out: (&Out<'_>, &[usize], usize)) -> ());

#[inline(always)]
fn tile(
    _: bool,
    straight: &Straight,
    reads: &Reads<'_>,
    place: &Place,
    (chains, stride): (&mut [f32], usize),
    (out, starts, from): (&Out<'_>, &[usize], usize),
) {
    for &(op, other) in &straight.0 {
        let other = (&reads.values[usize::from(other)].1, reads.len);
        match op {
            Op::Add => apply(other, place, chains, stride, |x, y| x + y),
            Op::Mul => apply(other, place, chains, stride, |x, y| x * y),
            Op::Max => apply(other, place, chains, stride, native::max),
            _ => apply(other, place, chains, stride, native::min),
        }
    }
    for (row, start) in chains.chunks(stride).zip(starts) {
        // SAFETY: the caller's of `finish`.
        #[allow(unsafe_code)]
        let to = unsafe { out.floats(from + start, place.columns.len()) };
        if let (Some(to), Some(row)) = (to.first_chunk_mut::<COLUMNS>(), row.first_chunk::<COLUMNS>()) {
            let mut elements = *row;
            for x in &mut elements {
                *x = canonical(*x);
            }
            *to = elements;
        } else {
            for (to, &x) in to.iter_mut().zip(row) {
                *to = canonical(x);
            }
        }
    }
}

/// An operation on each row's chains and what is read besides.
#[inline(always)]
fn apply(
    (lanes, len): (&Lanes<'_>, usize),
    place: &Place,
    chains: &mut [f32],
    stride: usize,
    f: impl Fn(f32, f32) -> f32,
) {
    let columns = &place.columns;
    let rows = chains.chunks_mut(stride).zip(place.rows.clone());
    match lanes {
        Lanes::Row(row) => {
            let other = whole(&row[columns.clone()]);
            for (row, _) in rows {
                pairs(row, &other, &f);
            }
        }
        Lanes::Same(register) => {
            let other = [f32_of(*register); COLUMNS];
            for (row, _) in rows {
                pairs(row, &other, &f);
            }
        }
        _ => {
            let (all, apart) = lanes.rows(len);
            for (row, n) in rows {
                let others = &all[n * apart + columns.start..];
                match others.first_chunk() {
                    Some(others) => pairs(row, others, &f),
                    None => pairs(row, &whole(&others[..columns.len()]), &f),
                }
            }
        }
    }
}

// Loops are written out here: a closure that is not inlined is compiled without the level's instructions.
#[inline(always)]
fn pairs(row: &mut [f32], others: &[f32; COLUMNS], f: &impl Fn(f32, f32) -> f32) {
    let Some(row) = row.first_chunk_mut::<COLUMNS>() else { return };
    let mut elements = *row;
    for (x, &other) in elements.iter_mut().zip(others) {
        *x = f(*x, other);
    }
    *row = elements;
}

/// The elements, and zeros where there are fewer than a tile has.
#[inline(always)]
fn whole(elements: &[f32]) -> [f32; COLUMNS] {
    let mut whole = [0.0; COLUMNS];
    whole[..elements.len()].copy_from_slice(elements);
    whole
}
