//! What the inverse functions share: the angle of a point.
//!
//! Method: fixed point. The nearest of nine angles `atan(i / 8)` is subtracted, which leaves a tangent of at most 1/16, and the
//! series of atan up to the 25th power; beyond `pi / 4` the complement.
//! Error: below 2^-108 of the angle for the series, and below 2^-120 for the rest.
//! Source: textbook; constants are `2^124 / (2 i + 1)`, `2^124 atan(i / 8)` and `2^124 pi / 2`, rounded.

use ruint::aliases::U256;

use super::fixed::{mul_shift, square_shift};

/// `2^124 pi / 2`.
const HALF_PI: i128 = 0x1921_fb54_442d_1846_9898_cc51_701b_839a;

/// `2^124 / (2 i + 1)` from i = 12 down to 0.
const ODD_INVERSES: [i128; 13] = [
    0x00a3_d70a_3d70_a3d7_0a3d_70a3_d70a_3d71,
    0x00b2_1642_c859_0b21_642c_8590_b216_42c8,
    0x00c3_0c30_c30c_30c3_0c30_c30c_30c3_0c31,
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

/// `2^124 atan(i / 8)` for i in 0..=8.
const ATAN_EIGHTHS: [i128; 9] = [
    0,
    0x01fd_5ba9_aac2_f6dc_6591_2f31_3e7d_111e,
    0x03eb_6ebf_2590_1bac_55b7_1e7b_d7de_8860,
    0x05bd_8650_7937_bc23_9c55_1909_16e7_f224,
    0x076b_19c1_586e_d3da_2b7f_222f_65e1_d468,
    0x08f0_05d5_ef7f_59f9_b5c8_35e1_665c_4374,
    0x0a4b_c7d1_934f_7092_419a_87f2_a457_daca,
    0x0b80_53e2_bc23_19e7_3cb2_da55_210a_4444,
    0x0c90_fdaa_2216_8c23_4c4c_6628_b80d_c1cd,
];

/// `pi` minus an angle, or the angle.
pub(super) fn supplement(angle: u128, wanted: bool) -> u128 {
    if wanted { 2 * HALF_PI as u128 - angle } else { angle }
}

/// The angle between the first axis and the point (x, y), with 124 fractional bits. Both are at most 2^120, not both zero.
pub(super) fn angle(y: u128, x: u128) -> u128 {
    let steep = y > x;
    let (y, x) = if steep { (x, y) } else { (y, x) };
    let i = (16 * y + x) / (2 * x);
    let t = ratio(8 * y as i128 - (i * x) as i128, 8 * x + i * y);
    let z = square_shift(t.unsigned_abs(), 124) as i128;
    let p = ODD_INVERSES.iter().fold(0, |p, c| c - mul_shift(p, z, 124));
    let sum = ATAN_EIGHTHS[i as usize] + mul_shift(p, t, 124);
    (if steep { HALF_PI - sum } else { sum }) as u128
}

/// The other leg of a right-angled triangle with the hypotenuse 1, both with 120 fractional bits; `a` is below 1.
pub(super) fn leg(a: u128) -> u128 {
    let radicand: U256 = (U256::ONE << 240) - U256::from(a) * U256::from(a);
    // The seed is off by a factor of at most sqrt(2); Newton's steps leave 2^-3.5, 2^-9, 2^-19, 2^-39, 2^-80 and 2^-120.
    let seed = U256::ONE << (radicand.bit_len() / 2);
    (0..6).fold(seed, |y, _| (y + radicand / y) >> 1).to()
}

/// `2^124 n / d`, towards zero, for `|n| < 2^124`.
fn ratio(n: i128, d: u128) -> i128 {
    let n124: U256 = U256::from(n.unsigned_abs()) << 124;
    let q = (n124 / U256::from(d)).to::<u128>() as i128;
    if n < 0 { -q } else { q }
}
