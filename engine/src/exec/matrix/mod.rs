//! Dots as matrix products: rows are read where they lie, columns are packed, a block of rows is multiplied and finished while it is in cache.

mod chunks;
mod kernels;
mod panels;
mod roles;
mod rows;
mod windows;

pub(super) use chunks::{Chunked, chunked};
pub(super) use kernels::Line;
pub(super) use rows::run_length;

use super::block::Scope;
use super::lanes::{Buffer, Lanes, f32_of};
use super::out::{Layout, Out};
use super::points::{Grid, Point, strides};
use super::read::{Block, Coordinates, Source};
use super::reader::{Part, Place, Reader, floats};
use super::tasks;
use crate::arith::Isa;
use crate::program::limits::{CHUNK, MAX_RANK};
use crate::program::{Core, DType, Instruction};
use crate::tensor::Tensor;
use kernels::{COLUMNS, Kernel, ROWS, Start, Tile, kernel};
use panels::Panels;
use roles::Roles;
use rows::Rows;
use std::borrow::Cow;
use std::ops::Range;
use windows::{Window, windows};

/// Most rows of a block: its results and the columns' window stay in the first cache.
const BLOCK_ROWS: usize = 4 * ROWS;
/// Panels whose results a block keeps before they are finished.
const BLOCK_PANELS: usize = 4;
/// Elements that are finished at once.
const FINISH: usize = 4096;
/// Columns in a run below which elements are finished along the rows.
const NARROW: usize = 16;
/// Tasks for a thread below which a product is cut along its columns too.
const TASKS: usize = 4;

/// A product, ready to run.
pub(super) struct Matrix<'p> {
    dot: Cow<'p, Instruction>,
    /// What makes the elements: the dot itself, or the fold over its chunks.
    finish: Cow<'p, Instruction>,
    /// For each e axis of `finish` that of the dot.
    axes: Vec<usize>,
    roles: Roles,
    /// Each product of the batch again for each of these: where the windows are values of their own.
    groups: Vec<Group>,
    batch: Grid,
    rows: Grid,
    columns: Grid,
    /// Number of runs of columns, and where results lie along them.
    runs: Grid,
    layout: Layout,
    constant: Option<Panels>,
}

struct Group {
    windows: Vec<Window>,
    /// Parts of the windows whose elements lie together in each row.
    segments: Vec<Range<usize>>,
    reader: Reader,
    place: Point,
}

/// What a product is made of and where it goes.
#[derive(Clone, Copy)]
pub(super) struct Operands<'a> {
    pub(super) dot: &'a [&'a Tensor],
    pub(super) finish: &'a [&'a Tensor],
}

/// One product of the batch.
struct Product<'a> {
    group: &'a Group,
    at: Point,
    panels: &'a Panels,
    /// Of the batch's panels.
    panel: usize,
}

impl<'p> Matrix<'p> {
    /// A dot by itself; `None` where the matrix kernel would not pay.
    pub(super) fn new(dot: &'p Instruction) -> Option<Self> {
        let axes = (0..dot.extents.len()).collect();
        Self::with(Cow::Borrowed(dot), Cow::Borrowed(dot), axes, &[])
    }

    /// A dot with the fold over its chunks; `None` where the matrix kernel would not pay.
    pub(super) fn chunked(chunked: Chunked) -> Option<Self> {
        let Chunked { dot, fold, axes, chunks } = chunked;
        Self::with(Cow::Owned(dot), Cow::Owned(fold), axes, &chunks)
    }

