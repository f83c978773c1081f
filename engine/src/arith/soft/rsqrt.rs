//! The reciprocal square root.
//!
//! Domain: positive numbers; that of a zero is infinite with its sign, that of a negative number NaN.
//! Method: the integer root of `2^N / m`, which has 27 bits. A result is never half way between two f32, as no multiple of an odd
//! square but that by 1 is a power of two: so the lowest bit may stand for any rest.
//! Error: none before the one rounding.
//! Source: the definition.

use ruint::aliases::U256;

use super::fixed::root;
use super::pack::{pack, unpack};
use super::{INF, MAGNITUDE, NAN, SIGN, is_nan};

/// `1 / sqrt(a)`.
pub fn rsqrt(a: u32) -> u32 {
    if is_nan(a) {
        return NAN;
    }
    if a & MAGNITUDE == 0 {
        return a | INF;
    }
    if a & SIGN != 0 {
        return NAN;
    }
    if a == INF {
        return 0;
    }
    let (m, e) = unpack(a);
    let shift = m.leading_zeros() as i32 - 8;
    let (m, e) = (m << shift, e - shift);
    // a = m 2^(e - 150), and n is even with e.
    let n = 76 + (e & 1);
    let r = root((U256::ONE << n) / U256::from(m)) | U256::ONE;
    pack(false, r, (150 - e - n) / 2 + 149)
}
