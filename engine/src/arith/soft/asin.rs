//! The inverse sine.
//!
//! Domain: -1 to 1; beyond the result is NaN.
//! Method: the angle of the point `(sqrt(1 - a^2), |a|)` in fixed point, see [`angle`](super::angle). Below 2^-12 the result is `a`:
//! the distance `a^3 / 6` is less than half a unit.
//! Error: below 2^-100, relatively, before the one rounding.
//! Source: textbook.

use ruint::aliases::U256;

use super::angle::{angle, leg};
use super::exp::fixed_point;
use super::pack::pack;
use super::{MAGNITUDE, NAN, ONE, SIGN};

/// `asin a`.
pub fn asin(a: u32) -> u32 {
    let e = (a >> 23 & 0xff) as i32;
    if e < 115 {
        return a;
    }
    if a & MAGNITUDE >= ONE {
        // pi / 2 at the end.
        return if a & MAGNITUDE == ONE { a & SIGN | 0x3fc9_0fdb } else { NAN };
    }
    let y = fixed_point(a, e) as u128;
    pack(a & SIGN != 0, U256::from(angle(y, leg(y))), 25)
}
