//! Taking numbers apart and rounding them.

use ruint::aliases::U256;

use super::INF;

/// Significand `m` and exponent field `e` of a finite number: its magnitude is `m * 2^(e - 150)`.
pub(super) fn unpack(a: u32) -> (u32, i32) {
    let m = a & 0x7f_ffff;
    let e = (a >> 23 & 0xff) as i32;
    if e == 0 { (m, 1) } else { (m | 0x80_0000, e) }
}

/// The f32 nearest to `s * 2^(q - 149)`, half way to even, infinite from `2^128 - 2^103` on.
///
/// `2^24 <= s < 2^255` and `q > -255`.
pub(super) fn pack(negative: bool, s: U256, q: i32) -> u32 {
    let length = 256 - s.leading_zeros() as i32;
    // Cut `cut` bits; the unit is then 2^(unit - 149), and at least that of the subnormals.
    let mut cut = length - 24;
    let mut unit = cut + q;
    if unit < 0 {
        cut = -q;
        unit = 0;
    }
    let cut = cut as usize;
    #[cfg(feature = "closest")]
    super::closest::note(s, cut);
    let m: u64 = (s >> cut).to();
    let more_than_half = s.trailing_zeros() < cut - 1;
    let up = s.bit(cut - 1) && (more_than_half || m & 1 == 1);
    // The leading bit of the significand adds one to the exponent, and so does a carry out of it.
    let bits = (((unit as u64) << 23) + m + u64::from(up)).min(u64::from(INF)) as u32;
    bits | u32::from(negative) << 31
}

/// [`pack`] of a signed sum; an exact zero is +0.
pub(super) fn pack_sum(s: Signed, q: i32) -> u32 {
    if s.magnitude.is_zero() { 0 } else { pack(s.negative, s.magnitude, q) }
}

/// [`pack`] of a number in two's complement; zero is +0.
pub(super) fn pack_twos(s: U256, q: i32) -> u32 {
    if s.is_zero() {
        0
    } else if s.bit(255) {
        pack(true, s.wrapping_neg(), q)
    } else {
        pack(false, s, q)
    }
}

/// A sign and a magnitude.
#[derive(Clone, Copy)]
pub(super) struct Signed {
    pub(super) negative: bool,
    pub(super) magnitude: U256,
}

impl Signed {
    pub(super) fn add(self, other: Self) -> Self {
        if self.negative == other.negative {
            Self { negative: self.negative, magnitude: self.magnitude + other.magnitude }
        } else if self.magnitude >= other.magnitude {
            Self { negative: self.negative, magnitude: self.magnitude - other.magnitude }
        } else {
            Self { negative: other.negative, magnitude: other.magnitude - self.magnitude }
        }
    }
}
