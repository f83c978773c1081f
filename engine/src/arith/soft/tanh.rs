//! The hyperbolic tangent.
//!
//! Domain: every f32.
//! Method: `(1 - y) / (1 + y)` with `y = exp(-2 |a|)` in fixed point with 126 fractional bits. Below 2^-12 the result is `a`:
//! the distance `a^3 / 3` is less than half a unit. From 16 on it is 1.
//! Error: below 2^-89, relatively, before the one rounding: `1 - y` keeps 114 bits at 2^-12, where the error of `y` is smallest.
//! Source: the definition.

use ruint::aliases::U256;

use super::exp::{exp2k, fixed_point};
use super::pack::pack;
use super::{NAN, ONE, SIGN, is_nan};

/// `tanh a`.
pub fn tanh(a: u32) -> u32 {
    if is_nan(a) {
        return NAN;
    }
    let e = (a >> 23 & 0xff) as i32;
    if e < 115 {
        return a;
    }
    if e >= 131 {
        return a & SIGN | ONE;
    }
    let (p, k) = exp2k(-fixed_point(a, e + 1));
    let y = p >> -k;
    let quotient = (U256::from((1 << 126) - y) << 120) / U256::from((1 << 126) + y);
    pack(a & SIGN != 0, quotient, 29)
}
