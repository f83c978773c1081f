//! The proof of the canonical arithmetic (`docs/arithmetic.md`): one list of operations, from which every test, sweep, vector file
//! and gas figure is made.

pub mod gas;
pub mod harness;
pub mod inputs;
pub mod operations;
#[cfg(feature = "oracle")]
pub mod oracle;
pub mod steps;
#[cfg(feature = "oracle")]
pub mod sweep;
pub mod vectors;
