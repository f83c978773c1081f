//! The pieces of a reduction that are chains of their own.

use super::super::points::Grid;
use super::super::read::{Coordinates, reduction_axis, set_reduction};
use super::super::reader::Piece;
use super::rows::run_length;
use crate::program::limits::CHUNK;
use crate::program::{Affine, Instruction, View, product};
use std::ops::Range;

/// The shortest run that is multiplied where it lies.
const SHORT: u64 = 4;

/// A chain: what is fixed of the coordinates, and its elements.
#[derive(Debug)]
pub(super) struct Window {
    /// Coordinates of the axes over the chunks; a window's number.
    pub(super) at: Coordinates,
    pub(super) ks: Range<u64>,
    /// Elements of the chains before it.
    pub(super) before: usize,
    /// The numbers of its parts that lie together.
    pub(super) segments: Range<usize>,
}

impl Window {
    /// Number of elements: at most a chunk.
    pub(super) fn depth(&self) -> usize {
        (self.ks.end - self.ks.start) as usize
    }

    /// The pieces that a view reads of it one after the other.
    pub(super) fn pieces(&self, dot: &Instruction, view: &View) -> Vec<(Range<usize>, Option<Piece>)> {
        let whole = |piece| vec![(0..self.depth(), piece)];
        let Some(last) = dot.reduction.len().checked_sub(1) else { return whole(None) };
        let step =
            |form: &Affine| form.terms.iter().find(|t| usize::from(t.0) == reduction_axis(last)).map_or(0, |t| t.1);
        let contiguous = self.depth() == 1 || view.accesses.iter().all(|a| step(&a.address) == 1);
        if self.ks.is_empty() || !contiguous {
            return whole(None);
        }
        let at = |k: u64| {
            let mut at = self.at;
            set_reduction(&mut at, &dot.reduction, k);
            at
        };
        let mut addresses = view.clone();
        addresses.accesses.iter_mut().for_each(|a| a.guards.clear());
        let length = run_length(dot, &addresses);
        let all = self.ks == (0..product(&dot.reduction));
        if all && (length >= SHORT || length == self.ks.end) {
            // The innermost axes that are one run.
            let axes = |x: &usize| product(&dot.reduction[*x..]) <= length;
            let span: Vec<_> = (0..=last).filter(axes).map(|x| (reduction_axis(x), dot.reduction[x])).collect();
            let len = length as usize; // at most a chunk
            let piece = |k: usize| (k..k + len, Some(Piece { at: at(k as u64), len, span: span.clone() }));
            return (0..self.depth()).step_by(len).map(piece).collect();
        }
        let length = run_length(dot, view);
        if self.ks.start / length != (self.ks.end - 1) / length {
            return whole(None);
        }
        let span = vec![(reduction_axis(last), self.ks.end - self.ks.start)];
        whole(Some(Piece { at: at(self.ks.start), len: self.depth(), span }))
    }
}

/// The windows over a dot's axes `chunks`, in their order; without chunks, one for each window of the reduction.
pub(super) fn windows(dot: &Instruction, chunks: &[usize]) -> Vec<Window> {
    let k = product(&dot.reduction);
    let last = dot.windowed.then(|| dot.extents.len() - 1);
    let own: Vec<usize> = if chunks.is_empty() { last.into_iter().collect() } else { chunks.to_vec() };
    let mut before = 0;
    let window = |at: Coordinates| {
        let ks = match last {
            Some(x) => (at[x] as u64 * CHUNK).min(k)..(at[x] as u64 * CHUNK + CHUNK).min(k), // a validated window's number
            None => 0..k,
        };
        let window = Window { at, ks, before, segments: 0..0 };
        before += window.depth();
        window
    };
    Grid::new(dot, &own).all().map(|p| p.at).map(window).collect()
}
