//! The cosine in f64.
//!
//! Method: the sine a quarter of a turn further, see [`circle`](super::circle).
//! Error: below 2^-49, relatively. Source: textbook.

use super::circle::{reduce, turned};
use super::{NAN, narrow};
use crate::arith::soft;

/// `cos a`, correctly rounded.
#[inline]
pub fn cos(a: f32) -> f32 {
    if !a.is_finite() {
        return NAN;
    }
    // The distance `a^2 / 2` is less than half a unit.
    if a.abs() < 1.0 / 4096.0 {
        return 1.0;
    }
    let (quadrant, r) = reduce(a);
    narrow(turned(quadrant.wrapping_add(1), r), || soft::cos(a.to_bits()))
}
