//! Basic operations: the hardware's.

use super::NAN;
use crate::arith::soft;

/// A NaN becomes [`NAN`]; everything else stays.
///
/// By its bits: the compiler takes one NaN for as good as another, and leaves out a float comparison after a square root.
#[inline]
pub fn canonical(a: f32) -> f32 {
    f32::from_bits(soft::canonical(a.to_bits()))
}

/// `a + b`.
#[inline]
pub fn add(a: f32, b: f32) -> f32 {
    a + b
}

/// `a - b`.
#[inline]
pub fn sub(a: f32, b: f32) -> f32 {
    a - b
}

/// `a * b`.
#[inline]
pub fn mul(a: f32, b: f32) -> f32 {
    a * b
}

/// `a / b`.
#[inline]
pub fn div(a: f32, b: f32) -> f32 {
    a / b
}

/// The remainder of a division that truncates, exact.
#[inline]
pub fn rem(a: f32, b: f32) -> f32 {
    a % b
}

/// The square root.
#[inline]
pub fn sqrt(a: f32) -> f32 {
    a.sqrt()
}

/// `a * b + c` with one rounding: an instruction where the target has it, otherwise by rounding an f64 to odd first.
#[inline]
pub fn fma(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(any(target_feature = "fma", target_arch = "aarch64")) { a.mul_add(b, c) } else { fma_odd(a, b, c) }
}

/// The product is exact in f64 and the sum is rounded to odd, so that rounding it again to 24 bits is as good as rounding once.
#[inline]
fn fma_odd(a: f32, b: f32, c: f32) -> f32 {
    let (p, c) = (f64::from(a) * f64::from(b), f64::from(c));
    let sum = p + c;
    // What the addition lost, exactly.
    let back = sum - p;
    let lost = (p - (sum - back)) + (c - back);
    let bits = sum.to_bits();
    // An even significand moves to its odd neighbour on the side of the exact sum; odd ones stay.
    let step = if (lost > 0.0) == (sum > 0.0) { 1i64 } else { -1 };
    let inexact = lost != 0.0 && sum.is_finite() && bits & 1 == 0;
    f64::from_bits(if inexact { bits.wrapping_add_signed(step) } else { bits }) as f32
}

/// `-a`.
#[inline]
pub fn neg(a: f32) -> f32 {
    -a
}

/// `|a|`.
#[inline]
pub fn abs(a: f32) -> f32 {
    a.abs()
}

/// `a` where `c` holds, else `b`: without branches, which would stand in the way of vectors.
#[inline(always)]
fn choose(c: bool, a: f32, b: f32) -> f32 {
    f32::from_bits(b.to_bits() ^ ((a.to_bits() ^ b.to_bits()) & u32::from(c).wrapping_neg()))
}

/// The 2019 `minimum`: NaN wins, -0 < +0.
#[inline(always)]
pub fn min(a: f32, b: f32) -> f32 {
    // Equal numbers differ at most in the sign of zero.
    let equal = f32::from_bits(a.to_bits() | b.to_bits());
    let ordered = choose(a == b, equal, choose(a < b, a, b));
    choose(a.is_nan() | b.is_nan(), NAN, ordered)
}

/// The 2019 `maximum`: NaN wins, -0 < +0.
#[inline(always)]
pub fn max(a: f32, b: f32) -> f32 {
    let equal = f32::from_bits(a.to_bits() & b.to_bits());
    let ordered = choose(a == b, equal, choose(a > b, a, b));
    choose(a.is_nan() | b.is_nan(), NAN, ordered)
}

/// `a < b`; false with NaN.
#[inline]
pub fn lt(a: f32, b: f32) -> bool {
    a < b
}

/// `a <= b`; false with NaN.
#[inline]
pub fn le(a: f32, b: f32) -> bool {
    a <= b
}

/// `a > b`; false with NaN.
#[inline]
pub fn gt(a: f32, b: f32) -> bool {
    a > b
}

/// `a >= b`; false with NaN.
#[inline]
pub fn ge(a: f32, b: f32) -> bool {
    a >= b
}

/// `a == b`; false with NaN.
#[inline]
pub fn eq(a: f32, b: f32) -> bool {
    a == b
}

/// `a != b`; true with NaN.
#[inline]
pub fn ne(a: f32, b: f32) -> bool {
    a != b
}

/// Towards minus infinity.
#[inline]
pub fn floor(a: f32) -> f32 {
    a.floor()
}

/// Towards plus infinity.
#[inline]
pub fn ceil(a: f32) -> f32 {
    a.ceil()
}

/// Towards zero.
#[inline]
pub fn trunc(a: f32) -> f32 {
    a.trunc()
}

/// To the nearest integer, half way to the even one.
#[inline]
pub fn round_even(a: f32) -> f32 {
    a.round_ties_even()
}

/// The f32 nearest to an integer.
#[inline]
pub fn from_i64(x: i64) -> f32 {
    x as f32
}

/// Truncated and saturated to `lo..=hi`, which should hold 0; NaN gives 0.
#[inline]
pub fn to_int(a: f32, lo: i64, hi: i64) -> i64 {
    (a as i64).min(hi).max(lo)
}
