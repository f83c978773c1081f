//! The reciprocal square root in f64.
//!
//! Method: the definition. Error: below 2^-52, relatively. Source: the definition.

use super::{NAN, narrow};
use crate::arith::soft;

/// `1 / sqrt(a)`, correctly rounded; that of a zero is infinite with its sign.
#[inline]
pub fn rsqrt(a: f32) -> f32 {
    if a.is_nan() || a < 0.0 {
        return NAN;
    }
    narrow(1.0 / f64::from(a).sqrt(), || soft::rsqrt(a.to_bits()))
}
