//! The exponential.
//!
//! Domain: every f32. Outside of |a| < 128 the result is +inf or +0: the range ends before that.
//! Method: fixed point; `a = k ln 2 + r`, Taylor's series of `exp(r / 64)` up to the 9th power, six squarings.
//! Error: below 2^-90, relatively, before the one rounding. Over all arguments the nearest approach of the exact value to half way
//! between two f32 is 2^-28.7 units, so the result is the f32 nearest to it.
//! Source: textbook argument reduction; constants are `2^126 / i!`, `2^64 / ln 2` and `2^120 ln 2`, rounded.

use ruint::aliases::U256;

use super::fixed::{mul_shift, square_shift};
use super::pack::pack;
use super::{INF, NAN, SIGN, is_nan};

const LOG2_E: i128 = 0x1_7154_7652_b82f_e177;
pub(super) const LN_2: i128 = 0x00b1_7217_f7d1_cf79_abc9_e3b3_9803_f2f7;

/// `2^126 / i!` from i = 9 down to 0.
const INVERSE_FACTORIALS: [i128; 10] = [
    0x0000_0b8e_f1d2_ab63_99c7_d560_e447_2801,
    0x0000_6806_8068_0680_6806_8068_0680_6807,
    0x0003_4034_0340_3403_4034_0340_3403_4034,
    0x0016_c16c_16c1_6c16_c16c_16c1_6c16_c16c,
    0x0088_8888_8888_8888_8888_8888_8888_8889,
    0x02aa_aaaa_aaaa_aaaa_aaaa_aaaa_aaaa_aaab,
    0x0aaa_aaaa_aaaa_aaaa_aaaa_aaaa_aaaa_aaab,
    0x2000_0000_0000_0000_0000_0000_0000_0000,
    0x4000_0000_0000_0000_0000_0000_0000_0000,
    0x4000_0000_0000_0000_0000_0000_0000_0000,
];

/// `e^a`.
pub fn exp(a: u32) -> u32 {
    if is_nan(a) {
        return NAN;
    }
    let negative = a & SIGN != 0;
    let e = (a >> 23 & 0xff) as i32;
    if e >= 134 {
        return if negative { 0 } else { INF };
    }
    let x = fixed_point(a, e);
    let (p, k) = exp2k(if negative { -x } else { x });
    pack(false, U256::from(p), k + 23)
}

/// |a| with 120 fractional bits, for an exponent field `e < 134`; what lies below 2^-120 is cut off.
pub(super) fn fixed_point(a: u32, e: i32) -> i128 {
    let m = i128::from(a & 0x7f_ffff | 0x80_0000);
    match e {
        0 => 0,
        1..30 => m >> (30 - e),
        _ => m << (e - 30),
    }
}

/// `exp(x) = p * 2^(k - 126)` for `x` with 120 fractional bits and `|x| < 2^7`; `p` lies in 2^125 .. 2^127.
pub(super) fn exp2k(x: i128) -> (u128, i32) {
    // k = round(x / ln 2), then |r| <= ln 2 / 2. With 126 fractional bits the same integer is r / 64.
    let k = (mul_shift(x, LOG2_E, 183) + 1) >> 1;
    // Next to 128 the product does not fit, but the difference does.
    let r = x.wrapping_sub(k.wrapping_mul(LN_2));
    (exp64(r), k as i32)
}

/// `exp(64 r)` with 126 fractional bits, as `r` has, for `|r| <= ln 2 / 128`.
pub(super) fn exp64(r: i128) -> u128 {
    let t = INVERSE_FACTORIALS.iter().fold(0, |t, c| c + mul_shift(t, r, 126));
    (0..6).fold(t as u128, |p, _| square_shift(p, 126))
}
