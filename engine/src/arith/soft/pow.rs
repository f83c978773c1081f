//! The power.
//!
//! Domain: every pair of f32, with the special cases of IEEE 754-2019: `pow(a, ±0)` and `pow(1, b)` are 1 even for a NaN, a negative
//! base with an exponent that is not an integer gives NaN, odd integers keep its sign.
//! Method: results with at most 25 bits are computed exactly, which leaves no result half way between two f32; the others are
//! `2^(b log2 |a|)`. The logarithm is that of [`log`](super::log()) with 144 fractional bits.
//! Error: below 2^-96, relatively, before the one rounding: relatively 2^-104 in the logarithm, whose multiple is below 2^8.
//! This function is the definition: no proof covers all pairs. At random, the nearest approach to half way expected among the
//! 2^60 pairs with a finite result other than 1 is about 2^-85.
//! Source: the definition.

use ruint::aliases::U256;

use super::exp2::exp2_fraction;
use super::fixed::{extend, mul_shift, root};
use super::log::{artanh_ratio, eighth, ratio};
use super::log2::LOG2_E;
use super::pack::{pack, unpack};
use super::{INF, MAGNITUDE, NAN, ONE, SIGN, is_nan};

/// `a^b`.
pub fn pow(a: u32, b: u32) -> u32 {
    if b & MAGNITUDE == 0 || a == ONE {
        return ONE;
    }
    if is_nan(a) || is_nan(b) {
        return NAN;
    }
    let (x, y) = (a & MAGNITUDE, b & MAGNITUDE);
    let down = y != b;
    if y == INF {
        return match x {
            ONE => ONE,
            _ if (x < ONE) == down => INF,
            _ => 0,
        };
    }
    // |b| = n 2^v with an odd n.
    let (n, v) = odd(y);
    let sign = if v == 0 { a & SIGN } else { 0 };
    if x == 0 || x == INF {
        return sign | if (x == 0) == down { INF } else { 0 };
    }
    if x != a && v < 0 {
        return NAN;
    }
    // 3^16 has 26 bits: larger powers and roots of a 16th or less are not among the exact ones.
    if !down
        && n < 16
        && v >= -3
        && let Some((power, q)) = exact(x, n, v)
    {
        return pack(sign != 0, power, q);
    }
    let logarithm = log2(x);
    if logarithm.is_zero() {
        return sign | ONE;
    }
    let (m, e) = unpack(y);
    let product = logarithm.wrapping_mul(U256::from(m));
    let product = if down { product.wrapping_neg() } else { product };
    // From 2^41 on b is beyond the range with every logarithm but 0; below, its product has 126 fractional bits.
    let w = product.arithmetic_shr((168 - e).max(0) as usize);
    let k = (w.wrapping_add(U256::ONE << 125)).arithmetic_shr(126);
    if e >= 168 || k.wrapping_add(U256::from(255)) >= U256::from(511) {
        return sign | if product.bit(255) { 0 } else { INF };
    }
    let f = w.wrapping_sub(k << 126);
    let f = f.as_limbs()[0] as i128 | (f.as_limbs()[1] as i128) << 64;
    pack(sign != 0, U256::from(exp2_fraction(f)), k.as_limbs()[0] as i32 + 23)
}

/// The odd number and the power of two of which a finite positive number is the product.
fn odd(x: u32) -> (u32, i32) {
    let (m, e) = unpack(x);
    let zeros = m.trailing_zeros();
    (m >> zeros, e - 150 + zeros as i32)
}

/// `x^(n 2^v)` for [`pack`], if its odd part is below 2^25 and not 1, whose powers need no care.
fn exact(x: u32, n: u32, mut v: i32) -> Option<(U256, i32)> {
    let (x, mut power) = odd(x);
    let mut x = U256::from(x);
    if x == U256::ONE {
        return None;
    }
    while v < 0 {
        let r = root(x);
        if power & 1 != 0 || r * r != x {
            return None;
        }
        (x, power, v) = (r, power >> 1, v + 1);
    }
    if v > 3 || n << v > 15 {
        return None;
    }
    let n = n << v;
    let mut product = x;
    for _ in 1..n {
        product *= x;
        if product >= U256::from(1 << 25) {
            return None;
        }
    }
    // The product's 24 zeros are for `pack`; far below the range any exponent will do.
    Some((product << 24, (power * n as i32 + 125).max(-250)))
}

/// `log2 x` in two's complement with 144 fractional bits; 0 only for 1.
fn log2(x: u32) -> U256 {
    let (m, e) = unpack(x);
    let shift = m.leading_zeros() as i32 - 8;
    let (m, e) = (m << shift, e - shift);
    let i = (m + 0x8_0000) >> 20;
    let c = i << 20;
    let (n, d) = (i128::from(m) - i128::from(c), m + c);
    let (carry, eighths) = eighth(i as usize);
    let p = artanh_ratio(ratio(n, d.into()));
    // 2 n / (d ln 2) with 148 fractional bits: next to 1 it needs more of them than p.
    let u: U256 = ((U256::from(n.unsigned_abs()) * U256::from(LOG2_E)) << 25) / U256::from(d);
    let u = if n < 0 { u.wrapping_neg() } else { u };
    let series = extend(p >> 16).wrapping_mul(u).arithmetic_shr(112);
    let power: U256 = extend((e - 127 + carry).into()) << 144;
    power.wrapping_add(extend(mul_shift(eighths, LOG2_E, 124)) << 20).wrapping_add(series)
}
