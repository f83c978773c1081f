//! What sine, cosine and tangent share in f64: the reduction of the argument to an eighth of a turn, and the two series there.
//!
//! Method: up to 2^20 a multiple of `pi / 2` is subtracted in three parts, the first two exactly. Beyond, `|a| 2 / pi` modulo 4 is a
//! 24-bit number times 128 bits of `2 / pi`, chosen by the exponent so that multiples of 4 have been shifted out. Taylor's series
//! of sine up to the 15th power and of cosine up to the 16th, whose rests are below 2^-53 and 2^-58.
//! Error: the rest is at least 2^-30 (all arguments were tried) and off by less than 2^-51 of itself; sine and cosine are off by less
//! than 2^-50. Source: reductions of Cody and Waite and of Payne and Hanek, textbook series.

use super::polynomial;

/// Adding and subtracting 1.5 * 2^52 rounds to an integer.
const ROUND: f64 = 6_755_399_441_055_744.0;
const TWO_OVER_PI: f64 = std::f64::consts::FRAC_2_PI;

/// `pi / 2` in three parts; the first two have 33 significant bits, so their products with numbers up to 2^20 are exact.
const HALF_PI: [f64; 3] = [
    f64::from_bits(0x3ff9_21fb_5440_0000),
    f64::from_bits(0x3dd0_b461_1a60_0000),
    f64::from_bits(0x3ba3_198a_2e03_7073),
];

/// `2 / pi` with five bits before the point and 251 behind it.
const TWO_OVER_PI_BITS: [u128; 2] =
    [0x0517_cc1b_7272_20a9_4fe1_3abe_8fa9_a6ee, 0x06db_14ac_c9e2_1c82_0ff2_8b1d_5ef5_de2b];

/// `(-1)^i / (2 i + 1)!` from i = 7 down to 1.
const SINE: [f64; 7] = [
    -1.0 / 1_307_674_368_000.0,
    1.0 / 6_227_020_800.0,
    -1.0 / 39_916_800.0,
    1.0 / 362_880.0,
    -1.0 / 5_040.0,
    1.0 / 120.0,
    -1.0 / 6.0,
];

/// `(-1)^i / (2 i)!` from i = 8 down to 1.
const COSINE: [f64; 8] = [
    1.0 / 20_922_789_888_000.0,
    -1.0 / 87_178_291_200.0,
    1.0 / 479_001_600.0,
    -1.0 / 3_628_800.0,
    1.0 / 40_320.0,
    -1.0 / 720.0,
    1.0 / 24.0,
    -1.0 / 2.0,
];

/// A number of quadrants, modulo 4, and the rest in `-pi / 4 ..= pi / 4` (a little more is possible) of a finite number.
#[inline(always)]
pub(super) fn reduce(a: f32) -> (u32, f64) {
    if a.abs() >= (1 << 20) as f32 {
        return reduce_large(a);
    }
    let x = f64::from(a);
    let shifted = x * TWO_OVER_PI + ROUND;
    let k = shifted - ROUND;
    // The low bits of `shifted` hold k.
    (shifted.to_bits() as u32, ((x - k * HALF_PI[0]) - k * HALF_PI[1]) - k * HALF_PI[2])
}

#[cold]
fn reduce_large(a: f32) -> (u32, f64) {
    let m = a.to_bits() & 0x7f_ffff | 0x80_0000;
    let shift = (a.to_bits() >> 23 & 0xff) - 147;
    let [high, low] = TWO_OVER_PI_BITS;
    // Modulo 4, with 126 fractional bits; below the exact product by less than 2^-102.
    let window = high << shift | low >> 1 >> (127 - shift);
    let turns = window.wrapping_mul(m.into());
    let quadrant = (turns.wrapping_add(1 << 125) >> 126) as u32;
    let rest = (turns << 2) as i128 as f64 * (std::f64::consts::FRAC_PI_2 / 2f64.powi(128));
    if a < 0.0 { (quadrant.wrapping_neg(), -rest) } else { (quadrant, rest) }
}

/// `sin(quadrant * pi / 2 + r)`.
#[inline(always)]
pub(super) fn turned(quadrant: u32, r: f64) -> f64 {
    let y = if quadrant & 1 == 0 { sine(r) } else { cosine(r) };
    if quadrant & 2 == 0 { y } else { -y }
}

/// `sin r` for |r| up to `pi / 4`.
#[inline(always)]
pub(super) fn sine(r: f64) -> f64 {
    let z = r * r;
    r + r * z * polynomial::<false, _>(&SINE, z)
}

/// `cos r` for |r| up to `pi / 4`.
#[inline(always)]
pub(super) fn cosine(r: f64) -> f64 {
    let z = r * r;
    1.0 + z * polynomial::<false, _>(&COSINE, z)
}
