//! One of the instructions that rows go through.

use super::super::lanes::{Buffer, Lanes, f32_of};
use super::super::out::{Layout, Out};
use super::super::pairs::{Strided, To};
use super::super::reduced::{Rows, reduce};
use super::super::tiles::{Input, LANES, Tiles, areas};
use super::linear::Linear;
use crate::arith::Isa;
use crate::program::{Core, DType, Expr, FoldOp, Instruction, Node, View, epilogue_types, product};
use std::ops::Range;

/// Most elements of a row.
const LONGEST: u64 = 1 << 14;
/// The longest fold in strict order, whose steps wait for one another.
const STRICT: u64 = 64;
/// Most folds of a row: of the longest rows' parts there are no more.
const FOLDS: u64 = 1 << 7;

/// An instruction whose elements are rows, each of what lies at its place in others.
pub(super) struct Stage {
    /// Elements of a row.
    width: usize,
    fold: Option<Fold>,
    tiles: Tiles,
    /// What the epilogue's nodes are.
    nodes: Vec<Given>,
    /// Whether rows of one element are one behind the other in all that is read, or the same.
    flat: bool,
}

/// What a node of an epilogue is.
enum Given {
    Step,
    Core,
    Same(f32),
    Read(Read),
}

/// A fold of a row's elements, of which each reads so many: the rest of the reduction makes no difference.
struct Fold {
    op: FoldOp,
    read: Read,
    lens: Vec<usize>,
}

/// Where floats are: in row r, column j and element k at `start + r * apart + j * step + k`.
struct Read {
    from: From,
    start: usize,
    apart: usize,
    step: usize,
}

/// What is read.
#[derive(Clone, Copy)]
pub(super) enum From {
    /// An operand of all of them together.
    Operand(usize),
    /// What the stage of that number made, of which a row has so many elements.
    Stage(usize, u64),
}

/// What a stage reads while it is planned: an operand of its instruction.
pub(super) type Find<'f> = &'f mut dyn FnMut(u8) -> Option<From>;

/// Some rows and what they are made of.
pub(super) struct Block<'a> {
    pub(super) rows: Range<usize>,
    pub(super) operands: &'a [&'a [f32]],
    /// What the stages before made of these rows.
    pub(super) made: Vec<Buffer<f32>>,
}

impl Stage {
    /// An instruction with so many rows; `None` where it is not one of these.
    pub(super) fn new(i: &Instruction, rows: u64, find: Find<'_>) -> Option<Self> {
        let elements = product(&i.extents);
        if i.windowed
            || elements == 0
            || !elements.is_multiple_of(rows)
            || epilogue_types(i)?.iter().any(|&t| t != DType::F32)
        {
            return None;
        }
        let width = Some(elements / rows).filter(|&width| width <= LONGEST)?;
        let fold = match &i.core {
            Core::None => None,
            Core::Fold { op, body } => Some(Fold::new(i, (*op, body), rows, find)?),
            Core::Dot { .. } | Core::Scan { .. } => return None,
        };
        let mut flat = width == 1;
        let mut node = |node: &Node| match *node {
            Node::Core => Some(Given::Core),
            Node::Const(DType::F32, register) => Some(Given::Same(f32_of(register))),
            Node::Load(v) => {
                let read = Read::new(i, &i.views[usize::from(v)], (rows, width), None, find)?;
                flat &= read.apart <= 1;
                (read.step <= 1).then_some(Given::Read(read))
            }
            Node::Apply(..) => Some(Given::Step),
            _ => None,
        };
        let nodes: Vec<Given> = i.epilogue.nodes.iter().map(&mut node).collect::<Option<_>>()?;
        let made = matches!(nodes.last()?, Given::Step | Given::Core);
        Some(Self { width: usize::try_from(width).ok()?, fold, tiles: Tiles::new(i), nodes, flat }).filter(|_| made)
    }

    /// Elements of a row.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Whether its elements are folds.
    pub(super) fn folds(&self) -> bool {
        self.fold.is_some()
    }

