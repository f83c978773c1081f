//! The inverse tangent in f64.
//!
//! Method: the angle of the point `(1, |a|)`, see [`angle`](super::angle). Below 2^-12 the result is `a`.
//! Error: below 2^-49, relatively. Source: textbook.

use super::angle::angle;
use super::{NAN, narrow};
use crate::arith::soft;

/// From here on the result is the f32 nearest to `pi / 2`, which is more than 2^-27 away from where rounding turns.
const LARGE: f64 = (1u64 << 60) as f64;

/// `atan a`, correctly rounded.
#[inline]
pub fn atan(a: f32) -> f32 {
    if a.is_nan() {
        return NAN;
    }
    if a.abs() < 1.0 / 4096.0 {
        return a;
    }
    let y = f64::from(a).abs().min(LARGE);
    narrow(angle(y, 1.0).copysign(f64::from(a)), || soft::atan(a.to_bits()))
}
