//! The error function in f64.
//!
//! Method: below 1/2 `a` times an even polynomial; from there to 4 a polynomial around the middle of each quarter.
//! Error: below 2^-49, relatively, of which the polynomials are below 2^-51 (measured where they are made, see the table).
//! From 4 on the result is 1. Source: Chebyshev interpolation of the function.

use super::erf_table::{EVEN, QUARTERS};
use super::{NAN, narrow, polynomial};
use crate::arith::soft;

/// `erf a`, correctly rounded.
#[inline]
pub fn erf(a: f32) -> f32 {
    if a.is_nan() {
        return NAN;
    }
    let a64 = f64::from(a);
    let x = a64.abs();
    let y = if x < 0.5 {
        a64 * polynomial(&EVEN, x * x)
    } else {
        let x = x.min(4.0);
        let i = (((x - 0.5) * 4.0) as usize).min(QUARTERS.len() - 1);
        let middle = 0.625 + i as f64 * 0.25;
        polynomial(&QUARTERS[i], x - middle).copysign(a64)
    };
    narrow(y, || soft::erf(a.to_bits()))
}