    fn with(
        dot: Cow<'p, Instruction>,
        finish: Cow<'p, Instruction>,
        axes: Vec<usize>,
        chunks: &[usize],
    ) -> Option<Self> {
        let Core::Dot { a, b } = dot.core else { return None };
        let roles = Roles::new(&dot, a, b, chunks)?;
        let finished = strides(&finish);
        let mut places = vec![0; dot.extents.len()];
        axes.iter().zip(&finished).for_each(|(&x, &stride)| places[x] = stride);
        let grid = |axes: &[usize]| Grid::with_strides(&dot, axes, &places);
        let (inner, outer) = roles.columns.split_last()?;
        let layout = Layout { len: dot.extents[*inner] as usize, stride: places[*inner] }; // the result is in memory
        let view = &dot.views[usize::from(roles.views[0])];
        let all = windows(&dot, chunks);
        let elements: Vec<u64> = dot.operands.iter().map(|o| o.elements).collect();
        let group = |mut windows: Vec<Window>, place: Point| {
            let (mut segments, mut pieces) = (Vec::new(), Vec::new());
            for window in &mut windows {
                let first = segments.len();
                for (ks, piece) in window.pieces(&dot, view) {
                    segments.push(ks);
                    pieces.push(piece);
                }
                window.segments = first..segments.len();
            }
            let reader = Reader::new(view, &elements, &pieces, |x| x < MAX_RANK && !chunks.contains(&x));
            Group { reader, windows, segments, place }
        };
        let groups = match dot.windowed.then(|| dot.extents.len() - 1) {
            Some(x) if chunks.is_empty() => {
                let own = |mut window: Window| {
                    let at = std::mem::replace(&mut window.at, [0; _]);
                    window.before = 0;
                    let place = Point { at, offset: at[x] as usize * places[x] };
                    group(vec![window], place)
                };
                all.into_iter().map(own).collect()
            }
            _ => vec![group(all, Point::ORIGIN)],
        };
        Some(Self {
            batch: grid(&roles.batch),
            rows: grid(&roles.rows),
            columns: grid(&roles.columns),
            runs: grid(outer),
            layout,
            constant: None,
            groups,
            axes,
            roles,
            finish,
            dot,
        })
    }

    /// Packs the columns once and for all, if they are constant.
    pub(super) fn pack(&mut self, operands: &[&Tensor], constant: impl Fn(usize) -> bool) {
        let view = &self.dot.views[usize::from(self.roles.views[1])];
        let indices = view.indirects().flat_map(|t| &self.dot.views[usize::from(t.view)].accesses);
        if view.accesses.iter().chain(indices).all(|a| constant(usize::from(a.operand))) {
            let products: Vec<(Point, &Group)> =
                self.batch.all().flat_map(|at| self.groups.iter().map(move |group| (at, group))).collect();
            self.constant = Some(self.panels(operands, &products));
        }
    }

    fn panels(&self, operands: &[&Tensor], products: &[(Point, &Group)]) -> Panels {
        let view = &self.dot.views[usize::from(self.roles.views[1])];
        let source = Source { instruction: &self.dot, operands };
        let products: Vec<(Coordinates, &[Window])> =
            products.iter().map(|(at, group)| (sum(at, &group.place).at, group.windows.as_slice())).collect();
        Panels::new(&source, &Rows::new(&self.dot, view), &self.columns, &products)
    }

    /// Computes all elements into `out`, which is not empty.
    pub(super) fn run(&self, operands: Operands<'_>, isa: Isa, out: &Out<'_>) {
        let groups = self.groups.len();
        tasks::each(self.batch.len() * groups, |product| {
            let group = &self.groups[product % groups];
            let Some(at) = self.batch.points(product / groups..product / groups + 1).next() else { return };
            let packed;
            let (panels, panel) = match &self.constant {
                Some(panels) => (panels, product),
                None => {
                    packed = self.panels(operands.dot, &[(at, group)]);
                    (&packed, 0)
                }
            };
            let product = Product { group, at: sum(&at, &group.place), panels, panel };
            let blocks = self.rows.len().div_ceil(BLOCK_ROWS);
            let parts =
                if blocks < TASKS * tasks::threads() { self.columns.len().div_ceil(COLUMNS * BLOCK_PANELS) } else { 1 };
            tasks::each(blocks * parts, |task| {
                let (block, part) = (task / parts, task % parts);
                let rows = even(self.rows.len(), blocks, block);
                let columns = if parts == 1 {
                    0..self.columns.len()
                } else {
                    let width = COLUMNS * BLOCK_PANELS;
                    part * width..self.columns.len().min((part + 1) * width)
                };
                self.block(&product, rows, columns, operands, isa, out);
            });
        });
    }

