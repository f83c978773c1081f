//! Rows of floats, each reduced to one float in the order of sums: sixteen lanes, then halves of them.
//!
//! `unsafe` is for reading rows whose length was just checked, with instructions that the CPU was asked for.
#![allow(unsafe_code)]

use super::block::multiply_add;
#[cfg(target_arch = "x86_64")]
use super::pairs::{Add, Max, Min, Mul, Pair};
#[cfg(target_arch = "x86_64")]
use super::vectors::{Eight, Sixteen, Vector};
use crate::arith::{FUSED, Level, native};
use crate::program::FoldOp;
use crate::program::limits::SUM_LANES;

/// Rows of `len` floats, at least one, each `apart` behind the one before.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) floats: &'a [f32],
    pub(super) apart: usize,
    pub(super) len: usize,
}

/// Reduces `count` rows; results lie `apart` from one another. Nothing where the operation is of a strict order.
///
/// # Panics
/// When rows, or room for the results, are missing.
pub(super) fn reduce(level: Level, op: FoldOp, rows: Rows<'_>, (out, apart): (&mut [f32], usize), count: usize) {
    let Some(last) = count.checked_sub(1) else { return };
    let end = last.checked_mul(rows.apart).and_then(|start| start.checked_add(rows.len));
    assert!(rows.len > 0 && end.is_some_and(|end| end <= rows.floats.len()), "rows that are not there");
    let out = out.chunks_mut(apart.max(1)).take(count);
    assert_eq!(out.len(), count, "no room for the results");
    let all = (op, rows, out);
    // SAFETY: a level is only used on a CPU that was asked for its features, and the rows were checked.
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { avx512(all) },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { avx2(all) },
        Level::Portable => portable(all),
    }
}

type Arguments<'a> = (FoldOp, Rows<'a>, std::iter::Take<std::slice::ChunksMut<'a, f32>>);

/// How a lane takes the next float, and lanes are joined.
#[cfg(target_arch = "x86_64")]
trait Fold {
    type Join: Pair;
    /// What makes no difference to what is taken.
    const START: f32;

    unsafe fn take<V: Vector>(lane: V, x: V) -> V;
}

#[cfg(target_arch = "x86_64")]
macro_rules! fold {
    ($($name:ident $join:ident $start:expr, |$lane:ident, $x:ident| $take:expr;)*) => {$(
        struct $name;

        impl Fold for $name {
            type Join = $join;
            const START: f32 = $start;

            #[inline(always)]
            unsafe fn take<V: Vector>($lane: V, $x: V) -> V {
                unsafe { $take }
            }
        }
    )*};
}

#[cfg(target_arch = "x86_64")]
fold! {
    Sum Add -0.0, |lane, x| lane.add(x);
    SumSq Add -0.0, |lane, x| lane.fma_each(x, x);
    Prod Mul 1.0, |lane, x| lane.mul(x);
    Least Min f32::INFINITY, |lane, x| lane.min(x);
    Greatest Max f32::NEG_INFINITY, |lane, x| lane.max(x);
}

