//! Runs of a row become neighbours.

use crate::arith::for_each_level;

// Element `i` of each of `runs` runs, each so far after the one before, becomes one of `runs` neighbours.
for_each_level!(pub(super) fn interleave = woven, (from: &[f32], apart: usize, runs: usize, to: &mut [f32]) -> ());

#[inline(always)]
fn woven(_: bool, from: &[f32], apart: usize, runs: usize, to: &mut [f32]) {
    match runs {
        1 => to.copy_from_slice(&from[..to.len()]),
        2 => weave::<2>(from, apart, to),
        3 => weave::<3>(from, apart, to),
        4 => weave::<4>(from, apart, to),
        8 => weave::<8>(from, apart, to),
        _ => {
            for (i, to) in to.chunks_exact_mut(runs).enumerate() {
                to.iter_mut().enumerate().for_each(|(r, to)| *to = from[r * apart + i]);
            }
        }
    }
}

/// Elements of a run that become vectors however short it is, ...
const TOGETHER: usize = 16;
/// ... and the length from which a loop is as good.
const LONG: usize = 128;

#[inline(always)]
fn weave<const R: usize>(from: &[f32], apart: usize, to: &mut [f32]) {
    let (to, _) = to.as_chunks_mut::<R>();
    let runs: [&[f32]; R] = std::array::from_fn(|r| &from[r * apart..][..to.len()]);
    let short = if to.len() < LONG { to.len() / TOGETHER * TOGETHER } else { 0 };
    let (blocks, rest) = to.split_at_mut(short);
    let (blocks, _) = blocks.as_chunks_mut::<TOGETHER>();
    for (n, block) in blocks.iter_mut().enumerate() {
        for r in 0..R {
            let run: &[f32] = &runs[r][n * TOGETHER..][..TOGETHER];
            for i in 0..TOGETHER {
                block[i][r] = run[i];
            }
        }
    }
    for (i, to) in rest.iter_mut().enumerate() {
        for r in 0..R {
            to[r] = runs[r][short + i];
        }
    }
}