    /// The elements of some rows and columns; columns begin at a panel.
    fn block(
        &self,
        product: &Product<'_>,
        rows: Range<usize>,
        columns: Range<usize>,
        operands: Operands<'_>,
        isa: Isa,
        out: &Out<'_>,
    ) {
        let source = Source { instruction: &self.dot, operands: operands.dot };
        let view = &self.dot.views[usize::from(self.roles.views[0])];
        let reads = Rows::new(&self.dot, view);
        let Group { windows, segments, .. } = product.group;
        let count = rows.len();
        let points: Vec<Point> = self.rows.points(rows).map(|p| sum(&p, &product.at)).collect();
        let fill = f32_of(view.fill);
        let fills = [fill; CHUNK as usize];
        let floats = floats(&source);
        let mut packed = Vec::new();
        let mut places = vec![Place::Fill; segments.len() * count];
        for (n, point) in points.iter().enumerate() {
            let mut pack = |s: usize, part: Option<Part>| {
                let start = packed.len();
                packed.resize(start + segments[s].len(), fill);
                match part {
                    Some(part) => part.copy(&floats, &mut packed[start..]),
                    None => {
                        let Some(window) = windows.iter().find(|w| w.segments.contains(&s)) else { return Place::Fill };
                        let at = std::array::from_fn(|x| point.at[x] + window.at[x]);
                        let first = window.ks.start + segments[s].start as u64;
                        reads.read(&source, at, &(first..first + segments[s].len() as u64), &mut packed[start..]);
                    }
                }
                Place::Packed(start)
            };
            product.group.reader.places(&point.at, &mut pack, |s, place| places[s * count + n] = place);
        }
        let slices: Vec<&[f32]> = places.iter().map(|place| place.slice(&floats, &packed, &fills)).collect();
        let tiles = count.div_ceil(ROWS);
        let kernel = kernel(isa);
        let mut first = columns.start;
        while first < columns.end {
            let last = columns.end.min(first + COLUMNS * BLOCK_PANELS);
            let stride = (last - first).next_multiple_of(COLUMNS);
            let mut results = Buffer::new(count * stride);
            for from in (first..last).step_by(COLUMNS) {
                let half = last - from <= COLUMNS / 2;
                for (w, window) in windows.iter().enumerate() {
                    let panel = product.panels.window(product.panel, from / COLUMNS, window);
                    for tile in 0..tiles {
                        let rows = even(count, tiles, tile);
                        let parts = segments.iter().enumerate().skip(window.segments.start).take(window.segments.len());
                        let parts = parts.map(|(s, ks)| (&slices[s * count..][rows.clone()], &panel[ks.clone()]));
                        let results = &mut results[rows.start * stride + from - first..];
                        multiply(parts, w > 0, half, kernel, results, stride);
                    }
                }
            }
            self.finish(&points, first..last, (results, stride), operands.finish, isa, out);
            first = last;
        }
    }

    /// Makes the elements of some columns of rows out of their chains.
    fn finish(
        &self,
        points: &[Point],
        columns: Range<usize>,
        (results, stride): (Buffer<f32>, usize),
        operands: &[&Tensor],
        isa: Isa,
        out: &Out<'_>,
    ) {
        let inner = self.roles.columns[self.roles.columns.len() - 1];
        let Some(axis) = self.axes.iter().position(|&x| x == inner) else { return };
        let scope = Scope { instruction: &self.finish, operands, isa };
        let mut from = columns.start;
        while from < columns.end {
            let (run, start) = (from / self.layout.len, from % self.layout.len);
            let len = (self.layout.len - start).min(columns.end - from);
            let Some(mut column) = self.runs.points(run..run + 1).next() else { return };
            column.at[inner] = start as i64;
            column.offset += start * self.layout.stride;
            if len < NARROW {
                self.finish_down(points, &column, len, (&results[from - columns.start..], stride), &scope, out);
                from += len;
                continue;
            }
            if len == stride {
                self.finish_rows(points, &column, axis, len, results, &scope, out);
                return;
            }
            let per_block = (FINISH / len).max(1);
            for (n, points) in points.chunks(per_block).enumerate() {
                let mut cores = Buffer::new(points.len() * len);
                for (r, row) in cores.chunks_exact_mut(len).enumerate() {
                    row.copy_from_slice(&results[(n * per_block + r) * stride + from - columns.start..][..len]);
                }
                self.finish_rows(points, &column, axis, len, cores, &scope, out);
            }
            from += len;
        }
    }

