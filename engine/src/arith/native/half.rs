//! Conversions between f32 and the two 16-bit formats: by the hardware's scaling and rounding of f32.
//!
//! Domain: every input. Exact to f32; from f32 rounded once, to nearest even. Source: IEEE-754-2019, 5.4.2.

use crate::arith::soft::half::{BF16_NAN, F16_NAN};

/// The f32 with the value of a binary16.
#[inline]
pub fn from_f16(a: u16) -> f32 {
    let magnitude = u32::from(a & 0x7fff);
    let x = match magnitude {
        0..0x0400 => magnitude as f32 * (1.0 / (1 << 24) as f32),
        0x0400..0x7c00 => f32::from_bits((magnitude << 13) + (112 << 23)),
        0x7c00 => f32::INFINITY,
        _ => return super::NAN,
    };
    if a & 0x8000 == 0 { x } else { -x }
}

/// The binary16 nearest to an f32.
#[inline]
pub fn to_f16(a: f32) -> u16 {
    let x = a.abs();
    let magnitude = if x >= 65_520.0 {
        0x7c00
    } else if x < 1.0 / (1 << 14) as f32 {
        // Subnormal: the unit is 2^-24, and scaling by it is exact.
        (x * (1 << 24) as f32).round_ties_even() as u16
    } else if a.is_nan() {
        return F16_NAN;
    } else {
        let bits = x.to_bits();
        ((bits + 0xfff + (bits >> 13 & 1) - (112 << 23)) >> 13) as u16
    };
    magnitude | if a.is_sign_negative() { 0x8000 } else { 0 }
}

/// The f32 with the value of a bfloat16.
#[inline]
pub fn from_bf16(a: u16) -> f32 {
    super::canonical(f32::from_bits(u32::from(a) << 16))
}

/// The bfloat16 nearest to an f32.
#[inline]
pub fn to_bf16(a: f32) -> u16 {
    if a.is_nan() {
        return BF16_NAN;
    }
    let bits = a.to_bits();
    let (high, low) = ((bits >> 16) as u16, bits & 0xffff);
    high + u16::from(low > 0x8000 || low == 0x8000 && high & 1 == 1)
}
