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
use super::reader::{LARGEST_TABLE, Pieces, Place, Reader, Table, floats};
use super::tasks;
use super::tiles::Tiles;
use crate::arith::Isa;
use crate::program::limits::{CHUNK, MAX_RANK};
use crate::program::{Core, DType, Instruction, Node};
use crate::tensor::Tensor;
use kernels::{COLUMNS, Kernel, ROWS, Start, Tile, kernel};
use panels::Panels;
use roles::Roles;
use rows::Rows;
use std::borrow::Cow;
use std::ops::Range;
use windows::{Window, windows};

/// Most rows of a block: the columns' elements are read once for a block, and its results stay in the second cache.
const BLOCK_ROWS: usize = 12 * ROWS;
/// Panels whose results a block keeps before they are finished.
const BLOCK_PANELS: usize = 4;
/// Elements that are finished at once.
const FINISH: usize = 1 << 15;
/// Columns in a run below which elements are finished along the rows.
const NARROW: usize = 8;
/// Elements of a part of a row below which rows are put together before they are multiplied.
const GATHERED: usize = 16;
/// Most parts of a product's rows, and bytes of its packed columns: a hostile program may ask for more.
const MOST_SEGMENTS: usize = 1 << 13;
const LARGEST_PANELS: u64 = 1 << 31;
/// Tasks for a thread below which a product is cut along its columns too.
const TASKS: usize = 4;

/// A product, ready to run.
pub(super) struct Matrix<'p> {
    dot: Cow<'p, Instruction>,
    /// What makes the elements: the dot itself, or the fold over its chunks.
    finish: Cow<'p, Instruction>,
    tiles: Tiles,
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
    /// Bytes of one product's packed columns.
    panels: u64,
    /// Whether what follows the products reads something else in each row.
    by_row: bool,
}

struct Group {
    windows: Vec<Window>,
    /// Parts of the windows whose elements lie together in each row.
    segments: Vec<Range<usize>>,
    /// They are short: rows are put together first.
    gathered: bool,
    reader: Reader,
    /// Where the rows of each product of the batch are.
    table: Option<Table>,
    place: Point,
}

/// What a product is made of and where it goes.
#[derive(Clone, Copy)]
pub(super) struct Operands<'a> {
    pub(super) dot: &'a [&'a Tensor],
    pub(super) finish: &'a [&'a Tensor],
}

/// Rows of a block as the result sees them.
struct Finishing {
    at: Vec<Coordinates>,
    /// Their part of the element's flat index.
    starts: Vec<usize>,
}

