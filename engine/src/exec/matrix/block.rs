//! A block of a product: its rows are found where they lie, or copied, multiplied with the columns and finished.

use super::super::block::Scope;
use super::super::lanes::{Buffer, f32_of};
use super::super::read::Source;
use super::super::reader::{self, Pieces, floats};
use super::super::straight::Place;
use super::kernels::{COLUMNS, Kernel, Line, ROWS, Start, Tile, kernel};
use super::rows::Rows;
use super::windows::Window;
use super::{BLOCK_PANELS, GATHERED, Group, Matrix, Operands, Product, Results};
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
        let Group { windows, segments, gathered, .. } = product.group;
        let count = rows.len();
        let view = &self.dot.views[usize::from(self.roles.views[0])];
        let mut room = Room { fills: [f32_of(view.fill); CHUNK as usize], packed: Vec::new() };
        let Some(mut slices) = self.slices(product, &rows, operands.dot, &mut room) else { return };
        let depth: usize = windows.iter().map(Window::depth).sum();
        let mut whole = Buffer::new(if *gathered { count * depth } else { 0 });
        for (n, row) in whole.chunks_exact_mut(depth.max(1)).enumerate() {
            for window in windows {
                for s in window.segments.clone() {
                    let ks = &segments[s];
                    let (to, from) = (&mut row[window.before + ks.start..], slices[s * count + n]);
                    // A whole vector where there is room: what follows the part is written afterwards.
                    match (to.first_chunk_mut::<GATHERED>(), from.first_chunk::<GATHERED>()) {
                        (Some(to), Some(from)) => *to = *from,
                        _ => to[..ks.len()].copy_from_slice(&from[..ks.len()]),
                    }
                }
            }
        }
        if *gathered {
            slices = windows.iter().flat_map(|w| whole.chunks_exact(depth).map(|row| &row[w.before..])).collect();
        }
        let kernel = kernel(isa);
        let tiles = count.div_ceil(ROWS);
        let tile = |n: usize| even(count, tiles, n);
        // A tile's chains over a window: for each of its parts the rows and the lines.
        let parts = |w: usize, panel: usize, tile: Range<usize>| {
            let window = &windows[w];
            let lines = product.panels.window(product.panel, panel, window);
            let own = if *gathered { w..w + 1 } else { window.segments.clone() };
            let slices = &slices;
            own.map(move |s| {
                let ks = if *gathered { 0..lines.len() } else { segments[s].clone() };
                (&slices[s * count..][tile.clone()], &lines[ks])
            })
        };
        let parted = self
            .parts
            .as_ref()
            .zip(results.parts)
            .map(|(places, out)| (places, out, places.rows(product.number, rows.clone())));
        let mut chains = Buffer::new(if parted.is_some() { windows.len() * ROWS * COLUMNS } else { 0 });
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
                let half = last - from <= COLUMNS / 2;
                let panel = from / COLUMNS;
                let columns = from..last.min(from + COLUMNS);
                let before = if reads.is_some() { 0 } else { from - first };
                let place = |tile: &Range<usize>| tile.start * stride + before;
                let finish = |tile: Range<usize>, sums: &mut [f32]| {
                    let run = reads.iter().flatten().find(|run| run.0.contains(&from));
                    let (Some(straight), Some((run, offset, reads))) = (&self.straight, run) else { return };
                    let own = columns.start - run.start..columns.end - run.start;
                    let to = (results.finished, &block.starts[tile.clone()], offset + own.start);
                    let place = Place { rows: tile, columns: own };
                    // SAFETY: each element is at one point of batch, row and column, and a task has points of its own.
                    #[allow(unsafe_code)]
                    unsafe {
                        straight.finish(reads, &place, (sums, stride), to);
                    }
                };
                if let Some((places, out, starts)) = &parted {
                    let moves = places.moves(columns.clone());
                    for tile in (0..tiles).map(tile) {
                        for (w, chains) in chains.chunks_exact_mut(ROWS * COLUMNS).enumerate() {
                            multiply(parts(w, panel, tile.clone()), Start::Set, half, kernel, chains, COLUMNS);
                            take(chains, tile.len(), w == 0, &mut sums[place(&tile)..], stride);
                        }
                        // SAFETY: each chain is at one point of batch, row, column and window, and a task has points of its own.
                        #[allow(unsafe_code)]
                        unsafe {
                            out.scatter(&starts[tile.clone()], &moves, &chains, COLUMNS);
                        }
                        let sums = &mut sums[place(&tile)..];
                        finish(tile, sums);
                    }
                } else {
                    for w in 0..windows.len() {
                        let start = if w > 0 { Start::Add } else { Start::Set };
                        for tile in (0..tiles).map(tile) {
                            let sums = &mut sums[place(&tile)..];
                            multiply(parts(w, panel, tile.clone()), start, half, kernel, sums, stride);
                            if w + 1 == windows.len() {
                                finish(tile, sums);
                            }
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
        let pieces: Vec<Pieces<'_>> = (0..count).map(|n| reader.pieces(table, first + n)).collect();
        // What does not lie in an operand is copied.
        let each = |n: usize| if let Pieces::Each(places) = pieces[n] { Some((n, places)) } else { None };
        let apart: Vec<(usize, &[reader::Place])> = (0..count).filter_map(each).collect();
        for (s, ks) in segments.iter().enumerate() {
            for (n, places) in &apart {
                let start = packed.len();
                match &places[s] {
                    reader::Place::Operand(..) | reader::Place::Fill => {}
                    reader::Place::Part(part) => {
                        packed.resize(start + ks.len(), fill);
                        part.copy(&floats, &mut packed[start..]);
                    }
                    reader::Place::Scattered => {
                        packed.resize(start + ks.len(), fill);
                        let Some(window) = windows.iter().find(|w| w.segments.contains(&s)) else { continue };
                        let row = rows.start + n;
                        let Some(&point) = self.rows.points(row..row + 1).first() else { continue };
                        let at = std::array::from_fn(|x| point.at[x] + product.at.at[x] + window.at[x]);
                        let first = window.ks.start + ks.start as u64;
                        reads.read(&source, at, &(first..first + ks.len() as u64), &mut packed[start..]);
                    }
                }
            }
        }
        let mut slices: Vec<&[f32]> = Vec::with_capacity(segments.len() * count);
        let mut rest = packed.as_slice();
        for (s, ks) in segments.iter().enumerate() {
            let inside = reader.inside(s, &floats, fills);
            slices.extend(pieces.iter().map(|pieces| match pieces {
                Pieces::Inside(address) => inside.at(*address),
                Pieces::Each(places) => match &places[s] {
                    reader::Place::Operand(operand, address) => &floats[*operand][*address..],
                    reader::Place::Fill => fills,
                    reader::Place::Part(_) | reader::Place::Scattered => {
                        let (piece, others) = rest.split_at(ks.len());
                        rest = others;
                        piece
                    }
                },
            }));
        }
        Some(slices)
    }
}

/// What rows read that does not lie in an operand.
struct Room {
    fills: [f32; CHUNK as usize],
    packed: Vec<f32>,
}

/// A tile's chains over one window, which lies in parts: set, or added to the results.
fn multiply<'a>(
    mut parts: impl ExactSizeIterator<Item = (&'a [&'a [f32]], &'a [Line])>,
    start: Start,
    half: bool,
    kernel: Kernel,
    results: &mut [f32],
    stride: usize,
) {
    if start == Start::Set || parts.len() == 1 {
        for (n, (rows, panel)) in parts.enumerate() {
            kernel(&Tile { rows, panel, half, start: if n > 0 { Start::Continue } else { start } }, results, stride);
        }
        return;
    }
    let mut chains = [0.0; ROWS * COLUMNS];
    let Some((rows, panel)) = parts.next() else { return };
    kernel(&Tile { rows, panel, half, start: Start::Set }, &mut chains, COLUMNS);
    for (rows, panel) in parts {
        kernel(&Tile { rows, panel, half, start: Start::Continue }, &mut chains, COLUMNS);
    }
    take(&chains, rows.len(), false, results, stride);
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
