//! The reciprocal: the hardware's division.

use super::{canonical, div};

/// `1 / a`, correctly rounded; that of a zero is infinite with its sign.
#[inline]
pub fn reciprocal(a: f32) -> f32 {
    canonical(div(1.0, a))
}
