//! The reciprocal square root in f64.
//!
//! Method: the definition. Error: below 2^-52, relatively. Source: the definition.

use super::narrow;
use crate::arith::soft;

/// `1 / sqrt(a)`, correctly rounded; that of a zero is infinite with its sign.
#[inline]
pub fn rsqrt(a: f32) -> f32 {
    narrow(wide::<false>(a.into()), || soft::rsqrt(a.to_bits()))
}

/// `1 / sqrt(x)`; a NaN stays one.
#[inline(always)]
pub(super) fn wide<const FUSED: bool>(x: f64) -> f64 {
    1.0 / x.sqrt()
}
