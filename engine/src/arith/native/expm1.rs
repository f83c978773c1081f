//! The exponential less 1 in f64.
//!
//! Method: `(scale - 1) + scale q`, which keeps the small results relatively exact. Below 2^-24 the result is `a`.
//! Error: below 2^-49, relatively. Source: the definition.

use super::exp::parts;
use super::{NAN, narrow};
use crate::arith::soft;

/// `e^a - 1`, correctly rounded.
#[inline]
pub fn expm1(a: f32) -> f32 {
    if a.is_nan() {
        return NAN;
    }
    if a.abs() < 1.0 / 16_777_216.0 {
        return a;
    }
    // The result is infinite or -1 long before 128.
    let (scale, q) = parts::<false>(f64::from(a).clamp(-128.0, 128.0));
    narrow((scale - 1.0) + scale * q, || soft::expm1(a.to_bits()))
}
