//! The softplus function in f64.
//!
//! Method: `max(a, 0) + ln(1 + y)` with `y = exp(-|a|)`: nothing cancels.
//! Error: below 2^-49, relatively. Source: the definition.

use super::exp::parts;
use super::log::ln_1p;
use super::{NAN, narrow};
use crate::arith::soft;

/// `ln(1 + e^a)`, correctly rounded.
#[inline]
pub fn softplus(a: f32) -> f32 {
    if a.is_nan() {
        return NAN;
    }
    if a >= 128.0 {
        return a;
    }
    // The result is zero long before -128.
    let (scale, q) = parts::<false>(-f64::from(a).abs().min(128.0));
    let logarithm = ln_1p(scale + scale * q);
    narrow(f64::from(a.max(0.0)) + logarithm, || soft::softplus(a.to_bits()))
}
