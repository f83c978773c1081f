//! The softplus function.
//!
//! Domain: every f32. From 128 on the result is `a`, from -128 down +0.
//! Method: with `y = exp(-|a|)` in fixed point, `a + ln(1 + y)` for positive numbers and `ln(1 + y)` for negative ones; below
//! -17.0, where y is less than 2^-24, the latter by its series `y (1 - y / 2 + y^2 / 3 - y^3 / 4)` with the exponent of y apart, so that
//! small results keep their precision.
//! Error: below 2^-90, relatively, before the one rounding: the series leaves out less than 2^-100, and the logarithm keeps 97 bits.
//! Source: the definition.

use ruint::aliases::U256;

use super::exp::{exp2k, fixed_point};
use super::log::ln;
use super::pack::pack;
use super::{NAN, SIGN, is_nan};

const THIRD: U256 = U256::from_limbs([0x5555_5555_5555_5555, 0x1555_5555_5555_5555, 0, 0]);

/// `ln(1 + e^a)`.
pub fn softplus(a: u32) -> u32 {
    if is_nan(a) {
        return NAN;
    }
    let negative = a & SIGN != 0;
    let e = (a >> 23 & 0xff) as i32;
    if e >= 134 {
        return if negative { 0 } else { a };
    }
    let x = fixed_point(a, e);
    let (p, k) = exp2k(-x);
    let p = U256::from(p);
    let y = p >> -k;
    let one = U256::ONE << 126;
    if negative && k < -24 {
        let t = THIRD - (y >> 2);
        let t = (one >> 1) - ((y * t) >> 126);
        let t = one - ((y * t) >> 126);
        return pack(false, (p * t) >> 126, k + 23);
    }
    let logarithm = ln(one + y, -126);
    pack(false, if negative { logarithm } else { logarithm + (U256::from(x) << 4) }, 25)
}
