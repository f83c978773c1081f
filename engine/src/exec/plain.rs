//! The run for a trace: instruction by instruction, every value by itself; a value's memory is freed after its last reader.

use super::environment::Environment;
use super::session::Session;
use super::step::Step;
use super::threads::Threads;
use crate::arith::Isa;
use crate::package::Package;
use crate::program::{Program, Source, TensorType, Value, ValueId};
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
pub type Hook<'h> = &'h mut dyn FnMut(ValueId, &mut Cow<'_, Tensor>);

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
    execute_knowing(package, inputs, options, &kept, &mut |_| None, hook)
}

/// As [`execute`], without computing what is `known`; gives the values that are to be `kept`.
pub(crate) fn execute_knowing<'a>(
    package: &'a Package,
    inputs: &'a [Tensor],
    options: &Options,
    kept: &dyn Fn(ValueId) -> bool,
    known: &mut dyn FnMut(ValueId) -> Option<Cow<'a, Tensor>>,
    hook: Hook<'_>,
) -> Result<Vec<Option<Cow<'a, Tensor>>>, ExecError> {
    check_inputs(package, inputs)?;
    let threads = Threads::new(options.threads)?;
    threads.check()?;
    let program = package.program();
    let last_use = last_uses(program);
    let mut values: Vec<Option<Cow<'a, Tensor>>> = Vec::with_capacity(program.values.len());
    for (id, value) in program.values.iter().enumerate() {
        let mut tensor = match (known(id as u64), &value.source) {
            (Some(tensor), _) => tensor,
            (None, Source::Input) => Cow::Borrowed(&inputs[id]),
            (None, Source::Constant { .. }) => Cow::Borrowed(package.constant(id as u64)),
            (None, Source::Instruction(i)) => {
                let operands: Vec<&Tensor> =
                    i.operands.iter().filter_map(|o| values[o.value as usize].as_deref()).collect();
                let mut out = Tensor::zeros(&value.ty)?;
                if !out.is_empty() {
                    threads.install(|| Step::new(i).run(&operands, options.isa, &mut out));
                }
                Cow::Owned(out)
            }
        };
        hook(id as u64, &mut tensor);
        values.push(Some(tensor));
        free(&mut values, value, id as u64, &last_use, kept);
    }
    for (id, value) in (0..).zip(&mut values) {
        if !kept(id) {
            *value = None;
        }
    }
    Ok(values)
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
    }
    Ok(())
}

fn free(
    values: &mut [Option<Cow<'_, Tensor>>],
    value: &Value,
    id: ValueId,
    last_use: &[ValueId],
    kept: &dyn Fn(ValueId) -> bool,
) {
    if let Source::Instruction(i) = &value.source {
        for o in &i.operands {
            if last_use[o.value as usize] == id && !kept(o.value) {
                values[o.value as usize] = None;
            }
        }
    }
}

/// For each value the last value that reads it.
fn last_uses(program: &Program) -> Vec<ValueId> {
    let mut last: Vec<ValueId> = (0..program.values.len() as u64).collect();
    for (id, value) in program.values.iter().enumerate() {
        if let Source::Instruction(i) = &value.source {
            for o in &i.operands {
                last[o.value as usize] = id as u64;
            }
        }
    }
    last
}
