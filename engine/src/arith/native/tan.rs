//! The tangent in f64.
//!
//! Method: one division of the sine and the cosine, see [`circle`](super::circle). Below 2^-12 the result is `a`.
//! Error: below 2^-48, relatively. Source: textbook.

use super::circle::{cosine, reduce, sine};
use super::{NAN, narrow};
use crate::arith::soft;

/// `tan a`, correctly rounded.
#[inline]
pub fn tan(a: f32) -> f32 {
    if !a.is_finite() {
        return NAN;
    }
    if a.abs() < 1.0 / 4096.0 {
        return a;
    }
    let (quadrant, r) = reduce(a);
    let (sine, cosine) = (sine(r), cosine(r));
    let y = if quadrant & 1 == 0 { sine / cosine } else { -cosine / sine };
    narrow(y, || soft::tan(a.to_bits()))
}
