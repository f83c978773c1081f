//! The error function in f64.
//!
//! Method: `-(exp(p) - 1)` without cancellation, with `p = ln(1 - erf |a|)`, which is `|a|` times a polynomial up to [`LARGEST`].
//! Error: below 2^-49, relatively. An error of `p` counts times `(1 - erf) / erf`; that of the polynomial alone stays below 2^-51
//! (measured where it is made, see the coefficients). Source: weighted least squares.

use super::exp::parts;
use super::{at_most, multiply_add, narrow, polynomial};
use crate::arith::soft;

/// `ln(1 - erf x) / x` in powers of `x - LARGEST / 2` for x from 0 to [`LARGEST`]; made by engine/tests/data/polynomials.py.
const LOG_COMPLEMENT: [f64; 20] = [
    -1.4430117760482985e-12,
    -2.888261412922621e-12,
    1.3627390693612634e-11,
    1.3416854464203572e-11,
    5.808384081089107e-11,
    -3.259132700367325e-10,
    7.001997211320929e-11,
    2.57345233978696e-09,
    -1.934456460662269e-08,
    1.0176342753728106e-07,
    -3.9496996278579285e-07,
    1.0377676147942851e-06,
    -1.5601998719278197e-07,
    -2.0879024867524246e-05,
    0.00018099741602747472,
    -0.0011145365989015342,
    0.005881441941735653,
    -0.028497787119934323,
    -0.8660810707421631,
    -2.655377947407233,
];
/// From here on the result is 1: the complement is below 2^-25.
pub(super) const LARGEST: f64 = 3.9375;

/// `erf a`, correctly rounded.
#[inline]
pub fn erf(a: f32) -> f32 {
    narrow(wide::<false>(a.into()), || soft::erf(a.to_bits()))
}

/// `erf x`, relatively exact also for small x; a NaN stays one.
#[inline(always)]
pub(super) fn wide<const FUSED: bool>(x: f64) -> f64 {
    let magnitude = at_most(x.abs(), LARGEST);
    let p = magnitude * polynomial::<FUSED, _>(&LOG_COMPLEMENT, magnitude - LARGEST / 2.0);
    let (scale, q) = parts::<FUSED>(p);
    let d = multiply_add::<FUSED>(scale, q, scale - 1.0);
    (-d).copysign(x)
}
