//! The plain run: a program prepared once and run often. Chunk results never exist in memory, constant matrices are packed beforehand, and a
//! value's memory is used again after its last reader.

use super::matrix::{Operands, Results};
use super::out::Out;
use super::plain::{ExecError, Options, check_inputs};
use super::plan::{Kind, Work, plan};
use super::spare::Spare;
use super::step::{Budget, Step, pack};
use super::threads::Threads;
use crate::arith::Isa;
use crate::package::Package;
use crate::program::{Program, Source, Value, ValueId, product};
use crate::tensor::Tensor;

/// Cost of a program below which more than one thread would only wait for one another.
const SMALL: u64 = 1 << 14;

/// A program that is ready to run.
pub struct Session<'p> {
    package: &'p Package,
    isa: Isa,
    threads: Threads,
    work: Vec<Work<'p>>,
    spare: Spare,
}

impl<'p> Session<'p> {
    /// Prepares a program.
    ///
    /// # Errors
    /// When the threads cannot be started.
    pub fn new(package: &'p Package, options: &Options) -> Result<Self, ExecError> {
        let small = package.program().values.iter().map(cost).fold(0, u64::saturating_add) < SMALL;
        let threads = Threads::new(if small { 1 } else { options.threads })?;
        let mut session =
            Self { package, isa: options.isa, threads, work: Vec::new(), spare: Spare::new(package.program()) };
        let mut budget = Budget::default();
        session.work = plan(package.program(), &mut budget);
        session.threads.run(|| {
            for work in &mut session.work {
                if let Kind::One(reads, Step::Reduction(reduction)) | Kind::Joined([reads, _], reduction, _) =
                    &mut work.kind
                {
                    pack(package, reads, reduction, &mut budget);
                }
            }
        })?;
        Ok(session)
    }

    /// Runs the program and returns its outputs.
    ///
    /// # Errors
    /// When the inputs do not fit the program, a value does not fit in memory, or this process changed how floats are computed.
    pub fn run(&mut self, inputs: &[Tensor]) -> Result<Vec<Tensor>, ExecError> {
        check_inputs(self.package, inputs)?;
        let Self { package, isa, threads, work, spare } = self;
        let program = package.program();
        let outputs = threads.run(|| {
            let mut values: Vec<Option<Tensor>> = Vec::new();
            values.resize_with(program.values.len(), || None);
            for Work { value, kind, last } in work {
                // What several make in parts is there already.
                let mut out = match values[*value].take() {
                    Some(out) => out,
                    None => spare.take(&program.values[*value].ty)?,
                };
                let of = |reads: &[ValueId]| -> Vec<&Tensor> {
                    // What was never made is what is read only between joined instructions.
                    let operand = |&id: &ValueId| match source(program, id) {
                        Some(Source::Input) => &inputs[id as usize],
                        Some(Source::Constant { .. }) => package.constant(id),
                        _ => values[id as usize].as_ref().unwrap_or(Tensor::none()),
                    };
                    reads.iter().map(operand).collect()
                };
                match kind {
                    _ if out.is_empty() => {}
                    Kind::One(reads, step) => step.run(&of(reads), *isa, &mut out),
                    Kind::Joined([dot, finish], reduction, start) => {
                        let (dot, finish) = (of(dot), of(finish));
                        let operands = Operands { dot: &dot, finish: &finish };
                        let out = Out::new(&mut out, isa.level()).from(*start);
                        reduction.run(operands, *isa, Results { finished: &out, parts: None });
                    }
                    Kind::Rows(rows) => rows.run(&of(rows.reads()), *isa, &Out::new(&mut out, isa.level())),
                }
                values[*value] = Some(out);
                for &mut id in last {
                    if let Some(tensor) = values[id].take() {
                        spare.give(tensor);
                    }
                }
            }
            let mut outputs = Vec::with_capacity(usize::from(program.outputs));
            for id in program.output_ids() {
                outputs.push(match source(program, id) {
                    Some(Source::Input) => inputs[id as usize].clone(),
                    Some(Source::Constant { .. }) => package.constant(id).clone(),
                    _ => values[id as usize].take().unwrap_or_else(|| Tensor::none().clone()), // every output is made
                });
            }
            Ok(outputs)
        });
        outputs?
    }
}

/// About how many nanoseconds a value takes on one core.
fn cost(value: &Value) -> u64 {
    let Some(i) = value.instruction() else { return 0 };
    let elements = value.ty.elements();
    elements.saturating_add(elements.saturating_mul(product(&i.reduction)) / 32)
}

fn source(program: &Program, id: u64) -> Option<&Source> {
    Some(&program.values.get(usize::try_from(id).ok()?)?.source)
}
