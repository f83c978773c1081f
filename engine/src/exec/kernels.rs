//! The matrix micro-kernel: a tile of chains of fused multiply-adds, vectorised across outputs only, so that every vector width,
//! tile shape and number of threads gives the same bits.
//!
//! This is the one place with `unsafe`: calling a function that was compiled for instructions which the CPU is first asked for.
#![allow(unsafe_code)]

/// Rows of a tile.
pub(super) const ROWS: usize = 8;
/// Columns of a tile and of a packed panel.
pub(super) const COLUMNS: usize = 32;

/// A tile of results.
pub(super) type Tile = [[f32; COLUMNS]; ROWS];

/// Instruction set that the kernels use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Isa {
    /// The best that this CPU has.
    #[default]
    Auto,
    /// No instructions beyond the compilation target's: the same bits, slower.
    Portable,
}

/// `tile[i][j] = fma chain over k of a[i * stride + k] * panel[k][j]`, from +0, in increasing k.
pub(super) type Kernel = fn(a: &[f32], stride: usize, panel: &[[f32; COLUMNS]], tile: &mut Tile);

/// The kernel for an instruction set.
pub(super) fn kernel(isa: Isa) -> Kernel {
    #[cfg(target_arch = "x86_64")]
    if isa == Isa::Auto {
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("fma") {
            // SAFETY: the CPU was just asked for the features that the function was compiled with.
            return |a, stride, panel, tile| unsafe { avx512(a, stride, panel, tile) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: as above.
            return |a, stride, panel, tile| unsafe { avx2(a, stride, panel, tile) };
        }
    }
    let _ = isa;
    portable
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,fma")]
fn avx512(a: &[f32], stride: usize, panel: &[[f32; COLUMNS]], tile: &mut Tile) {
    chains(a, stride, panel, tile);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2(a: &[f32], stride: usize, panel: &[[f32; COLUMNS]], tile: &mut Tile) {
    chains(a, stride, panel, tile);
}

fn portable(a: &[f32], stride: usize, panel: &[[f32; COLUMNS]], tile: &mut Tile) {
    chains(a, stride, panel, tile);
}

#[inline(always)]
fn chains(a: &[f32], stride: usize, panel: &[[f32; COLUMNS]], tile: &mut Tile) {
    let depth = panel.len();
    let rows: [&[f32]; ROWS] = std::array::from_fn(|i| &a[i * stride..i * stride + depth]);
    let mut acc: Tile = [[0.0; COLUMNS]; ROWS];
    for k in 0..depth {
        let b = &panel[k];
        for i in 0..ROWS {
            let x = rows[i][k];
            for j in 0..COLUMNS {
                acc[i][j] = x.mul_add(b[j], acc[i][j]);
            }
        }
    }
    *tile = acc;
}
