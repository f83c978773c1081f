//! Walking e axes: coordinates with their part of the flat index.

use super::read::Coordinates;
use crate::program::Instruction;

/// A point of some e axes, 0 on the others.
#[derive(Clone, Copy)]
pub(super) struct Point {
    pub(super) at: Coordinates,
    /// Its part of the element's flat index.
    pub(super) offset: usize,
}

/// Row-major strides of an instruction's e axes.
pub(super) fn strides(i: &Instruction) -> Vec<usize> {
    let mut strides = vec![1; i.extents.len()];
    for x in (1..i.extents.len()).rev() {
        strides[x - 1] = strides[x] * i.extents[x] as usize; // the result is in memory, so this fits
    }
    strides
}

/// Every point over `axes`, row-major.
pub(super) fn points(i: &Instruction, axes: &[usize]) -> Vec<Point> {
    let strides = strides(i);
    let mut points = vec![Point { at: [0; _], offset: 0 }];
    for &axis in axes {
        let step = |p: &Point, c: u64| {
            let mut at = p.at;
            at[axis] = c as i64; // extents are below 2^40
            Point { at, offset: p.offset + c as usize * strides[axis] }
        };
        points = points.iter().flat_map(|p| (0..i.extents[axis]).map(|c| step(p, c))).collect();
    }
    points
}
