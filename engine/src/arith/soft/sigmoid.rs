//! The logistic function.
//!
//! Domain: every f32. Outside of |a| < 128 the result is 1 or +0: the range ends before that.
//! Method: `1 / (1 + y)` or `y / (1 + y)` with `y = exp(-|a|)` in fixed point; the exponent of the second form's numerator is
//! kept apart, so that small results keep their precision.
//! Error: below 2^-90, relatively, before the one rounding. The nearest approach to a rounding boundary is 2^-52.6 units, at -2^-24.
//! Source: the definition.

use ruint::aliases::U256;

use super::exp::{exp2k, fixed_point};
use super::pack::pack;
use super::{NAN, ONE, SIGN, is_nan};

/// `1 / (1 + e^-a)`.
pub fn sigmoid(a: u32) -> u32 {
    if is_nan(a) {
        return NAN;
    }
    let negative = a & SIGN != 0;
    let e = (a >> 23 & 0xff) as i32;
    if e >= 134 {
        return if negative { 0 } else { ONE };
    }
    let (p, k) = exp2k(-fixed_point(a, e));
    let y = p.checked_shr(-k as u32).unwrap_or(0);
    let divisor = U256::from((1 << 126) + y);
    if negative {
        pack(false, (U256::from(p) << 120) / divisor, k + 29)
    } else {
        pack(false, (U256::ONE << 246) / divisor, 29)
    }
}
