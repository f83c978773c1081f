//! Dots as matrix products: an e axis used by only one of the two views (or by none) is a row or a column axis, one used by both is a batch axis.
//! Operands are packed through their views, so convolution, matrix product and every transposition are one case.

use super::block::Scope;
use super::kernels::{COLUMNS, Kernel, ROWS, Tile};
use super::lanes::{Lanes, store};
use super::points::{Point, points, strides};
use super::read::{Block, Coordinates, Source, reduction_axis, set_reduction};
use super::rows::{Rows, run_length};
use crate::arith::native::canonical;
use crate::program::limits::CHUNK;
use crate::program::{Access, DType, Instruction, View};
use crate::tensor::Tensor;
use rayon::prelude::*;
use std::borrow::Cow;
use std::ops::Range;

/// Rows that one task packs and multiplies.
const ROW_BLOCK: usize = 64;

/// Multiply-adds of one matrix below which setting it up costs more than it saves, where there are many.
const SMALL: u64 = 1024;

/// How a dot is a batch of matrix products.
pub(super) struct Plan {
    batch: Vec<usize>,
    rows: Vec<usize>,
    columns: Vec<usize>,
    /// View whose e axes are the rows', and the other.
    views: [u8; 2],
}

fn uses(i: &Instruction, view: &View, axis: usize) -> bool {
    i.forms(view).flat_map(|f| &f.terms).any(|&(x, a)| usize::from(x) == axis && a != 0)
}

impl Plan {
    /// The plan for a dot over views `a` and `b`, or `None` where the matrix kernel would not pay.
    pub(super) fn new(instruction: &Instruction, a: u8, b: u8) -> Option<Self> {
        let axes = instruction.extents.len() - usize::from(instruction.windowed);
        let (va, vb) = (&instruction.views[usize::from(a)], &instruction.views[usize::from(b)]);
        let mut plan = Self { batch: vec![], rows: vec![], columns: vec![], views: [a, b] };
        for axis in 0..axes {
            match (uses(instruction, va, axis), uses(instruction, vb, axis)) {
                (true, true) => plan.batch.push(axis),
                (true, false) => plan.rows.push(axis),
                // One that neither uses repeats results; as a column it repeats the cheaper packing.
                (false, _) => plan.columns.push(axis),
            }
        }
        let size = |axes: &[usize]| axes.iter().map(|&x| instruction.extents[x]).product::<u64>();
        // Columns are what the vectors run over: give them the wider side.
        if size(&plan.rows) > 1 && size(&plan.columns) < 8 && size(&plan.rows) > size(&plan.columns) {
            std::mem::swap(&mut plan.rows, &mut plan.columns);
            plan.views.swap(0, 1);
        }
        let each =
            size(&plan.rows).saturating_mul(size(&plan.columns)).saturating_mul(instruction.reduction.iter().product());
        let pays = size(&plan.columns) >= 8 && (each >= SMALL || size(&plan.batch) <= 1);
        pays.then_some(plan)
    }
}

/// Computes a dot with its epilogue into `out`: a block of rows at a time is packed, multiplied and finished while it is in cache.
pub(super) fn run(plan: &Plan, scope: &Scope<'_>, kernel: Kernel, out: &mut Tensor) {
    let i = scope.instruction;
    let total_k: u64 = i.reduction.iter().product();
    let windows = if i.windowed { total_k.div_ceil(CHUNK) } else { 1 };
    let [row_view, column_view] = plan.views.map(|v| &i.views[usize::from(v)]);
    let (axis, outer) = plan.columns.split_last().map_or((None, &[][..]), |(&last, outer)| (Some(last), outer));
    let (columns, outer, rows) = (points(i, &plan.columns), points(i, outer), points(i, &plan.rows));
    let len = axis.map_or(1, |x| i.extents[x] as usize); // the result is in memory, so this fits
    let stride = axis.map_or(1, |x| strides(i)[x]);
    for batch in points(i, &plan.batch) {
        for w in 0..windows {
            let ks = if i.windowed { w * CHUNK..total_k.min((w + 1) * CHUNK) } else { 0..total_k };
            let base =
                Point { at: merge(&batch.at, i, w), offset: batch.offset + if i.windowed { w as usize } else { 0 } };
            let window = Window { source: scope.source(), ks, at: base.at };
            let panels: Vec<Vec<[f32; COLUMNS]>> =
                columns.par_chunks(COLUMNS).map(|points| window.panel(column_view, points)).collect();
            let finish = |block: &[Point]| {
                let cores = window.multiply(row_view, block, &panels, columns.len(), kernel);
                let at = block.iter().flat_map(|row| outer.iter().map(|column| add(&add(&base, row), column)));
                let (rows, starts): (Vec<_>, Vec<_>) = at.map(|p| (p.at, p.offset)).unzip();
                let block = Block { rows, axis: axis.unwrap_or(0), len };
                (starts, scope.evaluate(&i.epilogue, &block, Some(&(DType::F32, Lanes::F32(cores)))).1)
            };
            let done: Vec<_> = rows.par_chunks(ROW_BLOCK).map(finish).collect();
            for (starts, lanes) in done {
                store(out, starts.into_iter(), stride, len, &lanes);
            }
        }
    }
}

