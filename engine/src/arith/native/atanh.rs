//! The inverse hyperbolic tangent in f64.
//!
//! Method: its series next to 0, elsewhere `ln((1 + x) / (1 - x)) / 2` with `x = |a|`. Below 2^-12 the result is `a`.
//! Error: below 2^-49, relatively. Source: the definition.

use super::log::{artanh, ln};
use super::{NAN, narrow};
use crate::arith::soft;

/// `atanh a`, correctly rounded; that of 1 and -1 is infinite.
#[inline]
pub fn atanh(a: f32) -> f32 {
    let x = f64::from(a).abs();
    if a.is_nan() || x > 1.0 {
        return NAN;
    }
    if x < 1.0 / 4096.0 {
        return a;
    }
    if x == 1.0 {
        return f32::INFINITY.copysign(a);
    }
    let twice = if x < 0.17 { artanh::<false>(x) } else { ln((1.0 + x) / (1.0 - x)) };
    narrow((0.5 * twice).copysign(f64::from(a)), || soft::atanh(a.to_bits()))
}
