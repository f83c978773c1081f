//! Running a program natively: every instruction over whole tensors, with threads, and the bits of the reference interpreter.

mod block;
mod dot;
mod environment;
mod fold;
mod kernels;
mod lanes;
mod plain;
mod points;
mod read;
mod rows;
mod scan;

pub use crate::arith::Isa;
pub use environment::{Environment, check as check_environment};
pub(crate) use plain::execute_knowing;
pub use plain::{ExecError, Hook, Keep, Options, execute, run};
