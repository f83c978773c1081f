//! The natural logarithm in f64.
//!
//! Method: `a = 2^k f` with f in [sqrt(1/2), sqrt(2)), and `ln f = 2 artanh(s)`, `s = (f - 1) / (f + 1)`, by the series up to
//! s^23, whose rest is below 2^-60.
//! Error: below 2^-49, relatively: near 1 there is only the series, and f - 1 is exact. Source: textbook.

use super::{LN_2_HIGH, LN_2_LOW, multiply_add, narrow, polynomial};
use crate::arith::soft;

/// The bits of sqrt(1/2), and of 1.
const ROOT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
const ONE: u64 = 0x3ff0_0000_0000_0000;
const FRACTION: u64 = (1 << 52) - 1;
/// 2^52, whose lowest bits hold an integer, and what the integers below are too large by.
const INTEGER: u64 = 0x4330_0000_0000_0000;
const BIAS: f64 = (1u64 << 52) as f64 + 1023.0;

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
    narrow(wide::<false>(a.into()), || soft::log(a.to_bits()))
}

/// `ln x` of an f32: every one of them is a normal f64, or 0.
#[inline(always)]
pub(super) fn wide<const FUSED: bool>(x: f64) -> f64 {
    let (k, rest) = parts::<FUSED>(x);
    let y = k * LN_2_HIGH + multiply_add::<FUSED>(k, LN_2_LOW, rest);
    let y = if x == f64::INFINITY { x } else { y };
    let y = if x == 0.0 { f64::NEG_INFINITY } else { y };
    if x >= 0.0 { y } else { f64::NAN }
}

/// `ln x` for a positive normal number.
#[inline(always)]
pub(super) fn ln(x: f64) -> f64 {
    let (k, rest) = parts::<false>(x);
    k * LN_2_HIGH + (k * LN_2_LOW + rest)
}

/// `ln x = k ln 2 + rest` for a positive normal number; the rest is relatively exact.
#[inline(always)]
pub(super) fn parts<const FUSED: bool>(x: f64) -> (f64, f64) {
    let (k, f) = split(x);
    (k, artanh::<FUSED>((f - 1.0) / (f + 1.0)))
}

/// `x = 2^k f` for a positive normal number, with f in [sqrt(1/2), sqrt(2)).
#[inline(always)]
pub(super) fn split(x: f64) -> (f64, f64) {
    let rest = x.to_bits().wrapping_sub(ROOT_HALF);
    // k + 1023 in the lowest bits of a number: not every vector unit converts integers of 64 bits.
    let k = f64::from_bits(rest.wrapping_add(ONE) >> 52 | INTEGER) - BIAS;
    (k, f64::from_bits((rest & FRACTION) + ROOT_HALF))
}

/// `ln(1 + x)` for `x > -1`: where x is small 1 + x would lose its last bits, and elsewhere they do not count.
#[inline(always)]
pub(super) fn ln_1p(x: f64) -> f64 {
    if (-0.29..0.41).contains(&x) { artanh::<false>(x / (2.0 + x)) } else { ln(1.0 + x) }
}

/// `2 artanh(s)` for |s| < 0.1716.
#[inline(always)]
pub(super) fn artanh<const FUSED: bool>(s: f64) -> f64 {
    2.0 * s * polynomial::<FUSED, _>(&ODD_INVERSES, s * s)
}
