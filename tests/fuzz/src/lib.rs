//! What must hold for any file that the engine reads, and what makes files that come far.

pub mod checks;
mod memory;
pub mod mutators;
pub mod seeds;
