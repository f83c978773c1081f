//! Adversaries: they know the truth, depart from it at one place, and play the real contracts as well as anybody can from there.

mod forged;
mod liar;

pub use forged::{ForgedTrace, Lie, LieError};
pub use liar::{Liar, LiarError};
