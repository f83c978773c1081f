//! The matrix micro-kernel: a tile of chains of fused multiply-adds, vectorised across outputs only, so that every vector width,
//! tile shape and number of threads gives the same bits.
//!
//! `unsafe` is for calling a function that was compiled for instructions which the CPU is first asked for, and for reading and writing
//! rows whose length was just checked.
#![allow(unsafe_code)]

use crate::arith::native::fma;
use crate::arith::{Isa, Level};

/// Most rows of a tile.
pub(in crate::exec) const ROWS: usize = 12;
/// Columns of a tile and of a packed panel.
pub(in crate::exec) const COLUMNS: usize = 32;

/// The columns' elements at one k, aligned to what a vector load likes best.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub(in crate::exec) struct Line(pub(in crate::exec) [f32; COLUMNS]);

/// What a kernel computes: the sums of a tile of chains, one chain for each row and column.
pub(in crate::exec) struct Tile<'a> {
    /// Each row's elements, at least as many as the panel has k; at most [`ROWS`].
    pub(in crate::exec) rows: &'a [&'a [f32]],
    /// The columns' elements at each k.
    pub(in crate::exec) panel: &'a [Line],
    /// Whether no more than half of the columns matter.
    pub(in crate::exec) half: bool,
    /// What becomes of the results that are there.
    pub(in crate::exec) start: Start,
}

/// How chains begin, and what becomes of their results.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in crate::exec) enum Start {
    /// They begin at +0, and are the results.
    Set,
    /// They begin at +0, and are added to the results.
    Add,
    /// They go on from the results.
    Continue,
}

