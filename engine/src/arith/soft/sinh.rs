//! The hyperbolic sine.
//!
//! Domain: every f32. From 128 on the result is infinite. Below 2^-12 it is `a`: the distance `a^3 / 6` is less than half a unit.
//! Method: `(p - 1 / p) / 2` with `p = exp |a|` in fixed point, whose exponent is kept apart.
//! Error: below 2^-88, relatively, before the one rounding: of 1 the exponential's error is below 2^-118 + 2^-75 |a|^10 for
//! |a| < ln 2 / 2.
//! Source: the definition.

use ruint::aliases::U256;

use super::exp::{exp2k, fixed_point};
use super::pack::pack;
use super::{INF, NAN, SIGN, is_nan};

/// `sinh a`.
pub fn sinh(a: u32) -> u32 {
    if is_nan(a) {
        return NAN;
    }
    let e = (a >> 23 & 0xff) as i32;
    if e < 115 {
        return a;
    }
    if e >= 134 {
        return a & SIGN | INF;
    }
    let (p, inverse, k) = pair(a, e);
    pack(a & SIGN != 0, p - inverse, k + 22)
}

/// `exp |a| = p 2^(k - 126)` and its inverse in the same unit, for an exponent field `e < 134`.
pub(super) fn pair(a: u32, e: i32) -> (U256, U256, i32) {
    let (p, k) = exp2k(fixed_point(a, e));
    let p = U256::from(p);
    (p, ((U256::ONE << 252) / p) >> (2 * k), k)
}
