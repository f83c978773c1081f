//! A line's floats, for the compiler to make registers of: any CPU.

use super::Vector;
use crate::arith::native;

/// As many as there are in two of the widest registers.
const LANES: usize = 32;

#[derive(Clone, Copy)]
pub(in crate::exec) struct Plain([f32; LANES]);

impl Plain {
    #[inline(always)]
    fn each(mut self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(x, other)| *x = f(*x, other));
        self
    }
}

impl Vector for Plain {
    const LANES: usize = LANES;
    type Same = f32;

    #[inline(always)]
    unsafe fn zero() -> Self {
        Self([0.0; _])
    }

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        Self([x; _])
    }

    #[inline(always)]
    unsafe fn same(from: *const f32) -> f32 {
        unsafe { *from }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        Self(unsafe { from.cast::<[f32; LANES]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn load_some(from: *const f32, n: usize) -> Self {
        let mut some = [0.0; LANES];
        unsafe { some.as_mut_ptr().copy_from_nonoverlapping(from, n) };
        Self(some)
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn store_some(self, to: *mut f32, n: usize) {
        unsafe { to.copy_from_nonoverlapping(self.0.as_ptr(), n) }
    }

    #[inline(always)]
    unsafe fn fma(self, a: f32, b: Self) -> Self {
        self.each(b, |x, b| native::fma(a, b, x))
    }

    #[inline(always)]
    unsafe fn fma_each(self, a: Self, b: Self) -> Self {
        let mut sum = self.0;
        (0..LANES).for_each(|n| sum[n] = native::fma(a.0[n], b.0[n], sum[n]));
        Self(sum)
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.each(other, |x, other| x + other)
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self.each(other, |x, other| x - other)
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        self.each(other, |x, other| x * other)
    }

    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        self.each(other, |x, other| x / other)
    }

    #[inline(always)]
    unsafe fn first(self, n: usize, mut others: Self) -> Self {
        others.0[..n].copy_from_slice(&self.0[..n]);
        others
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        self.each(other, native::max)
    }

    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        self.each(other, native::min)
    }

    #[inline(always)]
    unsafe fn canonical(mut self) -> Self {
        self.0.iter_mut().for_each(|x| *x = native::canonical(*x));
        self
    }
}
