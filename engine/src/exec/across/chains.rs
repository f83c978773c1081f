//! One row: its chains, an element of each side by side, and how runs of it become neighbours.

use super::super::block::multiply_add;
use super::super::lanes::{Buffer, f32_of};
use super::{STRIP, WIDE};
use crate::arith::{for_each_level, native};
use crate::program::limits::SUM_LANES;
use crate::program::{DType, FoldOp};

/// What reduces a row.
#[derive(Clone, Copy)]
pub(super) enum Chains<'a> {
    /// Windows of so many elements, each a chain of multiply-adds with its weights, and the chains' sum. What has no elements is nothing but a
    /// product of zeros.
    Dot(&'a [usize], &'a [f32]),
    Fold(FoldOp),
}

// Reduces what begins at each of `slices`, which have whole strips, into `out`, which has too.
for_each_level!(pub(super) fn reduce_strips = reduce, (chains: Chains<'_>, slices: &[&[f32]], out: &mut [f32]) -> ());

#[inline(always)]
fn reduce(fused: bool, chains: Chains<'_>, slices: &[&[f32]], out: &mut [f32]) {
    match chains {
        Chains::Dot(windows, weights) => dots(fused, windows, weights, slices, out),
        Chains::Fold(op) if slices.is_empty() => out.fill(f32_of(op.empty(DType::F32))),
        Chains::Fold(FoldOp::Min) => in_order(slices, out, native::min),
        Chains::Fold(FoldOp::Max) => in_order(slices, out, native::max),
        Chains::Fold(FoldOp::Sum) => in_lanes(slices, out, |x| x, |sum, x| sum + x),
        Chains::Fold(FoldOp::SumSq) => in_lanes(slices, out, |x| x * x, |sum, x| multiply_add(fused, x, x, sum)),
        Chains::Fold(_) => in_order(slices, out, |a, b| a + b),
    }
}

#[inline(always)]
fn dots(fused: bool, windows: &[usize], weights: &[f32], slices: &[&[f32]], out: &mut [f32]) {
    let width = out.len();
    let mut first = 0;
    while first < width {
        if let Some(to) = out[first..].first_chunk_mut::<WIDE>() {
            dot(fused, windows, (slices, weights, width), first, to);
            first += WIDE;
        } else if let Some(to) = out[first..].first_chunk_mut::<STRIP>() {
            dot(fused, windows, (slices, weights, width), first, to);
            first += STRIP;
        } else {
            return;
        }
    }
}

/// The chains of `N` elements from `first` on, which stay in registers.
#[inline(always)]
fn dot<const N: usize>(
    fused: bool,
    windows: &[usize],
    (slices, weights, width): (&[&[f32]], &[f32], usize),
    first: usize,
    out: &mut [f32; N],
) {
    let mut rest = slices.iter().zip(weights.chunks_exact(width));
    let mut sum = [0.0; N];
    for (w, &window) in windows.iter().enumerate() {
        let mut chain = [0.0; N];
        for (x, weights) in rest.by_ref().take(window) {
            if x.is_empty() {
                // A product of zeros, which makes +0 of a chain that is -0.
                (0..N).for_each(|i| chain[i] += 0.0);
                continue;
            }
            let (Some(x), Some(weights)) = (x[first..].first_chunk::<N>(), weights[first..].first_chunk::<N>()) else {
                return;
            };
            (0..N).for_each(|i| chain[i] = multiply_add(fused, x[i], weights[i], chain[i]));
        }
        if w == 0 {
            sum = chain;
        } else {
            (0..N).for_each(|i| sum[i] += chain[i]);
        }
    }
    *out = sum;
}

#[inline(always)]
fn in_order(slices: &[&[f32]], out: &mut [f32], f: impl Fn(f32, f32) -> f32) {
    let (wide, rest) = out.as_chunks_mut::<WIDE>();
    let done = wide.len() * WIDE;
    for (n, out) in wide.iter_mut().enumerate() {
        // As many as stay in registers.
        let mut so_far = [0.0; WIDE];
        so_far.copy_from_slice(&slices[0][n * WIDE..][..WIDE]);
        for x in &slices[1..] {
            let Some(x) = x[n * WIDE..].first_chunk::<WIDE>() else { return };
            (0..WIDE).for_each(|i| so_far[i] = f(so_far[i], x[i]));
        }
        *out = so_far;
    }
    rest.copy_from_slice(&slices[0][done..][..rest.len()]);
    for x in &slices[1..] {
        rest.iter_mut().zip(&x[done..]).for_each(|(out, &x)| *out = f(*out, x));
    }
}

/// Sixteen lanes, then halves of them. A lane that nothing was added to is -0, which changes no sum: it is left out.
#[inline(always)]
fn in_lanes(slices: &[&[f32]], out: &mut [f32], first: impl Fn(f32) -> f32, take: impl Fn(f32, f32) -> f32) {
    let len = out.len();
    let mut lanes = Buffer::new(slices.len().min(SUM_LANES) * len);
    for (k, x) in slices.iter().enumerate() {
        let lane = &mut lanes[k % SUM_LANES * len..][..len];
        if k < SUM_LANES {
            lane.iter_mut().zip(*x).for_each(|(lane, &x)| *lane = first(x));
        } else {
            lane.iter_mut().zip(*x).for_each(|(lane, &x)| *lane = take(*lane, x));
        }
    }
    let mut half = SUM_LANES / 2;
    while half > 0 {
        if lanes.len() > half * len {
            let (low, high) = lanes.split_at_mut(half * len);
            low.iter_mut().zip(&*high).for_each(|(low, high)| *low += *high);
        }
        half /= 2;
    }
    out.copy_from_slice(&lanes[..len]);
}

// Element `i` of each of `runs` runs of `len` elements becomes one of `runs` neighbours.
for_each_level!(pub(super) fn interleave = woven, (from: &[f32], runs: usize, to: &mut [f32]) -> ());

#[inline(always)]
fn woven(_: bool, from: &[f32], runs: usize, to: &mut [f32]) {
    match runs {
        1 => to.copy_from_slice(&from[..to.len()]),
        2 => weave::<2>(from, to),
        3 => weave::<3>(from, to),
        4 => weave::<4>(from, to),
        8 => weave::<8>(from, to),
        _ => {
            let len = to.len() / runs;
            for (i, to) in to.chunks_exact_mut(runs).enumerate() {
                to.iter_mut().enumerate().for_each(|(r, to)| *to = from[r * len + i]);
            }
        }
    }
}

#[inline(always)]
fn weave<const R: usize>(from: &[f32], to: &mut [f32]) {
    let (to, _) = to.as_chunks_mut::<R>();
    let len = to.len();
    let runs: [&[f32]; R] = std::array::from_fn(|r| &from[r * len..(r + 1) * len]);
    for (i, to) in to.iter_mut().enumerate() {
        for r in 0..R {
            to[r] = runs[r][i];
        }
    }
}
