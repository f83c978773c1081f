//! The executable definition of every scalar operation, on bit patterns and with integers only.
//!
//! IEEE-754-2019 binary32, round to nearest even, subnormals kept. Every function is total and its NaN is [`NAN`] and no other.
//! The elementary functions mirror the fixed-point algorithms of the contracts step by step.

mod acos;
mod acosh;
mod angle;
mod asin;
mod asinh;
mod atan;
mod atanh;
mod basic;
mod circle;
#[cfg(feature = "closest")]
pub mod closest;
mod compare;
mod cos;
mod cosh;
mod erf;
mod exp;
mod exp2;
mod expm1;
mod fixed;
mod fma;
pub mod half;
mod integer;
mod log;
mod log1p;
mod log2;
mod pack;
mod pow;
mod reciprocal;
mod rem;
mod rsqrt;
mod sigmoid;
mod sin;
mod sinh;
mod softplus;
mod sqrt;
mod tan;
mod tanh;

pub use acos::acos;
pub use acosh::acosh;
pub use asin::asin;
pub use asinh::asinh;
pub use atan::atan;
pub use atanh::atanh;
pub use basic::{abs, add, div, mul, neg, sub};
pub use compare::{eq, ge, gt, le, lt, max, min, ne};
pub use cos::cos;
pub use cosh::cosh;
pub use erf::erf;
pub use exp::exp;
pub use exp2::exp2;
pub use expm1::expm1;
pub use fma::fma;
pub use integer::{ceil, floor, from_i64, round_even, to_int, trunc};
pub use log::log;
pub use log1p::log1p;
pub use log2::log2;
pub use pow::pow;
pub use reciprocal::reciprocal;
pub use rem::rem;
pub use rsqrt::rsqrt;
pub use sigmoid::sigmoid;
pub use sin::sin;
pub use sinh::sinh;
pub use softplus::softplus;
pub use sqrt::sqrt;
pub use tan::tan;
pub use tanh::tanh;

/// The only NaN that an operation gives.
pub const NAN: u32 = 0x7fc0_0000;
/// Plus infinity.
pub const INF: u32 = 0x7f80_0000;
/// The sign bit.
pub const SIGN: u32 = 0x8000_0000;
/// All bits but the sign.
pub const MAGNITUDE: u32 = 0x7fff_ffff;
/// 1.0.
pub const ONE: u32 = 0x3f80_0000;

/// Whether the bits are a NaN.
pub const fn is_nan(a: u32) -> bool {
    a & MAGNITUDE > INF
}

/// A NaN becomes [`NAN`]; everything else stays.
pub const fn canonical(a: u32) -> u32 {
    if is_nan(a) { NAN } else { a }
}
