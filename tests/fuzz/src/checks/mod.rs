//! What must hold for any bytes: an error or something whole, within bounded time and memory. The functions panic where it does not.

pub mod cache;
pub mod importer;
pub mod package;
mod run;
pub mod text;
