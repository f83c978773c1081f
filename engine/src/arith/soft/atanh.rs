//! The inverse hyperbolic tangent.
//!
//! Domain: -1 to 1, whose values are infinite; beyond there is NaN. Below 2^-12 the result is `a`: the distance `a^3 / 3` is less
//! than half a unit.
//! Method: `ln((1 + |a|) / (1 - |a|)) / 2`, in a quotient with 200 fractional bits.
//! Error: below 2^-95, relatively, before the one rounding.
//! Source: the definition.

use ruint::aliases::U256;

use super::log::ln;
use super::pack::pack;
use super::{INF, MAGNITUDE, NAN, ONE, SIGN};

/// `atanh a`.
pub fn atanh(a: u32) -> u32 {
    let e = a >> 23 & 0xff;
    if e < 115 {
        return a;
    }
    if e >= 127 {
        return if a & MAGNITUDE == ONE { a & SIGN | INF } else { NAN };
    }
    let one = 1u64 << 35;
    let x = u64::from(a & 0x7f_ffff | 0x80_0000) << (e - 115);
    let quotient = (U256::from(one + x) << 200) / U256::from(one - x);
    pack(a & SIGN != 0, ln(quotient, -200), 24)
}
