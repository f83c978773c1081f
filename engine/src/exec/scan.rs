//! Scans: strictly in order along their axis; blocks run over the other axes, and threads over the blocks.

use super::block::Scope;
use super::elements::{BLOCK, LEAST, longest};
use super::lanes::Lanes;
use super::out::{Layout, Out};
use super::points::{Grid, Point, strides};
use super::read::Block;
use crate::program::DType;
use crate::tasks;

/// Computes a scan along e axis `axis` from view `initial` into `out`, which is not empty and of type `dtype`.
#[allow(unsafe_code)]
pub(super) fn run(scope: &Scope<'_>, axis: u8, initial: u8, dtype: DType, out: &Out<'_>) {
    let i = scope.instruction;
    let (scanned, initial) = (usize::from(axis), &i.views[usize::from(initial)]);
    let along = longest((0..i.extents.len()).filter(|&x| x != scanned), i);
    let len = along.map_or(1, |x| i.extents[x] as usize); // the result is in memory, so this fits
    let others: Vec<usize> = (0..i.extents.len()).filter(|&x| x != scanned && Some(x) != along).collect();
    let grid = Grid::new(i, &others);
    let per_block = tasks::share(grid.len(), LEAST / len.max(1), BLOCK / len.max(1));
    let strides = strides(i);
    let layout = Layout { len, stride: along.map_or(1, |x| strides[x]) };
    tasks::each(grid.len().div_ceil(per_block), |task| {
        let points = task * per_block..grid.len().min((task + 1) * per_block);
        let (mut rows, mut starts) = (Vec::with_capacity(points.len()), Vec::with_capacity(points.len()));
        grid.each(points, &Point::ORIGIN, |at, offset| {
            rows.push(*at);
            starts.push(offset);
        });
        let mut block = Block { rows: rows.into(), copies: 1, axis: along.unwrap_or(0), len };
        let mut core: (DType, Lanes) = (dtype, block.read(initial, dtype, &scope.source()));
        for step in 0..i.extents[scanned] {
            block.rows.to_mut().iter_mut().for_each(|at| at[scanned] = step as i64); // extents are below 2^40
            // A NaN that is not canonical yet is a NaN all the same.
            core = scope.evaluate(&i.epilogue, &block, Some(core));
            // SAFETY: every task has rows of its own.
            unsafe { out.store(&starts, step as usize * strides[scanned], layout, &core.1) };
        }
    });
}