/// `out[i * stride + j] = fma chain over k of rows[i][k] * panel[k][j]`, in increasing k, or as [`Start`] says. Columns that do not matter may get anything.
pub(in crate::exec) type Kernel = fn(tile: &Tile<'_>, out: &mut [f32], stride: usize);

/// The kernel for an instruction set.
pub(in crate::exec) fn kernel(isa: Isa) -> Kernel {
    match isa.level() {
        // SAFETY: a level is only used on a CPU that was asked for its features.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => |tile, out, stride| unsafe { avx512(tile, out, stride) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => |tile, out, stride| unsafe { avx2(tile, out, stride) },
        Level::Portable => portable,
    }
}

/// Calls a function with the rows as an array.
#[cfg(target_arch = "x86_64")]
macro_rules! with_rows {
    ($rows:expr, $f:expr, $arguments:expr, $($n:literal)*) => {
        match $rows.len() {
            $($n => $rows.first_chunk::<$n>().map_or((), |rows| $f(rows, $arguments)),)*
            _ => {}
        }
    };
}

/// Sixteen columns to a register: two registers of columns, up to 24 of results.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn avx512(tile: &Tile<'_>, out: &mut [f32], stride: usize) {
    check(tile, out, stride);
    if tile.half {
        with_rows!(tile.rows, rows512::<_, 1>, (tile, out, stride), 1 2 3 4 5 6 7 8 9 10 11 12);
    } else {
        with_rows!(tile.rows, rows512::<_, 2>, (tile, out, stride), 1 2 3 4 5 6 7 8 9 10 11 12);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn rows512<const R: usize, const V: usize>(rows: &[&[f32]; R], (tile, out, stride): (&Tile<'_>, &mut [f32], usize)) {
    use std::arch::x86_64::{
        _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
    };
    let mut acc = [[_mm512_setzero_ps(); V]; R];
    let starts = rows.map(<[f32]>::as_ptr);
    let panel = tile.panel.as_ptr().cast::<f32>();
    if tile.start == Start::Continue {
        for (i, acc) in acc.iter_mut().enumerate() {
            // SAFETY: every row of results has room for 32 columns (`check`).
            *acc = std::array::from_fn(|v| unsafe { _mm512_loadu_ps(out.as_ptr().add(i * stride + 16 * v)) });
        }
    }
    for k in 0..tile.panel.len() {
        // SAFETY: a row of the panel is 32 floats, and every row has the panel's length (`check`).
        unsafe {
            let b: [_; V] = std::array::from_fn(|v| _mm512_loadu_ps(panel.add(k * COLUMNS + 16 * v)));
            for (acc, start) in acc.iter_mut().zip(starts) {
                let x = _mm512_set1_ps(*start.add(k));
                for v in 0..V {
                    acc[v] = _mm512_fmadd_ps(x, b[v], acc[v]);
                }
            }
        }
    }
    for (i, acc) in acc.into_iter().enumerate() {
        for (v, mut sum) in acc.into_iter().enumerate() {
            // SAFETY: every row of results has room for 32 columns (`check`).
            unsafe {
                let to = out.as_mut_ptr().add(i * stride + 16 * v);
                if tile.start == Start::Add {
                    sum = _mm512_add_ps(_mm512_loadu_ps(to), sum);
                }
                _mm512_storeu_ps(to, sum);
            }
        }
    }
}

/// Eight columns to a register. Sixteen registers hold six rows of sixteen columns, so the tile is made in parts.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2(tile: &Tile<'_>, out: &mut [f32], stride: usize) {
    check(tile, out, stride);
    let widths: &[usize] = if tile.half { &[0] } else { &[0, 16] };
    for (part, rows) in tile.rows.chunks(ROWS / 2).enumerate() {
        for &first in widths {
            let out = &mut out[part * (ROWS / 2) * stride + first..];
            with_rows!(rows, rows256, (tile, first, out, stride), 1 2 3 4 5 6);
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn rows256<const R: usize>(rows: &[&[f32]; R], (tile, first, out, stride): (&Tile<'_>, usize, &mut [f32], usize)) {
    use std::arch::x86_64::{
        _mm256_add_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps,
    };
    let mut acc = [[_mm256_setzero_ps(); 2]; R];
    let starts = rows.map(<[f32]>::as_ptr);
    let panel = tile.panel.as_ptr().cast::<f32>();
    if tile.start == Start::Continue {
        for (i, acc) in acc.iter_mut().enumerate() {
            let from = &out[i * stride..][..16];
            // SAFETY: the slice is sixteen floats.
            *acc = unsafe { [_mm256_loadu_ps(from.as_ptr()), _mm256_loadu_ps(from.as_ptr().add(8))] };
        }
    }
    for k in 0..tile.panel.len() {
        // SAFETY: as in `rows512`; `first` is 0 or 16.
        unsafe {
            let b: [_; 2] = std::array::from_fn(|v| _mm256_loadu_ps(panel.add(k * COLUMNS + first + 8 * v)));
            for (acc, start) in acc.iter_mut().zip(starts) {
                let x = _mm256_set1_ps(*start.add(k));
                *acc = [_mm256_fmadd_ps(x, b[0], acc[0]), _mm256_fmadd_ps(x, b[1], acc[1])];
            }
        }
    }
    for (i, acc) in acc.into_iter().enumerate() {
        for (to, mut sum) in out[i * stride..][..16].chunks_exact_mut(8).zip(acc) {
            // SAFETY: the chunk is eight floats.
            unsafe {
                if tile.start == Start::Add {
                    sum = _mm256_add_ps(_mm256_loadu_ps(to.as_ptr()), sum);
                }
                _mm256_storeu_ps(to.as_mut_ptr(), sum);
            }
        }
    }
}

/// What the kernels rely on.
#[cfg(target_arch = "x86_64")]
fn check(tile: &Tile<'_>, out: &[f32], stride: usize) {
    assert!(tile.rows.len() <= ROWS && tile.rows.iter().all(|row| row.len() >= tile.panel.len()));
    assert!(tile.rows.is_empty() || out.len() >= (tile.rows.len() - 1) * stride + COLUMNS);
}

fn portable(tile: &Tile<'_>, out: &mut [f32], stride: usize) {
    for (i, row) in tile.rows.iter().enumerate() {
        let out = &mut out[i * stride..][..COLUMNS];
        let mut chains = [0.0f32; COLUMNS];
        if tile.start == Start::Continue {
            chains.copy_from_slice(out);
        }
        for (&x, b) in row[..tile.panel.len()].iter().zip(tile.panel) {
            chains.iter_mut().zip(&b.0).for_each(|(chain, &b)| *chain = fma(x, b, *chain));
        }
        for (out, chain) in out.iter_mut().zip(chains) {
            *out = if tile.start == Start::Add { *out + chain } else { chain };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arith::native::canonical;

    /// Every path gives the portable one's bits, NaNs and infinities included, at depths around the chunk and for every number of rows.
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
            let a: Vec<Vec<f32>> = (0..ROWS).map(|_| (0..depth + 3).map(|_| next()).collect()).collect();
            let panel: Vec<Line> = (0..depth).map(|_| Line(std::array::from_fn(|_| next()))).collect();
            let before: Vec<f32> = (0..ROWS * (COLUMNS + 5)).map(|_| next()).collect();
            for count in 0..=ROWS {
                let rows: Vec<&[f32]> = a[..count].iter().map(Vec::as_slice).collect();
                for (half, start) in [false, true]
                    .into_iter()
                    .flat_map(|half| [Start::Set, Start::Add, Start::Continue].map(|start| (half, start)))
                {
                    let tile = Tile { rows: &rows, panel: &panel, half, start };
                    let run = |kernel: Kernel| -> Vec<u32> {
                        let mut out = before.clone();
                        kernel(&tile, &mut out, COLUMNS + 5);
                        let wanted =
                            |(i, x)| if half && i % (COLUMNS + 5) >= COLUMNS / 2 { 0 } else { canonical(x).to_bits() };
                        out.into_iter().enumerate().map(wanted).collect()
                    };
                    let expected = run(portable);
                    assert_eq!(run(kernel(Isa::Auto)), expected, "the best path, depth {depth}, {count} rows");
                    assert_eq!(run(kernel(Isa::Avx2)), expected, "AVX2, depth {depth}, {count} rows");
                }
            }
        }
    }
}