    /// Makes the elements of a run of columns of rows, whose chains lie together.
    #[allow(unsafe_code, clippy::too_many_arguments)]
    fn finish_rows(
        &self,
        points: &[Point],
        column: &Point,
        axis: usize,
        len: usize,
        cores: Buffer<f32>,
        scope: &Scope<'_>,
        out: &Out<'_>,
    ) {
        let at = points.iter().map(|p| sum(p, column));
        let (rows, starts): (Vec<_>, Vec<_>) = at.map(|p| (self.finished(&p.at), p.offset)).unzip();
        let block = Block { rows, axis, len };
        let lanes = scope.evaluate(&self.finish.epilogue, &block, Some((DType::F32, Lanes::F32(cores)))).1;
        // SAFETY: each element is at one point of batch, group, row and column, and a task has points of its own.
        unsafe { out.store(&starts, Layout { len, stride: self.layout.stride }, &lanes) };
    }

    /// As [`finish`](Self::finish) for a few columns that follow `column`: runs go along the innermost row axis.
    #[allow(unsafe_code)]
    fn finish_down(
        &self,
        points: &[Point],
        column: &Point,
        columns: usize,
        (results, stride): (&[f32], usize),
        scope: &Scope<'_>,
        out: &Out<'_>,
    ) {
        let inner = self.roles.columns[self.roles.columns.len() - 1];
        // Rows follow one another along this axis; without one they are single.
        let along = self.roles.rows.last().copied();
        let axis = along.and_then(|x| self.axes.iter().position(|&a| a == x));
        let mut first = 0;
        while first < points.len() {
            let next = |n: usize| along.is_some_and(|x| points[n].at[x] == points[n - 1].at[x] + 1);
            let len = 1 + (first + 1..points.len()).take_while(|&n| next(n)).count();
            let mut cores = Buffer::new(columns * len);
            for (c, run) in cores.chunks_exact_mut(len).enumerate() {
                run.iter_mut().enumerate().for_each(|(r, to)| *to = results[(first + r) * stride + c]);
            }
            let at = (0..columns).map(|c| {
                let mut p = sum(&points[first], column);
                p.at[inner] += c as i64;
                p.offset += c * self.layout.stride;
                p
            });
            let (rows, starts): (Vec<_>, Vec<_>) = at.map(|p| (self.finished(&p.at), p.offset)).unzip();
            let block = Block { rows, axis: axis.unwrap_or(0), len };
            let lanes = scope.evaluate(&self.finish.epilogue, &block, Some((DType::F32, Lanes::F32(cores)))).1;
            let apart = if len > 1 { points[first + 1].offset - points[first].offset } else { 1 };
            // SAFETY: as in `finish`.
            unsafe { out.store(&starts, Layout { len, stride: apart }, &lanes) };
            first += len;
        }
    }

    /// The coordinates of the result.
    fn finished(&self, at: &Coordinates) -> Coordinates {
        let mut over = [0; _];
        self.axes.iter().enumerate().for_each(|(x, &axis)| over[x] = at[axis]);
        over
    }
}

/// A tile's chains over one window, which lies in parts: set, or added to the results.
fn multiply<'a>(
    mut parts: impl ExactSizeIterator<Item = (&'a [&'a [f32]], &'a [Line])>,
    add: bool,
    half: bool,
    kernel: Kernel,
    results: &mut [f32],
    stride: usize,
) {
    if !add || parts.len() == 1 {
        let start = if add { Start::Add } else { Start::Set };
        for (n, (rows, panel)) in parts.enumerate() {
            kernel(&Tile { rows, panel, half, start: if n > 0 { Start::Continue } else { start } }, results, stride);
        }
        return;
    }
    let mut chains = [0.0; ROWS * COLUMNS];
    let Some((rows, panel)) = parts.next() else { return };
    kernel(&Tile { rows, panel, half, start: Start::Set }, &mut chains, COLUMNS);
    for (rows, panel) in parts {
        kernel(&Tile { rows, panel, half, start: Start::Continue }, &mut chains, COLUMNS);
    }
    for (row, chains) in results.chunks_mut(stride).zip(chains.chunks_exact(COLUMNS)).take(rows.len()) {
        row[..COLUMNS].iter_mut().zip(chains).for_each(|(to, &chain)| *to += chain);
    }
}

/// Part `n` of `parts` of `0..len`, as even as can be.
fn even(len: usize, parts: usize, n: usize) -> Range<usize> {
    len * n / parts..len * (n + 1) / parts
}

/// The point with both points' coordinates; they are over different axes.
fn sum(a: &Point, b: &Point) -> Point {
    Point { at: std::array::from_fn(|x| a.at[x] + b.at[x]), offset: a.offset + b.offset }
}
