//! The logarithm with base 2 in f64.
//!
//! Method: the exponent, exactly, and the natural logarithm of the rest times `1 / ln 2`.
//! Error: below 2^-49, relatively; at powers of two none. Source: the definition.

use std::f64::consts::LOG2_E;

use super::log::parts;
use super::{NAN, narrow};
use crate::arith::soft;

/// `log a / log 2`, correctly rounded.
#[inline]
pub fn log2(a: f32) -> f32 {
    if a <= 0.0 || a.is_nan() || a == f32::INFINITY {
        return if a == 0.0 {
            f32::NEG_INFINITY
        } else if a > 0.0 {
            a
        } else {
            NAN
        };
    }
    let (k, rest) = parts::<false>(a.into());
    narrow(k + rest * LOG2_E, || soft::log2(a.to_bits()))
}
