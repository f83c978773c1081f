//! The inverse cosine in f64.
//!
//! Method: the angle of the point `(|a|, sqrt(1 - a^2))`, see [`angle`](super::angle); of a negative number its supplement.
//! Error: below 2^-49, relatively: near 1 the root is as exact as anywhere, as `1 - a` is. Source: textbook.

use super::angle::{angle, leg};
use super::{NAN, narrow};
use crate::arith::soft;

/// `acos a`, correctly rounded.
#[inline]
pub fn acos(a: f32) -> f32 {
    if a.is_nan() || a.abs() > 1.0 {
        return NAN;
    }
    let x = f64::from(a).abs();
    let angle = angle(leg(x), x);
    narrow(if a < 0.0 { std::f64::consts::PI - angle } else { angle }, || soft::acos(a.to_bits()))
}
