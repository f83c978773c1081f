//! The plain run: a program prepared once and run often. Chunk results never exist in memory, constant matrices are packed beforehand, and a
//! value's memory is used again after its last reader.

use super::matrix::{Operands, chunked};
use super::out::Out;
use super::plain::{ExecError, Options, check_inputs};
use super::step::{Reduction, Step};
use super::threads::Threads;
use crate::arith::Isa;
use crate::package::Package;
use crate::program::{Instruction, Program, Source, TensorType, ValueId};
use crate::tensor::Tensor;

/// Bytes of constants that are packed beforehand; those of larger models are packed when they are read.
const PACKED: u64 = 1 << 29;

/// A program that is ready to run.
pub struct Session<'p> {
    package: &'p Package,
    isa: Isa,
    threads: Threads,
    work: Vec<Work<'p>>,
    /// Memory of values that are not needed any more.
    spare: Vec<Vec<f32>>,
}

/// What makes a value.
struct Work<'p> {
    value: usize,
    kind: Kind<'p>,
    /// Values that nobody reads afterwards.
    last: Vec<usize>,
}

enum Kind<'p> {
    One(&'p Instruction, Step<'p>),
    /// A dot and the fold over its chunks.
    Chunked([&'p Instruction; 2], Reduction<'p>),
}

impl<'p> Session<'p> {
    /// Prepares a program.
    ///
    /// # Errors
    /// When the threads cannot be started.
    pub fn new(package: &'p Package, options: &Options) -> Result<Self, ExecError> {
        let threads = Threads::new(options.threads)?;
        let mut session = Self { package, isa: options.isa, threads, work: Vec::new(), spare: Vec::new() };
        session.work = plan(package.program());
        let mut left = PACKED;
        for work in &mut session.work {
            let (dot, reduction) = match &mut work.kind {
                Kind::One(dot, Step::Reduction(reduction)) | Kind::Chunked([dot, _], reduction) => (*dot, reduction),
                Kind::One(..) => continue,
            };
            let constant = |o: usize| {
                dot.operands
                    .get(o)
                    .is_some_and(|o| matches!(source(package.program(), o.value), Some(Source::Constant { .. })))
            };
            let none = Tensor::F32(ndarray::ArrayD::zeros(vec![0]));
            let operands: Vec<&Tensor> = (0..dot.operands.len())
                .map(|o| if constant(o) { package.constant(dot.operands[o].value) } else { &none })
                .collect();
            session.threads.install(|| reduction.pack(&operands, constant, &mut left));
        }
        Ok(session)
    }

    /// Runs the program and returns its outputs.
    ///
    /// # Errors
    /// When the inputs do not fit the program, a value does not fit in memory, or this process changed how floats are computed.
    pub fn run(&mut self, inputs: &[Tensor]) -> Result<Vec<Tensor>, ExecError> {
        self.observed(inputs, &mut |_| {})
    }

