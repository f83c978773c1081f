//! Eight floats: AVX2 and FMA.

use super::Vector;
use crate::arith::native;
use std::arch::x86_64::{
    __m256, __m256i, _CMP_EQ_OQ, _CMP_UNORD_Q, _mm256_add_ps, _mm256_and_ps, _mm256_blendv_ps, _mm256_castsi256_ps,
    _mm256_cmp_ps, _mm256_cvtss_f32, _mm256_div_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_loadu_si256,
    _mm256_maskload_ps, _mm256_maskstore_ps, _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_or_ps,
    _mm256_permute_ps, _mm256_permute2f128_ps, _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps, _mm256_sub_ps,
};

#[derive(Clone, Copy)]
pub(in crate::exec) struct Eight(__m256);

/// Eight of these from `8 - n` on are the mask of the first `n` lanes.
static MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

#[inline(always)]
unsafe fn mask(n: usize) -> __m256i {
    unsafe { _mm256_loadu_si256(MASKS.as_ptr().add(8 - n.min(8)).cast()) }
}

impl Eight {
    pub(super) fn new(lanes: __m256) -> Self {
        Self(lanes)
    }

    /// Lane `n` in place of the first, and so on, where `n` is 1, 2 or 4; the last ones may be anything.
    #[inline(always)]
    pub(in crate::exec) unsafe fn down<const N: usize>(self) -> Self {
        Self(unsafe {
            match N {
                4 => _mm256_permute2f128_ps::<0x11>(self.0, self.0),
                2 => _mm256_permute_ps::<0b1110>(self.0),
                _ => _mm256_permute_ps::<0b01>(self.0),
            }
        })
    }

    /// The first lane.
    #[inline(always)]
    pub(in crate::exec) unsafe fn lane(self) -> f32 {
        unsafe { _mm256_cvtss_f32(self.0) }
    }

    /// `ordered`, but `equal` where the numbers are equal, which then differ at most in the sign of zero; the NaN where one is a NaN.
    #[inline(always)]
    unsafe fn choose(self, other: Self, ordered: __m256, equal: __m256) -> Self {
        unsafe {
            let same = _mm256_cmp_ps::<_CMP_EQ_OQ>(self.0, other.0);
            let unordered = _mm256_cmp_ps::<_CMP_UNORD_Q>(self.0, other.0);
            let number = _mm256_blendv_ps(ordered, equal, same);
            Self(_mm256_blendv_ps(number, _mm256_set1_ps(native::NAN), unordered))
        }
    }
}

impl Vector for Eight {
    const LANES: usize = 8;
    type Same = Self;

    #[inline(always)]
    unsafe fn zero() -> Self {
        Self(unsafe { _mm256_setzero_ps() })
    }

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        Self(unsafe { _mm256_set1_ps(x) })
    }

    #[inline(always)]
    unsafe fn same(from: *const f32) -> Self {
        Self(unsafe { _mm256_set1_ps(*from) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        Self(unsafe { _mm256_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn load_some(from: *const f32, n: usize) -> Self {
        Self(unsafe { _mm256_maskload_ps(from, mask(n)) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { _mm256_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn store_some(self, to: *mut f32, n: usize) {
        unsafe { _mm256_maskstore_ps(to, mask(n), self.0) }
    }

    #[inline(always)]
    unsafe fn fma(self, a: Self, b: Self) -> Self {
        Self(unsafe { _mm256_fmadd_ps(a.0, b.0, self.0) })
    }

    #[inline(always)]
    unsafe fn fma_each(self, a: Self, b: Self) -> Self {
        Self(unsafe { _mm256_fmadd_ps(a.0, b.0, self.0) })
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Self(unsafe { _mm256_add_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        Self(unsafe { _mm256_sub_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        Self(unsafe { _mm256_mul_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        Self(unsafe { _mm256_div_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn first(self, n: usize, others: Self) -> Self {
        Self(unsafe { _mm256_blendv_ps(others.0, self.0, _mm256_castsi256_ps(mask(n))) })
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        unsafe { self.choose(other, _mm256_max_ps(self.0, other.0), _mm256_and_ps(self.0, other.0)) }
    }

    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        unsafe { self.choose(other, _mm256_min_ps(self.0, other.0), _mm256_or_ps(self.0, other.0)) }
    }

    #[inline(always)]
    unsafe fn canonical(self) -> Self {
        unsafe {
            let unordered = _mm256_cmp_ps::<_CMP_UNORD_Q>(self.0, self.0);
            Self(_mm256_blendv_ps(self.0, _mm256_set1_ps(native::NAN), unordered))
        }
    }
}
