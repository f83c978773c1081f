//! Reductions whose elements lie side by side along an axis that is not reduced, as channels do: depthwise convolution and pooling. Vectors run
//! along that axis, and what is reduced is read where it lies.

mod kernels;
mod reductions;

use super::block::Scope;
use super::lanes::{Buffer, Lanes, f32_of};
use super::linked::RowLink;
use super::matrix::reads_by_row;
use super::out::{Layout, Out};
use super::points::{Grid, Places, Point, keep, over, strides};
use super::read::{Block, Coordinates, Run, Source, read_f32, set_reduction};
use super::reader::{Piece, Reader, Table, floats};
use super::starts::{Room, Starts};
use super::straight::Straight;
use super::tiles::Tiles;
use super::weave::interleave;
use crate::arith::Isa;
use crate::program::limits::MAX_RANK;
use crate::program::{Core, DType, FoldOp, Instruction, Node, View, product};
use crate::tasks;
use crate::tensor::Tensor;
use kernels::{Chains, Dot, Job, To, reduce};
use std::borrow::Cow;
use std::ops::Range;

/// Elements that are finished at once.
const FINISH: usize = 1 << 13;
/// Fewest elements of a task, and most for which axes are taken together.
const LEAST: usize = 1 << 10;
/// The longest reduction that is worth it.
const LONGEST: u64 = 1 << 10;
/// Most weights, and elements that a row's reduction may need copies of: a hostile program's row may be as long as its result.
const MOST: u64 = 1 << 24;
/// The shortest axis that is worth it.
const SHORT: u64 = 8;

/// Such a reduction, ready to run.
pub(super) struct Across<'p> {
    core: Cow<'p, Instruction>,
    finish: Cow<'p, Instruction>,
    tiles: Tiles,
    /// The epilogue, if it makes all rows alike and a row's results are neighbours: then rows are finished one by one.
    alike: Option<Straight>,
    /// For each e axis of `finish` that of `core`.
    axes: Vec<usize>,
    /// The innermost axis along which vectors run, its length, and how far results along it are apart.
    axis: usize,
    layout: Layout,
    /// Where they run along further axes, for each of these axes' points where its results begin: what is reduced follows one another.
    runs: Vec<Point>,
    kind: Kind,
    /// View of what is reduced.
    view: u8,
    reader: Reader,
    /// Where what each point reads is.
    table: Option<Table>,
    /// Whether what follows reads something else at each point.
    by_row: bool,
    /// Coordinates of what is reduced, window after window, and how much each window has.
    taps: Vec<Coordinates>,
    lens: Vec<usize>,
    /// Which taps are nothing but a product of zeros, at every point.
    zeros: Vec<bool>,
    /// The weights, if they are constant.
    constant: Option<Vec<f32>>,
    /// Points that share their weights, and these.
    outer: Grid,
    inner: Grid,
    /// Where results at the inner points begin, if they are kept.
    places: Option<Places>,
}

enum Kind {
    /// A dot with the weights of this view.
    Dot(u8),
    Fold(FoldOp),
}

/// What points share.
struct Shared<'a> {
    /// Of the outer points.
    number: usize,
    outer: &'a Point,
    weights: &'a [f32],
    /// What makes elements of each row's results, if it is the same.
    links: Option<Vec<RowLink>>,
}

impl<'p> Across<'p> {
    /// A reduction by itself, where this way pays.
    pub(super) fn new(core: &'p Instruction) -> Option<Self> {
        let axes = (0..core.extents.len()).collect();
        Self::with(Cow::Borrowed(core), Cow::Borrowed(core), axes, &[], &strides(core))
    }

    /// A dot with the fold over its chunks, whose e axes have these strides in the result, where this way pays.
    pub(super) fn chunked(chunked: super::matrix::Chunked, strides: &[usize]) -> Option<Self> {
        Self::with(Cow::Owned(chunked.dot), Cow::Owned(chunked.fold), chunked.axes, &chunked.chunks, strides)
    }

