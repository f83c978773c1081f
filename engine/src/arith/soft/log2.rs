//! The logarithm with base 2.
//!
//! Domain: positive numbers; that of a zero is -inf, that of a negative number NaN.
//! Method: the exponent, exactly, and the natural logarithm of the rest times `1 / ln 2`. Powers of two have a rest of 0.
//! Error: below 2^-95, relatively (near 1 there are 98 bits), before the one rounding.
//! Source: the definition; the constant is `2^124 / ln 2`, rounded.

use ruint::aliases::U256;

use super::fixed::{extend, mul_shift};
use super::log::split;
use super::pack::{pack_twos, unpack};
use super::{INF, MAGNITUDE, NAN, SIGN, is_nan};

pub(super) const LOG2_E: i128 = 0x1715_4765_2b82_fe17_77d0_ffda_0d23_a7d1;

/// `log a / log 2`.
pub fn log2(a: u32) -> u32 {
    if is_nan(a) {
        return NAN;
    }
    if a & MAGNITUDE == 0 {
        return SIGN | INF;
    }
    if a & SIGN != 0 {
        return NAN;
    }
    if a == INF {
        return a;
    }
    let (m, e) = unpack(a);
    let (power, rest) = split(U256::from(m), e - 150);
    let power: U256 = extend(power.into()) << 124;
    pack_twos(power.wrapping_add(extend(mul_shift(rest, LOG2_E, 124))), 25)
}
