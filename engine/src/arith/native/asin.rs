//! The inverse sine in f64.
//!
//! Method: the angle of the point `(sqrt(1 - a^2), |a|)`, see [`angle`](super::angle). Below 2^-12 the result is `a`.
//! Error: below 2^-49, relatively. Source: textbook.

use super::angle::{angle, leg};
use super::{NAN, narrow};
use crate::arith::soft;

/// `asin a`, correctly rounded.
#[inline]
pub fn asin(a: f32) -> f32 {
    if a.is_nan() || a.abs() > 1.0 {
        return NAN;
    }
    if a.abs() < 1.0 / 4096.0 {
        return a;
    }
    let y = f64::from(a).abs();
    narrow(angle(y, leg(y)).copysign(f64::from(a)), || soft::asin(a.to_bits()))
}
