//! The natural logarithm.
//!
//! Domain: positive numbers; that of a zero is -inf, that of a negative number NaN.
//! Method: fixed point with 124 fractional bits; `a = 2^E (c / 8) (y / c)` with `c` the eighth next to the significand `y`, and
//! the series of `log(y / c) = 2 artanh((y - c) / (y + c))` up to the 19th power. Next to 2, `c` counts into the exponent.
//! Error: below 2^-95, relatively (near 1 there are 99 bits), before the one rounding.
//! Source: textbook series; constants are `2^124 ln(i / 8)` and `2^124 / (2 i + 1)`, rounded.

use ruint::aliases::U256;

use super::fixed::{extend, mul_shift, square_shift};
use super::pack::{pack_twos, unpack};
use super::{INF, MAGNITUDE, NAN, SIGN, is_nan};

const LN_2: i128 = 0x0b17_217f_7d1c_f79a_bc9e_3b39_803f_2f6b;

/// `2^124 ln(i / 8)` for i in 8..16.
const LN_EIGHTHS: [i128; 8] = [
    0,
    0x01e2_7076_e2af_2e5e_9ea8_7ffe_1fe9_e156,
    0x0391_fef8_f353_4435_84bb_03de_5ff7_3449,
    0x0518_62f0_8717_b09f_42de_cdec_cf1c_d105,
    0x067c_c8fb_2fe6_12fc_ada3_5d9b_d014_8860,
    0x07c4_a3d7_ebc1_bb2c_d720_ec44_c73d_75cf,
    0x08f4_2faf_3820_681e_f62c_d2f9_f1e3_5f2e,
    0x0a0e_c7f4_2339_5732_325e_617a_300b_bcaa,
];

/// `2^124 / (2 i + 1)` from i = 9 down to 0.
const ODD_INVERSES: [i128; 10] = [
    0x00d7_9435_e50d_7943_5e50_d794_35e5_0d79,
    0x00f0_f0f0_f0f0_f0f0_f0f0_f0f0_f0f0_f0f1,
    0x0111_1111_1111_1111_1111_1111_1111_1111,
    0x013b_13b1_3b13_b13b_13b1_3b13_b13b_13b1,
    0x0174_5d17_45d1_745d_1745_d174_5d17_45d1,
    0x01c7_1c71_c71c_71c7_1c71_c71c_71c7_1c72,
    0x0249_2492_4924_9249_2492_4924_9249_2492,
    0x0333_3333_3333_3333_3333_3333_3333_3333,
    0x0555_5555_5555_5555_5555_5555_5555_5555,
    0x1000_0000_0000_0000_0000_0000_0000_0000,
];

/// `ln a`.
pub fn log(a: u32) -> u32 {
    if is_nan(a) {
        return NAN;
    }
    if a & MAGNITUDE == 0 {
        return SIGN | INF;
    }
    if a & SIGN != 0 {
        return NAN;
    }
    if a == INF {
        return a;
    }
    let (m, e) = unpack(a);
    pack_twos(ln(U256::from(m), e - 150), 25)
}

/// `ln(s 2^q)` for `s > 0`, in two's complement with 124 fractional bits; the error is below 2^-122 plus 2^-104 of the
/// result.
pub(super) fn ln(s: U256, q: i32) -> U256 {
    let (power, rest) = split(s, q);
    extend(power.into()).wrapping_mul(extend(LN_2)).wrapping_add(extend(rest))
}

/// `ln(s 2^q) = power ln 2 + rest` for `s > 0`; the rest has 124 fractional bits, and for a power of two it is 0.
pub(super) fn split(s: U256, q: i32) -> (i32, i128) {
    let zeros = s.leading_zeros();
    let top: U256 = s << zeros;
    let y = (top >> 131usize).to::<i128>();
    let i = (y + (1 << 120)) >> 121;
    let c = i << 121;
    let s = ratio(y - c, y + c);
    let (carry, eighths) = eighth(i as usize);
    (q + 255 - zeros as i32 + carry, eighths + mul_shift(artanh_ratio(s), s, 123))
}

/// `ln(i / 8)` for i in 8..=16 as a power of two and the logarithm of the rest, so that nothing cancels next to 2.
pub(super) fn eighth(i: usize) -> (i32, i128) {
    ((i >> 4) as i32, LN_EIGHTHS[i & 7])
}

/// `artanh(s) / s` for `|s| <= 1/32`: below 2^-104 in error.
pub(super) fn artanh_ratio(s: i128) -> i128 {
    let z = square_shift(s.unsigned_abs(), 124) as i128;
    ODD_INVERSES.iter().fold(0, |p, c| c + mul_shift(p, z, 124))
}

/// `2^124 n / d`, towards zero.
pub(super) fn ratio(n: i128, d: i128) -> i128 {
    let q: U256 = (U256::from(n.unsigned_abs()) << 124) / U256::from(d);
    if n < 0 { -q.to::<i128>() } else { q.to() }
}
