//! The scalar operations on `f32`, with the bits of [`soft`](super::soft) at the speed of hardware.
//!
//! **NaN.** Hardware gives whatever NaN it likes from `+ - * /`, `sqrt`, `fma` and roundings, so their results agree with `soft`
//! after [`canonical`], which a caller applies when it loads a value and when it stores an instruction's result. In between no
//! operation looks at a NaN's bits, so it is not needed there. `min`, `max` and the elementary functions are canonical already.
//!
//! **Elementary functions** are evaluated in f64 by `+ - * /` and `sqrt` only, whose bits no platform may change, with a relative
//! error well below [`ERROR`]; over slices ([`vector`]) also by fused multiply-adds. If the result rounds to the same f32 at both ends of that interval it is the correctly rounded one;
//! otherwise, about once in a million, [`soft`](super::soft) decides.

mod acos;
mod acosh;
mod angle;
mod asin;
mod asinh;
mod atan;
mod atanh;
mod basic;
mod circle;
mod cos;
mod cosh;
mod erf;
mod exp;
mod exp2;
mod expm1;
pub mod half;
mod log;
mod log1p;
mod log2;
mod pow;
mod reciprocal;
mod rsqrt;
#[cfg(target_arch = "x86_64")]
mod segments;
mod sigmoid;
mod sin;
mod sinh;
mod softplus;
mod tan;
mod tanh;
pub mod vector;

pub use acos::acos;
pub use acosh::acosh;
pub use asin::asin;
pub use asinh::asinh;
pub use atan::atan;
pub use atanh::atanh;
pub use basic::{
    abs, add, canonical, ceil, div, eq, floor, fma, from_i64, ge, gt, le, lt, max, min, mul, ne, neg, rem, round_even,
    sqrt, sub, to_int, trunc,
};
pub use cos::cos;
pub use cosh::cosh;
pub use erf::erf;
pub use exp::exp;
pub use exp2::exp2;
pub use expm1::expm1;
pub use log::log;
pub use log1p::log1p;
pub use log2::log2;
pub use pow::pow;
pub use reciprocal::reciprocal;
pub use rsqrt::rsqrt;
pub use sigmoid::sigmoid;
pub use sin::sin;
pub use sinh::sinh;
pub use softplus::softplus;
pub use tan::tan;
pub use tanh::tanh;

/// The NaN that a value may hold.
pub const NAN: f32 = f32::from_bits(super::soft::NAN);

/// The relative error granted to every f64 evaluation: 2^-45. The evaluations stay below 2^-48.
pub const ERROR: f64 = 1.0 / (1u64 << 45) as f64;

/// ln 2 in two parts; the first has 33 significant bits, so its products with small integers are exact.
const LN_2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN_2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);

/// The f32 nearest to the exact value that `y` approximates, or `exact` of it where `y` cannot tell.
#[inline(always)]
fn narrow(y: f64, exact: impl FnOnce() -> u32) -> f32 {
    let (low, high) = ends(y);
    if low.to_bits() == high.to_bits() { canonical(low) } else { f32::from_bits(exact()) }
}

/// Both ends of the interval in which the exact value lies, rounded.
#[inline(always)]
fn ends(y: f64) -> (f32, f32) {
    ((y * (1.0 - ERROR)) as f32, (y * (1.0 + ERROR)) as f32)
}

/// The smaller number; a NaN stays one.
#[inline(always)]
fn at_most(x: f64, limit: f64) -> f64 {
    if x > limit { limit } else { x }
}

/// The polynomial with these coefficients, highest power first: odd and even powers apart, so that neither waits for the other.
#[inline(always)]
fn polynomial<const FUSED: bool, const N: usize>(coefficients: &[f64; N], x: f64) -> f64 {
    let z = x * x;
    let (mut odd, mut even) = match coefficients.as_slice() {
        [a, b, c, ..] if N % 2 == 1 => (*b, multiply_add::<FUSED>(*a, z, *c)),
        [a, b, ..] => (*a, *b),
        _ => return coefficients.first().copied().unwrap_or(0.0),
    };
    for pair in coefficients[2 + N % 2..].chunks_exact(2) {
        odd = multiply_add::<FUSED>(odd, z, pair[0]);
        even = multiply_add::<FUSED>(even, z, pair[1]);
    }
    multiply_add::<FUSED>(odd, x, even)
}

/// `a * b + c`, rounded once where `FUSED`: faster with instructions for it, very slow without. The error bounds hold for both.
#[inline(always)]
fn multiply_add<const FUSED: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}
