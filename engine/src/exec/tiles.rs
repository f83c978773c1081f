//! The end of an instruction, from what its epilogue reads to the result: floats are computed a tile at a time, so that what lies between stays
//! in the first cache. Integers, tests and what these need are evaluated before, node by node over the whole block.

use super::block::{Scope, evaluate_node, float};
use super::lanes::{Buffer, Each, Lanes, f32_of};
use super::out::{Layout, Out};
use super::read::Block;
use crate::arith::{Isa, for_each_level, native};
use crate::program::{DType, Instruction, Node, NodeId, Op, epilogue_types};
use std::ops::Range;

/// Most elements of a tile.
const TILE: usize = 512;
/// Elements that an operation takes at once: more of a tile than this are not computed in vain.
const STRIP: usize = 64;
/// Elements that elementary functions take at once.
const LANES: usize = 32;

/// Their floats.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Tile([f32; TILE]);

/// An epilogue, ready to be evaluated.
#[derive(Debug)]
pub(super) struct Tiles {
    /// The nodes that are evaluated over the whole block.
    before: Vec<bool>,
    /// The nodes that such a node reads: over the whole block, too.
    whole: Vec<bool>,
    /// The nodes that steps read.
    read: Vec<bool>,
    steps: Vec<Step>,
    /// Most steps whose results are needed at once.
    slots: usize,
    result: Place,
}

/// An operation from floats to a float.
#[derive(Debug)]
struct Step {
    op: Op,
    /// None for those that it does not have.
    arguments: [Option<Place>; 3],
    slot: usize,
}

/// Where a node's floats are.
#[derive(Clone, Copy, Debug)]
enum Place {
    Before(NodeId),
    Slot(usize),
}

/// What tiles read.
struct Input<'a> {
    kind: Kind<'a>,
    /// The row for all, as often as a tile has rows; the same float; or room for a tile.
    own: Buffer<f32>,
    tile: Start,
}

