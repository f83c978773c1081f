//! The natural logarithm of a number increased by 1.
//!
//! Domain: from -1 on; that of -1 is -inf, below there is NaN. Below 2^-24 the result is `a`: the distance `a^2 / 2` is less than
//! half a unit.
//! Method: the logarithm of `1 + a`, which is an exact integer with 47 fractional bits.
//! Error: below 2^-95, relatively (from 2^-24 on there are 98 bits), before the one rounding.
//! Source: the definition.

use ruint::aliases::U256;

use super::log::ln;
use super::pack::{pack_twos, unpack};
use super::{INF, NAN, ONE, SIGN, is_nan};

/// `ln(1 + a)`.
pub fn log1p(a: u32) -> u32 {
    if is_nan(a) {
        return NAN;
    }
    let (m, e) = unpack(a);
    if e < 103 || a == INF {
        return a;
    }
    let negative = a & SIGN != 0;
    if negative && e >= 127 {
        return if a == SIGN | ONE { SIGN | INF } else { NAN };
    }
    let (one, m) = (U256::ONE << 47, U256::from(m) << (e - 103));
    pack_twos(ln(if negative { one - m } else { one + m }, -47), 25)
}