    fn with(
        core: Cow<'p, Instruction>,
        finish: Cow<'p, Instruction>,
        axes: Vec<usize>,
        chunks: &[usize],
        finished: &[usize],
    ) -> Option<Self> {
        let f32_view = |v: u8| {
            let view = &core.views[usize::from(v)];
            let plain = view.indirects().next().is_none();
            let floats = view.accesses.iter().all(|a| core.operands[usize::from(a.operand)].dtype == DType::F32);
            plain && floats && !view.accesses.is_empty()
        };
        if core.windowed {
            return None;
        }
        let free = |x: &usize| !chunks.contains(x);
        let step = |v: u8, axis: usize| {
            let access = core.views[usize::from(v)].accesses.first();
            access.map_or(0, |a| a.address.coefficient(axis))
        };
        let uses = |v: u8, axis: usize| {
            let mut forms = core.views[usize::from(v)].forms();
            forms.any(|f| f.terms.iter().any(|t| usize::from(t.0) == axis))
        };
        let every = |v: u8, axis: usize| {
            core.views[usize::from(v)].accesses.iter().all(|a| a.address.terms.contains(&(axis as u8, 1)))
        };
        let longest = |v: u8, other: Option<u8>| {
            let axes = (0..core.extents.len()).filter(free).filter(|&x| core.extents[x] >= SHORT && every(v, x));
            // Weights that do not differ along the axis are a matrix.
            axes.filter(|&x| other.is_none_or(|o| step(o, x) != 0)).max_by_key(|&x| core.extents[x])
        };
        let (kind, view, axis) = match &core.core {
            Core::Dot { a, b } if f32_view(*a) && f32_view(*b) => {
                let weights = |v: u8| (0..core.extents.len()).filter(free).filter(|&x| uses(v, x)).count();
                // What differs at fewer axes is the weights.
                let (a, b) = if weights(*a) >= weights(*b) { (*a, *b) } else { (*b, *a) };
                (Kind::Dot(b), a, longest(a, Some(b))?)
            }
            Core::Fold { op, body } if chunks.is_empty() => {
                let [Node::Load(v)] = body.nodes.as_slice() else { return None };
                let known = matches!(op, FoldOp::Sum | FoldOp::SumSq | FoldOp::Min | FoldOp::Max | FoldOp::SeqAdd);
                if !known || !f32_view(*v) {
                    return None;
                }
                (Kind::Fold(*op), *v, longest(*v, None)?)
            }
            _ => return None,
        };
        let mut places = vec![0; core.extents.len()];
        axes.iter().zip(finished).for_each(|(&x, &stride)| places[x] = stride);
        let len = core.extents[axis] as usize; // the result is in memory
        let mut along = vec![axis];
        let mut length = core.extents[axis];
        let accesses = &core.views[usize::from(view)].accesses;
        // Axes that have weights of their own, or need none.
        let follows = |x: usize, length: u64| {
            let own = if let Kind::Dot(b) = kind { uses(b, x) } else { true };
            let mut guards = accesses.iter().flat_map(|a| &a.guards);
            let guarded = guards.any(|g| [x, axis].iter().any(|&x| g.affine.coefficient(x) != 0));
            own && !guarded && accesses.iter().all(|a| a.address.coefficient(x) == length as i64) // at most LEAST
        };
        let next = |along: &[usize], length: u64| {
            let mut others = (0..core.extents.len()).filter(free).filter(|x| !along.contains(x));
            others.find(|&x| core.extents[x].saturating_mul(length) <= LEAST as u64 && follows(x, length))
        };
        while let Some(x) = next(&along, length) {
            along.insert(0, x);
            length *= core.extents[x];
        }
        let others: Vec<usize> = (0..core.extents.len()).filter(free).filter(|x| !along.contains(x)).collect();
        let (outer, inner): (Vec<usize>, Vec<usize>) = match kind {
            Kind::Dot(b) => others.iter().partition(|&&x| uses(b, x)),
            Kind::Fold(_) => (vec![], others),
        };
        let k = product(&core.reduction);
        let chunk_count = product(&chunks.iter().map(|&x| core.extents[x]).collect::<Vec<_>>());
        let reads = k.saturating_mul(chunk_count);
        if reads > LONGEST || reads.saturating_mul(length) > MOST {
            return None;
        }
        let within = |mut at: Coordinates| -> Vec<Coordinates> {
            let each = |k| {
                set_reduction(&mut at, &core.reduction, k);
                at
            };
            (0..k).map(each).collect()
        };
        let windows: Vec<Vec<Coordinates>> = Grid::new(&core, chunks).all().into_iter().map(|p| within(p.at)).collect();
        let span: Vec<(usize, u64)> = along.iter().map(|&x| (x, core.extents[x])).collect();
        let piece = |at: &Coordinates| Some(Piece { at: *at, len: length as usize, span: span.clone() });
        let lens = windows.iter().map(Vec::len).collect();
        let taps = windows.concat();
        let pieces: Vec<Option<Piece>> = taps.iter().map(piece).collect();
        let moving = |x: usize| x < MAX_RANK && !chunks.contains(&x) && !along.contains(&x);
        let zero = |piece: &Piece| {
            let zero =
                |v: u8| core.views[usize::from(v)].fill == 0 && piece.outside(&core.views[usize::from(v)], moving);
            matches!(kind, Kind::Dot(weights) if zero(view) && zero(weights))
        };
        let zeros = pieces.iter().map(|piece| piece.as_ref().is_some_and(zero)).collect();
        let elements: Vec<u64> = core.operands.iter().map(|o| o.elements).collect();
        let reader = Reader::new(&core.views[usize::from(view)], &elements, &pieces, moving);
        let grid = |axes: &[usize]| Grid::with_strides(&core, axes, &places);
        let (outer, inner) = (grid(&outer), grid(&inner));
        let table = reader.table_over([&outer, &inner], &Point::ORIGIN.at);
        let by_row = reads_by_row(&finish, |x| !along.contains(&axes[x]));
        let runs = grid(&along[..along.len() - 1]).all();
        let neighbours = places[axis] == runs.len() && runs.iter().enumerate().all(|(n, run)| run.offset == n);
        Some(Self {
            alike: Straight::new(&finish).filter(|_| neighbours && !by_row),
            table,
            by_row,
            constant: None,
            outer,
            places: inner.kept(),
            inner,
            runs,
            layout: Layout { len, stride: places[axis] },
            lens,
            taps,
            zeros,
            axis,
            kind,
            view,
            reader,
            axes,
            tiles: Tiles::new(&finish),
            finish,
            core,
        })
    }