    /// Rows and columns of a block of so many rows, as it is computed.
    fn shape(&self, rows: usize) -> (usize, usize) {
        if self.flat { (1, rows) } else { (rows, self.width) }
    }

    /// What the stage makes of a block, and maybe some floats behind it.
    pub(super) fn make(&self, block: &Block<'_>, isa: Isa) -> Buffer<f32> {
        let folded = match self.folded(block, isa) {
            Some(folded) if self.only_folds() => return folded,
            folded => folded,
        };
        let shape = self.shape(block.rows.len());
        let mut made = Buffer::new(shape.0 * shape.1 + LANES);
        let inputs = self.inputs(block, folded.as_deref());
        let mut slots = self.tiles.slots();
        for (rows, columns) in areas(shape.0, shape.1) {
            let to = &mut made[rows.start * shape.1 + columns.start..];
            self.tiles.compute(&inputs, &mut slots, (rows, columns), To::Tile(to), isa);
        }
        made
    }

    /// Makes the stage's elements where they belong.
    ///
    /// # Safety
    /// No other thread writes any elements of these rows.
    #[allow(unsafe_code)]
    pub(super) unsafe fn finish(&self, block: &Block<'_>, isa: Isa, out: &Out<'_>) {
        let (rows, len) = self.shape(block.rows.len());
        let starts: Vec<usize> = (0..rows).map(|row| block.rows.start * self.width + row * len).collect();
        let place = (starts.as_slice(), 0, Layout { len, stride: 1 });
        let folded = self.folded(block, isa);
        // SAFETY: the caller's.
        unsafe {
            match &folded {
                Some(folded) if self.only_folds() => out.store(place.0, place.1, place.2, &Lanes::Operand(folded)),
                _ => self.tiles.write(&self.inputs(block, folded.as_deref()), out, place, isa),
            }
        }
    }

    /// The folds of a block, row by row.
    fn folded(&self, block: &Block<'_>, isa: Isa) -> Option<Buffer<f32>> {
        self.fold.as_ref().map(|fold| fold.make(block, self.width, isa))
    }

    /// Whether its elements are its folds as they are.
    fn only_folds(&self) -> bool {
        matches!(self.nodes.last(), Some(Given::Core))
    }

    fn inputs<'a>(&self, block: &'a Block<'_>, folded: Option<&'a [f32]>) -> Vec<Option<Input<'a>>> {
        let input = |node: &Given| {
            let (floats, apart, along) = match node {
                Given::Step => return None,
                Given::Same(x) => return Some(Input::Same(*x)),
                Given::Core => (folded?, self.width, true),
                Given::Read(read) => (read.floats(block), read.apart, read.step == 1),
            };
            let strided = if self.flat {
                Strided { floats, apart: 0, along: along || apart == 1 }
            } else {
                Strided { floats, apart, along }
            };
            Some(Input::Floats(strided))
        };
        self.nodes.iter().map(input).collect()
    }
}

impl Fold {
    fn new(i: &Instruction, (op, body): (FoldOp, &Expr), rows: u64, find: Find<'_>) -> Option<Self> {
        let [Node::Load(v)] = body.nodes.as_slice() else { return None };
        let view = &i.views[usize::from(*v)];
        let (width, ks) = (product(&i.extents) / rows, product(&i.reduction));
        // What a fold of floats may take as often as it likes.
        let nothing = match op {
            FoldOp::Sum => Some(-0.0f32),
            FoldOp::Max => Some(f32::NEG_INFINITY),
            FoldOp::Min => Some(f32::INFINITY),
            FoldOp::SumSq | FoldOp::Prod => None,
            FoldOp::SeqAdd if ks <= STRICT => None,
            FoldOp::SeqAdd | FoldOp::SeqMul | FoldOp::And | FoldOp::Or => return None,
        };
        let [access] = view.accesses.as_slice() else { return None };
        let nothing = nothing.is_some_and(|x| f32_of(view.fill).to_bits() == x.to_bits());
        if ks == 0 || width > FOLDS || !(access.guards.is_empty() || nothing) {
            return None;
        }
        let mut lens = vec![usize::try_from(ks).ok()?; usize::try_from(width).ok()?];
        for guard in &access.guards {
            let at = Linear::new(&guard.affine, i, width)?;
            if at.along != 1 || (at.apart != 0 && rows > 1) {
                return None;
            }
            for (j, len) in (0..).zip(&mut lens) {
                let first = at.start.checked_add(at.step.checked_mul(j)?)?;
                let room = i64::try_from(guard.limit).ok()?.checked_sub(first)?;
                *len = (*len).min(usize::try_from(room).ok()?);
                if first < 0 || *len == 0 {
                    return None;
                }
            }
        }
        Some(Self { op, read: Read::new(i, view, (rows, width), Some(&lens), find)?, lens })
    }

