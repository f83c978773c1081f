//! What the inverse functions share in f64: the angle of a point.
//!
//! Method: the nearest of nine angles `atan(i / 8)` is subtracted, which leaves a tangent of at most 1/16, and the series of atan
//! up to the 13th power, whose rest is below 2^-59; beyond `pi / 4` the complement.
//! Error: below 2^-50 of the angle, if x and y are off by less than 2^-52 of themselves: no sum here cancels but `8 y - i x`, whose error
//! stays below 2^-52 of `8 x`, and the angle is at least 1/16 then. Source: textbook.

use std::f64::consts::FRAC_PI_2;

use super::polynomial;

/// `(-1)^i / (2 i + 1)` from i = 6 down to 1.
const ODD_INVERSES: [f64; 6] = [1.0 / 13.0, -1.0 / 11.0, 1.0 / 9.0, -1.0 / 7.0, 1.0 / 5.0, -1.0 / 3.0];

/// `atan(i / 8)` for i in 0..=8.
const ATAN_EIGHTHS: [f64; 9] = [
    0.0,
    f64::from_bits(0x3fbf_d5ba_9aac_2f6e),
    f64::from_bits(0x3fcf_5b75_f92c_80dd),
    f64::from_bits(0x3fd6_f619_41e4_def1),
    f64::from_bits(0x3fdd_ac67_0561_bb4f),
    f64::from_bits(0x3fe1_e00b_abde_feb4),
    f64::from_bits(0x3fe4_978f_a326_9ee1),
    f64::from_bits(0x3fe7_00a7_c578_4634),
    f64::from_bits(0x3fe9_21fb_5444_2d18),
];

/// The angle between the first axis and the point (x, y); neither is negative, not both are zero.
#[inline(always)]
pub(super) fn angle(y: f64, x: f64) -> f64 {
    let steep = y > x;
    let (y, x) = if steep { (x, y) } else { (y, x) };
    // Any rounding will do here: a tangent a little above 1/16 is as good.
    let i = (8.0 * (y as f32 / x as f32) + 0.5) as usize;
    let eighths = i as f64;
    let t = (8.0 * y - eighths * x) / (8.0 * x + eighths * y);
    let z = t * t;
    let sum = ATAN_EIGHTHS[i] + (t + t * z * polynomial::<false, _>(&ODD_INVERSES, z));
    if steep { FRAC_PI_2 - sum } else { sum }
}

/// The other leg of a right-angled triangle with the hypotenuse 1. The two factors are exact for an f32 that is not below 2^-29.
#[inline(always)]
pub(super) fn leg(a: f64) -> f64 {
    ((1.0 - a) * (1.0 + a)).sqrt()
}
