//! What every run takes and gives.

use super::environment::Environment;
use super::session::Session;
use super::stepwise::{Stepwise, Wanted};
use crate::arith::Isa;
use crate::package::Package;
use crate::program::{TensorType, ValueId};
use crate::tensor::{Tensor, TensorError};
use std::borrow::Cow;

/// How to run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Threads; 0 for one a core.
    pub threads: usize,
    /// Instruction set of the kernels.
    pub isa: Isa,
}

/// Why a program could not be run.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The wrong number of inputs.
    #[error("the program takes {expected} inputs, {got} were given")]
    InputCount {
        /// Inputs the program takes.
        expected: usize,
        /// Inputs given.
        got: usize,
    },
    /// An input of the wrong type or shape.
    #[error("input {index} ({name}) must be {expected}, a tensor of {got} was given")]
    InputType {
        /// Position of the input.
        index: usize,
        /// The input's name in the model.
        name: String,
        /// What it must be.
        expected: TensorType,
        /// What was given.
        got: TensorType,
    },
    /// An input whose elements lie in another order than row-major.
    #[error("input {index} ({name}) must lie in row-major order: give ndarray's `as_standard_layout` of it")]
    InputOrder {
        /// Position of the input.
        index: usize,
        /// The input's name in the model.
        name: String,
    },
    /// A value that does not fit in memory.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// This process changed how floats are computed.
    #[error(
        "this process computes floats with other modes, and so would give wrong results: {0}; restore the default modes"
    )]
    Environment(#[from] Environment),
    /// Threads could not be started.
    #[error("could not start {0} threads")]
    Threads(usize),
}

/// Which values a run gives back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// The outputs; everything else is freed after its last reader.
    Outputs,
    /// Every value.
    All,
}

/// Called with each value as it is produced, in order, before anything reads it. It may change it: that is how an adversary lies.
/// What it changes it makes its own (`to_mut`).
pub type Hook<'h> = &'h mut (dyn FnMut(ValueId, &mut Cow<'_, Tensor>) + Send);

/// Runs a program and returns its outputs.
///
/// # Errors
/// When the inputs do not fit the program, or a value does not fit in memory.
pub fn run(package: &Package, inputs: &[Tensor], options: &Options) -> Result<Vec<Tensor>, ExecError> {
    Session::new(package, options)?.run(inputs)
}

/// Runs a program value by value; gives the kept values, `None` for the others.
///
/// # Errors
/// When the inputs do not fit the program, or a value does not fit in memory.
pub fn execute<'a>(
    package: &'a Package,
    inputs: &'a [Tensor],
    options: &Options,
    keep: Keep,
    hook: Hook<'_>,
) -> Result<Vec<Option<Cow<'a, Tensor>>>, ExecError> {
    let first_output = package.program().output_ids().start;
    let kept = |id| keep == Keep::All || id >= first_output;
    Stepwise::once(package, options)?.run(inputs, Wanted { kept: &kept, known: &mut |_| None }, hook)
}

pub(super) fn check_inputs(package: &Package, inputs: &[Tensor]) -> Result<(), ExecError> {
    let expected = package.program().input_types();
    if expected.len() != inputs.len() {
        return Err(ExecError::InputCount { expected: expected.len(), got: inputs.len() });
    }
    for (index, (expected, input)) in expected.zip(inputs).enumerate() {
        if *expected != input.ty() {
            let name = package.input_name(index).to_string();
            return Err(ExecError::InputType { index, name, expected: expected.clone(), got: input.ty() });
        }
        if !input.is_row_major() {
            return Err(ExecError::InputOrder { index, name: package.input_name(index).to_string() });
        }
    }
    Ok(())
}
