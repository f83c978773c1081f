//! Sixteen floats: AVX-512 F and DQ.

use super::{Eight, Vector};
use crate::arith::native;
use std::arch::x86_64::{
    __m512, __mmask16, _CMP_UNORD_Q, _mm512_add_ps, _mm512_castps512_ps256, _mm512_cmp_ps_mask, _mm512_div_ps,
    _mm512_extractf32x8_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_mask_mov_ps, _mm512_mask_storeu_ps,
    _mm512_maskz_loadu_ps, _mm512_mul_ps, _mm512_range_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
    _mm512_sub_ps,
};

#[derive(Clone, Copy)]
pub(in crate::exec) struct Sixteen(__m512);

/// What `VRANGEPS` chooses, with its own sign and -0 below +0; a NaN loses.
const SMALLER: i32 = 0b0100;
const GREATER: i32 = 0b0101;

fn mask(n: usize) -> __mmask16 {
    if n < 16 { (1 << n) - 1 } else { !0 }
}

impl Sixteen {
    /// The first eight, and the others.
    #[inline(always)]
    pub(in crate::exec) unsafe fn halves(self) -> [Eight; 2] {
        unsafe { [Eight::new(_mm512_castps512_ps256(self.0)), Eight::new(_mm512_extractf32x8_ps::<1>(self.0))] }
    }

    /// `chosen`, but the NaN where `self` or the other is one.
    #[inline(always)]
    unsafe fn unless_nan(self, other: Self, chosen: __m512) -> Self {
        unsafe {
            let unordered = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(self.0, other.0);
            Self(_mm512_mask_mov_ps(chosen, unordered, _mm512_set1_ps(native::NAN)))
        }
    }
}

impl Vector for Sixteen {
    const LANES: usize = 16;
    type Same = Self;

    #[inline(always)]
    unsafe fn zero() -> Self {
        Self(unsafe { _mm512_setzero_ps() })
    }

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        Self(unsafe { _mm512_set1_ps(x) })
    }

    #[inline(always)]
    unsafe fn same(from: *const f32) -> Self {
        Self(unsafe { _mm512_set1_ps(*from) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        Self(unsafe { _mm512_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn load_some(from: *const f32, n: usize) -> Self {
        Self(unsafe { _mm512_maskz_loadu_ps(mask(n), from) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { _mm512_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn store_some(self, to: *mut f32, n: usize) {
        unsafe { _mm512_mask_storeu_ps(to, mask(n), self.0) }
    }

    #[inline(always)]
    unsafe fn fma(self, a: Self, b: Self) -> Self {
        Self(unsafe { _mm512_fmadd_ps(a.0, b.0, self.0) })
    }

    #[inline(always)]
    unsafe fn fma_each(self, a: Self, b: Self) -> Self {
        Self(unsafe { _mm512_fmadd_ps(a.0, b.0, self.0) })
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Self(unsafe { _mm512_add_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        Self(unsafe { _mm512_sub_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        Self(unsafe { _mm512_mul_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        Self(unsafe { _mm512_div_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn first(self, n: usize, others: Self) -> Self {
        Self(unsafe { _mm512_mask_mov_ps(others.0, mask(n), self.0) })
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        unsafe { self.unless_nan(other, _mm512_range_ps::<GREATER>(self.0, other.0)) }
    }

    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        unsafe { self.unless_nan(other, _mm512_range_ps::<SMALLER>(self.0, other.0)) }
    }

    #[inline(always)]
    unsafe fn canonical(self) -> Self {
        unsafe {
            let unordered = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(self.0, self.0);
            Self(_mm512_mask_mov_ps(self.0, unordered, _mm512_set1_ps(native::NAN)))
        }
    }
}
