//! From an ONNX model to a [`Program`](crate::program::Program): a deterministic pass, so that everybody who compiles a model gets the same program id.
//!
//! Every ONNX tensor is a lazy tensor (`lazy.rs`) over some definition; operators make views of them or instructions
//! (`ops/`), control operators are resolved (`control/`), `builder.rs` lays operands out so that a step touches few leaves (`bill/`) and cuts long reductions (`cut.rs`), `fuse.rs` merges elementwise neighbours, and
//! `finish.rs` numbers what is left.

mod bill;
mod budget;
mod builder;
mod constant;
mod context;
mod control;
mod cut;
mod draft;
mod error;
mod finish;
mod formula;
mod fuse;
mod graph;
mod inputs;
mod lazy;
mod ops;
mod scope;
mod series;
mod spec;

pub use bill::{Around, Bill, bill, gas, step};
pub use error::LowerError;
pub use graph::{LowerOptions, Lowered, lower};

use crate::program::{bounded, product};

/// What lowering a node gives; the text says what is wrong with it.
type Lowering<T> = Result<T, String>;

/// Product of dimensions that a tensor may have.
fn mul(dims: &[u64]) -> Lowering<u64> {
    if bounded(dims) { Ok(product(dims)) } else { Err(format!("shape {dims:?} has 2^40 elements or more")) }
}
