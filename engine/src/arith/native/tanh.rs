//! The hyperbolic tangent in f64.
//!
//! Method: `-d / (2 + d)` with `d = exp(-2 |a|) - 1` without cancellation. Below 2^-12 the result is `a`.
//! Error: below 2^-49, relatively. Source: the definition.

use super::exp::parts;
use super::{NAN, narrow};
use crate::arith::soft;

/// `tanh a`, correctly rounded.
#[inline]
pub fn tanh(a: f32) -> f32 {
    if a.is_nan() {
        return NAN;
    }
    if a.abs() < 1.0 / 4096.0 {
        return a;
    }
    // From 16 on the result is 1.
    let (scale, q) = parts(-2.0 * f64::from(a).abs().min(16.0));
    let d = (scale - 1.0) + scale * q;
    narrow((-d / (2.0 + d)).copysign(f64::from(a)), || soft::tanh(a.to_bits()))
}
