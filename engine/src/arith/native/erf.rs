//! The error function in f64.
//!
//! Method: `-(exp(p) - 1)` without cancellation, with `p = ln(1 - erf |a|)`, which is `|a|` times a polynomial in `|a| - 2` up to 4. From there
//! on the result is 1.
//! Error: below 2^-49, relatively. An error of `p` counts times `(1 - erf) / erf`; that of the polynomial alone stays below 2^-52
//! (measured where it is made, see the coefficients). Source: weighted least squares.

use super::exp::parts;
use super::{at_most, multiply_add, narrow, polynomial};
use crate::arith::soft;

/// `ln(1 - erf x) / x` in powers of `x - 2` for x from 0 to 4; made by engine/tests/data/erf_table.py.
const LOG_COMPLEMENT: [f64; 22] = [
    6.40609222312681e-14,
    6.058892761566379e-13,
    1.5588315247954297e-13,
    -6.004497282053566e-12,
    -6.448934071487003e-12,
    8.712973685631452e-13,
    1.198416369047572e-10,
    -1.643249880014726e-10,
    -7.062256504133292e-11,
    2.2899342661751768e-09,
    -1.8593799906778406e-08,
    9.55006648365592e-08,
    -3.6384115972258065e-07,
    9.310672203706885e-07,
    8.97021913168789e-08,
    -2.088584992104795e-05,
    0.00017708116291589924,
    -0.0010865616702121696,
    0.005743879673048843,
    -0.02795287749051715,
    -0.867845086842933,
    -2.682470632308312,
];

/// `erf a`, correctly rounded.
#[inline]
pub fn erf(a: f32) -> f32 {
    narrow(wide::<false>(a.into()), || soft::erf(a.to_bits()))
}

/// `erf x`, relatively exact also for small x; a NaN stays one.
#[inline(always)]
pub(super) fn wide<const FUSED: bool>(x: f64) -> f64 {
    let magnitude = at_most(x.abs(), 4.0);
    let p = magnitude * polynomial::<FUSED, _>(&LOG_COMPLEMENT, magnitude - 2.0);
    let (scale, q) = parts::<FUSED>(p);
    let d = multiply_add::<FUSED>(scale, q, scale - 1.0);
    (-d).copysign(x)
}
