//! The sine in f64.
//!
//! Method: reduction to an eighth of a turn and a series, see [`circle`](super::circle). Below 2^-12 the result is `a`.
//! Error: below 2^-49, relatively. Source: textbook.

use super::circle::{reduce, turned};
use super::{NAN, narrow};
use crate::arith::soft;

/// `sin a`, correctly rounded.
#[inline]
pub fn sin(a: f32) -> f32 {
    if !a.is_finite() {
        return NAN;
    }
    if a.abs() < 1.0 / 4096.0 {
        return a;
    }
    let (quadrant, r) = reduce(a);
    narrow(turned(quadrant, r), || soft::sin(a.to_bits()))
}
