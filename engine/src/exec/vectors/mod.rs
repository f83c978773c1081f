//! Registers of floats. What a kernel does with them gives the same bits at every width; a NaN's bits matter only after `canonical`.
//!
//! `unsafe` is for instructions that the CPU must have, and for memory that the kernels have checked.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod plain;

#[cfg(target_arch = "x86_64")]
pub(super) use avx2::Eight;
#[cfg(target_arch = "x86_64")]
pub(super) use avx512::Sixteen;
pub(super) use plain::Plain;

/// A register.
///
/// # Safety
/// Of every function: the CPU has the type's instructions. Of those with an address: as many floats as are read or written are there.
pub(super) trait Vector: Copy {
    /// Floats in one.
    const LANES: usize;
    /// The same float in every lane.
    type Same: Copy;

    unsafe fn zero() -> Self;
    unsafe fn splat(x: f32) -> Self;
    unsafe fn same(from: *const f32) -> Self::Same;
    unsafe fn load(from: *const f32) -> Self;
    /// The first `n` lanes, at most all; the others are zero.
    unsafe fn load_some(from: *const f32, n: usize) -> Self;
    unsafe fn store(self, to: *mut f32);
    /// The first `n` lanes only, at most all.
    unsafe fn store_some(self, to: *mut f32, n: usize);
    /// All of one if it is `WHOLE`, else the first `n` lanes.
    #[inline(always)]
    unsafe fn load_first<const WHOLE: bool>(from: *const f32, n: usize) -> Self {
        // SAFETY: the caller's.
        unsafe { if WHOLE { Self::load(from) } else { Self::load_some(from, n) } }
    }
    /// The same of what is written.
    #[inline(always)]
    unsafe fn store_first<const WHOLE: bool>(self, to: *mut f32, n: usize) {
        // SAFETY: the caller's.
        unsafe { if WHOLE { self.store(to) } else { self.store_some(to, n) } }
    }
    /// `a * b + self`, rounded once.
    unsafe fn fma(self, a: Self::Same, b: Self) -> Self;
    /// The same of two registers.
    unsafe fn fma_each(self, a: Self, b: Self) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn div(self, other: Self) -> Self;
    /// The first `n` lanes, at most all, and the others of another.
    unsafe fn first(self, n: usize, others: Self) -> Self;
    /// As [`native::max`](crate::arith::native::max): its NaN is canonical.
    unsafe fn max(self, other: Self) -> Self;
    /// As [`native::min`](crate::arith::native::min): its NaN is canonical.
    unsafe fn min(self, other: Self) -> Self;
    /// As [`native::canonical`](crate::arith::native::canonical).
    unsafe fn canonical(self) -> Self;
}

/// Has the cache line of an address, which may be any, brought to the second cache.
#[inline(always)]
pub(super) fn fetch(from: *const f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which every CPU of this architecture has and which never faults.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T1>(from.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = from;
}
