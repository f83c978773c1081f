//! The power in f64.
//!
//! Method: `2^(b log2 |a|)`. The logarithm is the exponent plus `2 artanh(s) / ln 2`, `s = (f - 1) / (f + 1)`: of s and of the first
//! term of its series the leading bits are products without rounding, and the others are added as a second number.
//! Error: below 2^-49, relatively: the logarithm's is below 2^-58, its multiple is below 2^8 where the result is finite and not 0.
//! Where `soft` decides it defines the result: no sweep covers all pairs. Source: the definition.

use super::exp2::fraction;
use super::log::split;
use super::{narrow, polynomial};
use crate::arith::soft;

/// `2 / ln 2` in two parts; the first has 25 significant bits.
const TWO_LOG2_E_HIGH: f64 = f64::from_bits(0x4007_1547_6000_0000);
const TWO_LOG2_E_LOW: f64 = f64::from_bits(0x3e64_ae0b_f85d_df44);

/// `1 / (2 i + 1)` from i = 12 down to 1.
const ODD_INVERSES: [f64; 12] = [
    1.0 / 25.0,
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
];

/// `a^b`, correctly rounded, with the special cases of IEEE 754-2019.
#[inline]
pub fn pow(a: f32, b: f32) -> f32 {
    let x = a.abs();
    if b == 0.0 || a == 1.0 {
        return 1.0;
    }
    // The other special cases need no speed.
    if !(x > 0.0 && x < f32::INFINITY && b.abs() < f32::INFINITY) || (a < 0.0 && b.trunc() != b) {
        return f32::from_bits(soft::pow(a.to_bits(), b.to_bits()));
    }
    let negative = a < 0.0 && is_odd(b);
    let (high, low) = log2(x.into());
    let b64 = f64::from(b);
    // 24 and 29 bits: exact.
    let leading = head::<24>(high);
    let product = b64 * leading;
    let rest = b64 * ((high - leading) + low);
    let y = if product.abs() < 200.0 {
        let (scale, q) = fraction(product, rest);
        scale + scale * q
    } else if product > 0.0 {
        f64::INFINITY
    } else {
        0.0
    };
    narrow(if negative { -y } else { y }, || soft::pow(a.to_bits(), b.to_bits()))
}

/// Whether an integer is odd.
#[inline(always)]
fn is_odd(b: f32) -> bool {
    b.abs() < 16_777_216.0 && b as i32 & 1 == 1
}

/// `x` without the last `N` of its 53 bits.
#[inline(always)]
fn head<const N: u32>(x: f64) -> f64 {
    f64::from_bits(x.to_bits() >> N << N)
}

/// `log2 x` as a sum of two numbers, for the value of an f32.
#[inline(always)]
fn log2(x: f64) -> (f64, f64) {
    let (k, f) = split(x);
    let (n, d) = (f - 1.0, f + 1.0);
    let s = n / d;
    // 28 and 25 bits, twice: both products are exact, and so is the difference.
    let s_high = head::<25>(s);
    let s_low = (n - s_high * d) / d;
    let term = TWO_LOG2_E_HIGH * s_high;
    let square = s * s;
    let rest = s_low + s * (square * polynomial::<false, _>(&ODD_INVERSES, square));
    let high = k + term;
    let lost = term - (high - k);
    (high, lost + (TWO_LOG2_E_LOW * s_high + (TWO_LOG2_E_HIGH + TWO_LOG2_E_LOW) * rest))
}
