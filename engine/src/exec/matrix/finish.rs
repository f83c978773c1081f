//! From the chains of a block to the result's elements.

use super::super::block::Scope;
use super::super::lanes::{Buffer, Lanes};
use super::super::out::{Layout, Out};
use super::super::points::{Places, Point};
use super::super::read::{Block, Coordinates};
use super::super::straight::Reads;
use super::Matrix;
use crate::program::DType;
use std::borrow::Cow;
use std::ops::Range;

/// Elements that are finished at once.
const FINISH: usize = 1 << 15;
/// Columns in a run below which elements are finished along the rows.
const NARROW: usize = 8;

/// Rows of a block as the result sees them.
pub(super) struct Finishing<'a> {
    at: Vec<Coordinates>,
    places: Cow<'a, Places>,
    range: Range<usize>,
    /// How much further the product's rows begin.
    from: usize,
}

impl Finishing<'_> {
    /// Where the rows begin, and how much further.
    pub(super) fn places(&self) -> ((&Places, &Range<usize>), usize) {
        ((&self.places, &self.range), self.from)
    }

    fn starts(&self) -> &[usize] {
        self.places.get(&self.range)
    }
}

impl Matrix<'_> {
    /// The rows of a block.
    pub(super) fn finishing(&self, rows: Range<usize>, product: &Point) -> Finishing<'_> {
        let (places, range) = self.rows.kept_or(self.places.as_ref(), &rows);
        let at = self.rows.rows(rows, product, &self.axes, !self.by_row);
        Finishing { at, places, range, from: product.offset }
    }

    /// Makes the elements of some columns of rows out of their chains.
    pub(super) fn finish(
        &self,
        rows: &mut Finishing<'_>,
        columns: Range<usize>,
        (results, stride): (Buffer<f32>, usize),
        scope: &Scope<'_>,
        out: &Out<'_>,
    ) {
        let Some(axis) = self.inner() else { return };
        let mut from = columns.start;
        while from < columns.end {
            let Some((column, len)) = self.column(rows, from, columns.end) else { return };
            if len < NARROW && self.by_row {
                self.finish_down(rows, &column, len, (&results[from - columns.start..], stride), scope, out);
                from += len;
                continue;
            }
            let layout = Layout { len, stride: self.layout.stride };
            let (rows_at, starts, before) = (&rows.at, rows.starts(), rows.from);
            let finish = |rows: Range<usize>, cores: Lanes<'_>| {
                let at = if self.by_row { &rows_at[rows.clone()] } else { &rows_at[..1] };
                let block = Block { rows: Cow::Borrowed(at), copies: rows.len() / at.len(), axis, len };
                let place = (&starts[rows], before + column.offset, layout);
                // SAFETY: each element is at one point of batch, group, row and column, and a task has points of its own.
                #[allow(unsafe_code)]
                unsafe {
                    self.tiles.store(scope, &block, Some((DType::F32, cores)), out, place);
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

    /// The axis of the result along which columns run.
    fn inner(&self) -> Option<usize> {
        let inner = self.roles.columns.last()?;
        self.axes.iter().position(|x| x == inner)
    }

    /// Goes to a column: its point, and how many up to `end` follow it in its run.
    fn column(&self, rows: &mut Finishing<'_>, from: usize, end: usize) -> Option<(Point, usize)> {
        let (run, start) = (from / self.layout.len, from % self.layout.len);
        let mut column = self.runs.point(run, &Point::ORIGIN);
        column.at[*self.roles.columns.last()?] = start as i64; // in memory
        column.offset += start * self.layout.stride;
        for &x in &self.roles.columns {
            let axis = self.axes.iter().position(|&axis| axis == x).unwrap_or(0);
            rows.at.iter_mut().for_each(|at| at[axis] = column.at[x]);
        }
        Some((column, (self.layout.len - start).min(end - from)))
    }

    /// What a straight epilogue reads for some columns of rows, run by run: the columns, where they begin in the result, and what is read.
    pub(super) fn reads<'a>(
        &self,
        rows: &mut Finishing<'_>,
        columns: Range<usize>,
        scope: &Scope<'a>,
    ) -> Option<Vec<(Range<usize>, usize, Reads<'a>)>> {
        let axis = self.inner().filter(|_| self.straight.is_some())?;
        let mut reads = Vec::new();
        let mut from = columns.start;
        while from < columns.end {
            let (column, len) = self.column(rows, from, columns.end)?;
            let copies = rows.range.len() / rows.at.len().max(1);
            let block = Block { rows: Cow::Borrowed(&rows.at), copies, axis, len };
            reads.push((from..from + len, column.offset, Reads::new(&self.tiles, scope, &block)));
            from += len;
        }
        Some(reads)
    }

    /// As [`finish`](Self::finish) for a few columns that follow `column`: runs go along the innermost row axis.
    fn finish_down(
        &self,
        rows: &Finishing<'_>,
        column: &Point,
        columns: usize,
        (results, stride): (&[f32], usize),
        scope: &Scope<'_>,
        out: &Out<'_>,
    ) {
        let place = |axis: usize| self.axes.iter().position(|&x| x == axis);
        let inner = self.inner().unwrap_or(0);
        // Rows follow one another along this axis; without one they are single.
        let along = self.roles.rows.last().and_then(|&x| place(x));
        let (count, places) = (rows.at.len(), rows.starts());
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
            let apart = if len > 1 { places[first + 1] - places[first] } else { 1 };
            // SAFETY: as in `finish`.
            #[allow(unsafe_code)]
            unsafe {
                let place =
                    (starts.as_slice(), rows.from + column.offset + places[first], Layout { len, stride: apart });
                self.tiles.store(scope, &block, Some((DType::F32, Lanes::F32(cores))), out, place);
            }
            first += len;
        }
    }
}
