//! Dots as matrix products: an e axis used by only one of the two views is a row or a column axis, one used by both is a batch axis.
//! Operands are packed through their views, so convolution, matrix product and every transposition are one case.

use super::kernels::{COLUMNS, Kernel, ROWS, Tile};
use super::lanes::canonical;
use super::points::{Point, points};
use super::read::{Coordinates, Run, read_f32, reduction_axis, set_reduction};
use crate::program::limits::{CHUNK, FIRST_REDUCTION_AXIS};
use crate::program::{Instruction, View};
use crate::tensor::Tensor;
use rayon::prelude::*;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

/// Rows that one task packs and multiplies.
const ROW_BLOCK: usize = 64;

/// How a dot is a batch of matrix products.
pub(super) struct Plan {
    batch: Vec<usize>,
    rows: Vec<usize>,
    columns: Vec<usize>,
    /// View whose e axes are the rows', and the other.
    views: [u8; 2],
}

fn uses(view: &View, axis: usize) -> bool {
    let forms = view.accesses.iter().flat_map(|a| std::iter::once(&a.address).chain(a.guards.iter().map(|g| &g.affine)));
    forms.flat_map(|f| &f.terms).any(|&(x, a)| usize::from(x) == axis && a != 0)
}

impl Plan {
    /// The plan for a dot over views `a` and `b`, or `None` where the matrix kernel would not pay.
    pub(super) fn new(instruction: &Instruction, a: u8, b: u8) -> Option<Self> {
        let axes = instruction.extents.len() - usize::from(instruction.windowed);
        let (va, vb) = (&instruction.views[usize::from(a)], &instruction.views[usize::from(b)]);
        let mut plan = Self { batch: vec![], rows: vec![], columns: vec![], views: [a, b] };
        for axis in 0..axes {
            match (uses(va, axis), uses(vb, axis)) {
                (true, true) => plan.batch.push(axis),
                (_, false) => plan.rows.push(axis),
                (false, true) => plan.columns.push(axis),
            }
        }
        let size = |axes: &[usize]| axes.iter().map(|&x| instruction.extents[x]).product::<u64>();
        // Columns are what the vectors run over: give them the wider side.
        if size(&plan.rows) > 1 && size(&plan.columns) < 8 && size(&plan.rows) > size(&plan.columns) {
            std::mem::swap(&mut plan.rows, &mut plan.columns);
            plan.views.swap(0, 1);
        }
        (size(&plan.columns) >= 8).then_some(plan)
    }
}

/// All chunk results of a dot, as f32 bits in the result's order. `cores` has one cell an element.
pub(super) fn run(plan: &Plan, i: &Instruction, operands: &[&Tensor], kernel: Kernel, cores: &[AtomicU32]) {
    let total_k: u64 = i.reduction.iter().product();
    let windows = if i.windowed { total_k.div_ceil(CHUNK) } else { 1 };
    let columns = points(i, &plan.columns);
    let rows = points(i, &plan.rows);
    for batch in points(i, &plan.batch) {
        for w in 0..windows {
            let ks = if i.windowed { w * CHUNK..total_k.min((w + 1) * CHUNK) } else { 0..total_k };
            let at = merge(&batch.at, i, w);
            let window = Window { i, operands, ks, at };
            let offset = batch.offset + if i.windowed { w as usize } else { 0 };
            let panels: Vec<Vec<[f32; COLUMNS]>> = columns
                .par_chunks(COLUMNS)
                .map(|points| window.panel(&i.views[usize::from(plan.views[1])], points))
                .collect();
            let depth = window.depth();
            rows.par_chunks(ROW_BLOCK).for_each(|block| {
                let mut a = vec![0.0; block.len().next_multiple_of(ROWS) * depth];
                for (point, row) in block.iter().zip(a.chunks_exact_mut(depth.max(1))) {
                    window.row(&i.views[usize::from(plan.views[0])], point, row);
                }
                let mut tile: Tile = [[0.0; COLUMNS]; ROWS];
                for (columns, panel) in columns.chunks(COLUMNS).zip(&panels) {
                    for (n, rows) in block.chunks(ROWS).enumerate() {
                        kernel(&a[n * ROWS * depth..], depth, panel, &mut tile);
                        for (row, results) in rows.iter().zip(&tile) {
                            for (column, &x) in columns.iter().zip(results) {
                                let cell = &cores[offset + row.offset + column.offset];
                                cell.store(canonical(x).to_bits(), Ordering::Relaxed);
                            }
                        }
                    }
                }
            });
        }
    }
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
    i: &'a Instruction,
    operands: &'a [&'a Tensor],
    ks: Range<u64>,
    at: Coordinates,
}

impl Window<'_> {
    fn depth(&self) -> usize {
        (self.ks.end - self.ks.start) as usize // at most CHUNK
    }

    /// Reads a view over the window's k at one point.
    fn row(&self, view: &View, point: &Point, out: &mut [f32]) {
        let mut at = self.at;
        for x in 0..usize::from(FIRST_REDUCTION_AXIS) {
            at[x] += point.at[x];
        }
        let Some((last, extent)) = self.i.reduction.iter().copied().enumerate().next_back() else {
            return read_f32(view, self.operands, &Run { at: &at, axis: 0, len: out.len() }, out);
        };
        let axis = reduction_axis(last);
        let mut k = self.ks.start;
        let mut done = 0;
        while k < self.ks.end {
            set_reduction(&mut at, &self.i.reduction, k);
            let len = (extent - at[axis] as u64).min(self.ks.end - k) as usize;
            read_f32(view, self.operands, &Run { at: &at, axis, len }, &mut out[done..done + len]);
            done += len;
            k += len as u64;
        }
    }

    /// A packed panel: for each k, the elements of up to `COLUMNS` points.
    fn panel(&self, view: &View, points: &[Point]) -> Vec<[f32; COLUMNS]> {
        let mut panel = vec![[0.0; COLUMNS]; self.depth()];
        let mut row = vec![0.0; self.depth()];
        for (j, point) in points.iter().enumerate() {
            self.row(view, point, &mut row);
            panel.iter_mut().zip(&row).for_each(|(p, &x)| p[j] = x);
        }
        panel
    }
}
