//! The plain run: instruction by instruction; a value's memory is freed after its last reader.

use super::block::Scope;
use super::dot::{self, Plan};
use super::environment::{self, Environment};
use super::fold;
use super::kernels::kernel;
use super::lanes::{Lanes, store};
use super::points::{Point, points, strides};
use super::read::{Block, Coordinates};
use super::scan;
use crate::arith::Isa;
use crate::package::Package;
use crate::program::limits::CHUNK;
use crate::program::{Core, Instruction, Program, Source, TensorType, Value, ValueId};
use crate::tensor::{Tensor, TensorError};
use rayon::prelude::*;
use std::borrow::Cow;

/// Elements that the block evaluator takes at once.
pub(super) const BLOCK: usize = 2048;

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
    let values = execute(package, inputs, options, Keep::Outputs, &mut |_, _| {})?;
    Ok(values.into_iter().flatten().map(Cow::into_owned).collect())
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
    execute_knowing(package, inputs, options, keep, &|_| None, hook)
}

/// As [`execute`], without computing what is `known`.
pub(crate) fn execute_knowing<'a>(
    package: &'a Package,
    inputs: &'a [Tensor],
    options: &Options,
    keep: Keep,
    known: &dyn Fn(ValueId) -> Option<&'a Tensor>,
    hook: Hook<'_>,
) -> Result<Vec<Option<Cow<'a, Tensor>>>, ExecError> {
    check_inputs(package, inputs)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build();
    let pool = pool.map_err(|_| ExecError::Threads(options.threads))?;
    pool.broadcast(|_| environment::check()).into_iter().collect::<Result<(), _>>()?;
    let program = package.program();
    let last_use = last_uses(program);
    let first_output = program.output_ids().start;
    let mut values: Vec<Option<Cow<'a, Tensor>>> = Vec::with_capacity(program.values.len());
    for (id, value) in program.values.iter().enumerate() {
        let mut tensor = match (known(id as u64), &value.source) {
            (Some(tensor), _) => Cow::Borrowed(tensor),
            (None, Source::Input) => Cow::Borrowed(&inputs[id]),
            (None, Source::Constant { .. }) => Cow::Borrowed(package.constant(id as u64)),
            (None, Source::Instruction(i)) => {
                let operands: Vec<&Tensor> =
                    i.operands.iter().filter_map(|o| values[o.value as usize].as_deref()).collect();
                let mut out = Tensor::zeros(&value.ty)?;
                pool.install(|| instruction(i, &operands, options.isa, &mut out));
                Cow::Owned(out)
            }
        };
        hook(id as u64, &mut tensor);
        values.push(Some(tensor));
        if keep == Keep::Outputs {
            free(&mut values, value, id as u64, &last_use, first_output);
        }
    }
    if keep == Keep::Outputs {
        values[..first_output as usize].fill(None);
    }
    Ok(values)
}

fn check_inputs(package: &Package, inputs: &[Tensor]) -> Result<(), ExecError> {
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
    first_output: ValueId,
) {
    if let Source::Instruction(i) = &value.source {
        for o in &i.operands {
            if last_use[o.value as usize] == id && o.value < first_output {
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

/// Computes all elements of an instruction into `out`.
fn instruction(i: &Instruction, operands: &[&Tensor], isa: Isa, out: &mut Tensor) {
    if out.is_empty() {
        return;
    }
    let scope = Scope { instruction: i, operands, isa };
    if let Core::Dot { a, b } = i.core
        && let Some(plan) = Plan::new(i, a, b)
    {
        return dot::run(&plan, &scope, kernel(isa), out);
    }
    if let Core::Scan { axis, initial } = i.core {
        return scan::run(&scope, axis, initial, out);
    }
    let axis = longest(0..i.extents.len() - usize::from(i.windowed), i);
    let stride = axis.map_or(1, |x| strides(i)[x]);
    let len = axis.map_or(1, |x| i.extents[x] as usize); // the result is in memory, so this fits
    let window_axis = i.windowed.then(|| i.extents.len() - 1);
    let others: Vec<usize> = (0..i.extents.len()).filter(|&x| Some(x) != axis && Some(x) != window_axis).collect();
    let rows = points(i, &others);
    let windows = window_axis.map_or(1, |x| i.extents[x]);
    let total_k: u64 = i.reduction.iter().product();
    for w in 0..windows {
        let ks = if i.windowed { w * CHUNK..total_k.min((w + 1) * CHUNK) } else { 0..total_k };
        let compute = |rows: &[Point]| {
            let at = |p: &Point| -> Coordinates {
                let mut at = p.at;
                if let Some(x) = window_axis {
                    at[x] = w as i64;
                }
                at
            };
            let block = Block { rows: rows.iter().map(at).collect(), axis: axis.unwrap_or(0), len };
            let core = match &i.core {
                Core::None | Core::Scan { .. } => None,
                Core::Dot { a, b } => Some(fold::dot(&scope, [*a, *b], &block, ks.clone())),
                Core::Fold { op, body } => Some(fold::fold(&scope, *op, body, &block, ks.clone())),
            };
            scope.evaluate(&i.epilogue, &block, core.as_ref()).1
        };
        let per_block = (BLOCK / len.max(1)).max(1);
        let blocks: Vec<Lanes> = rows.par_chunks(per_block).map(compute).collect();
        for (rows, lanes) in rows.chunks(per_block).zip(&blocks) {
            store(out, rows.iter().map(|p| p.offset + w as usize), stride, len, lanes);
        }
    }
}

/// The axis along which runs go: the innermost one unless it is short and another is longer. `axes` are those that it may be, never
/// the windows'.
pub(super) fn longest(axes: impl DoubleEndedIterator<Item = usize> + Clone, i: &Instruction) -> Option<usize> {
    const LONG: u64 = 16;
    let long = axes.clone().rev().find(|&x| i.extents[x] >= LONG);
    long.or_else(|| axes.rev().max_by_key(|&x| i.extents[x]))
}
