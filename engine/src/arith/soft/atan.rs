//! The inverse tangent.
//!
//! Domain: every f32.
//! Method: the angle of the point `(1, |a|)`, or of a multiple of it, in fixed point, see [`angle`](super::angle). Below 2^-12 the result is
//! `a`: the distance `a^3 / 3` is less than half a unit, also below a power of two, where units are smaller.
//! Error: below 2^-100, relatively, before the one rounding.
//! Source: textbook.

use ruint::aliases::U256;

use super::angle::angle;
use super::pack::{pack, unpack};
use super::{NAN, SIGN, is_nan};

/// `atan a`.
pub fn atan(a: u32) -> u32 {
    if is_nan(a) {
        return NAN;
    }
    let (m, e) = unpack(a);
    if e < 115 {
        return a;
    }
    let m = u128::from(m);
    let (y, x) = match e {
        ..127 => (m << (e - 30), 1 << 120),
        // From 2^120 on x is 0, as if a were infinite.
        _ => (m << 96, 1 << 119 >> (e - 127).min(127)),
    };
    pack(a & SIGN != 0, U256::from(angle(y, x)), 25)
}
