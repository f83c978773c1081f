//! How products are cut into blocks, which are tasks.

use super::kernels::ROWS;
use super::{BLOCK_PANELS, COLUMNS};
use crate::tasks::{self, even};
use std::ops::Range;

/// Most rows of a block with so many panels: the columns' elements are read once for a block, and its results stay in the second cache.
const BLOCK_ROWS: usize = 12 * ROWS;
/// Fewest rows of a block, where there would be too few blocks for all threads: two tiles.
const FEWEST_ROWS: usize = 2 * ROWS;

/// As many tasks as are worth it for so many products of these rows, columns and depth, in any order.
pub(super) fn enough(sizes: [usize; 4]) -> usize {
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
        let parts = if least < enough { columns.div_ceil(COLUMNS * BLOCK_PANELS) } else { 1 };
        Self { blocks: enough.div_ceil(parts.max(1)).clamp(least, most.max(least)), parts }
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
        if self.cut.parts == 1 {
            return 0..all;
        }
        let (width, part) = (COLUMNS * BLOCK_PANELS, self.number % self.cut.parts);
        part * width..all.min((part + 1) * width)
    }
}