enum Kind<'a> {
    /// Rows so far apart.
    Rows(&'a [f32], usize),
    /// One row for all.
    Row,
    /// One float for each row.
    Column(&'a [f32]),
    /// One float for all.
    Same,
}

/// Where an input's tile begins.
#[derive(Clone, Copy)]
enum Start {
    Rows(usize),
    Own(usize),
}

impl Tiles {
    pub(super) fn new(instruction: &Instruction) -> Self {
        let nodes = &instruction.epilogue.nodes;
        let types = epilogue_types(instruction).unwrap_or_default();
        let float = |n: usize| types.get(n) == Some(&DType::F32);
        let mut tiled: Vec<bool> =
            nodes.iter().enumerate().map(|(n, node)| float(n) && operation(node, float)).collect();
        // What something needs that is evaluated before is so as well.
        for n in (0..nodes.len()).rev() {
            if !tiled[n] {
                nodes[n].arguments().for_each(|a| tiled[usize::from(a)] = false);
            }
        }
        let reads = |n: usize| {
            nodes.iter().zip(&tiled).any(|(node, tiled)| !tiled && node.arguments().any(|a| usize::from(a) == n))
        };
        let mut tiles = Self {
            before: tiled.iter().map(|tiled| !tiled).collect(),
            whole: (0..nodes.len()).map(reads).collect(),
            read: vec![false; nodes.len()],
            steps: Vec::new(),
            slots: 0,
            result: Place::Before(nodes.len().saturating_sub(1) as NodeId), // at most MAX_NODES
        };
        let mut places: Vec<Place> = (0..nodes.len()).map(|n| Place::Before(n as NodeId)).collect();
        let mut free: Vec<usize> = Vec::new();
        for n in (0..nodes.len()).filter(|&n| tiled[n]) {
            let Node::Apply(op, given) = nodes[n] else { continue };
            let slot = free.pop().unwrap_or_else(|| {
                tiles.slots += 1;
                tiles.slots - 1
            });
            let place = |k: usize| (k < op.arity()).then(|| places[usize::from(given[k])]);
            tiles.steps.push(Step { op, arguments: std::array::from_fn(place), slot });
            places[n] = Place::Slot(slot);
            for a in nodes[n].arguments().map(usize::from) {
                tiles.read[a] |= !tiled[a];
                let later = nodes[n + 1..].iter().any(|node| node.arguments().any(|other| usize::from(other) == a));
                if let (false, Place::Slot(slot)) = (later, places[a])
                    && !free.contains(&slot)
                {
                    free.push(slot);
                }
            }
        }
        if let Some(&place) = places.last() {
            tiles.result = place;
        }
        tiles
    }

    /// Evaluates an instruction's epilogue over a block, with the reduction's results, and writes it to the rows of the result that begin at
    /// `starts`.
    ///
    /// # Safety
    /// No other thread writes any of these elements.
    #[allow(unsafe_code)]
    pub(super) unsafe fn store<'a>(
        &self,
        scope: &Scope<'a>,
        block: &Block<'_>,
        core: Option<(DType, Lanes<'a>)>,
        out: &Out<'_>,
        (starts, from, layout): (&[usize], usize, Layout),
    ) {
        let mut values = self.evaluate(scope, block, core);
        if let Place::Before(n) = self.result {
            let Some((dtype, lanes)) = values.get_mut(usize::from(n)) else { return };
            if let Lanes::Column(_) = lanes {
                *lanes = std::mem::replace(lanes, Lanes::Same(0)).spread(*dtype, block.lanes());
            }
            let Lanes::Apart(rows, apart) = *lanes else {
                // SAFETY: the caller's.
                return unsafe { out.store(starts, from, layout, lanes) };
            };
            for (start, row) in starts.iter().zip(rows.chunks(apart.max(1))) {
                // SAFETY: the caller's.
                unsafe { out.store(&[*start], from, layout, &Lanes::Operand(&row[..layout.len])) };
            }
            return;
        }
        let (rows, len) = (starts.len(), layout.len);
        if len == 0 {
            return;
        }
        let at_once = (TILE / len).clamp(1, rows.max(1));
        let read = self.read.iter().zip(&values);
        let mut inputs: Vec<Option<Input<'_>>> =
            read.map(|(read, (_, lanes))| read.then(|| Input::new(lanes, len, at_once))).collect();
        let mut slots = vec![Some(Box::new(Tile([0.0; TILE]))); self.slots];
        let level = scope.isa.level();
        for row in (0..rows).step_by(at_once) {
            let count = at_once.min(rows - row);
            for first in (0..len).step_by(TILE) {
                let width = TILE.min(len - first);
                inputs.iter_mut().flatten().for_each(|input| input.fetch(row..row + count, first, len));
                let Some(result) = compute(level, self, &inputs, &mut slots, count * width, scope.isa) else { return };
                let place = Layout { len: width, stride: layout.stride };
                let start = from + first * layout.stride;
                let Some(tile) = &slots[result] else { return };
                let lanes = Lanes::Operand(&tile.0[..count * width]);
                // SAFETY: the caller's.
                unsafe { out.store(&starts[row..row + count], start, place, &lanes) };
            }
        }
    }

    /// The nodes that are no steps, the same register in place of the others.
    pub(super) fn evaluate<'a>(
        &self,
        scope: &Scope<'a>,
        block: &Block<'_>,
        core: Option<(DType, Lanes<'a>)>,
    ) -> Vec<(DType, Lanes<'a>)> {
        let nodes = &scope.instruction.epilogue.nodes;
        let mut values: Vec<(DType, Lanes<'a>)> = Vec::with_capacity(nodes.len());
        let mut core = core.unwrap_or((DType::F32, Lanes::Same(0)));
        let is_core = |(node, whole): (&Node, &bool)| *whole && matches!(node, Node::Core);
        if nodes.iter().zip(&self.whole).any(is_core) {
            core.1 = core.1.together(block.lanes(), block.len);
        }
        let mut cores = nodes.iter().filter(|node| matches!(node, Node::Core)).count();
        for (n, node) in nodes.iter().enumerate() {
            values.push(match node {
                _ if !self.before[n] => (DType::F32, Lanes::Same(0)),
                Node::Load(v) if !self.whole[n] => {
                    let view = &scope.instruction.views[usize::from(*v)];
                    let dtype = scope.operands[usize::from(view.accesses[0].operand)].dtype();
                    (dtype, block.read_rows(view, dtype, &scope.source()))
                }
                Node::Core if cores == 1 => std::mem::replace(&mut core, (DType::F32, Lanes::Same(0))),
                Node::Core => {
                    cores -= 1;
                    core.clone()
                }
                node => evaluate_node(scope.isa.level(), scope, node, block, &values),
            });
        }
        values
    }
}

impl<'a> Input<'a> {
    fn new(lanes: &'a Lanes<'_>, len: usize, at_once: usize) -> Self {
        let kind = match lanes {
            Lanes::Row(_) => Kind::Row,
            Lanes::Column(x) => Kind::Column(x),
            // No operation on floats reads integers.
            Lanes::Same(_) | Lanes::Int(_) => Kind::Same,
            lanes => {
                let (all, apart) = lanes.rows(len);
                Kind::Rows(all, apart)
            }
        };
        let mut own = Buffer::new(if matches!(kind, Kind::Row) { len * at_once + TILE } else { TILE });
        match lanes {
            Lanes::Row(row) => own.chunks_exact_mut(len).take(at_once).for_each(|to| to.copy_from_slice(row)),
            Lanes::Same(register) => own.fill(f32_of(*register)),
            _ => {}
        }
        Self { kind, own, tile: Start::Own(0) }
    }

    /// Goes to the tile that begins at an element of rows of `len`.
    #[inline]
    fn fetch(&mut self, rows: Range<usize>, first: usize, len: usize) {
        let (all, apart) = match self.kind {
            Kind::Rows(all, apart) => (all, apart),
            Kind::Row => {
                self.tile = Start::Own(first);
                return;
            }
            Kind::Column(column) => {
                // A row's further tiles have the same.
                if first == 0 {
                    let width = if rows.len() == 1 { TILE } else { len };
                    self.own.chunks_mut(width).zip(&column[rows]).for_each(|(to, &x)| to.fill(x));
                }
                return;
            }
            Kind::Same => return,
        };
        let start = rows.start * apart + first;
        if (rows.len() == 1 || apart == len) && start + TILE <= all.len() {
            self.tile = Start::Rows(start);
            return;
        }
        // Rows that lie apart, or the last ones, behind which nothing can be read.
        let width = TILE.min(len - first);
        for (to, n) in self.own.chunks_mut(width).zip(rows) {
            to[..width].copy_from_slice(&all[n * apart + first..][..width]);
        }
        self.tile = Start::Own(0);
    }

    #[inline(always)]
    fn tile(&self) -> Option<&[f32; TILE]> {
        match self.tile {
            Start::Rows(start) => {
                let Kind::Rows(all, _) = self.kind else { return None };
                all.get(start..)?.first_chunk()
            }
            Start::Own(start) => self.own.get(start..)?.first_chunk(),
        }
    }
}

for_each_level!(fn compute = steps, (tiles: &Tiles, inputs: &[Option<Input<'_>>], slots: &mut [Option<Box<Tile>>], len: usize, isa: Isa) -> Option<usize>);

/// Computes the first `len` elements of a tile; gives the slot of the last step.
#[inline(always)]
fn steps(
    _: bool,
    tiles: &Tiles,
    inputs: &[Option<Input<'_>>],
    slots: &mut [Option<Box<Tile>>],
    len: usize,
    isa: Isa,
) -> Option<usize> {
    let mut result = None;
    let strips = len.div_ceil(STRIP);
    let len = len.next_multiple_of(LANES).min(TILE);
    for step in &tiles.steps {
        // No argument is in the slot that it writes.
        let mut to = slots[step.slot].take()?;
        let argument = |place: Option<Place>| match place {
            Some(Place::Slot(slot)) => slots[slot].as_deref().map(|tile| &tile.0),
            Some(Place::Before(n)) => inputs[usize::from(n)].as_ref()?.tile(),
            None => Some(&ZEROS.0),
        };
        let [a, b, c] = [argument(step.arguments[0])?, argument(step.arguments[1])?, argument(step.arguments[2])?];
        match step.op {
            Op::Add => pair(strips, a, b, &mut to, |x, y| x + y),
            Op::Sub => pair(strips, a, b, &mut to, |x, y| x - y),
            Op::Mul => pair(strips, a, b, &mut to, |x, y| x * y),
            Op::Max => pair(strips, a, b, &mut to, native::max),
            op => float(isa.level(), isa, op, [a, b, c].map(|x| Each::Own(&x[..len])), &mut to.0[..len]),
        }
        slots[step.slot] = Some(to);
        result = Some(step.slot);
    }
    result
}

#[inline(always)]
fn pair(strips: usize, a: &[f32; TILE], b: &[f32; TILE], to: &mut Tile, f: impl Fn(f32, f32) -> f32) {
    let all = a.as_chunks::<STRIP>().0.iter().zip(b.as_chunks::<STRIP>().0).zip(to.0.as_chunks_mut::<STRIP>().0);
    for ((a, b), to) in all.take(strips) {
        (0..STRIP).for_each(|n| to[n] = f(a[n], b[n]));
    }
}

/// In place of arguments that an operation does not have.
static ZEROS: Tile = Tile([0.0; TILE]);

/// Whether a node is an operation from floats to a float.
fn operation(node: &Node, float: impl Fn(usize) -> bool) -> bool {
    matches!(node, Node::Apply(..)) && node.arguments().map(usize::from).all(float)
}