    /// As [`run`](Self::run); `made` is told the number of each value after it was made.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn observed(
        &mut self,
        inputs: &[Tensor],
        made: &mut (dyn FnMut(ValueId) + Send),
    ) -> Result<Vec<Tensor>, ExecError> {
        check_inputs(self.package, inputs)?;
        self.threads.check()?;
        let Self { package, isa, threads, work, spare } = self;
        let program = package.program();
        threads.install(|| {
            let mut values: Vec<Option<Tensor>> = Vec::new();
            values.resize_with(program.values.len(), || None);
            let none = Tensor::F32(ndarray::ArrayD::zeros(vec![0]));
            for Work { value, kind, last } in work {
                let mut out = take(spare, &program.values[*value].ty)?;
                let of = |i: &Instruction| -> Vec<&Tensor> {
                    // What was never made is what the dot's fold does not read.
                    let operand = |id: u64| match source(program, id) {
                        Some(Source::Input) => &inputs[id as usize],
                        Some(Source::Constant { .. }) => package.constant(id),
                        _ => values[id as usize].as_ref().unwrap_or(&none),
                    };
                    i.operands.iter().map(|o| operand(o.value)).collect()
                };
                match kind {
                    _ if out.is_empty() => {}
                    Kind::One(i, step) => step.run(&of(i), *isa, &mut out),
                    Kind::Chunked([dot, fold], reduction) => {
                        let (dot, finish) = (of(dot), of(fold));
                        let operands = Operands { dot: &dot, finish: &finish };
                        reduction.run(operands, *isa, &Out::new(&mut out, isa.level()));
                    }
                }
                values[*value] = Some(out);
                made(*value as ValueId);
                for &mut id in last {
                    if let Some(Tensor::F32(array)) = values[id].take() {
                        spare.push(array.into_raw_vec_and_offset().0);
                    }
                }
            }
            let mut outputs = Vec::with_capacity(usize::from(program.outputs));
            for id in program.output_ids() {
                outputs.push(match source(program, id) {
                    Some(Source::Input) => inputs[id as usize].clone(),
                    Some(Source::Constant { .. }) => package.constant(id).clone(),
                    _ => values[id as usize].take().unwrap_or_else(|| none.clone()), // every output is made
                });
            }
            Ok(outputs)
        })
    }
}

fn source(program: &Program, id: u64) -> Option<&Source> {
    Some(&program.values.get(usize::try_from(id).ok()?)?.source)
}

/// A tensor of a type whose elements may be anything.
fn take(spare: &mut Vec<Vec<f32>>, ty: &TensorType) -> Result<Tensor, ExecError> {
    let fits =
        |memory: &Vec<f32>| memory.capacity() as u64 >= ty.elements() && memory.capacity() as u64 / 2 <= ty.elements();
    let best = (0..spare.len()).filter(|&n| fits(&spare[n])).min_by_key(|&n| spare[n].capacity());
    match best {
        Some(n) if ty.dtype == crate::program::DType::F32 => Ok(Tensor::reusing(ty, spare.swap_remove(n))?),
        _ => Ok(Tensor::zeros(ty)?),
    }
}

/// What is computed, in order.
fn plan(program: &Program) -> Vec<Work<'_>> {
    let instruction = |id: usize| match &program.values[id].source {
        Source::Instruction(i) => Some(i),
        _ => None,
    };
    let mut readers = vec![0usize; program.values.len()];
    for o in (0..readers.len()).filter_map(instruction).flat_map(|i| &i.operands) {
        readers[o.value as usize] += 1;
    }
    let first_output = program.output_ids().start as usize; // fits: it indexes the values
    let fused = |id: usize| -> Option<(usize, Reduction<'_>)> {
        let fold = instruction(id)?;
        fold.operands.iter().enumerate().find_map(|(n, o)| {
            let made = o.value as usize;
            let dot = instruction(made).filter(|_| readers[made] == 1 && made < first_output)?;
            Some((made, Reduction::chunked(chunked(dot, fold, n)?)?))
        })
    };
    let mut work: Vec<Work<'_>> = Vec::new();
    for value in 0..program.values.len() {
        let Some(i) = instruction(value) else { continue };
        let kind = match fused(value) {
            Some((made, reduction)) => match instruction(made) {
                Some(dot) => {
                    work.retain(|w| w.value != made);
                    Kind::Chunked([dot, i], reduction)
                }
                None => Kind::One(i, Step::new(i)),
            },
            None => Kind::One(i, Step::new(i)),
        };
        work.push(Work { value, kind, last: Vec::new() });
    }
    let mut seen = vec![false; program.values.len()];
    for work in work.iter_mut().rev() {
        let reads: Vec<usize> = match &work.kind {
            Kind::One(i, _) => i.operands.iter().map(|o| o.value as usize).collect(),
            Kind::Chunked(both, _) => both.iter().flat_map(|i| &i.operands).map(|o| o.value as usize).collect(),
        };
        for id in reads {
            if !std::mem::replace(&mut seen[id], true) && id < first_output && instruction(id).is_some() {
                work.last.push(id);
            }
        }
    }
    work
}
