//! The sine.
//!
//! Domain: finite numbers; that of an infinity is NaN.
//! Method: see [`circle`](super::circle). Below 2^-12 the result is `a`: the distance `a^3 / 6` is less than half a unit, also below a
//! power of two, where units are smaller.
//! Error: below 2^-96, relatively, before the one rounding.
//! Source: textbook.

use super::circle::Reduced;
use super::{INF, MAGNITUDE, NAN, SIGN};

/// `sin a`.
pub fn sin(a: u32) -> u32 {
    let e = a >> 23 & 0xff;
    if e < 115 {
        return a;
    }
    if a & MAGNITUDE >= INF {
        return NAN;
    }
    let reduced = Reduced::new(a);
    reduced.sine(reduced.quadrant, a & SIGN != 0)
}
