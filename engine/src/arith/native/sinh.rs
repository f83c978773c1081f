//! The hyperbolic sine in f64.
//!
//! Method: `(d + d / (1 + d)) / 2` with `d = exp |a| - 1` without cancellation. Below 2^-12 the result is `a`.
//! Error: below 2^-49, relatively. Source: the definition.

use super::exp::parts;
use super::{NAN, narrow};
use crate::arith::soft;

/// `sinh a`, correctly rounded.
#[inline]
pub fn sinh(a: f32) -> f32 {
    if a.is_nan() {
        return NAN;
    }
    if a.abs() < 1.0 / 4096.0 {
        return a;
    }
    // The result is infinite long before 128.
    let (scale, q) = parts::<false>(f64::from(a).abs().min(128.0));
    let d = (scale - 1.0) + scale * q;
    narrow((0.5 * (d + d / (1.0 + d))).copysign(f64::from(a)), || soft::sinh(a.to_bits()))
}
