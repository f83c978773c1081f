//! The inverse hyperbolic sine.
//!
//! Domain: every f32. Below 2^-12 the result is `a`: the distance `a^3 / 6` is less than half a unit.
//! Method: `ln(|a| + sqrt(a^2 + 1))`; the radicand is an exact integer, its root has 126 bits.
//! Error: below 2^-95, relatively, before the one rounding: the logarithm's argument has an error below 2^-123.
//! Source: the definition.

use ruint::aliases::U256;

use super::fixed::root;
use super::log::ln;
use super::pack::pack;
use super::{NAN, SIGN, is_nan};

/// `asinh a`.
pub fn asinh(a: u32) -> u32 {
    if is_nan(a) {
        return NAN;
    }
    let e = (a >> 23 & 0xff) as i32;
    if e < 115 || e == 255 {
        return a;
    }
    let (x, one, f) = squarable(a, e);
    pack(a & SIGN != 0, ln(x + root(x * x + one), -f), 25)
}

/// `|a| = x 2^-f` with `x < 2^126`, and `2^(2 f)`, which is 1 beside the square of x and counts nothing if f is negative; for an
/// exponent field `e >= 24`.
pub(super) fn squarable(a: u32, e: i32) -> (U256, U256, i32) {
    let f = (252 - e).min(126);
    let x = U256::from(a & 0x7f_ffff | 0x80_0000) << (e - 150 + f);
    (x, if f < 0 { U256::ZERO } else { U256::ONE << (2 * f) }, f)
}