    /// Computes all elements into `out`, which is not empty.
    pub(super) fn run(&self, [core, finish]: [&[&Tensor]; 2], isa: Isa, out: &Out<'_>) {
        let per_block = tasks::share(self.inner.len(), LEAST / self.len(), FINISH / self.len());
        let blocks = self.inner.len().div_ceil(per_block);
        let size = self.taps.len() * self.len();
        for number in 0..self.outer.len() {
            let outer = &self.outer.point(number, &Point::ORIGIN);
            let own;
            let weights = match &self.constant {
                Some(all) => &all[number * size..][..size],
                None => {
                    own = self.weights(core, outer);
                    &own[..]
                }
            };
            let scope = Scope { instruction: &self.finish, operands: finish, isa };
            let links = self.alike.as_ref().map(|straight| self.row_links(straight, outer, &scope));
            let shared = Shared { number, outer, weights, links };
            tasks::each(blocks, |block| {
                let points = block * per_block..self.inner.len().min((block + 1) * per_block);
                self.block(points, &shared, core, &scope, out);
            });
        }
    }

    /// Reads the weights once and for all, if they are constant and take no more than `left` bytes.
    pub(super) fn pack(&mut self, operands: &[&Tensor], constant: impl Fn(usize) -> bool, left: &mut u64) {
        let Kind::Dot(view) = self.kind else { return };
        let accesses = &self.core.views[usize::from(view)].accesses;
        let floats = (self.taps.len() * self.len()).saturating_mul(self.outer.len()); // a product of at most `MOST`
        let bytes = (floats as u64).saturating_mul(size_of::<f32>() as u64);
        if accesses.iter().all(|a| constant(usize::from(a.operand))) && bytes <= *left && floats > 0 {
            *left -= bytes;
            let mut all = Vec::with_capacity(floats);
            for n in 0..self.outer.len() {
                all.extend_from_slice(&self.weights(operands, &self.outer.point(n, &Point::ORIGIN)));
            }
            self.constant = Some(all);
        }
    }

    /// Forgets where points are if that takes more than `left` bytes.
    pub(super) fn keep(&mut self, left: &mut u64) {
        keep(&mut self.table, Table::bytes, left);
        keep(&mut self.places, Places::bytes, left);
    }

    /// The weights of each tap.
    fn weights(&self, operands: &[&Tensor], outer: &Point) -> Buffer<f32> {
        let Kind::Dot(view) = self.kind else { return Buffer::new(0) };
        let view = &self.core.views[usize::from(view)];
        let source = Source { instruction: &self.core, operands };
        let mut weights = Buffer::new(self.taps.len() * self.len());
        for (row, at) in weights.chunks_exact_mut(self.len()).zip(&self.taps) {
            let at = std::array::from_fn(|x| at[x] + outer.at[x]);
            self.read(view, &source, &at, row);
        }
        weights
    }

    /// Reads a view at all elements of a row.
    fn read(&self, view: &View, source: &Source<'_>, at: &Coordinates, row: &mut [f32]) {
        for (run, row) in self.runs.iter().zip(row.chunks_exact_mut(self.layout.len)) {
            let at = std::array::from_fn(|x| at[x] + run.at[x]);
            read_f32(view, source, &Run { at: &at, axis: self.axis, len: row.len() }, row);
        }
    }

