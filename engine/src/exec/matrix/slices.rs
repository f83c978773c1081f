//! Where the rows of a block lie: in the operands, or copied where they lie there only in part.

use super::super::read::Source;
use super::super::reader::{Inside, Pieces, Place, floats};
use super::rows::Rows;
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
    /// For each segment each row's elements: where they lie, or as they are copied to `packed`.
    pub(super) fn slices<'a>(
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
                            let point = self.rows.point(rows.start + n, &product.at);
                            let at = std::array::from_fn(|x| point.at[x] + window.at[x]);
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
