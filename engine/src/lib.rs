//! The pure half of Rebut: ONNX import, programs, canonical arithmetic, native kernels, the reference interpreter, trees, traces
//! and what a dispute needs of them. No network, no clock, no chain, no async.
//!
//! The way through it: [`onnx`] reads a model, [`lower`] turns it into a [`program`], [`exec`] runs it, [`trace`] commits to every
//! value, [`dispute`] finds where two traces differ and makes the witness with which the chain re-runs one element.

pub mod arith;
pub mod dispute;
pub mod exec;
pub mod hash;
pub mod lower;
pub mod onnx;
pub mod package;
pub mod program;
pub mod reference;
mod stored;
mod tasks;
pub mod tensor;
pub mod trace;
pub mod tree;
