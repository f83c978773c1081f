//! The error function.
//!
//! Domain: every f32. From 4 on the result is 1: `1 - erf(4)` is below 2^-25.
//! Method: `2 a / sqrt(pi) * sum of (-a^2)^n / (n! (2 n + 1))` in fixed point with 120 fractional bits; `a^2` is exact.
//! Error: terms reach 2^22 and errors grow with them: below 2^-90, relatively, before the one rounding.
//! Source: Taylor's series; the constant is `2^127 / sqrt(pi)`, rounded.

use ruint::aliases::U256;

use super::pack::{pack, unpack};
use super::{MAGNITUDE, NAN, ONE, SIGN, is_nan};

const TWO_OVER_ROOT_PI: u128 = 0x4837_5d41_0a6d_b446_b8ea_453f_b5ff_61a2;

/// `erf a`.
pub fn erf(a: u32) -> u32 {
    if is_nan(a) {
        return NAN;
    }
    let sign = a & SIGN;
    if a >> 23 & 0xff >= 129 {
        return sign | ONE;
    }
    if a & MAGNITUDE == 0 {
        return a;
    }
    let (m, e) = unpack(a);
    let square = U256::from(u64::from(m) * u64::from(m));
    let shift = (300 - 2 * e) as usize;
    let mut term: U256 = U256::ONE << 120;
    let mut sum = term;
    let mut n = 1u64;
    while !term.is_zero() {
        term = ((term * square) >> shift) / U256::from(n);
        let part = term / U256::from(2 * n + 1);
        // Partial sums may be negative; the whole is not.
        sum = if n % 2 == 1 { sum.wrapping_sub(part) } else { sum.wrapping_add(part) };
        n += 1;
    }
    let sum = (sum * U256::from(TWO_OVER_ROOT_PI)) >> 126;
    pack(sign != 0, U256::from(m) * sum, e - 121)
}
