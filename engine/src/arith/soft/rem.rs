//! The remainder of a division that truncates: C's `fmod`, exact.
//!
//! Source: C23, 7.12.10.1 and F.10.7.1. `(m * 2^d) mod n` is reduced a factor at a time, so that nothing is wider than 48 bits.

use super::pack::unpack;
use super::{INF, MAGNITUDE, NAN, SIGN, is_nan};

/// `a - trunc(a / b) * b`, with the sign of `a`; NaN for an infinite `a` or a zero `b`.
pub fn rem(a: u32, b: u32) -> u32 {
    if is_nan(a) || is_nan(b) {
        return NAN;
    }
    let (x, y, sign) = (a & MAGNITUDE, b & MAGNITUDE, a & SIGN);
    if x == INF || y == 0 {
        return NAN;
    }
    if x < y {
        return a;
    }
    let ((m, e), (n, f)) = (unpack(x), unpack(y));
    let n = u64::from(n);
    let power = (0..e - f).fold(1 % n, |power, _| power * 2 % n);
    let r = (u64::from(m) * power % n) as u32;
    if r == 0 {
        return sign;
    }
    // r * 2^(f - 150) with its leading one at place 23, or as far up as the exponent allows.
    let shift = (r.leading_zeros() as i32 - 8).min(f - 1);
    let m = r << shift;
    // A leading one at place 23 adds one to the exponent field; a subnormal has none, and field 0.
    sign | ((((f - shift - 1) as u32) << 23) + m)
}
