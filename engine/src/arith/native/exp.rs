//! The exponential in f64.
//!
//! Method: `x = k ln 2 + r`, a polynomial of the 11th degree for `exp(r) - 1`, whose relative error is below 2^-55 (measured where it is made,
//! see the coefficients).
//! Error: below 2^-51, relatively. Source: weighted least squares.

use super::{LN_2_HIGH, LN_2_LOW, multiply_add, narrow, polynomial};
use crate::arith::soft;

const LOG2_E: f64 = std::f64::consts::LOG2_E;
/// Adding and subtracting 1.5 * 2^52 rounds to an integer.
pub(super) const ROUND: f64 = 6_755_399_441_055_744.0;

/// `(e^r - 1 - r) / r^2` in powers of r for |r| up to half of ln 2; made by engine/tests/data/polynomials.py.
const EXP_REST: [f64; 10] = [
    2.5058683224806347e-08,
    2.7626167050313e-07,
    2.755739245739551e-06,
    2.4801504880148074e-05,
    0.0001984126973545154,
    0.0013888888931972113,
    0.00833333333338205,
    0.041666666666575126,
    0.16666666666666602,
    0.5000000000000006,
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
    let r = multiply_add::<FUSED>(-k, LN_2_LOW, multiply_add::<FUSED>(-k, LN_2_HIGH, x));
    scaled::<FUSED>(shifted, r)
}

/// `2^k` and `exp(r) - 1`; the low bits of `shifted` hold k.
#[inline(always)]
pub(super) fn scaled<const FUSED: bool>(shifted: f64, r: f64) -> (f64, f64) {
    let q = multiply_add::<FUSED>(r * r, polynomial::<FUSED, _>(&EXP_REST, r), r);
    let scale = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    (scale, q)
}
