//! The executable definition of every scalar operation, on bit patterns and with integers only.
//!
//! IEEE-754-2019 binary32, round to nearest even, subnormals kept. Every function is total and its NaN is [`NAN`] and no other.
//! The elementary functions mirror the fixed-point algorithms of the contracts step by step.

mod acos;
mod angle;
mod asin;
mod atan;
mod basic;
mod circle;
#[cfg(feature = "closest")]
pub mod closest;
mod compare;
mod cos;
mod erf;
mod exp;
mod fixed;
mod fma;
pub mod half;
mod integer;
mod log;
mod pack;
mod rem;
mod sigmoid;
mod sin;
mod sqrt;
mod tan;
mod tanh;

pub use acos::acos;
pub use asin::asin;
pub use atan::atan;
pub use basic::{abs, add, div, mul, neg, sub};
pub use compare::{eq, ge, gt, le, lt, max, min, ne};
pub use cos::cos;
pub use erf::erf;
pub use exp::exp;
pub use fma::fma;
pub use integer::{ceil, floor, from_i64, round_even, to_int, trunc};
pub use log::log;
pub use rem::rem;
pub use sigmoid::sigmoid;
pub use sin::sin;
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
