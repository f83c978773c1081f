//! The matrix micro-kernel: a tile of chains of fused multiply-adds, vectorised across outputs only, so that every vector width,
//! tile shape and number of threads gives the same bits.
//!
//! This is the one place with `unsafe`: calling a function that was compiled for instructions which the CPU is first asked for, and
//! reading rows whose length was just checked.
#![allow(unsafe_code)]

use crate::arith::native::fma;
use crate::arith::{Isa, Level};

/// Rows of a tile.
pub(super) const ROWS: usize = 8;
/// Columns of a tile and of a packed panel.
pub(super) const COLUMNS: usize = 32;

/// A tile of results.
pub(super) type Tile = [[f32; COLUMNS]; ROWS];

/// `tile[i][j] = fma chain over k of a[i * stride + k] * panel[k][j]`, from +0, in increasing k.
pub(super) type Kernel = fn(a: &[f32], stride: usize, panel: &[[f32; COLUMNS]], tile: &mut Tile);

/// The kernel for an instruction set.
pub(super) fn kernel(isa: Isa) -> Kernel {
    match isa.level() {
        // SAFETY: a level is only used on a CPU that was asked for its features.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => |a, stride, panel, tile| unsafe { avx512(a, stride, panel, tile) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => |a, stride, panel, tile| unsafe { avx2(a, stride, panel, tile) },
        Level::Portable => portable,
    }
}

/// Sixteen columns to a register: two registers of columns, sixteen of results.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn avx512(a: &[f32], stride: usize, panel: &[[f32; COLUMNS]], tile: &mut Tile) {
    use std::arch::x86_64::{_mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps};
    let rows = rows(a, stride, panel.len());
    let mut acc = [[_mm512_setzero_ps(); 2]; ROWS];
    for (k, b) in panel.iter().enumerate() {
        // SAFETY: a row of the panel is 32 floats, two registers of sixteen.
        let b = unsafe { [_mm512_loadu_ps(b.as_ptr()), _mm512_loadu_ps(b.as_ptr().add(16))] };
        for (acc, row) in acc.iter_mut().zip(&rows) {
            // SAFETY: `rows` cut every row to the panel's length; a bounds check at each k costs a third of the time.
            let x = _mm512_set1_ps(unsafe { *row.get_unchecked(k) });
            *acc = [_mm512_fmadd_ps(x, b[0], acc[0]), _mm512_fmadd_ps(x, b[1], acc[1])];
        }
    }
    for (to, acc) in tile.iter_mut().zip(acc) {
        for (to, acc) in to.chunks_exact_mut(16).zip(acc) {
            // SAFETY: the chunk is sixteen floats.
            unsafe { _mm512_storeu_ps(to.as_mut_ptr(), acc) };
        }
    }
}

/// Eight columns to a register. Sixteen registers hold four rows of sixteen columns, so the tile is made in four parts.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2(a: &[f32], stride: usize, panel: &[[f32; COLUMNS]], tile: &mut Tile) {
    use std::arch::x86_64::{_mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps};
    const PART: usize = ROWS / 2;
    let rows = rows(a, stride, panel.len());
    for (rows, tile) in rows.chunks_exact(PART).zip(tile.chunks_exact_mut(PART)) {
        for first in (0..COLUMNS).step_by(16) {
            let mut acc = [[_mm256_setzero_ps(); 2]; PART];
            for (k, b) in panel.iter().enumerate() {
                let b = &b[first..first + 16];
                // SAFETY: the slice is sixteen floats, two registers of eight.
                let b = unsafe { [_mm256_loadu_ps(b.as_ptr()), _mm256_loadu_ps(b.as_ptr().add(8))] };
                for (acc, row) in acc.iter_mut().zip(rows) {
                    // SAFETY: as in `avx512`.
                    let x = _mm256_set1_ps(unsafe { *row.get_unchecked(k) });
                    *acc = [_mm256_fmadd_ps(x, b[0], acc[0]), _mm256_fmadd_ps(x, b[1], acc[1])];
                }
            }
            for (to, acc) in tile.iter_mut().zip(acc) {
                for (to, acc) in to[first..first + 16].chunks_exact_mut(8).zip(acc) {
                    // SAFETY: the chunk is eight floats.
                    unsafe { _mm256_storeu_ps(to.as_mut_ptr(), acc) };
                }
            }
        }
    }
}

fn portable(a: &[f32], stride: usize, panel: &[[f32; COLUMNS]], tile: &mut Tile) {
    *tile = [[0.0; COLUMNS]; ROWS];
    for (to, row) in tile.iter_mut().zip(rows(a, stride, panel.len())) {
        for (&x, b) in row.iter().zip(panel) {
            to.iter_mut().zip(b).for_each(|(to, &b)| *to = fma(x, b, *to));
        }
    }
}

/// The rows of a tile, each of the panel's length.
fn rows(a: &[f32], stride: usize, depth: usize) -> [&[f32]; ROWS] {
    std::array::from_fn(|i| &a[i * stride..i * stride + depth])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every path gives the portable one's bits, NaNs and infinities included, at depths around the chunk.
    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let mut seed = 0x9e37_79b9_u32;
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            if seed.is_multiple_of(97) { f32::from_bits(seed) } else { (seed as f32 / u32::MAX as f32 - 0.5) * 8.0 }
        };
        for depth in [0, 1, 7, 8, 9, 15, 16, 17, 255, 256] {
            let stride = depth + 3;
            let a: Vec<f32> = (0..ROWS * stride).map(|_| next()).collect();
            let panel: Vec<[f32; COLUMNS]> = (0..depth).map(|_| std::array::from_fn(|_| next())).collect();
            let run = |kernel: Kernel| {
                let mut tile = [[f32::NAN; COLUMNS]; ROWS];
                kernel(&a, stride, &panel, &mut tile);
                tile.map(|row| row.map(|x| crate::arith::native::canonical(x).to_bits()))
            };
            let expected = run(portable);
            assert_eq!(run(kernel(Isa::Auto)), expected, "the best path, depth {depth}");
            assert_eq!(run(kernel(Isa::Avx2)), expected, "AVX2, depth {depth}");
        }
    }
}
