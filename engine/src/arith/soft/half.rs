//! Conversions between f32 and the two 16-bit formats, on bit patterns: to f32 exactly, from f32 correctly rounded.
//!
//! Source: IEEE-754-2019, 3.6 (binary16) and 5.4.2 (formatOf conversions); bfloat16 is the upper half of a binary32.

use super::pack::unpack;
use super::{INF, NAN, is_nan};

/// The only NaN of binary16.
pub const F16_NAN: u16 = 0x7e00;
/// The only NaN of bfloat16.
pub const BF16_NAN: u16 = 0x7fc0;
const F16_INF: u32 = 0x7c00;

/// The f32 with the value of a binary16.
pub fn from_f16(a: u16) -> u32 {
    let sign = u32::from(a & 0x8000) << 16;
    let (e, m) = (u32::from(a >> 10 & 0x1f), u32::from(a & 0x3ff));
    match (e, m) {
        (31, 0) => sign | INF,
        (31, _) => NAN,
        (0, 0) => sign,
        (0, _) => {
            // m * 2^-24 with its leading one at place 23.
            let shift = m.leading_zeros() - 8;
            sign | ((126 - shift) << 23).wrapping_add((m << shift) & 0x7f_ffff)
        }
        _ => sign | (e + 112) << 23 | m << 13,
    }
}

/// The binary16 nearest to an f32, half way to even, infinite from 65,520 on.
pub fn to_f16(a: u32) -> u16 {
    if is_nan(a) {
        return F16_NAN;
    }
    let sign = (a >> 16) as u16 & 0x8000;
    let (m, e) = unpack(a);
    // The value is m * 2^(e - 150); its unit becomes 2^-24 at least, and that of eleven bits.
    let unit = (e - 150 + 13).max(-24);
    let cut = (unit - (e - 150)).min(26) as u32;
    let half = (1u32 << (cut - 1)) - 1;
    let rounded = (m + half + (m >> cut & 1)) >> cut;
    // The leading bit of the significand adds one to the exponent, and so does a carry out of it.
    let bits = (((unit + 24) as u32) << 10) + rounded;
    sign | bits.min(F16_INF) as u16
}

/// The f32 with the value of a bfloat16.
pub fn from_bf16(a: u16) -> u32 {
    super::canonical(u32::from(a) << 16)
}

/// The bfloat16 nearest to an f32, half way to even.
pub fn to_bf16(a: u32) -> u16 {
    if is_nan(a) {
        return BF16_NAN;
    }
    ((a + 0x7fff + (a >> 16 & 1)) >> 16) as u16
}
