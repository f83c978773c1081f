//! The exponential with base 2.
//!
//! Domain: every f32. From 128 on the result is +inf, from -150 down +0. Below 2^-25 it is 1: `|a| ln 2` is less than half a unit
//! on either side.
//! Method: `a = k + f` exactly, then `exp(f ln 2 / 2)` by the series of the exponential, squared. Integers have f = 0 and are exact.
//! Error: below 2^-98, relatively, before the one rounding.
//! Source: the definition.

use ruint::aliases::U256;

use super::exp::{LN_2, exp64};
use super::fixed::{mul_shift, square_shift};
use super::pack::pack;
use super::{INF, NAN, ONE, SIGN, is_nan};

/// `2^a`.
pub fn exp2(a: u32) -> u32 {
    if is_nan(a) {
        return NAN;
    }
    let negative = a & SIGN != 0;
    let e = a >> 23 & 0xff;
    if e >= 135 {
        return if negative { 0 } else { INF };
    }
    if e < 102 {
        return ONE;
    }
    // 119 fractional bits hold |a| < 2^8 exactly.
    let magnitude = i128::from(a & 0x7f_ffff | 0x80_0000) << (e - 31);
    let x = if negative { -magnitude } else { magnitude };
    let k = ((x >> 118) + 1) >> 1;
    // Next to 256 k does not fit, but the difference does.
    let f = x.wrapping_sub(k << 119);
    pack(false, U256::from(exp2_fraction(f << 7)), k as i32 + 23)
}

/// `2^f` with 126 fractional bits, as `f` has, for `|f| <= 1/2`.
pub(super) fn exp2_fraction(f: i128) -> u128 {
    // Read with 126 fractional bits, f ln 2 with 119 of them is its 128th.
    square_shift(exp64(mul_shift(f, LN_2, 127)), 126)
}
