//! The square root, correctly rounded.
//!
//! Source: IEEE-754-2019, 5.4.1. The integer root of a radicand of 49 or 50 bits has 25 bits and is never half way.

use super::pack::unpack;
use super::{INF, MAGNITUDE, NAN, SIGN, is_nan};

/// The square root; that of -0 is -0, that of other negative numbers is NaN.
pub fn sqrt(a: u32) -> u32 {
    if is_nan(a) {
        return NAN;
    }
    if a & MAGNITUDE == 0 || a == INF {
        return a;
    }
    if a & SIGN != 0 {
        return NAN;
    }
    let (m, e) = unpack(a);
    let shift = m.leading_zeros() as i32 - 8;
    let (m, e) = (u64::from(m) << shift, e - shift);
    let root = (m << (26 - (e & 1))).isqrt();
    // The exponent field, less the one that the significand's leading bit adds.
    ((((e + 125) >> 1) as u32) << 23) + ((root + 1) >> 1) as u32
}
