//! The reciprocal.
//!
//! Domain: every f32; that of a zero is infinite with its sign.
//! Method: the division of 1. Error: none before its one rounding. Source: the definition.

use super::{ONE, div};

/// `1 / a`.
pub fn reciprocal(a: u32) -> u32 {
    div(ONE, a)
}
