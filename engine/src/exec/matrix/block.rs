//! A block of a product: its rows are found where they lie, or copied, multiplied with the columns and finished.

use super::super::block::Scope;
use super::super::lanes::{Buffer, f32_of};
use super::super::read::Source;
use super::super::reader::{Inside, Pieces, Place, floats};
use super::kernels::{COLUMNS, Finish, ROWS, Start, Sums, Tile, kernel};
use super::rows::Rows;
use super::{BLOCK_PANELS, Group, Matrix, Operands, Product, Results};
use crate::arith::Isa;
use crate::program::limits::CHUNK;
use crate::tensor::Tensor;
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
        let Group { windows, segments, .. } = product.group;
        let count = rows.len();
        let view = &self.dot.views[usize::from(self.roles.views[0])];
        let mut room = Room { fills: [f32_of(view.fill); CHUNK as usize], packed: Vec::new() };
        let Some(slices) = self.slices(product, &rows, operands.dot, &mut room) else { return };
        let kernel = kernel(isa);
        let tiles = count.div_ceil(ROWS);
        let tile = |n: usize| even(count, tiles, n);
        // A tile's chains over a window.
        let chains = |w: usize, panel: usize, own: Range<usize>, columns: usize, start: Start| {
            let window = &windows[w];
            let own_parts = window.segments.clone();
            Tile {
                rows: &slices[own_parts.start * count..own_parts.end * count],
                count,
                own,
                lines: product.panels.window(product.panel, panel, window),
                parts: &segments[own_parts],
                columns,
                start,
            }
        };
        let parted = self
            .parts
            .as_ref()
            .zip(results.parts)
            .map(|(places, out)| (places, out, places.rows(product.number, rows.clone())));
        let mut of_windows = Buffer::new(if parted.is_some() { windows.len() * ROWS * COLUMNS } else { 0 });
        let mut block = self.finishing(rows, &product.at);
        let scope = Scope { instruction: &self.finish, operands: operands.finish, isa };
        let mut first = columns.start;
        while first < columns.end {
            let last = columns.end.min(first + COLUMNS * BLOCK_PANELS);
            let reads = self.reads(&mut block, first..last, &scope);
            // A straight epilogue finishes panel by panel.
            let stride = if reads.is_some() { COLUMNS } else { (last - first).next_multiple_of(COLUMNS) };
            let mut sums = Buffer::new(count * stride);
            for from in (first..last).step_by(COLUMNS) {
                let panel = from / COLUMNS;
                let columns = from..last.min(from + COLUMNS);
                let width = columns.len();
                let before = if reads.is_some() { 0 } else { from - first };
                let place = |tile: &Tile<'_>| tile.own.start * stride + before;
                let run = reads.iter().flatten().find(|run| run.0.contains(&from));
                let end = self.straight.as_ref().zip(run).map(|(straight, (run, offset, reads))| {
                    let own = columns.start - run.start..columns.end - run.start;
                    (straight.links(reads, &own), offset + own.start)
                });
                // The last chains of a tile.
                let last = |tile: &Tile<'_>, sums: Sums<'_>| {
                    let Some((links, offset)) = &end else { return kernel(tile, sums, None) };
                    let mut to: [&mut [f32]; ROWS] = Default::default();
                    for (to, start) in to.iter_mut().zip(&block.starts[tile.own.clone()]) {
                        // SAFETY: each element is at one point of batch, row and column, and a task has points of its own.
                        #[allow(unsafe_code)]
                        let row = unsafe { results.finished.floats(start + offset, width) };
                        *to = row;
                    }
                    kernel(tile, sums, Some(Finish { links, to: &mut to[..tile.own.len()] }));
                };
                if let Some((places, out, starts)) = &parted {
                    let moves = places.moves(columns.clone());
                    for own in (0..tiles).map(tile) {
                        let all =
                            Tile { columns: width, own: own.clone(), count, start: Start::Continue, ..Tile::default() };
                        let sums = &mut sums[place(&all)..];
                        for (w, rows) in of_windows.chunks_exact_mut(ROWS * COLUMNS).enumerate() {
                            let tile = chains(w, panel, own.clone(), width, Start::Set);
                            kernel(&tile, Sums { rows, stride: COLUMNS }, None);
                            take(rows, own.len(), w == 0, sums, stride);
                        }
                        // SAFETY: each chain is at one point of batch, row, column and window, and a task has points of its own.
                        #[allow(unsafe_code)]
                        unsafe {
                            out.scatter(&starts[own], &moves, &of_windows, COLUMNS);
                        }
                        if end.is_some() {
                            last(&all, Sums { rows: sums, stride });
                        }
                    }
                } else {
                    for w in 0..windows.len() {
                        let start = if w > 0 { Start::Add } else { Start::Set };
                        for own in (0..tiles).map(tile) {
                            let tile = chains(w, panel, own, width, start);
                            let sums = Sums { rows: &mut sums[place(&tile)..], stride };
                            if w + 1 == windows.len() { last(&tile, sums) } else { kernel(&tile, sums, None) }
                        }
                    }
                }
            }
            if reads.is_none() {
                self.finish(&mut block, first..last, (sums, stride), &scope, results.finished);
            }
            first = last;
        }
    }

    /// For each segment each row's elements: where they lie, or as they are copied to `packed`.
    fn slices<'a>(
        &'a self,
        product: &Product<'a>,
        rows: &Range<usize>,
        operands: &'a [&'a Tensor],
        room: &'a mut Room,
    ) -> Option<Vec<&'a [f32]>> {
        let source = Source { instruction: &self.dot, operands };
        let view = &self.dot.views[usize::from(self.roles.views[0])];
        let reads = Rows::new(&self.dot, view);
        let Group { windows, segments, reader, .. } = product.group;
        let count = rows.len();
        let Room { fills, packed } = room;
        let fill = fills[0];
        let floats = floats(&source);
        // Without a table the points of these rows are found now.
        let made;
        let (table, first) = match &product.group.table {
            Some(table) => (table, product.number * self.rows.len() + rows.start),
            None => {
                let points = self.rows.points(rows.clone());
                let points = points.iter().map(|p| std::array::from_fn(|x| p.at[x] + product.at.at[x]));
                let table = reader.table(points, usize::MAX)?;
                made = table;
                (&made, 0)
            }
        };
        let inside = (0..segments.len()).map(|s| reader.inside(s, &floats, fills));
        if let Some(addresses) = table.addresses(first..first + count) {
            let mut slices = Vec::with_capacity(segments.len() * count);
            inside.for_each(|inside| slices.extend(addresses.iter().map(|&address| inside.at(address))));
            return Some(slices);
        }
        let inside: Vec<Inside<'_>> = inside.collect();
        let mut slices: Vec<&[f32]> = vec![&[]; segments.len() * count];
        // What does not lie in an operand is copied: its number among the slices, and where the copy is.
        let mut copies: Vec<(usize, Range<usize>)> = Vec::with_capacity(slices.len());
        packed.reserve(4 * slices.len());
        for n in 0..count {
            let places = match reader.pieces(table, first + n) {
                Pieces::Inside(address) => {
                    for (s, inside) in inside.iter().enumerate() {
                        slices[s * count + n] = inside.at(address);
                    }
                    continue;
                }
                Pieces::Each(places) => places,
            };
            for (s, (ks, place)) in segments.iter().zip(places).enumerate() {
                match place {
                    Place::Operand(operand, address) => slices[s * count + n] = &floats[*operand][*address..],
                    Place::Fill => slices[s * count + n] = fills,
                    Place::Part(_) | Place::Scattered => {
                        let copy = packed.len()..packed.len() + ks.len();
                        packed.resize(copy.end, fill);
                        if let Place::Part(part) = place {
                            part.copy(&floats, &mut packed[copy.clone()]);
                        } else if let Some(window) = windows.iter().find(|w| w.segments.contains(&s)) {
                            let row = rows.start + n;
                            let point = self.rows.points(row..row + 1)[0];
                            let at = std::array::from_fn(|x| point.at[x] + product.at.at[x] + window.at[x]);
                            let first = window.ks.start + ks.start as u64;
                            reads.read(&source, at, &(first..first + ks.len() as u64), &mut packed[copy.clone()]);
                        }
                        copies.push((s * count + n, copy));
                    }
                }
            }
        }
        for (n, copy) in copies {
            slices[n] = &packed[copy];
        }
        Some(slices)
    }
}

/// What rows read that does not lie in an operand.
struct Room {
    fills: [f32; CHUNK as usize],
    packed: Vec<f32>,
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

/// Part `n` of `parts` of `0..len`, as even as can be.
pub(super) fn even(len: usize, parts: usize, n: usize) -> Range<usize> {
    len * n / parts..len * (n + 1) / parts
}
