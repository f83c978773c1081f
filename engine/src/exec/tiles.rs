//! The end of an instruction, from what its epilogue reads to the result: floats are computed a tile at a time, so that what lies between stays
//! in the first cache. Integers, tests and what these need are evaluated before, node by node over the whole block.

use super::block::{Scope, evaluate_node, float};
use super::lanes::{Buffer, Each, Lanes, f32_of};
use super::out::{Layout, Out};
use super::pairs::{Strided, To, is_pair, pairs};
use super::read::Block;
use crate::arith::Isa;
use crate::program::{DType, Instruction, Node, NodeId, Op, epilogue_types};
use std::ops::Range;

/// Most elements of a tile.
const TILE: usize = 1024;
/// Elements that elementary functions take at once: a tile has room behind it for those that are computed in vain.
pub(super) const LANES: usize = 32;

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

/// What tiles read: where the block's floats lie, or the same float for all.
pub(super) enum Input<'a> {
    Floats(Strided<'a>),
    Same(f32),
}

/// Room for what lies between the steps.
pub(super) struct Slots(Vec<Option<Buffer<f32>>>);

/// Part of a block: rows, and columns of them.
pub(super) type Area = (Range<usize>, Range<usize>);

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
        let read = self.read.iter().zip(&values);
        let inputs: Vec<Option<Input<'_>>> =
            read.map(|(read, (_, lanes))| read.then(|| Input::new(lanes, layout.len))).collect();
        // SAFETY: the caller's.
        unsafe { self.write(&inputs, out, (starts, from, layout), scope.isa) }
    }

    /// The same where the result is a step's, of inputs that are there: one for every node that steps read.
    ///
    /// # Safety
    /// As for [`store`](Self::store).
    #[allow(unsafe_code)]
    pub(super) unsafe fn write(
        &self,
        inputs: &[Option<Input<'_>>],
        out: &Out<'_>,
        (starts, from, layout): (&[usize], usize, Layout),
        isa: Isa,
    ) {
        let mut slots = self.slots();
        // Rows that lie together are written as they are made.
        let straight = layout.stride == 1 && out.is_float() && self.ends_in_pair();
        for (rows, columns) in areas(starts.len(), layout.len) {
            let from = from + columns.start * layout.stride;
            let starts = &starts[rows.clone()];
            let place = Layout { len: columns.len(), stride: layout.stride };
            if straight {
                // SAFETY: the caller's.
                let to = unsafe { out.rows_at(starts, from, place.len) };
                self.compute(inputs, &mut slots, (rows, columns), To::Result(&to), isa);
                continue;
            }
            let mut made = Buffer::new(rows.len() * place.len + LANES);
            self.compute(inputs, &mut slots, (rows, columns), To::Tile(&mut made), isa);
            let lanes = Lanes::Operand(&made[..starts.len() * place.len]);
            // SAFETY: the caller's.
            unsafe { out.store(starts, from, place, &lanes) };
        }
    }

    /// Whether the result is an operation on two floats: the last step, but for those that nothing reads.
    fn ends_in_pair(&self) -> bool {
        matches!(self.result, Place::Slot(_)) && self.steps.last().is_some_and(|step| is_pair(step.op))
    }

    /// Room for steps.
    pub(super) fn slots(&self) -> Slots {
        Slots((0..self.slots).map(|_| Some(Buffer::new(TILE + LANES))).collect())
    }

    /// Computes the last step over an area, for which there is an input for every node that steps read; nothing if there are no steps.
    /// Results that are made of [`pairs`] can go straight to the result's rows, others to a tile with room for [`LANES`] floats more.
    pub(super) fn compute(
        &self,
        inputs: &[Option<Input<'_>>],
        Slots(slots): &mut Slots,
        (rows, columns): Area,
        to: To<'_, '_>,
        isa: Isa,
    ) {
        let (width, area) = (columns.len(), (rows.len(), columns.len()));
        let mut to = Some(to);
        for (n, step) in self.steps.iter().enumerate() {
            let last = n + 1 == self.steps.len();
            // No argument is in the slot that it writes.
            let mut own = if last { None } else { slots[step.slot].take() };
            let argument = |place: &Place| match *place {
                Place::Slot(slot) => Some(Strided { floats: slots[slot].as_deref()?, apart: width, along: true }),
                Place::Before(n) => Some(inputs[usize::from(n)].as_ref()?.area(rows.start, columns.start)),
            };
            let to = match &mut own {
                Some(own) => To::Tile(own),
                None => match to.take() {
                    Some(to) => to,
                    None => return,
                },
            };
            match (&step.arguments, to) {
                ([Some(a), Some(b), None], to) if is_pair(step.op) => {
                    let (Some(a), Some(b)) = (argument(a), argument(b)) else { return };
                    pairs(isa.level(), step.op, (&a, &b), to, area);
                }
                (arguments, To::Tile(to)) => {
                    let arguments = arguments.each_ref().map(|place| place.as_ref().and_then(argument));
                    other(step.op, arguments, to, area, isa);
                }
                (_, To::Result(_)) => {}
            }
            if own.is_some() {
                slots[step.slot] = own;
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
    /// Lanes of rows of `len`.
    fn new(lanes: &'a Lanes<'_>, len: usize) -> Self {
        let floats = |floats, apart, along| Self::Floats(Strided { floats, apart, along });
        match lanes {
            Lanes::Row(row) => floats(row, 0, true),
            Lanes::Column(column) => floats(column, 1, false),
            Lanes::Same(register) => Self::Same(f32_of(*register)),
            // No operation on floats reads integers.
            Lanes::Int(_) => Self::Same(0.0),
            lanes => {
                let (all, apart) = lanes.rows(len);
                floats(all, apart, true)
            }
        }
    }

    /// Its floats from a row and a column on.
    fn area(&self, row: usize, column: usize) -> Strided<'_> {
        match self {
            Self::Floats(all) => {
                let start = row * all.apart + if all.along { column } else { 0 };
                Strided { floats: all.floats.get(start..).unwrap_or_default(), ..*all }
            }
            Self::Same(x) => Strided { floats: std::slice::from_ref(x), apart: 0, along: false },
        }
    }
}

/// A block in tiles: rows as they are, as many as fit, or parts of one.
pub(super) fn areas(rows: usize, len: usize) -> impl Iterator<Item = Area> {
    let at_once = TILE.checked_div(len).unwrap_or(rows).clamp(1, rows.max(1));
    let row = move |first: usize| {
        let rows = first..rows.min(first + at_once);
        (0..len).step_by(TILE).map(move |from| (rows.clone(), from..len.min(from + TILE)))
    };
    (0..rows).step_by(at_once).flat_map(row)
}

/// Any other operation over a tile, and no more than [`LANES`] floats behind it.
fn other(op: Op, arguments: [Option<Strided<'_>>; 3], to: &mut [f32], (rows, width): (usize, usize), isa: Isa) {
    let count = rows * width;
    let room = count.next_multiple_of(LANES);
    let mut copies: [Buffer<f32>; 3] = Default::default();
    for (x, copy) in arguments.iter().zip(&mut copies) {
        let Some(x) = x.filter(|x| x.together(rows, width).is_none() && x.same().is_none()) else { continue };
        *copy = Buffer::new(room);
        for (row, to) in copy[..count].chunks_exact_mut(width).enumerate() {
            let from = &x.floats[row * x.apart..];
            if x.along { to.copy_from_slice(&from[..width]) } else { to.fill(from[0]) }
        }
        copy[count..].fill(0.0);
    }
    let all = [0, 1, 2].map(|n| match &arguments[n] {
        None => Each::Same(0.0),
        Some(x) => match (x.same(), x.together(rows, width)) {
            (Some(x), _) => Each::Same(x),
            (None, Some(floats)) => Each::Own(floats),
            (None, None) => Each::Own(&copies[n]),
        },
    });
    // What is behind the tile is computed in vain where it is there: whole vectors are faster.
    let enough = |x: &Each<'_, f32>| if let Each::Own(x) = x { x.len() >= room } else { true };
    let len = if to.len() >= room && all.iter().all(enough) { room } else { count };
    let all = all.map(|x| if let Each::Own(x) = x { Each::Own(&x[..len]) } else { x });
    float(isa.level(), isa, op, all, &mut to[..len]);
}

/// Whether a node is an operation from floats to a float.
fn operation(node: &Node, float: impl Fn(usize) -> bool) -> bool {
    matches!(node, Node::Apply(..)) && node.arguments().map(usize::from).all(float)
}
