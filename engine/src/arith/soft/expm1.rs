//! The exponential less 1.
//!
//! Domain: every f32. From 128 on the result is +inf, from -128 down -1. Below 2^-24 it is `a`: the distance `a^2 / 2` is less than
//! half a unit.
//! Method: `exp(a) - 1` in fixed point, with the exponent of large results kept apart.
//! Error: below 2^-88, relatively, before the one rounding: of 1 the exponential's error is below 2^-118 + 2^-75 |a|^10 for
//! |a| < ln 2 / 2, and below 2^-91 from there on.
//! Source: the definition.

use ruint::aliases::U256;

use super::exp::{exp2k, fixed_point};
use super::pack::pack;
use super::{INF, NAN, ONE, SIGN, is_nan};

/// `e^a - 1`.
pub fn expm1(a: u32) -> u32 {
    if is_nan(a) {
        return NAN;
    }
    let negative = a & SIGN != 0;
    let e = (a >> 23 & 0xff) as i32;
    if e < 103 {
        return a;
    }
    if e >= 134 {
        return if negative { SIGN | ONE } else { INF };
    }
    let x = fixed_point(a, e);
    let (p, k) = exp2k(if negative { -x } else { x });
    let (p, one) = (U256::from(p), U256::ONE << 126);
    if negative { pack(true, one - (p >> -k), 23) } else { pack(false, p - (one >> k), k + 23) }
}
