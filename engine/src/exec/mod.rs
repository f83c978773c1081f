//! Running a program natively: every instruction over whole tensors, with threads, and the bits of the reference interpreter.

mod across;
mod axes;
mod block;
mod concat;
mod elements;
mod environment;
mod fold;
mod follow;
mod lanes;
mod lifetimes;
mod matrix;
mod out;
mod pairs;
mod plain;
mod points;
mod read;
mod reader;
mod reduced;
mod rowwise;
mod scan;
mod session;
mod spare;
mod starts;
mod step;
mod stepwise;
mod straight;
mod threads;
mod tiles;
mod transposed;
mod vectors;
mod weave;

pub use crate::arith::Isa;
pub use environment::{Environment, check as check_environment};
pub use plain::{ExecError, Hook, Keep, Options, execute, run};
pub use session::Session;
pub(crate) use stepwise::{Stepwise, Wanted};
