//! The logistic function in f64.
//!
//! Method: `1 / (1 + y)` or `y / (1 + y)` with `y = exp(-|a|)`: no cancellation.
//! Error: below 2^-50, relatively. Source: the definition.

use super::exp::parts;
use super::{NAN, narrow};
use crate::arith::soft;

/// `1 / (1 + e^-a)`, correctly rounded.
#[inline]
pub fn sigmoid(a: f32) -> f32 {
    if a.is_nan() {
        return NAN;
    }
    // The result is 1 or zero long before 128.
    let (scale, q) = parts(-f64::from(a).abs().min(128.0));
    let y = scale + scale * q;
    let numerator = if a < 0.0 { y } else { 1.0 };
    narrow(numerator / (1.0 + y), || soft::sigmoid(a.to_bits()))
}