    fn make(&self, block: &Block<'_>, width: usize, isa: Isa) -> Buffer<f32> {
        let count = block.rows.len();
        let mut out = Buffer::new(count * width);
        let floats = self.read.floats(block);
        let Read { apart, step, .. } = self.read;
        if self.op == FoldOp::SeqAdd {
            for (n, out) in out.iter_mut().enumerate() {
                let from = &floats[n / width * apart + n % width * step..][..self.lens[n % width]];
                *out = from[1..].iter().fold(from[0], |sum, x| sum + x);
            }
            return out;
        }
        let level = isa.level();
        match self.lens.as_slice() {
            [len, lens @ ..] if apart == step * width && lens.iter().all(|l| l == len) => {
                reduce(level, self.op, Rows { floats, apart: step, len: *len }, (&mut out, 1), count * width);
            }
            lens => {
                for (j, &len) in lens.iter().enumerate() {
                    let rows = Rows { floats: &floats[j * step..], apart, len };
                    reduce(level, self.op, rows, (&mut out[j..], width), count);
                }
            }
        }
        out
    }
}

impl Read {
    /// A view over so many rows and columns: in a fold, so many elements of the reduction for each column, for which its guards hold.
    fn new(
        i: &Instruction,
        view: &View,
        (rows, width): (u64, u64),
        lens: Option<&[usize]>,
        find: Find<'_>,
    ) -> Option<Self> {
        let [access] = view.accesses.as_slice() else { return None };
        let operand = i.operands.get(usize::from(access.operand))?;
        let free = access.guards.is_empty() || lens.is_some();
        if operand.dtype != DType::F32 || !access.indirects.is_empty() || !free {
            return None;
        }
        let at = Linear::new(&access.address, i, width)?;
        let from = find(access.operand)?;
        let (rows, room) = match from {
            From::Operand(_) => (rows, operand.elements),
            From::Stage(_, own) if rows == 1 || u64::try_from(at.apart) == Ok(own) => (1, own),
            From::Stage(..) => return None,
        };
        let inside = |(least, most): (i64, i64)| least >= 0 && u64::try_from(most).is_ok_and(|most| most < room);
        let reached = match lens {
            None => at.reach([rows, width, 1]).is_some_and(inside),
            Some(lens) => {
                let column = |j: i64| Some(Linear { start: at.start.checked_add(at.step.checked_mul(j)?)?, ..at });
                (0..).zip(lens).all(|(j, &len)| {
                    let along = len == 1 || at.along == 1;
                    along && column(j).and_then(|at| at.reach([rows, 1, len as u64])).is_some_and(inside)
                })
            }
        };
        let [start, apart, step] = [at.start, at.apart, at.step].map(|x| usize::try_from(x).ok());
        Some(Self { from, start: start?, apart: apart?, step: step? }).filter(|_| reached)
    }

    /// The floats of a block from the first one on; all that a validated program reads are there.
    fn floats<'a>(&self, block: &'a Block<'_>) -> &'a [f32] {
        match self.from {
            From::Operand(n) => &block.operands[n][self.start + block.rows.start * self.apart..],
            From::Stage(n, _) => &block.made[n][self.start..],
        }
    }
}
