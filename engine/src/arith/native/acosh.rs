//! The inverse hyperbolic cosine in f64.
//!
//! Method: `ln(1 + u)` with `u = d + sqrt(d (d + 2))` and `d = a - 1`, which is exact where it is small: nothing cancels.
//! Error: below 2^-49, relatively. Source: the definition.

use super::log::ln_1p;
use super::{NAN, narrow};
use crate::arith::soft;

/// `acosh a`, correctly rounded.
#[inline]
pub fn acosh(a: f32) -> f32 {
    if a.is_nan() || a < 1.0 {
        return NAN;
    }
    if a == f32::INFINITY {
        return a;
    }
    let d = f64::from(a) - 1.0;
    narrow(ln_1p(d + (d * (d + 2.0)).sqrt()), || soft::acosh(a.to_bits()))
}
