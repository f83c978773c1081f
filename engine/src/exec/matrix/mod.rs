//! Dots as matrix products: rows are read where they lie, columns are packed, a block of rows is multiplied and finished while it is in cache.

mod block;
mod chunks;
mod cut;
mod finish;
mod kernels;
mod panels;
mod parts;
mod placing;
mod roles;
mod rows;
mod windows;

pub(super) use chunks::{Chunked, chunked};
pub(super) use kernels::{COLUMNS, Line, Link, Pairwise};
pub(super) use rows::run_length;

use super::out::{Layout, Out};
use super::padding::Padding;
use super::points::{Grid, Places, Point, keep, strides};
use super::read::{Coordinates, Source};
use super::reader::{Reader, Table};
use super::straight::Straight;
use super::tiles::Tiles;
use crate::arith::Isa;
use crate::program::limits::MAX_RANK;
use crate::program::{Core, DType, Instruction, Node, product};
use crate::tasks;
use crate::tensor::Tensor;
use cut::{Cut, Share, worth};
use panels::Panels;
use parts::Parts;
use roles::Roles;
use std::borrow::Cow;
use std::ops::Range;
use windows::{Window, windows};

/// Panels whose results a block keeps before they are finished.
const BLOCK_PANELS: usize = 4;
/// Most windows of a product, parts of its rows, and bytes of its packed columns: a hostile program may ask for more.
const MOST_WINDOWS: u64 = 1 << 16;
const MOST_SEGMENTS: usize = 1 << 13;
const LARGEST_PANELS: u64 = 1 << 31;
/// Elements of a padded copy for which a part of a row is found and copied.
const WORTH: usize = 8;

/// A product, ready to run.
pub(super) struct Matrix<'p> {
    dot: Cow<'p, Instruction>,
    /// What makes the elements: the dot itself, or the fold over its chunks.
    finish: Cow<'p, Instruction>,
    tiles: Tiles,
    /// The epilogue, if tiles can be finished one by one.
    straight: Option<Straight>,
    /// For each e axis of `finish` that of the dot.
    axes: Vec<usize>,
    roles: Roles,
    /// Each product of the batch again for each of these: where the windows are values of their own.
    groups: Vec<Group>,
    /// Most multiply-adds of an element.
    depth: usize,
    /// What copies the rows' operand with its borders: the dot's last operand.
    padding: Option<Padding>,
    batch: Grid,
    rows: Grid,
    /// Where results in the rows begin, if they are kept.
    places: Option<Places>,
    columns: Grid,
    /// Number of runs of columns, and where results lie along them.
    runs: Grid,
    layout: Layout,
    constant: Option<Panels>,
    /// Where chunk results are, when they are values.
    parts: Option<Parts>,
    /// Bytes of one product's packed columns.
    panels: u64,
    /// Whether what follows the products reads something else in each row.
    by_row: bool,
}

