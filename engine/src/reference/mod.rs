//! The reference interpreter: any single element of any instruction, in integers only.
//!
//! It is the plain twin of the Solidity step. What it reads goes through [`Memory`], so that recording the reads gives the step's
//! witness. Speed is not its business; [`crate::exec`] has that.

mod element;
mod expr;
mod fold;
mod scalar;

pub use element::{Memory, evaluate};
pub use fold::fold;
pub use scalar::{apply, cast};
