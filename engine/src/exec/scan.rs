//! Scans: strictly in order along their axis; blocks run over the other axes, and threads over the blocks.

use super::block::Scope;
use super::lanes::{Lanes, store};
use super::plain::{BLOCK, longest};
use super::points::{Point, points, strides};
use super::read::Block;
use crate::program::DType;
use crate::tensor::Tensor;
use rayon::prelude::*;

/// Computes a scan along e axis `axis` from view `initial` into `out`, which is not empty.
pub(super) fn run(scope: &Scope<'_>, axis: u8, initial: u8, out: &mut Tensor) {
    let i = scope.instruction;
    let (scanned, initial, dtype) = (usize::from(axis), &i.views[usize::from(initial)], out.dtype());
    let along = longest((0..i.extents.len()).filter(|&x| x != scanned), i);
    let len = along.map_or(1, |x| i.extents[x] as usize); // the result is in memory, so this fits
    let others: Vec<usize> = (0..i.extents.len()).filter(|&x| x != scanned && Some(x) != along).collect();
    let rows = points(i, &others);
    let per_block = (BLOCK / len.max(1)).max(1);
    let compute = |rows: &[Point]| -> Vec<Lanes> {
        let mut block = Block { rows: rows.iter().map(|p| p.at).collect(), axis: along.unwrap_or(0), len };
        let mut core: (DType, Lanes) = (dtype, block.read(initial, dtype, &scope.source()));
        let mut steps = Vec::new();
        for step in 0..i.extents[scanned] {
            block.rows.iter_mut().for_each(|at| at[scanned] = step as i64); // extents are below 2^40
            // A NaN that is not canonical yet is a NaN all the same.
            core = scope.evaluate(&i.epilogue, &block, Some(&core));
            steps.push(core.1.clone());
        }
        steps
    };
    let blocks: Vec<Vec<Lanes>> = rows.par_chunks(per_block).map(compute).collect();
    let strides = strides(i);
    let stride = along.map_or(1, |x| strides[x]);
    for (rows, steps) in rows.chunks(per_block).zip(&blocks) {
        for (step, lanes) in steps.iter().enumerate() {
            store(out, rows.iter().map(|p| p.offset + step * strides[scanned]), stride, len, lanes);
        }
    }
}
