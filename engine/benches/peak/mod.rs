//! The most multiply-adds that one core does: independent chains in registers, nothing read from memory.
//!
//! `unsafe` only calls functions that were compiled for instructions which the CPU was asked for.
#![allow(unsafe_code)]

use std::time::Instant;

/// Steps of each chain in a round.
const STEPS: usize = 1 << 20;
const ROUNDS: usize = 15;

/// Billions of operations a second with the widest vectors that this CPU has; `None` without AVX2.
pub(crate) fn best() -> Option<f64> {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the CPU was just asked.
        return Some(rate(x86::LANES_512 * x86::CHAINS_512, || unsafe { x86::chains_512() }));
    }
    avx2()
}

/// As [`best`], with AVX2 alone.
pub(crate) fn avx2() -> Option<f64> {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the CPU was just asked.
        return Some(rate(x86::LANES_256 * x86::CHAINS_256, || unsafe { x86::chains_256() }));
    }
    None
}

/// Of a round that does so many multiply-adds a step.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
fn rate(width: usize, round: impl Fn()) -> f64 {
    let seconds = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        round();
        start.elapsed().as_secs_f64()
    });
    2.0 * (width * STEPS) as f64 / seconds.fold(f64::INFINITY, f64::min) / 1e9
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::STEPS;
    use std::arch::x86_64::{_mm256_fmadd_ps, _mm256_set1_ps, _mm512_fmadd_ps, _mm512_set1_ps};
    use std::hint::black_box;

    pub(super) const LANES_512: usize = 16;
    pub(super) const LANES_256: usize = 8;
    /// More than two multipliers with a latency of four or five steps need, and fewer than there are registers.
    pub(super) const CHAINS_512: usize = 16;
    pub(super) const CHAINS_256: usize = 12;

    /// Steps of `x * 0.5 + 1`, which stays near 2.
    #[target_feature(enable = "avx512f")]
    pub(super) fn chains_512() {
        let (half, one) = (_mm512_set1_ps(black_box(0.5)), _mm512_set1_ps(black_box(1.0)));
        let mut chains = [_mm512_set1_ps(black_box(2.0)); CHAINS_512];
        for _ in 0..STEPS {
            for x in &mut chains {
                *x = _mm512_fmadd_ps(*x, half, one);
            }
        }
        black_box(chains);
    }

    /// As [`chains_512`].
    #[target_feature(enable = "avx2,fma")]
    pub(super) fn chains_256() {
        let (half, one) = (_mm256_set1_ps(black_box(0.5)), _mm256_set1_ps(black_box(1.0)));
        let mut chains = [_mm256_set1_ps(black_box(2.0)); CHAINS_256];
        for _ in 0..STEPS {
            for x in &mut chains {
                *x = _mm256_fmadd_ps(*x, half, one);
            }
        }
        black_box(chains);
    }
}
