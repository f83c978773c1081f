//! The inverse hyperbolic sine in f64.
//!
//! Method: `ln(1 + u)` with `u = x + x^2 / (1 + sqrt(x^2 + 1))` and `x = |a|`: nothing cancels. Below 2^-12 the result is `a`.
//! Error: below 2^-49, relatively. Source: the definition.

use super::log::ln_1p;
use super::{NAN, narrow};
use crate::arith::soft;

/// `asinh a`, correctly rounded.
#[inline]
pub fn asinh(a: f32) -> f32 {
    if a.is_nan() {
        return NAN;
    }
    if a.abs() < 1.0 / 4096.0 || a.is_infinite() {
        return a;
    }
    let x = f64::from(a).abs();
    let square = x * x;
    let u = x + square / (1.0 + (square + 1.0).sqrt());
    narrow(ln_1p(u).copysign(f64::from(a)), || soft::asinh(a.to_bits()))
}
