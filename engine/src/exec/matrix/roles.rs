//! Which part each e axis of a dot plays in a matrix product.

use super::super::points::strides;
use crate::program::{Instruction, View, product};

/// Multiply-adds of one matrix below which setting it up costs more than it saves, where there are many.
const SMALL: u64 = 1024;

/// A dot as a batch of matrix products: an e axis used by only one of the two views (or by none) is a row or a column axis, one used by both is
/// a batch axis. So convolution, matrix product and every transposition are one case.
#[derive(Debug)]
pub(super) struct Roles {
    pub(super) batch: Vec<usize>,
    pub(super) rows: Vec<usize>,
    pub(super) columns: Vec<usize>,
    /// View whose e axes are the rows', and the other.
    pub(super) views: [u8; 2],
}

fn uses(i: &Instruction, view: &View, axis: usize) -> bool {
    i.forms(view).flat_map(|f| &f.terms).any(|&(x, a)| usize::from(x) == axis && a != 0)
}

impl Roles {
    /// The roles for a dot over views `a` and `b`, but for the axes `chunks` and a window's, or `None` where the matrix kernel would not pay.
    pub(super) fn new(i: &Instruction, a: u8, b: u8, chunks: &[usize]) -> Option<Self> {
        let (va, vb) = (&i.views[usize::from(a)], &i.views[usize::from(b)]);
        let mut roles = Self { batch: vec![], rows: vec![], columns: vec![], views: [a, b] };
        for axis in (0..i.extents.len() - usize::from(i.windowed)).filter(|x| !chunks.contains(x)) {
            match (uses(i, va, axis), uses(i, vb, axis)) {
                (true, true) => roles.batch.push(axis),
                (true, false) => roles.rows.push(axis),
                // One that neither uses repeats results; as a column it repeats the cheaper packing.
                (false, _) => roles.columns.push(axis),
            }
        }
        let size = |axes: &[usize]| product(&axes.iter().map(|&x| i.extents[x]).collect::<Vec<_>>());
        // Columns are what the vectors run over: give them the wider side.
        if size(&roles.rows) > 1 && size(&roles.columns) < 8 && size(&roles.rows) > size(&roles.columns) {
            std::mem::swap(&mut roles.rows, &mut roles.columns);
            roles.views.swap(0, 1);
        }
        // Runs of results that lie together.
        let strides = strides(i);
        for axes in [&mut roles.batch, &mut roles.rows, &mut roles.columns] {
            axes.sort_by_key(|&x| std::cmp::Reverse(strides[x]));
        }
        let k =
            product(&i.reduction).saturating_mul(product(&chunks.iter().map(|&x| i.extents[x]).collect::<Vec<_>>()));
        let each = size(&roles.rows).saturating_mul(size(&roles.columns)).saturating_mul(k);
        let pays = size(&roles.columns) >= 8 && (each >= SMALL || size(&roles.batch) <= 1);
        pays.then_some(roles)
    }
}
