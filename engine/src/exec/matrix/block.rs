//! A block of a product: its rows are found where they lie, or copied, multiplied with the columns and finished.

use super::super::block::Scope;
use super::super::lanes::{Buffer, f32_of};
use super::super::starts::{Room, Starts};
use super::kernels::{Ahead, COLUMNS, Finish, Line, ROWS, Start, Sums, Tile, kernel, lines_at_once};
use super::{BLOCK_PANELS, Group, Matrix, Operands, Product, Results};
use crate::arith::Isa;
use crate::tasks::even;
use std::ops::Range;

impl Matrix<'_> {
    /// The elements of some rows and columns; columns begin at a panel.
    pub(super) fn block(
        &self,
        product: &Product<'_>,
        rows: Range<usize>,
        columns: Range<usize>,
        operands: Operands<'_>,
        isa: Isa,
        results: Results<'_>,
    ) {
        let view = &self.dot.views[usize::from(self.roles.views[0])];
        let mut room = Room::new(f32_of(view.fill), product.group.longest());
        let Some(starts) = self.starts(product, &rows, operands.dot, &mut room) else { return };
        let chains = Chains { product, starts };
        let mut of_windows = Buffer::new(if results.parts.is_some() { chains.windows() * ROWS * COLUMNS } else { 0 });
        let parted = self.parts.as_ref().zip(results.parts);
        let part_rows = parted.map_or(Vec::new(), |(places, _)| places.rows(product.number, rows.clone()));
        let mut block = self.finishing(rows, &product.at);
        let scope = Scope { instruction: &self.finish, operands: operands.finish, isa };
        let kernel = kernel(isa);
        let mut first = columns.start;
        while first < columns.end {
            let last = columns.end.min(first + COLUMNS * BLOCK_PANELS);
            let reads = self.reads(&mut block, first..last, &scope);
            // A straight epilogue finishes panel by panel.
            let stride = if reads.is_some() { COLUMNS } else { (last - first).next_multiple_of(COLUMNS) };
            let mut sums = Buffer::new(chains.starts.rows() * stride);
            for from in (first..last).step_by(COLUMNS) {
                let columns = from..last.min(from + COLUMNS);
                let before = if reads.is_some() { 0 } else { from - first };
                let run = reads.iter().flatten().find(|run| run.0.contains(&from));
                let (rows, from) = block.places();
                let end = self.straight.as_ref().zip(run).map(|(straight, (run, offset, reads))| {
                    let own = columns.start - run.start..columns.end - run.start;
                    // SAFETY: each element is at one point of batch, row and column, and a task has points of its own.
                    #[allow(unsafe_code)]
                    let to = unsafe { results.finished.rows(rows, from + offset + own.start, columns.len()) };
                    (straight.links(reads, &own), to)
                });
                let finish = end.as_ref().map(|(links, to)| Finish { links, to });
                if let Some((places, out)) = parted {
                    let moves = places.moves(columns.clone());
                    let ahead = chains.ahead(0..chains.windows(), &columns);
                    for (n, own) in chains.tiles() {
                        let sums = &mut sums[own.start * stride + before..];
                        for (w, rows) in of_windows.chunks_exact_mut(ROWS * COLUMNS).enumerate() {
                            let tile = chains.tile(w..w + 1, &columns, own.clone(), Start::Set);
                            let tile = Tile { ahead: ahead.share(n), ..tile };
                            kernel(&tile, &mut Sums { rows, stride: COLUMNS }, None);
                            take(rows, own.len(), w == 0, sums, stride);
                        }
                        // SAFETY: each chain is at one point of batch, row, column and window, and a task has points of its own.
                        #[allow(unsafe_code)]
                        unsafe {
                            out.scatter(&part_rows[own.clone()], &moves, &of_windows, COLUMNS);
                        }
                        if finish.is_some() {
                            let tile = chains.summed(&columns, own);
                            kernel(&tile, &mut Sums { rows: sums, stride }, finish.as_ref());
                        }
                    }
                    continue;
                }
                let windows = chains.windows();
                let at_once = if product.panels.depth() <= lines_at_once(isa) { windows.max(1) } else { 1 };
                for first in (0..windows).step_by(at_once) {
                    let start = if first > 0 { Start::Add } else { Start::Set };
                    let finish = finish.as_ref().filter(|_| first + at_once >= windows);
                    let ahead = chains.ahead(first..first + at_once, &columns);
                    for (n, own) in chains.tiles() {
                        let mut sums = Sums { rows: &mut sums[own.start * stride + before..], stride };
                        let tile = chains.tile(first..first + at_once, &columns, own, start);
                        kernel(&Tile { ahead: ahead.share(n), ..tile }, &mut sums, finish);
                    }
                }
            }
            if reads.is_none() {
                self.finish(&mut block, first..last, (sums, stride), &scope, results.finished);
            }
            first = last;
        }
    }
}

/// The chains of a block: where each row's elements of each segment are.
struct Chains<'a> {
    product: &'a Product<'a>,
    starts: Starts<'a>,
}

impl Chains<'_> {
    fn windows(&self) -> usize {
        self.product.group.windows.len()
    }

    /// The rows in tiles.
    fn tiles(&self) -> impl Iterator<Item = (usize, Range<usize>)> + use<> {
        let (rows, tiles) = (self.starts.rows(), self.count());
        (0..tiles).map(move |n| (n, even(rows, tiles, n)))
    }

    /// How many tiles there are.
    fn count(&self) -> usize {
        self.starts.rows().div_ceil(ROWS)
    }

    /// What the tiles over some windows bring near.
    fn ahead(&self, windows: Range<usize>, columns: &Range<usize>) -> Ahead {
        let windows = &self.product.group.windows[windows];
        let start = windows.first().map_or(0, |first| first.before);
        let end = windows.last().map_or(0, |last| last.before + last.depth());
        Ahead::of(self.count(), self.panel(columns), start..end)
    }

    fn panel(&self, columns: &Range<usize>) -> &[Line] {
        self.product.panels.panel(self.product.panel, columns.start / COLUMNS)
    }

    /// A tile over some windows; columns are those of a panel.
    fn tile(&self, windows: Range<usize>, columns: &Range<usize>, own: Range<usize>, start: Start) -> Tile<'_> {
        let Group { segments, chains, .. } = self.product.group;
        Tile {
            lines: self.panel(columns),
            parts: segments,
            chains: &chains[windows],
            start,
            ..self.summed(columns, own)
        }
    }

    /// A tile to which nothing is to be added.
    fn summed(&self, columns: &Range<usize>, own: Range<usize>) -> Tile<'_> {
        Tile {
            rows: &self.starts,
            own,
            lines: &[],
            parts: &[],
            chains: &[],
            columns: columns.len(),
            start: Start::Continue,
            ahead: Ahead::of(1, &[], 0..0),
        }
    }
}

/// A tile's chains into the results: the first, or added to them.
fn take(chains: &[f32], rows: usize, first: bool, results: &mut [f32], stride: usize) {
    for (row, chains) in results.chunks_mut(stride).zip(chains.chunks_exact(COLUMNS)).take(rows) {
        let row = &mut row[..COLUMNS];
        if first {
            row.copy_from_slice(chains);
        } else {
            row.iter_mut().zip(chains).for_each(|(to, &chain)| *to += chain);
        }
    }
}
