//! Order: comparisons, `minimum` and `maximum`.
//!
//! Source: IEEE-754-2019, 5.11 and 9.6.

use super::{MAGNITUDE, NAN, SIGN, is_nan};

/// Grows with the number, and -0 comes before +0.
fn rank(a: u32) -> u32 {
    if a & SIGN == 0 { a | SIGN } else { !a }
}

/// Grows with the number, and both zeros are one.
fn value(a: u32) -> i64 {
    let x = i64::from(a & MAGNITUDE);
    if a & SIGN == 0 { x } else { -x }
}

fn ordered(a: u32, b: u32) -> bool {
    !is_nan(a) && !is_nan(b)
}

/// The 2019 `minimum`: NaN wins, -0 < +0.
pub fn min(a: u32, b: u32) -> u32 {
    if !ordered(a, b) {
        return NAN;
    }
    if rank(a) < rank(b) { a } else { b }
}

/// The 2019 `maximum`: NaN wins, -0 < +0.
pub fn max(a: u32, b: u32) -> u32 {
    if !ordered(a, b) {
        return NAN;
    }
    if rank(a) < rank(b) { b } else { a }
}

/// `a < b`; false with NaN.
pub fn lt(a: u32, b: u32) -> bool {
    ordered(a, b) && value(a) < value(b)
}

/// `a <= b`; false with NaN.
pub fn le(a: u32, b: u32) -> bool {
    ordered(a, b) && value(a) <= value(b)
}

/// `a > b`; false with NaN.
pub fn gt(a: u32, b: u32) -> bool {
    lt(b, a)
}

/// `a >= b`; false with NaN.
pub fn ge(a: u32, b: u32) -> bool {
    le(b, a)
}

/// `a == b`; false with NaN.
pub fn eq(a: u32, b: u32) -> bool {
    ordered(a, b) && value(a) == value(b)
}

/// `a != b`; true with NaN.
pub fn ne(a: u32, b: u32) -> bool {
    !eq(a, b)
}
