//! The hyperbolic tangent in f64.
//!
//! Method: `-d / (2 + d)` with `d = exp(-2 |a|) - 1` without cancellation. Below 2^-12 the result is `a`.
//! Error: below 2^-49, relatively. Source: the definition.

use super::exp::parts;
use super::{at_most, multiply_add, narrow};
use crate::arith::soft;

/// `tanh a`, correctly rounded.
#[inline]
pub fn tanh(a: f32) -> f32 {
    if a.abs() < 1.0 / 4096.0 {
        return a;
    }
    narrow(wide::<false>(a.into()), || soft::tanh(a.to_bits()))
}

/// `tanh x`, relatively exact also for small x; a NaN stays one.
#[inline(always)]
pub(super) fn wide<const FUSED: bool>(x: f64) -> f64 {
    // From 16 on the result is 1.
    let (scale, q) = parts::<FUSED>(-2.0 * at_most(x.abs(), 16.0));
    let d = multiply_add::<FUSED>(scale, q, scale - 1.0);
    (-d / (2.0 + d)).copysign(x)
}