#[cfg(target_arch = "x86_64")]
macro_rules! rows {
    ($all:expr, $kernel:ident) => {{
        let (op, rows, out) = $all;
        for (n, out) in out.enumerate() {
            let from = rows.floats.as_ptr().add(n * rows.apart);
            out[0] = match op {
                FoldOp::Sum => $kernel::<Sum>(from, rows.len),
                FoldOp::SumSq => $kernel::<SumSq>(from, rows.len),
                FoldOp::Prod => $kernel::<Prod>(from, rows.len),
                FoldOp::Min => $kernel::<Least>(from, rows.len),
                FoldOp::Max => $kernel::<Greatest>(from, rows.len),
                FoldOp::SeqAdd | FoldOp::SeqMul | FoldOp::And | FoldOp::Or => return,
            };
        }
    }};
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
unsafe fn avx512(all: Arguments<'_>) {
    #[inline(always)]
    unsafe fn row<F: Fold>(from: *const f32, len: usize) -> f32 {
        unsafe {
            let [lanes] = lanes::<Sixteen, F, 1>(from, len);
            let [low, high] = lanes.halves();
            joined::<F::Join>(low, high)
        }
    }
    unsafe { rows!(all, row) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(all: Arguments<'_>) {
    #[inline(always)]
    unsafe fn row<F: Fold>(from: *const f32, len: usize) -> f32 {
        unsafe {
            let [low, high] = lanes::<Eight, F, 2>(from, len);
            joined::<F::Join>(low, high)
        }
    }
    unsafe { rows!(all, row) }
}

/// The lanes of a row, in N registers.
///
/// # Safety
/// The CPU has the register's instructions, and the row is there.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn lanes<V: Vector, F: Fold, const N: usize>(from: *const f32, len: usize) -> [V; N] {
    // SAFETY: the caller's.
    unsafe {
        let mut lanes = [V::splat(F::START); N];
        let mut j = 0;
        while j + SUM_LANES <= len {
            for (v, lane) in lanes.iter_mut().enumerate() {
                *lane = F::take(*lane, V::load(from.add(j + v * V::LANES)));
            }
            j += SUM_LANES;
        }
        for (v, lane) in lanes.iter_mut().enumerate() {
            let rest = (len - j).saturating_sub(v * V::LANES).min(V::LANES);
            if rest > 0 {
                let x = V::load_some(from.add(j + v * V::LANES), rest);
                *lane = F::take(*lane, x).first(rest, *lane);
            }
        }
        lanes
    }
}

/// Both halves, and then halves of them.
///
/// # Safety
/// The CPU has the register's instructions.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn joined<P: Pair>(low: Eight, high: Eight) -> f32 {
    // SAFETY: the caller's.
    unsafe {
        let eight = P::of(low, high);
        let four = P::of(eight, eight.down::<4>());
        let two = P::of(four, four.down::<2>());
        P::of(two, two.down::<1>()).lane()
    }
}

fn portable((op, rows, out): Arguments<'_>) {
    for (n, out) in out.enumerate() {
        let x = &rows.floats[n * rows.apart..][..rows.len];
        out[0] = match op {
            FoldOp::Sum => lanewise(x, -0.0, |acc, x| acc + x, |a, b| a + b),
            FoldOp::SumSq => lanewise(x, -0.0, |acc, x| multiply_add(FUSED, x, x, acc), |a, b| a + b),
            FoldOp::Prod => lanewise(x, 1.0, |acc, x| acc * x, |a, b| a * b),
            FoldOp::Min => lanewise(x, x[0], native::min, native::min),
            FoldOp::Max => lanewise(x, x[0], native::max, native::max),
            FoldOp::SeqAdd | FoldOp::SeqMul | FoldOp::And | FoldOp::Or => return,
        };
    }
}

/// Sixteen lanes, then halves of them.
fn lanewise(x: &[f32], start: f32, take: impl Fn(f32, f32) -> f32, join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [start; SUM_LANES];
    let (chunks, rest) = x.as_chunks::<SUM_LANES>();
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, &x)| *lane = take(*lane, x));
    }
    lanes.iter_mut().zip(rest).for_each(|(lane, &x)| *lane = take(*lane, x));
    let mut half = SUM_LANES / 2;
    while half > 0 {
        let (low, high) = lanes.split_at_mut(half);
        low.iter_mut().zip(high).for_each(|(l, h)| *l = join(*l, *h));
        half /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arith::Isa;

    /// Every instruction set gives the bits of the definition: all lengths around the lanes, NaNs, infinities and zeros of both signs.
    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let mut seed = 0x2545_f491_u32;
        let mut number = || {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            match seed % 41 {
                0 => f32::from_bits(seed),
                1 => -0.0,
                2 => 0.0,
                3 => f32::NEG_INFINITY,
                _ => (seed as f32 / u32::MAX as f32 - 0.5) * 8.0,
            }
        };
        const COUNT: usize = 3;
        for len in 1..70 {
            for (apart, case) in [(len, 0), (len + 3, 1), (0, 2)] {
                let zeros = len % 5 == 0 && case == 0;
                let floats: Vec<f32> = (0..COUNT * apart + len).map(|_| if zeros { -0.0 } else { number() }).collect();
                let rows = Rows { floats: &floats, apart, len };
                for op in [FoldOp::Sum, FoldOp::SumSq, FoldOp::Prod, FoldOp::Min, FoldOp::Max] {
                    let made = |level: Level| {
                        let mut out = [7.0; COUNT * 2];
                        reduce(level, op, rows, (&mut out, 2), COUNT);
                        assert!(out.iter().skip(1).step_by(2).all(|&x| x == 7.0));
                        out.map(|x| native::canonical(x).to_bits())
                    };
                    let wanted = made(Level::Portable);
                    for isa in [Isa::Auto, Isa::Avx2] {
                        assert_eq!(made(isa.level()), wanted, "{isa:?} {op:?} {len} {apart}");
                    }
                }
            }
        }
    }
}
