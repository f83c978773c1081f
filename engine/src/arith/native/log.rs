//! The natural logarithm in f64.
//!
//! Method: `a = 2^k f` with f in [sqrt(1/2), sqrt(2)), and `ln f = 2 artanh(s)`, `s = (f - 1) / (f + 1)`, by the series up to
//! s^23, whose rest is below 2^-60.
//! Error: below 2^-49, relatively: near 1 there is only the series, and f - 1 is exact. Source: textbook.

use super::{LN_2_HIGH, LN_2_LOW, NAN, narrow, polynomial};
use crate::arith::soft;

/// The bits of sqrt(1/2).
const ROOT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
const FRACTION: u64 = (1 << 52) - 1;

/// `1 / (2 i + 1)` from i = 11 down to 0.
const ODD_INVERSES: [f64; 12] = [
    1.0 / 23.0,
    1.0 / 21.0,
    1.0 / 19.0,
    1.0 / 17.0,
    1.0 / 15.0,
    1.0 / 13.0,
    1.0 / 11.0,
    1.0 / 9.0,
    1.0 / 7.0,
    1.0 / 5.0,
    1.0 / 3.0,
    1.0,
];

/// `ln a`, correctly rounded.
#[inline]
pub fn log(a: f32) -> f32 {
    if a <= 0.0 || a.is_nan() || a == f32::INFINITY {
        return if a == 0.0 {
            f32::NEG_INFINITY
        } else if a > 0.0 {
            a
        } else {
            NAN
        };
    }
    // Every f32 is a normal f64.
    let bits = f64::from(a).to_bits();
    let k = (bits.wrapping_sub(ROOT_HALF) as i64) >> 52;
    let f = f64::from_bits((bits.wrapping_sub(ROOT_HALF) & FRACTION) + ROOT_HALF);
    let k = k as f64;
    let s = (f - 1.0) / (f + 1.0);
    let series = 2.0 * s * polynomial(&ODD_INVERSES, s * s);
    narrow(k * LN_2_HIGH + (k * LN_2_LOW + series), || soft::log(a.to_bits()))
}
