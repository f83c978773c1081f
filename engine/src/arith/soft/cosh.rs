//! The hyperbolic cosine.
//!
//! Domain: every f32. From 128 on the result is +inf.
//! Method: `(p + 1 / p) / 2` with `p = exp |a|` in fixed point, whose exponent is kept apart.
//! Error: below 2^-90, relatively, before the one rounding.
//! Source: the definition.

use super::pack::pack;
use super::sinh::pair;
use super::{INF, NAN, is_nan};

/// `cosh a`.
pub fn cosh(a: u32) -> u32 {
    if is_nan(a) {
        return NAN;
    }
    let e = (a >> 23 & 0xff) as i32;
    if e >= 134 {
        return INF;
    }
    let (p, inverse, k) = pair(a, e);
    pack(false, p + inverse, k + 22)
}
