//! Epilogues in which each operation takes the result of the one before and something else, as those of most convolutions do: a product's results
//! become elements while they are in registers.

use super::block::Scope;
use super::lanes::{Buffer, Lanes, f32_of};
use super::linked::RowLink;
use super::matrix::{Link, Pairwise};
use super::read::Block;
use super::tiles::Tiles;
use crate::program::{DType, Instruction, Node, NodeId, Op, epilogue_types};
use std::ops::Range;

/// Such an epilogue: each operation, with the node that it takes besides.
#[derive(Debug)]
pub(super) struct Straight(Vec<(Pairwise, NodeId)>);

/// What an epilogue reads over some rows and a run of columns: for each node its rows, or one for all.
pub(super) struct Reads<'a> {
    values: Vec<Lanes<'a>>,
    len: usize,
}

impl<'a> Reads<'a> {
    /// Reads what an epilogue needs for a block.
    pub(super) fn new(tiles: &Tiles, scope: &Scope<'a>, block: &Block<'_>) -> Self {
        let row = |(_, lanes): (DType, Lanes<'a>)| match lanes {
            Lanes::Same(register) => {
                let mut row = Buffer::new(block.len);
                row.fill(f32_of(register));
                Lanes::Row(row)
            }
            column @ Lanes::Column(_) => column.spread(DType::F32, block.lanes()),
            lanes => lanes,
        };
        Self { values: tiles.evaluate(scope, block, None).into_iter().map(row).collect(), len: block.len }
    }
}

impl Straight {
    /// The epilogue of an instruction, if it is one of these and begins with a reduction's result.
    pub(super) fn new(instruction: &Instruction) -> Option<Self> {
        Self::after(instruction, |_, node| matches!(node, Node::Core))
    }

    /// The same where it begins with what node `start` reads.
    pub(super) fn of(instruction: &Instruction, start: usize) -> Option<Self> {
        Self::after(instruction, |n, _| n == start)
    }

    fn after(instruction: &Instruction, begins: impl Fn(usize, &Node) -> bool) -> Option<Self> {
        let nodes = &instruction.epilogue.nodes;
        let types = epilogue_types(instruction)?;
        if types.iter().any(|&ty| ty != DType::F32) {
            return None;
        }
        let (mut start, mut last): (Option<usize>, Option<usize>) = (None, None);
        let mut links = Vec::new();
        for (n, node) in nodes.iter().enumerate() {
            match *node {
                _ if last.is_none() && begins(n, node) => (start, last) = (Some(n), Some(n)),
                Node::Core | Node::Valid(_) | Node::Iota(_) => return None,
                Node::Load(_) | Node::Const(..) => {}
                Node::Apply(op, [a, b, _]) => {
                    let op = pairwise(op)?;
                    let before = NodeId::try_from(last?).ok()?;
                    let other = if a == before { b } else { a };
                    let read = matches!(nodes.get(usize::from(other)), Some(Node::Load(_) | Node::Const(..)));
                    // What it begins with differs from row to row, and is no row of another.
                    if (a != before && b != before) || Some(usize::from(other)) == start || !read {
                        return None;
                    }
                    links.push((op, other));
                    last = Some(n);
                }
                Node::Select(..) | Node::Cast(..) => return None,
            }
        }
        (last? + 1 == nodes.len()).then_some(Self(links))
    }

    /// The operations on some columns of the run.
    pub(super) fn links<'a>(&self, reads: &'a Reads<'_>, columns: &Range<usize>) -> Vec<Link<'a>> {
        let link = |&(op, node): &(Pairwise, NodeId)| {
            let (rows, apart) = match &reads.values[usize::from(node)] {
                Lanes::Row(row) => (&row[..], 0),
                lanes => lanes.rows(reads.len),
            };
            Link { op, rows: &rows[columns.start..], apart }
        };
        self.0.iter().map(link).collect()
    }

    /// The operations along a row, with what they read of it: the block is one row.
    pub(super) fn along(&self, tiles: &Tiles, scope: &Scope<'_>, block: &Block<'_>) -> Vec<RowLink> {
        if self.0.is_empty() {
            return vec![];
        }
        let reads = Reads::new(tiles, scope, block);
        let link = |link: Link<'_>| {
            let mut row = Buffer::new(block.len);
            row.copy_from_slice(&link.rows[..block.len]);
            (link.op, row)
        };
        self.links(&reads, &(0..block.len)).into_iter().map(link).collect()
    }
}

fn pairwise(op: Op) -> Option<Pairwise> {
    match op {
        Op::Add => Some(Pairwise::Add),
        Op::Mul => Some(Pairwise::Mul),
        Op::Max => Some(Pairwise::Max),
        Op::Min => Some(Pairwise::Min),
        _ => None,
    }
}
