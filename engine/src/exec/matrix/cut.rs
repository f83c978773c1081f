//! How products are cut into tasks: blocks of rows, and of columns where these are many.

use super::kernels::ROWS;
use super::{BLOCK_PANELS, COLUMNS};
use crate::tasks::{self, even};
use std::ops::Range;

/// Most rows of a block with so many panels: the columns' elements are read once for a block, and its results stay in the second cache.
const BLOCK_ROWS: usize = 12 * ROWS;
/// Fewest rows of a block, where there would be too few blocks for all threads: two tiles.
const FEWEST_ROWS: usize = 2 * ROWS;

/// How many tasks are worth it for so many products of so many rows, columns and chained multiply-adds, in any order.
pub(super) fn worth(sizes: [usize; 4]) -> usize {
    tasks::enough_for(sizes.iter().fold(1, |work: u64, &size| work.saturating_mul(size as u64)))
}

/// Blocks of a product's rows, each in parts along the columns.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    blocks: usize,
    parts: usize,
}

impl Cut {
    /// Enough tasks, if there are as many rows and columns.
    pub(super) fn new(rows: usize, columns: usize, enough: usize) -> Self {
        let panels = columns.div_ceil(COLUMNS).clamp(1, BLOCK_PANELS);
        let least = rows.div_ceil(BLOCK_ROWS * BLOCK_PANELS / panels);
        let most = rows.div_ceil(FEWEST_ROWS);
        // Enough blocks by themselves, else cut along the columns too, else of fewer rows.
        let parts = if least < enough { columns.div_ceil(COLUMNS * BLOCK_PANELS).clamp(1, enough) } else { 1 };
        Self { blocks: enough.div_ceil(parts).clamp(least, most.max(least)), parts }
    }

    /// How many tasks there are.
    pub(super) fn len(self) -> usize {
        self.blocks * self.parts
    }

    /// What task `number` computes.
    pub(super) fn share(self, number: usize) -> Share {
        Share { cut: self, number }
    }
}

/// A task's rows and columns.
#[derive(Clone, Copy)]
pub(super) struct Share {
    cut: Cut,
    number: usize,
}

impl Share {
    /// Of so many.
    pub(super) fn rows(self, all: usize) -> Range<usize> {
        even(all, self.cut.blocks, self.number / self.cut.parts)
    }

    /// Of so many; they begin at a panel.
    pub(super) fn columns(self, all: usize) -> Range<usize> {
        let panels = even(all.div_ceil(COLUMNS), self.cut.parts, self.number % self.cut.parts);
        panels.start * COLUMNS..all.min(panels.end * COLUMNS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_is_in_one_share() {
        for rows in [1, 23, 24, 25, 48, 49, 144, 577, 1000] {
            for columns in [1, 31, 32, 33, 128, 129, 160, 513, 4096] {
                for enough in [1, 2, 3, 8, 9, 64, 4096] {
                    let cut = Cut::new(rows, columns, enough);
                    let mut before = (0..0, 0..0);
                    for (rows_of, columns_of) in
                        (0..cut.len()).map(|n| (cut.share(n).rows(rows), cut.share(n).columns(columns)))
                    {
                        assert!(
                            columns_of.start.is_multiple_of(COLUMNS) && !rows_of.is_empty() && !columns_of.is_empty()
                        );
                        // The same rows further on, or the next rows from the first column on.
                        let goes_on = before.0 == rows_of && before.1.end == columns_of.start;
                        let next = before.0.end == rows_of.start
                            && columns_of.start == 0
                            && (before.1.end == columns || rows_of.start == 0);
                        assert!(
                            goes_on || next,
                            "{rows} rows, {columns} columns, {enough} tasks: {rows_of:?} {columns_of:?}"
                        );
                        before = (rows_of, columns_of);
                    }
                    assert!(before.0.end == rows && before.1.end == columns);
                }
            }
        }
    }
}
