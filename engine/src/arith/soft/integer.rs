//! Rounding to integral values and conversions from and to integers.
//!
//! Source: IEEE-754-2019, 5.3.1 and 5.4.1. Saturation and the integer of a NaN are this project's choice.

use ruint::aliases::U256;

use super::pack::{pack, unpack};
use super::{MAGNITUDE, ONE, SIGN, canonical, is_nan};

/// Towards zero.
pub fn trunc(a: u32) -> u32 {
    match a >> 23 & 0xff {
        ..127 => a & SIGN,
        e @ 127..150 => a & !fraction(e),
        _ => canonical(a),
    }
}

/// Towards minus infinity.
pub fn floor(a: u32) -> u32 {
    away_on(SIGN, a)
}

/// Towards plus infinity.
pub fn ceil(a: u32) -> u32 {
    away_on(0, a)
}

/// To the nearest integer, half way to the even one.
pub fn round_even(a: u32) -> u32 {
    match a >> 23 & 0xff {
        ..126 => a & SIGN,
        // In [1/2, 1) only 1/2 itself goes to 0.
        126 => a & SIGN | if a & 0x7f_ffff == 0 { 0 } else { ONE },
        e @ 127..150 => {
            let rest = fraction(e);
            // The lowest kept bit; for [1, 2) it is the exponent's, which is odd as the hidden bit is.
            let odd = u32::from(a & (rest + 1) != 0);
            (a + (rest >> 1) + odd) & !rest
        }
        _ => canonical(a),
    }
}

/// The bits below 1 of a number with exponent field `e` in 127..150.
fn fraction(e: u32) -> u32 {
    (1 << (150 - e)) - 1
}

/// Away from zero for numbers with this sign bit, towards zero for the others.
fn away_on(sign: u32, a: u32) -> u32 {
    let away = a & SIGN == sign;
    match a >> 23 & 0xff {
        ..127 if away && a & MAGNITUDE != 0 => a & SIGN | ONE,
        ..127 => a & SIGN,
        e @ 127..150 => {
            let rest = fraction(e);
            (if away { a + rest } else { a }) & !rest
        }
        _ => canonical(a),
    }
}

/// The f32 nearest to an integer.
pub fn from_i64(x: i64) -> u32 {
    if x == 0 { 0 } else { pack(x < 0, U256::from(x.unsigned_abs()) << 24, 125) }
}

/// Truncated and saturated to `lo..=hi`, which should hold 0; NaN gives 0.
pub fn to_int(a: u32, lo: i64, hi: i64) -> i64 {
    let (m, e) = unpack(a);
    if is_nan(a) || e < 127 {
        return 0;
    }
    // From 2^64 on everything saturates.
    let x = if e > 191 { 1 << 64 } else { i128::from(m) << (e - 127) >> 23 };
    let x = if a & SIGN != 0 { -x } else { x };
    if x < i128::from(lo) {
        lo
    } else if x > i128::from(hi) {
        hi
    } else {
        x as i64
    }
}
