//! The exponential in f64.
//!
//! Method: `x = k ln 2 + r`, Taylor's series of `exp(r) - 1` up to the 13th power, whose rest is below 2^-57.
//! Error: below 2^-51, relatively. Source: textbook.

use super::{LN_2_HIGH, LN_2_LOW, multiply_add, narrow, polynomial};
use crate::arith::soft;

const LOG2_E: f64 = std::f64::consts::LOG2_E;
/// Adding and subtracting 1.5 * 2^52 rounds to an integer.
pub(super) const ROUND: f64 = 6_755_399_441_055_744.0;

/// `1 / i!` from i = 13 down to 2.
const INVERSE_FACTORIALS: [f64; 12] = [
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    1.0 / 2.0,
];

/// `e^a`, correctly rounded.
#[inline]
pub fn exp(a: f32) -> f32 {
    narrow(wide::<false>(a.into()), || soft::exp(a.to_bits()))
}

/// `e^x`, infinite or zero as an f32 beyond |x| = 128; a NaN stays one.
#[inline(always)]
pub(super) fn wide<const FUSED: bool>(x: f64) -> f64 {
    let (scale, q) = parts::<FUSED>(x.clamp(-128.0, 128.0));
    multiply_add::<FUSED>(scale, q, scale)
}

/// `exp(x) = scale * (1 + q)` for |x| <= 128, where `scale` is a power of two and `|q| < 1/2` is relatively exact.
#[inline(always)]
pub(super) fn parts<const FUSED: bool>(x: f64) -> (f64, f64) {
    let shifted = multiply_add::<FUSED>(x, LOG2_E, ROUND);
    let k = shifted - ROUND;
    let r = multiply_add::<FUSED>(-k, LN_2_LOW, x - k * LN_2_HIGH);
    scaled::<FUSED>(shifted, r)
}

/// `2^k` and `exp(r) - 1`; the low bits of `shifted` hold k.
#[inline(always)]
pub(super) fn scaled<const FUSED: bool>(shifted: f64, r: f64) -> (f64, f64) {
    let q = multiply_add::<FUSED>(r * r, polynomial::<FUSED, _>(&INVERSE_FACTORIALS, r), r);
    let scale = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    (scale, q)
}
