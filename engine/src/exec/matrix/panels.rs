//! The columns of products, packed: for each panel and window the columns' elements at each k.

use super::super::lanes::Buffer;
use super::super::points::{Grid, Point};
use super::super::read::{Coordinates, Run, Source, read_f32, reduction_axis, set_reduction};
use super::kernels::{COLUMNS, Line};
use super::rows::Rows;
use super::windows::Window;
use crate::program::{Instruction, View};
use crate::tasks;
use std::ops::Range;

/// The panels of some products.
pub(super) struct Panels {
    lines: Buffer<Line>,
    /// Panels of a product, and lines of a panel.
    count: usize,
    depth: usize,
}

impl Panels {
    /// Bytes of a product with that many columns and elements of a reduction.
    pub(super) fn bytes(columns: usize, depth: usize) -> u64 {
        let lines = (columns.div_ceil(COLUMNS) as u64).saturating_mul(depth as u64);
        lines.saturating_mul(size_of::<Line>() as u64)
    }

    /// Packs the columns of each product: its coordinates, and its windows, which all have the same depth together.
    pub(super) fn new(
        source: &Source<'_>,
        view: &View,
        (columns, axis): (&Grid, usize),
        products: &[(Coordinates, &[Window])],
    ) -> Self {
        let rows = Rows::new(source.instruction, view);
        let across = lies_along(source.instruction, view, axis);
        let depth = products.iter().map(|(_, windows)| windows.iter().map(Window::depth).sum()).max().unwrap_or(0);
        let count = columns.len().div_ceil(COLUMNS);
        let mut lines = Buffer::new(products.len() * count * depth);
        tasks::each_part(&mut lines, depth.max(1), |n, lines| {
            let (at, windows) = &products[n / count];
            let first = n % count * COLUMNS;
            if columns.len() - first < COLUMNS {
                lines.fill(Line::default());
            }
            let points = columns.points(first..columns.len().min(first + COLUMNS));
            for window in *windows {
                let at: Coordinates = std::array::from_fn(|x| at[x] + window.at[x]);
                let lines = &mut lines[window.before..][..window.depth()];
                if across {
                    along_columns(source, view, &points, axis, (&at, &window.ks), lines);
                } else {
                    down_columns(source, &rows, &points, (&at, &window.ks), lines);
                }
            }
        });
        Self { lines, count, depth }
    }

    /// Lines of a panel.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// The lines of a product's panel.
    pub(super) fn panel(&self, product: usize, panel: usize) -> &[Line] {
        &self.lines[(product * self.count + panel) * self.depth..][..self.depth]
    }
}

/// Whether what lies together are the columns, not the reduction.
fn lies_along(dot: &Instruction, view: &View, axis: usize) -> bool {
    let [access] = view.accesses.as_slice() else { return false };
    let last = dot.reduction.len().checked_sub(1);
    let reduced = last.map_or(1, |last| access.address.coefficient(reduction_axis(last)));
    access.indirects.is_empty() && access.address.coefficient(axis) == 1 && reduced != 1
}

fn along_columns(
    source: &Source<'_>,
    view: &View,
    points: &[Point],
    axis: usize,
    (at, ks): (&Coordinates, &Range<u64>),
    lines: &mut [Line],
) {
    for (line, k) in lines.iter_mut().zip(ks.clone()) {
        let mut first = 0;
        while first < points.len() {
            let follows = |n: &usize| points[*n].at[axis] == points[n - 1].at[axis] + 1;
            let len = 1 + (first + 1..points.len()).take_while(follows).count();
            let mut at: Coordinates = std::array::from_fn(|x| at[x] + points[first].at[x]);
            set_reduction(&mut at, &source.instruction.reduction, k);
            read_f32(view, source, &Run { at: &at, axis, len }, &mut line.0[first..first + len]);
            first += len;
        }
    }
}

fn down_columns(
    source: &Source<'_>,
    rows: &Rows<'_>,
    points: &[Point],
    (at, ks): (&Coordinates, &Range<u64>),
    lines: &mut [Line],
) {
    let mut row = Buffer::new(lines.len());
    for (j, point) in points.iter().enumerate() {
        let at = std::array::from_fn(|x| at[x] + point.at[x]);
        let row = match rows.lying(source, at, ks) {
            Some(row) => row,
            None => {
                rows.read(source, at, ks, &mut row);
                &row
            }
        };
        lines.iter_mut().zip(row).for_each(|(line, &x)| line.0[j] = x);
    }
}
