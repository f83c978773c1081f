//! The natural logarithm.
//!
//! Domain: positive numbers; that of a zero is -inf, that of a negative number NaN.
//! Method: fixed point with 124 fractional bits; `a = 2^E (i / 8) (m / c)` with `c` the multiple of 2^20 next to the
//! significand `m`, and the series of `log(m / c) = 2 artanh((m - c) / (m + c))` up to the 19th power.
//! Error: below 2^-95, relatively (near 1 there are 99 bits), before the one rounding.
//! Source: textbook series; constants are `2^124 ln(i / 8)` and `2^124 / (2 i + 1)`, rounded.

use super::fixed::{extend, mul_shift, square_shift};
use super::pack::{pack, unpack};
use super::{INF, MAGNITUDE, NAN, SIGN, is_nan};

const LN_2: i128 = 0x0b17_217f_7d1c_f79a_bc9e_3b39_803f_2f6b;

/// `2^124 ln(i / 8)` for i in 8..=16.
const LN_EIGHTHS: [i128; 9] = [
    0,
    0x01e2_7076_e2af_2e5e_9ea8_7ffe_1fe9_e156,
    0x0391_fef8_f353_4435_84bb_03de_5ff7_3449,
    0x0518_62f0_8717_b09f_42de_cdec_cf1c_d105,
    0x067c_c8fb_2fe6_12fc_ada3_5d9b_d014_8860,
    0x07c4_a3d7_ebc1_bb2c_d720_ec44_c73d_75cf,
    0x08f4_2faf_3820_681e_f62c_d2f9_f1e3_5f2e,
    0x0a0e_c7f4_2339_5732_325e_617a_300b_bcaa,
    LN_2,
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
    let shift = m.leading_zeros() as i32 - 8;
    let (m, e) = (m << shift, e - shift);
    let i = (m + 0x8_0000) >> 20;
    let c = i << 20;
    let s = ratio(i64::from(m) - i64::from(c), u64::from(m + c));
    let z = square_shift(s.unsigned_abs(), 124) as i128;
    let p = ODD_INVERSES.iter().fold(0, |p, c| c + mul_shift(p, z, 124));
    let power = extend((e - 127).into()).wrapping_mul(extend(LN_2));
    let rest = LN_EIGHTHS[i as usize - 8] + mul_shift(p, s, 123);
    let sum = power.wrapping_add(extend(rest));
    if sum.is_zero() {
        0
    } else if sum.bit(255) {
        pack(true, sum.wrapping_neg(), 25)
    } else {
        pack(false, sum, 25)
    }
}

/// `2^124 n / d`, towards zero, for `|n| < 2^20` and `d < 2^26`: in two steps of long division, as `n 2^124` has too many bits.
fn ratio(n: i64, d: u64) -> i128 {
    let d = u128::from(d);
    let n104 = u128::from(n.unsigned_abs()) << 104;
    let q = (((n104 / d) << 20) | (((n104 % d) << 20) / d)) as i128;
    if n < 0 { -q } else { q }
}
