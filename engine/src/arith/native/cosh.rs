//! The hyperbolic cosine in f64.
//!
//! Method: `(p + 1 / p) / 2` with `p = exp |a|`. Error: below 2^-50, relatively. Source: the definition.

use super::exp::parts;
use super::{NAN, narrow};
use crate::arith::soft;

/// `cosh a`, correctly rounded.
#[inline]
pub fn cosh(a: f32) -> f32 {
    if a.is_nan() {
        return NAN;
    }
    // The result is infinite long before 128.
    let (scale, q) = parts::<false>(f64::from(a).abs().min(128.0));
    let p = scale + scale * q;
    narrow(0.5 * (p + 1.0 / p), || soft::cosh(a.to_bits()))
}
