//! The inverse cosine.
//!
//! Domain: -1 to 1; beyond the result is NaN. That of 1 is +0.
//! Method: the angle of the point `(|a|, sqrt(1 - a^2))` in fixed point, see [`angle`](super::angle); of a negative number its
//! supplement.
//! Error: below 2^-100, relatively, before the one rounding: the smallest result but 0 is above 2^-12, and the root has 108 bits there.
//! Source: textbook.

use ruint::aliases::U256;

use super::angle::{angle, leg, supplement};
use super::exp::fixed_point;
use super::pack::pack;
use super::{MAGNITUDE, NAN, ONE, SIGN};

/// `acos a`.
pub fn acos(a: u32) -> u32 {
    let negative = a & SIGN != 0;
    if a & MAGNITUDE >= ONE {
        if a & MAGNITUDE > ONE {
            return NAN;
        }
        // pi and 0 at the ends.
        return if negative { 0x4049_0fdb } else { 0 };
    }
    let x = fixed_point(a, (a >> 23 & 0xff) as i32) as u128;
    pack(false, U256::from(supplement(angle(leg(x), x), negative)), 25)
}
