//! Where the chunks' results of a product lie in the dot's own result.

use super::super::points::{Grid, Point, strides};
use super::kernels::{COLUMNS, ROWS};
use super::roles::Roles;
use super::windows::Window;
use crate::program::Instruction;
use std::ops::Range;

/// The dot's own result, by what the product makes of its axes.
pub(super) struct Parts {
    batch: Grid,
    rows: Grid,
    columns: Grid,
    /// Where each window's results begin.
    windows: Vec<usize>,
}

impl Parts {
    pub(super) fn new(dot: &Instruction, roles: &Roles, windows: &[Window]) -> Self {
        let grid = |axes: &[usize]| Grid::new(dot, axes);
        let strides = strides(dot);
        let start = |window: &Window| strides.iter().zip(&window.at).map(|(stride, &at)| stride * at as usize).sum(); // in memory
        Self {
            batch: grid(&roles.batch),
            rows: grid(&roles.rows),
            columns: grid(&roles.columns),
            windows: windows.iter().map(start).collect(),
        }
    }

    /// Where some rows of a product of the batch begin.
    pub(super) fn rows(&self, product: usize, rows: Range<usize>) -> Vec<usize> {
        self.rows.places(rows, &self.batch.point(product, &Point::ORIGIN))
    }

    /// For each of some columns and each window how far the result is from where its row begins, and the place of its chain among a tile's;
    /// what is written lies together.
    pub(super) fn moves(&self, columns: Range<usize>) -> Vec<(usize, usize)> {
        let mut moves = Vec::with_capacity(columns.len() * self.windows.len());
        let first = columns.start;
        for column in columns {
            self.columns.each(column..column + 1, &Point::ORIGIN, |_, offset| {
                let of = |(w, start)| (offset + start, w * ROWS * COLUMNS + column - first);
                moves.extend(self.windows.iter().enumerate().map(of));
            });
        }
        moves.sort_unstable();
        moves
    }
}
