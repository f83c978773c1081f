//! The logistic function in f64.
//!
//! Method: `1 / (1 + y)` or `y / (1 + y)` with `y = exp(-|a|)`: no cancellation.
//! Error: below 2^-50, relatively. Source: the definition.

use super::exp::parts;
use super::{at_most, multiply_add, narrow};
use crate::arith::soft;

/// `1 / (1 + e^-a)`, correctly rounded.
#[inline]
pub fn sigmoid(a: f32) -> f32 {
    narrow(wide::<false>(a.into()), || soft::sigmoid(a.to_bits()))
}

/// `1 / (1 + e^-x)`; a NaN stays one.
#[inline(always)]
pub(super) fn wide<const FUSED: bool>(x: f64) -> f64 {
    // The result is 1 or zero long before 128.
    let (scale, q) = parts::<FUSED>(-at_most(x.abs(), 128.0));
    let y = multiply_add::<FUSED>(scale, q, scale);
    let numerator = if x < 0.0 { y } else { 1.0 };
    numerator / (1.0 + y)
}
