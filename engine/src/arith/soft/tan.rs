//! The tangent.
//!
//! Domain: finite numbers; that of an infinity is NaN.
//! Method: one division of the sine and the cosine, see [`circle`](super::circle). Below 2^-12 the result is `a`: the distance
//! `a^3 / 3` is less than half a unit.
//! Error: below 2^-95, relatively, before the one rounding: the smallest sine and the smallest quotient keep 97 bits.
//! Source: textbook.

use super::circle::Reduced;
use super::pack::pack;
use super::{INF, MAGNITUDE, NAN, SIGN};

/// `tan a`.
pub fn tan(a: u32) -> u32 {
    let e = a >> 23 & 0xff;
    if e < 115 {
        return a;
    }
    if a & MAGNITUDE >= INF {
        return NAN;
    }
    let reduced = Reduced::new(a);
    // Both with 128 fractional bits; their quotient has 127.
    let sine = reduced.sine_of_theta() >> 124;
    let cosine = reduced.cosine_of_theta() << 4;
    let odd = reduced.quadrant & 1 != 0;
    let quotient = if odd { (cosine << 127) / sine } else { (sine << 127) / cosine };
    pack((a & SIGN != 0) != (reduced.negative != odd), quotient, 22)
}
