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
}

impl Window {
    /// Number of elements: at most a chunk.
    pub(super) fn depth(&self) -> usize {
        (self.ks.end - self.ks.start) as usize
    }

    /// The pieces that the rows' view reads of it one after the other, cut where all rows or none are outside; `moving` are the rows' and
    /// the columns' axes. Where both views are 0 one step of a chain does as much as many, so there one is left.
    pub(super) fn pieces(
        &self,
        dot: &Instruction,
        [rows, columns]: [&View; 2],
        moving: impl Fn(usize) -> bool,
    ) -> Vec<(Range<usize>, Option<Piece>)> {
        let mut pieces = Vec::new();
        for (ks, piece) in self.runs(dot, rows) {
            let Some(piece) = piece else {
                pieces.push((ks, None));
                continue;
            };
            for (mut ks, mut piece) in parts(rows, ks, piece, &moving) {
                let zero = |view: &View| view.fill == 0 && piece.outside(view, &moving);
                if zero(rows) && zero(columns) {
                    ks.end = ks.start + 1;
                    piece.len = 1;
                    piece.span.iter_mut().for_each(|s| s.1 = 1);
                }
                pieces.push((ks, Some(piece)));
            }
        }
        pieces
    }

    /// The runs of an operand that a view reads of it one after the other.
    fn runs(&self, dot: &Instruction, view: &View) -> Vec<(Range<usize>, Option<Piece>)> {
        let whole = |piece| vec![(0..self.depth(), piece)];
        let Some(last) = dot.reduction.len().checked_sub(1) else { return whole(None) };
        let contiguous =
            self.depth() == 1 || view.accesses.iter().all(|a| a.address.coefficient(reduction_axis(last)) == 1);
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

/// The piece in parts at which guards that are the same at every point hold or fail all along.
fn parts(view: &View, ks: Range<usize>, piece: Piece, moving: impl Fn(usize) -> bool) -> Vec<(Range<usize>, Piece)> {
    let outermost = piece.span.iter().position(|s| s.1 > 1);
    let ([access], Some(outermost)) = (view.accesses.as_slice(), outermost) else { return vec![(ks, piece)] };
    let (axis, extent) = piece.span[outermost];
    let inner = |form: &Affine| piece.span[outermost + 1..].iter().any(|s| form.coefficient(s.0) != 0);
    let fixed = |form: &Affine| !form.terms.iter().any(|t| moving(usize::from(t.0))) && !inner(form);
    let holds = |c: u64| {
        let mut at = piece.at;
        at[axis] += c as i64; // extents are below 2^40
        access.guards.iter().filter(|g| fixed(&g.affine)).all(|g| (0..g.limit as i64).contains(&g.affine.value(&at)))
    };
    let step = piece.len / extent as usize; // at most a chunk
    let mut parts: Vec<(Range<usize>, Piece)> = Vec::new();
    let mut first = 0;
    for c in 1..=extent {
        if c < extent && holds(c) == holds(first) {
            continue;
        }
        let mut at = piece.at;
        at[axis] += first as i64;
        let mut span = piece.span.clone();
        span[outermost].1 = c - first;
        let ks = ks.start + first as usize * step..ks.start + c as usize * step;
        parts.push((ks.clone(), Piece { at, len: ks.len(), span }));
        first = c;
    }
    parts
}

/// The windows over a dot's axes `chunks`, in their order; without chunks, one for each window of the reduction.
pub(super) fn windows(dot: &Instruction, chunks: &[usize]) -> Vec<Window> {
    let k = product(&dot.reduction);
    let last = dot.windowed.then(|| dot.extents.len() - 1);
    let own: Vec<usize> = if chunks.is_empty() { last.into_iter().collect() } else { chunks.to_vec() };
    let mut before = 0;
    let mut window = |at: Coordinates| {
        let ks = match last {
            Some(x) => (at[x] as u64 * CHUNK).min(k)..(at[x] as u64 * CHUNK + CHUNK).min(k), // a validated window's number
            None => 0..k,
        };
        let window = Window { at, ks, before };
        before += window.depth();
        window
    };
    Grid::new(dot, &own).all().into_iter().map(|p| window(p.at)).collect()
}
