//! The bots that claim and watch, and the `rebut` command line.
//!
//! The rules of the game are the contracts'; what to play is the engine's; here is only when to play, and how to tell people.

pub mod bots;
pub mod cli;
pub mod demo;
pub mod expect;
pub mod files;