struct Group {
    windows: Vec<Window>,
    /// Parts of the windows whose elements lie together in each row: which lines of a panel each of them is, and which of them each window has.
    segments: Vec<Range<usize>>,
    chains: Vec<Range<usize>>,
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

/// What is computed.
#[derive(Clone, Copy)]
pub(super) struct Results<'a> {
    pub(super) finished: &'a Out<'a>,
    /// Each chunk's results, where they are a value.
    pub(super) parts: Option<&'a Out<'a>>,
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
        Self::with(Cow::Borrowed(dot), Cow::Borrowed(dot), axes, &[], &strides(dot))
    }

    /// A dot with the fold over its chunks, whose e axes have these strides in the result; `None` where the matrix kernel would not pay.
    pub(super) fn chunked(chunked: Chunked, strides: &[usize]) -> Option<Self> {
        let Chunked { dot, fold, axes, chunks } = chunked;
        Self::with(Cow::Owned(dot), Cow::Owned(fold), axes, &chunks, strides)
    }

    fn with(
        dot: Cow<'p, Instruction>,
        finish: Cow<'p, Instruction>,
        axes: Vec<usize>,
        chunks: &[usize],
        finished: &[usize],
    ) -> Option<Self> {
        let Core::Dot { a, b } = dot.core else { return None };
        let roles = Roles::new(&dot, a, b, chunks)?;
        let mut places = vec![0; dot.extents.len()];
        axes.iter().zip(finished).for_each(|(&x, &stride)| places[x] = stride);
        let grid = |axes: &[usize]| Grid::with_strides(&dot, axes, &places);
        let (inner, outer) = roles.columns.split_last()?;
        let layout = Layout { len: dot.extents[*inner] as usize, stride: places[*inner] }; // the result is in memory
        let views = roles.views.map(|v| &dot.views[usize::from(v)]);
        let moving = |x: usize| x < MAX_RANK && !chunks.contains(&x);
        let window_axis = dot.windowed.then(|| dot.extents.len() - 1);
        let windowing: Vec<u64> = chunks.iter().copied().chain(window_axis).map(|x| dot.extents[x]).collect();
        if product(&windowing) > MOST_WINDOWS {
            return None;
        }
        let all = windows(&dot, chunks);
        let elements: Vec<u64> = dot.operands.iter().map(|o| o.elements).collect();
        let group = |windows: Vec<Window>, place: Point| {
            let (mut segments, mut pieces, mut chains) = (Vec::new(), Vec::new(), Vec::new());
            for window in &windows {
                let first = segments.len();
                for (ks, piece) in window.pieces(&dot, views, moving) {
                    segments.push(window.before + ks.start..window.before + ks.end);
                    pieces.push(piece);
                }
                chains.push(first..segments.len());
            }
            let reader = Reader::new(views[0], &elements, &pieces, moving);
            let table = reader.table_over([&grid(&roles.batch), &grid(&roles.rows)], &place.at);
            Group { reader, table, windows, segments, chains, place }
        };
        let groups = match window_axis {
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
        let outside: usize = groups.iter().map(|g| g.table.as_ref().map_or(0, Table::outside) * g.segments.len()).sum();
        if outside > 0
            && let Some((dot, padding)) = Padding::new(&dot, usize::from(roles.views[0]), moving)
            && padding.elements() <= outside.saturating_mul(WORTH)
        {
            let matrix = Self::with(Cow::Owned(dot), finish, axes, chunks, finished)?;
            return Some(Self { padding: Some(padding), ..matrix });
        }
        let columns = grid(&roles.columns);
        let parts = (!chunks.is_empty()).then(|| Parts::new(&dot, &roles, &groups[0].windows));
        let depth = groups.iter().map(Group::depth).max().unwrap_or(0);
        let panels = Panels::bytes(columns.len(), depth);
        if groups.iter().any(|g| g.segments.len() > MOST_SEGMENTS) || panels > LARGEST_PANELS {
            return None;
        }
        // No panel crosses the border of a run.
        let whole = layout.stride == 1 && (layout.len.is_multiple_of(COLUMNS) || layout.len == columns.len());
        let by_row = reads_by_row(&finish, |x| roles.rows.contains(&axes[x]));
        Some(Self {
            by_row,
            batch: grid(&roles.batch),
            places: grid(&roles.rows).kept(),
            rows: grid(&roles.rows),
            columns,
            panels,
            runs: grid(outer),
            layout,
            constant: None,
            padding: None,
            parts,
            groups,
            depth,
            axes,
            roles,
            tiles: Tiles::new(&finish),
            straight: Straight::new(&finish).filter(|_| whole),
            finish,
            dot,
        })
    }

    /// Forgets where rows are if that takes more than `left` bytes.
    pub(super) fn keep(&mut self, left: &mut u64) {
        self.groups.iter_mut().for_each(|group| keep(&mut group.table, Table::bytes, left));
        keep(&mut self.places, Places::bytes, left);
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

    /// Computes all elements, of which there are some.
    pub(super) fn run(&self, operands: Operands<'_>, isa: Isa, results: Results<'_>) {
        match &self.padding {
            Some(padding) => padding.run(operands.dot, |dot| self.all(Operands { dot, ..operands }, isa, results)),
            None => self.all(operands, isa, results),
        }
    }

    fn all(&self, operands: Operands<'_>, isa: Isa, results: Results<'_>) {
        let products = self.batch.len() * self.groups.len();
        let (rows, columns) = (self.rows.len(), self.columns.len());
        let block = |number: usize, panels: (&Panels, usize), share: Share| {
            self.block(&self.product(number, panels), share.rows(rows), share.columns(columns), operands, isa, results);
        };
        let cut = |enough: usize| Cut::new(rows, columns, enough);
        if let Some(panels) = &self.constant {
            let enough = worth([rows, columns, self.depth, products]);
            let together = cut(enough);
            if together.len() >= enough || together.len().is_multiple_of(tasks::threads()) {
                // The same rows of all products: those of a convolution's groups lie side by side, as do their results.
                let all = |share: Share| (0..products).for_each(|product| block(product, (panels, product), share));
                return tasks::each(together.len(), |n| all(together.share(n)));
            }
            let each = cut(enough.div_ceil(products.max(1)));
            return tasks::each(products * each.len(), |n| {
                let product = n / each.len();
                block(product, (panels, product), each.share(n % each.len()));
            });
        }
        let alone = cut(worth([rows, columns, self.depth, 1]));
        let one = |number: usize| {
            let packed = self.panels(operands.dot, &[(self.point(number), self.group(number))]);
            tasks::each(alone.len(), |n| block(number, (&packed, 0), alone.share(n)));
        };
        // Each on a thread of its own, or each by all threads.
        if products.is_multiple_of(tasks::threads()) || products >= tasks::enough() || alone.len() == 1 {
            tasks::each(products, one);
        } else {
            (0..products).for_each(one);
        }
    }

    /// Where a product is in the batch, and what it is made of.
    fn point(&self, number: usize) -> Point {
        self.batch.point(number / self.groups.len(), &Point::ORIGIN)
    }

    fn group(&self, number: usize) -> &Group {
        &self.groups[number % self.groups.len()]
    }

    fn product<'a>(&'a self, number: usize, (panels, panel): (&'a Panels, usize)) -> Product<'a> {
        let group = self.group(number);
        let at = sum(&self.point(number), &group.place);
        Product { group, at, number: number / self.groups.len(), panels, panel }
    }
}

/// Whether an epilogue reads something that differs along axes that move.
pub(super) fn reads_by_row(finish: &Instruction, moves: impl Fn(usize) -> bool) -> bool {
    finish.epilogue.nodes.iter().any(|node| match node {
        Node::Load(v) => differs(finish, *v, &moves),
        Node::Iota(_) | Node::Valid(_) => true,
        _ => false,
    })
}

/// Whether a view of a few floats is not known to be the same along axes that move.
pub(super) fn differs(i: &Instruction, view: u8, moves: impl Fn(usize) -> bool) -> bool {
    let view = &i.views[usize::from(view)];
    let moving = || view.forms().any(|f| f.terms.iter().any(|t| moves(usize::from(t.0))));
    let float = view.accesses.iter().all(|a| i.operands[usize::from(a.operand)].dtype == DType::F32);
    !float || view.accesses.len() != 1 || view.indirects().next().is_some() || moving()
}

/// The point with both points' coordinates; they are over different axes.
fn sum(a: &Point, b: &Point) -> Point {
    Point { at: std::array::from_fn(|x| a.at[x] + b.at[x]), offset: a.offset + b.offset }
}
