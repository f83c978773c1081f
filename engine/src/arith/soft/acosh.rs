//! The inverse hyperbolic cosine.
//!
//! Domain: from 1 on; below there is NaN.
//! Method: `ln(a + sqrt(a^2 - 1))`; the radicand is an exact integer, its root has 113 bits or more.
//! Error: below 2^-95, relatively, before the one rounding: the logarithm's argument has an error below 2^-123, and the smallest
//! result beside 0 is 2^-11.
//! Source: the definition.

use super::asinh::squarable;
use super::fixed::root;
use super::log::ln;
use super::pack::pack;
use super::{INF, NAN, ONE};

/// `acosh a`.
pub fn acosh(a: u32) -> u32 {
    // NaNs and negative numbers are above infinity.
    if !(ONE..=INF).contains(&a) {
        return NAN;
    }
    if a == ONE {
        return 0;
    }
    if a == INF {
        return a;
    }
    let (x, one, f) = squarable(a, (a >> 23) as i32);
    pack(false, ln(x + root(x * x - one), -f), 25)
}