/// The point with both points' coordinates; they are over different axes.
fn add(a: &Point, b: &Point) -> Point {
    Point { at: std::array::from_fn(|x| a.at[x] + b.at[x]), offset: a.offset + b.offset }
}

fn merge(at: &Coordinates, i: &Instruction, window: u64) -> Coordinates {
    let mut at = *at;
    if i.windowed {
        at[i.extents.len() - 1] = window as i64;
    }
    at
}

/// One window of one batch.
struct Window<'a> {
    source: Source<'a>,
    ks: Range<u64>,
    at: Coordinates,
}

impl Window<'_> {
    /// The chains of a block of rows with all columns, row after row.
    fn multiply(
        &self,
        view: &View,
        block: &[Point],
        panels: &[Vec<[f32; COLUMNS]>],
        columns: usize,
        kernel: Kernel,
    ) -> Vec<f32> {
        let depth = self.depth();
        let (a, stride) = self.rows_in_place(view, block).unwrap_or_else(|| {
            let rows = Rows::new(self.source.instruction, view);
            let mut a = vec![0.0; block.len().next_multiple_of(ROWS) * depth];
            for (point, row) in block.iter().zip(a.chunks_exact_mut(depth.max(1))) {
                self.row(&rows, point, row);
            }
            (Cow::Owned(a), depth)
        });
        let mut results = vec![0.0; block.len() * columns];
        let mut tile: Tile = [[0.0; COLUMNS]; ROWS];
        for (p, panel) in panels.iter().enumerate() {
            let first = p * COLUMNS;
            let width = COLUMNS.min(columns - first);
            for (n, rows) in results.chunks_mut(ROWS * columns).enumerate() {
                kernel(&a[n * ROWS * stride..], stride, panel, &mut tile);
                for (row, from) in rows.chunks_exact_mut(columns).zip(&tile) {
                    for (to, &x) in row[first..first + width].iter_mut().zip(from) {
                        *to = canonical(x);
                    }
                }
            }
        }
        results
    }

    fn depth(&self) -> usize {
        (self.ks.end - self.ks.start) as usize // at most CHUNK
    }

    /// The rows where they lie in the operand, if they are whole runs at one distance: a pointwise convolution needs no packing.
    fn rows_in_place(&self, view: &View, block: &[Point]) -> Option<(Cow<'_, [f32]>, usize)> {
        let [Access { operand, address, guards, indirects }] = view.accesses.as_slice() else { return None };
        let i = self.source.instruction;
        let last = reduction_axis(i.reduction.len().checked_sub(1)?);
        if self.ks.is_empty() {
            return None;
        }
        let contiguous = address.terms.iter().any(|t| usize::from(t.0) == last && t.1 == 1);
        let length = run_length(i, view);
        let whole = self.ks.start / length == (self.ks.end - 1) / length;
        let fixed = guards.is_empty() && indirects.is_empty();
        if !fixed || !contiguous || !whole || !block.len().is_multiple_of(ROWS) {
            return None;
        }
        let Tensor::F32(tensor) = self.source.operands[usize::from(*operand)] else { return None };
        let data = tensor.as_slice()?;
        let start = |point: &Point| {
            let mut at: Coordinates = std::array::from_fn(|x| self.at[x] + point.at[x]);
            set_reduction(&mut at, &i.reduction, self.ks.start);
            let terms = address.terms.iter().map(|&(axis, a)| a * at[usize::from(axis)]);
            usize::try_from(address.base + terms.sum::<i64>()).ok()
        };
        let first = start(block.first()?)?;
        let stride = start(block.get(1)?)?.checked_sub(first)?;
        for (n, point) in block.iter().enumerate() {
            if start(point)? != first + n * stride {
                return None;
            }
        }
        let end = first + (block.len() - 1) * stride + self.depth();
        Some((Cow::Borrowed(data.get(first..end)?), stride))
    }

    /// Reads rows over the window's k at one point.
    fn row(&self, rows: &Rows<'_>, point: &Point, out: &mut [f32]) {
        rows.read(&self.source, std::array::from_fn(|x| self.at[x] + point.at[x]), &self.ks, out);
    }

    /// A packed panel: for each k, the elements of up to `COLUMNS` points.
    fn panel(&self, view: &View, points: &[Point]) -> Vec<[f32; COLUMNS]> {
        let mut panel = vec![[0.0; COLUMNS]; self.depth()];
        let mut row = vec![0.0; self.depth()];
        let rows = Rows::new(self.source.instruction, view);
        for (j, point) in points.iter().enumerate() {
            self.row(&rows, point, &mut row);
            panel.iter_mut().zip(&row).for_each(|(p, &x)| p[j] = x);
        }
        panel
    }
}
