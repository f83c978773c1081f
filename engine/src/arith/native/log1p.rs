//! The natural logarithm of a number increased by 1 in f64.
//!
//! Method: `2 artanh(a / (2 + a))` next to 0, elsewhere the logarithm of `1 + a`. Below 2^-24 the result is `a`.
//! Error: below 2^-49, relatively. Source: the definition.

use super::log::ln_1p;
use super::{NAN, narrow};
use crate::arith::soft;

/// `ln(1 + a)`, correctly rounded.
#[inline]
pub fn log1p(a: f32) -> f32 {
    if a.abs() < 1.0 / 16_777_216.0 || a == f32::INFINITY {
        return a;
    }
    if a.is_nan() || a <= -1.0 {
        return if a == -1.0 { f32::NEG_INFINITY } else { NAN };
    }
    narrow(ln_1p(a.into()), || soft::log1p(a.to_bits()))
}