    /// Elements of a row.
    fn len(&self) -> usize {
        self.runs.len() * self.layout.len
    }

    #[allow(unsafe_code)]
    fn block(
        &self,
        points: Range<usize>,
        Shared { number, outer, weights, links }: &Shared<'_>,
        operands: &[&Tensor],
        scope: &Scope<'_>,
        out: &Out<'_>,
    ) {
        let source = Source { instruction: &self.core, operands };
        let view = &self.core.views[usize::from(self.view)];
        let len = self.len();
        let own = (&self.inner, *number * self.inner.len());
        let Some((table, first)) = self.reader.table_or(self.table.as_ref(), own, &points, outer) else { return };
        let read = |tap: usize, n: usize, to: &mut [f32]| {
            let point = self.inner.point(points.start + n, outer);
            let at = std::array::from_fn(|x| self.taps[tap][x] + point.at[x]);
            self.read(view, &source, &at, to);
        };
        let mut room = Room::new(f32_of(view.fill), len);
        let lens = std::iter::repeat_n(len, self.taps.len());
        let own = first..first + points.len();
        let parts = Starts::find(&self.reader, (table, own), lens, &floats(source.operands), &mut room, read);
        let (places, range) = self.inner.kept_or(self.places.as_ref(), &points);
        let starts = places.get(&range);
        let chains = match self.kind {
            Kind::Dot(_) => Chains::Dot(Dot { lens: &self.lens, zeros: &self.zeros, weights }),
            Kind::Fold(op) => Chains::Fold(op),
        };
        let job = Job { chains, starts: &parts, len, links: links.as_deref() };
        let (level, count) = (scope.isa.level(), points.len());
        if links.is_some() && self.runs.len() == 1 {
            // SAFETY: each element is at one point and one place along the axis, and a task has points of its own.
            let to = unsafe { out.rows((&places, &range), outer.offset, len) };
            return reduce(level, &job, 0..count, &mut To::Elements(&to));
        }
        if links.is_some() {
            let mut woven = Buffer::new(count * len);
            reduce(level, &job, 0..count, &mut To::Together(&mut woven));
            for (row, place) in woven.chunks_exact(len).zip(starts) {
                // SAFETY: as above.
                interleave(level, row, self.layout.len, self.runs.len(), unsafe {
                    out.floats(outer.offset + place, len)
                });
            }
            return;
        }
        let mut cores = Buffer::new(count * len);
        reduce(level, &job, 0..count, &mut To::Together(&mut cores));
        let Some(axis) = self.axes.iter().position(|&x| x == self.axis) else { return };
        let rows = self.inner.rows(points, outer, &self.axes, !self.by_row);
        for (n, run) in self.runs.iter().enumerate() {
            let rows = self.moved(&rows, run);
            let copies = starts.len() / rows.len().max(1);
            let block = Block { copies, rows: rows.into(), axis, len: self.layout.len };
            let lanes = if len == self.layout.len {
                Lanes::Operand(&cores)
            } else {
                Lanes::Apart(&cores[n * self.layout.len..], len)
            };
            let core = Some((DType::F32, lanes));
            // SAFETY: each element is at one point and one place along the axis, and a task has points of its own.
            unsafe { self.tiles.store(scope, &block, core, out, (starts, outer.offset + run.offset, self.layout)) };
        }
    }

    /// Rows of the result where a run begins.
    fn moved(&self, rows: &[Coordinates], run: &Point) -> Vec<Coordinates> {
        let moved = over(&self.axes, &run.at);
        rows.iter().map(|at| std::array::from_fn(|x| at[x] + moved[x])).collect()
    }

    /// The operations that make a row's elements, with what they read along it: the same for all points.
    fn row_links(&self, straight: &Straight, outer: &Point, scope: &Scope<'_>) -> Vec<RowLink> {
        let Some(axis) = self.axes.iter().position(|&x| x == self.axis) else { return vec![] };
        let first = [over(&self.axes, &outer.at)];
        let mut all: Vec<RowLink> = Vec::new();
        for (n, run) in self.runs.iter().enumerate() {
            let rows = self.moved(&first, run);
            let block = Block { copies: 1, rows: rows.into(), axis, len: self.layout.len };
            for (l, (op, run)) in straight.along(&self.tiles, scope, &block).into_iter().enumerate() {
                if n == 0 {
                    let mut row = Buffer::new(self.len());
                    row.fill(0.0);
                    all.push((op, row));
                }
                all[l].1[n * self.layout.len..][..self.layout.len].copy_from_slice(&run);
            }
        }
        all
    }
}
