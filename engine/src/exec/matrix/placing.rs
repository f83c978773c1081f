//! Where the rows of a block lie: in the operands, or copied where they lie there only in part.

use super::super::read::Source;
use super::super::reader::{Pieces, Place, floats};
use super::rows::Rows;
use super::starts::{Addresses, Starts};
use super::{Group, Matrix, Product};
use crate::program::limits::CHUNK;
use crate::tensor::Tensor;
use std::ops::Range;

/// What rows read that does not lie in an operand.
pub(super) struct Room {
    fills: [f32; CHUNK as usize],
    packed: Vec<f32>,
}

impl Room {
    pub(super) fn new(fill: f32) -> Self {
        Self { fills: [fill; CHUNK as usize], packed: Vec::new() }
    }
}

impl Matrix<'_> {
    /// Where each row's elements of each segment begin.
    pub(super) fn starts<'a>(
        &'a self,
        product: &Product<'a>,
        rows: &Range<usize>,
        operands: &'a [&'a Tensor],
        room: &'a mut Room,
    ) -> Option<Starts<'a>> {
        let source = Source { instruction: &self.dot, operands };
        let view = &self.dot.views[usize::from(self.roles.views[0])];
        let reads = Rows::new(&self.dot, view);
        let Group { windows, segments, chains, reader, table, .. } = product.group;
        let count = rows.len();
        let Room { fills, packed } = room;
        let fill = fills[0];
        let floats = floats(&source);
        let own = (&self.rows, product.number * self.rows.len());
        let (table, first) = reader.table_or(table.as_ref(), own, rows, &product.at)?;
        let addresses = table.addresses(first..first + count);
        let mut starts = Starts::new(count, segments.len());
        let all = Addresses::new(addresses);
        for (s, ks) in segments.iter().enumerate() {
            starts.push(ks.len(), &reader.inside(s, &floats, fills), &all, fills);
        }
        // What does not lie in an operand is copied: its segment and row, and where the copy is.
        let mut copies: Vec<(usize, usize, Range<usize>)> = Vec::new();
        for n in (0..count).filter(|&n| addresses[n] < 0) {
            let Pieces::Each(places) = reader.pieces(&table, first + n) else { continue };
            for (s, (ks, place)) in segments.iter().zip(places).enumerate() {
                match place {
                    Place::Operand(operand, address) => starts.set(s, n, &floats[*operand][*address..]),
                    Place::Fill => {}
                    Place::Part(_) | Place::Scattered => {
                        let copy = packed.len()..packed.len() + ks.len();
                        packed.resize(copy.end, fill);
                        if let Place::Part(part) = place {
                            part.copy(&floats, &mut packed[copy.clone()]);
                        } else if let Some(w) = chains.iter().position(|chain| chain.contains(&s)) {
                            let window = &windows[w];
                            let point = self.rows.point(rows.start + n, &product.at);
                            let at = std::array::from_fn(|x| point.at[x] + window.at[x]);
                            let first = window.ks.start + (ks.start - window.before) as u64;
                            reads.read(&source, at, &(first..first + ks.len() as u64), &mut packed[copy.clone()]);
                        }
                        copies.push((s, n, copy));
                    }
                }
            }
        }
        let packed: &'a [f32] = packed;
        for (s, n, copy) in copies {
            starts.set(s, n, &packed[copy]);
        }
        Some(starts)
    }
}
