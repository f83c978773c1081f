//! The cosine.
//!
//! Domain: finite numbers; that of an infinity is NaN.
//! Method: the sine a quarter of a turn further, see [`circle`](super::circle). Below 2^-12 the result is 1: the distance `a^2 / 2` is
//! less than half a unit.
//! Error: below 2^-96, relatively, before the one rounding.
//! Source: textbook.

use super::circle::Reduced;
use super::{INF, MAGNITUDE, NAN, ONE};

/// `cos a`.
pub fn cos(a: u32) -> u32 {
    let e = a >> 23 & 0xff;
    if e < 115 {
        return ONE;
    }
    if a & MAGNITUDE >= INF {
        return NAN;
    }
    let reduced = Reduced::new(a);
    reduced.sine(reduced.quadrant + 1, false)
}
