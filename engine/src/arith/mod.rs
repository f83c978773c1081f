//! Canonical arithmetic on f32.
//!
//! [`soft`] is the definition: integers only, written to be read. [`native`] gives the same bits quickly and is tested against it.

mod isa;
pub mod native;
pub mod soft;

pub use isa::Isa;
pub(crate) use isa::{FUSED, Level, for_each_level};
