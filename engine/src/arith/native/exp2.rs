//! The exponential with base 2 in f64.
//!
//! Method: `x = k + f` exactly, and the exponential's series at `f ln 2`.
//! Error: below 2^-51, relatively; at integers none. Source: the definition.

use super::exp::{ROUND, scaled};
use super::{NAN, narrow};
use crate::arith::soft;

/// `2^a`, correctly rounded.
#[inline]
pub fn exp2(a: f32) -> f32 {
    if a.is_nan() {
        return NAN;
    }
    // The result is infinite or zero long before 256.
    let x = f64::from(a).clamp(-256.0, 256.0);
    let (scale, q) = fraction(x, 0.0);
    narrow(scale + scale * q, || soft::exp2(a.to_bits()))
}

/// `2^(x + rest) = scale * (1 + q)` for |x + rest| <= 256 and |rest| < 8, where `|q| < 1/2`.
#[inline(always)]
pub(super) fn fraction(x: f64, rest: f64) -> (f64, f64) {
    let shifted = (x + rest) + ROUND;
    let f = (x - (shifted - ROUND)) + rest;
    scaled::<false>(shifted, f * std::f64::consts::LN_2)
}