/// One product of the batch.
struct Product<'a> {
    group: &'a Group,
    at: Point,
    /// Of the batch.
    number: usize,
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
        let views = roles.views.map(|v| &dot.views[usize::from(v)]);
        let moving = |x: usize| x < MAX_RANK && !chunks.contains(&x);
        let all = windows(&dot, chunks);
        let elements: Vec<u64> = dot.operands.iter().map(|o| o.elements).collect();
        let group = |mut windows: Vec<Window>, place: Point| {
            let cut = |window: &Window, once: bool| window.pieces(&dot, views, moving, once);
            let all: Vec<_> = windows.iter().flat_map(|window| cut(window, false)).collect();
            let gathered = all.len() > windows.len() && all.iter().all(|(ks, _)| ks.len() < GATHERED);
            let (mut segments, mut pieces) = (Vec::new(), Vec::new());
            for window in &mut windows {
                let first = segments.len();
                for (ks, piece) in cut(window, !gathered) {
                    segments.push(ks);
                    pieces.push(piece);
                }
                window.segments = first..segments.len();
            }
            let reader = Reader::new(views[0], &elements, &pieces, moving);
            let (batch, rows) = (grid(&roles.batch), grid(&roles.rows));
            let small = batch.len().saturating_mul(rows.len()) <= LARGEST_TABLE;
            let (batch, rows) = if small { (batch.all(), rows.all()) } else { (vec![], vec![]) };
            let at = |n: usize| {
                let (batch, row) = (&batch[n / rows.len()], &rows[n % rows.len()]);
                std::array::from_fn(|x| batch.at[x] + row.at[x] + place.at[x])
            };
            let table = if small { reader.table((0..batch.len() * rows.len()).map(at), LARGEST_TABLE) } else { None };
            Group { reader, table, windows, segments, gathered, place }
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
        let columns = grid(&roles.columns);
        let depth = groups.iter().map(|g: &Group| g.windows.iter().map(Window::depth).sum()).max().unwrap_or(0);
        let panels = Panels::bytes(columns.len(), depth);
        if groups.iter().any(|g| g.segments.len() > MOST_SEGMENTS) || panels > LARGEST_PANELS {
            return None;
        }
        let by_row = reads_by_row(&finish, |x| roles.rows.contains(&axes[x]));
        Some(Self {
            by_row,
            batch: grid(&roles.batch),
            rows: grid(&roles.rows),
            columns,
            panels,
            runs: grid(outer),
            layout,
            constant: None,
            groups,
            axes,
            roles,
            tiles: Tiles::new(&finish),
            finish,
            dot,
        })
    }

    /// Packs the columns once and for all, if they are constant and take no more than `left` bytes.
    pub(super) fn pack(&mut self, operands: &[&Tensor], constant: impl Fn(usize) -> bool, left: &mut u64) {
        let bytes = self.panels.saturating_mul((self.batch.len() * self.groups.len()) as u64);
        let view = &self.dot.views[usize::from(self.roles.views[1])];
        let indices = view.indirects().flat_map(|t| &self.dot.views[usize::from(t.view)].accesses);
        if view.accesses.iter().chain(indices).all(|a| constant(usize::from(a.operand))) && bytes <= *left {
            *left -= bytes;
            let products: Vec<(Point, &Group)> =
                self.batch.all().into_iter().flat_map(|at| self.groups.iter().map(move |group| (at, group))).collect();
            self.constant = Some(self.panels(operands, &products));
        }
    }

    fn panels(&self, operands: &[&Tensor], products: &[(Point, &Group)]) -> Panels {
        let view = &self.dot.views[usize::from(self.roles.views[1])];
        let source = Source { instruction: &self.dot, operands };
        let products: Vec<(Coordinates, &[Window])> =
            products.iter().map(|(at, group)| (sum(at, &group.place).at, group.windows.as_slice())).collect();
        Panels::new(&source, view, (&self.columns, self.roles.columns[self.roles.columns.len() - 1]), &products)
    }

    /// Computes all elements into `out`, which is not empty.
    pub(super) fn run(&self, operands: Operands<'_>, isa: Isa, out: &Out<'_>) {
        let groups = self.groups.len();
        tasks::each(self.batch.len() * groups, |product| {
            let group = &self.groups[product % groups];
            let Some(&at) = self.batch.points(product / groups..product / groups + 1).first() else { return };
            let packed;
            let (panels, panel) = match &self.constant {
                Some(panels) => (panels, product),
                None => {
                    packed = self.panels(operands.dot, &[(at, group)]);
                    (&packed, 0)
                }
            };
            let number = product / groups;
            let product = Product { group, at: sum(&at, &group.place), number, panels, panel };
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
        let fill = f32_of(view.fill);
        let fills = [fill; CHUNK as usize];
        let floats = floats(&source);
        let reader = &product.group.reader;
        // Without a table the points of these rows are found now.
        let made;
        let (table, first) = match &product.group.table {
            Some(table) => (table, product.number * self.rows.len() + rows.start),
            None => {
                let points = self.rows.points(rows.clone());
                let points = points.iter().map(|p| std::array::from_fn(|x| p.at[x] + product.at.at[x]));
                let Some(table) = reader.table(points, usize::MAX) else { return };
                made = table;
                (&made, 0)
            }
        };
        let mut block = Finishing { at: Vec::new(), starts: Vec::with_capacity(count) };
        self.rows.each(rows.clone(), &product.at, |at, offset| {
            if self.by_row || block.at.is_empty() {
                block.at.push(self.finished(at));
            }
            block.starts.push(offset);
        });
        let pieces: Vec<Pieces<'_>> = (0..count).map(|n| reader.pieces(table, first + n)).collect();
        // What does not lie in an operand is copied.
        let mut packed: Vec<f32> = Vec::new();
        let each = |n: usize| if let Pieces::Each(places) = pieces[n] { Some((n, places)) } else { None };
        let apart: Vec<(usize, &[Place])> = (0..count).filter_map(each).collect();
        for (s, ks) in segments.iter().enumerate() {
            for (n, places) in &apart {
                let start = packed.len();
                match &places[s] {
                    Place::Operand(..) | Place::Fill => {}
                    Place::Part(part) => {
                        packed.resize(start + ks.len(), fill);
                        part.copy(&floats, &mut packed[start..]);
                    }
                    Place::Scattered => {
                        packed.resize(start + ks.len(), fill);
                        let Some(window) = windows.iter().find(|w| w.segments.contains(&s)) else { continue };
                        let row = rows.start + n;
                        let Some(&point) = self.rows.points(row..row + 1).first() else { continue };
                        let at = std::array::from_fn(|x| point.at[x] + product.at.at[x] + window.at[x]);
                        let first = window.ks.start + ks.start as u64;
                        reads.read(&source, at, &(first..first + ks.len() as u64), &mut packed[start..]);
                    }
                }
            }
        }
        let mut slices: Vec<&[f32]> = Vec::with_capacity(segments.len() * count);
        let mut rest = packed.as_slice();
        for (s, ks) in segments.iter().enumerate() {
            let inside = reader.inside(s, &floats, &fills);
            slices.extend(pieces.iter().map(|pieces| match pieces {
                Pieces::Inside(address) => inside.at(*address),
                Pieces::Each(places) => match &places[s] {
                    Place::Operand(operand, address) => &floats[*operand][*address..],
                    Place::Fill => &fills,
                    Place::Part(_) | Place::Scattered => {
                        let (piece, others) = rest.split_at(ks.len());
                        rest = others;
                        piece
                    }
                },
            }));
        }
        let depth: usize = windows.iter().map(Window::depth).sum();
        let mut whole = Buffer::new(if product.group.gathered { count * depth } else { 0 });
        for (n, row) in whole.chunks_exact_mut(depth.max(1)).enumerate() {
            for window in windows {
                for s in window.segments.clone() {
                    let ks = &segments[s];
                    row[window.before..][ks.clone()].copy_from_slice(&slices[s * count + n][..ks.len()]);
                }
            }
        }
        if product.group.gathered {
            slices = windows.iter().flat_map(|w| whole.chunks_exact(depth).map(|row| &row[w.before..])).collect();
        }
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
                        let results = &mut results[rows.start * stride + from - first..];
                        if product.group.gathered {
                            let whole = std::iter::once((&slices[w * count..][rows.clone()], panel));
                            multiply(whole, w > 0, half, kernel, results, stride);
                        } else {
                            let parts = window
                                .segments
                                .clone()
                                .map(|s| (&slices[s * count..][rows.clone()], &panel[segments[s].clone()]));
                            multiply(parts, w > 0, half, kernel, results, stride);
                        }
                    }
                }
            }
            self.finish(&mut block, first..last, (results, stride), operands.finish, isa, out);
            first = last;
        }
    }

    /// Makes the elements of some columns of rows out of their chains.
    fn finish(
        &self,
        rows: &mut Finishing,
        columns: Range<usize>,
        (results, stride): (Buffer<f32>, usize),
        operands: &[&Tensor],
        isa: Isa,
        out: &Out<'_>,
    ) {
        let inner = self.roles.columns[self.roles.columns.len() - 1];
        let place = |axis: usize| self.axes.iter().position(|&x| x == axis);
        let Some(axis) = place(inner) else { return };
        let scope = Scope { instruction: &self.finish, operands, isa };
        let mut from = columns.start;
        while from < columns.end {
            let (run, start) = (from / self.layout.len, from % self.layout.len);
            let len = (self.layout.len - start).min(columns.end - from);
            let Some(&(mut column)) = self.runs.points(run..run + 1).first() else { return };
            column.at[inner] = start as i64;
            column.offset += start * self.layout.stride;
            for (&x, axis) in self.roles.columns.iter().zip(self.roles.columns.iter().map(|&x| place(x))) {
                rows.at.iter_mut().for_each(|at| at[axis.unwrap_or(0)] = column.at[x]);
            }
            if len < NARROW && self.by_row {
                self.finish_down(rows, &column, len, (&results[from - columns.start..], stride), &scope, out);
                from += len;
                continue;
            }
            let layout = Layout { len, stride: self.layout.stride };
            let Finishing { at: rows_at, starts } = &*rows;
            let finish = |rows: Range<usize>, cores: Lanes<'_>| {
                let at = if self.by_row { &rows_at[rows.clone()] } else { &rows_at[..1] };
                let block = Block { rows: Cow::Borrowed(at), copies: rows.len() / at.len(), axis, len };
                let place = (&starts[rows], column.offset, layout);
                // SAFETY: each element is at one point of batch, group, row and column, and a task has points of its own.
                #[allow(unsafe_code)]
                unsafe {
                    self.tiles.store(&scope, &block, Some((DType::F32, cores)), out, place);
                }
            };
            let per_block = (FINISH / len).max(1);
            for first in (0..starts.len()).step_by(per_block) {
                let block = first..starts.len().min(first + per_block);
                let cores = &results[block.start * stride + from - columns.start..];
                finish(block, Lanes::Apart(cores, stride));
            }
            from += len;
        }
    }

    /// As [`finish`](Self::finish) for a few columns that follow `column`: runs go along the innermost row axis.
    fn finish_down(
        &self,
        rows: &Finishing,
        column: &Point,
        columns: usize,
        (results, stride): (&[f32], usize),
        scope: &Scope<'_>,
        out: &Out<'_>,
    ) {
        let place = |axis: usize| self.axes.iter().position(|&x| x == axis);
        let inner = place(self.roles.columns[self.roles.columns.len() - 1]).unwrap_or(0);
        // Rows follow one another along this axis; without one they are single.
        let along = self.roles.rows.last().and_then(|&x| place(x));
        let count = rows.at.len();
        let mut first = 0;
        while first < count {
            let next = |n: usize| along.is_some_and(|x| rows.at[n][x] == rows.at[n - 1][x] + 1);
            let len = 1 + (first + 1..count).take_while(|&n| next(n)).count();
            let mut cores = Buffer::new(columns * len);
            for (c, run) in cores.chunks_exact_mut(len).enumerate() {
                run.iter_mut().enumerate().for_each(|(r, to)| *to = results[(first + r) * stride + c]);
            }
            let at = (0..columns).map(|c| {
                let mut at = rows.at[first];
                at[inner] += c as i64;
                at
            });
            let starts: Vec<usize> = (0..columns).map(|c| c * self.layout.stride).collect();
            let block = Block { rows: at.collect(), copies: 1, axis: along.unwrap_or(0), len };
            let apart = if len > 1 { rows.starts[first + 1] - rows.starts[first] } else { 1 };
            // SAFETY: as in `finish`.
            #[allow(unsafe_code)]
            unsafe {
                let place = (starts.as_slice(), column.offset + rows.starts[first], Layout { len, stride: apart });
                self.tiles.store(scope, &block, Some((DType::F32, Lanes::F32(cores))), out, place);
            }
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

/// Whether an epilogue reads something that differs along axes that move.
pub(super) fn reads_by_row(finish: &Instruction, moves: impl Fn(usize) -> bool) -> bool {
    finish.epilogue.nodes.iter().any(|node| match node {
        Node::Load(v) => {
            let view = &finish.views[usize::from(*v)];
            let moving = || view.forms().any(|f| f.terms.iter().any(|t| moves(usize::from(t.0))));
            let float = view.accesses.iter().all(|a| finish.operands[usize::from(a.operand)].dtype == DType::F32);
            !float || view.accesses.len() != 1 || view.indirects().next().is_some() || moving()
        }
        Node::Iota(_) | Node::Valid(_) => true,
        _ => false,
    })
}

/// Part `n` of `parts` of `0..len`, as even as can be.
fn even(len: usize, parts: usize, n: usize) -> Range<usize> {
    len * n / parts..len * (n + 1) / parts
}

/// The point with both points' coordinates; they are over different axes.
fn sum(a: &Point, b: &Point) -> Point {
    Point { at: std::array::from_fn(|x| a.at[x] + b.at[x]), offset: a.offset + b.offset }
}
