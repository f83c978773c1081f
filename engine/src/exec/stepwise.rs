//! The run for a trace: every value is made, in order. A dot is computed together with the fold over its chunks, and a value's memory is used
//! again after its last reader.

use super::matrix::{Operands, Results, chunked};
use super::out::Out;
use super::plain::{ExecError, Hook, Options, check_inputs};
use super::session::ids;
use super::spare::Spare;
use super::step::{PACKED, Reduction, Step, pack};
use super::threads::Threads;
use crate::arith::Isa;
use crate::package::Package;
use crate::program::{Instruction, Program, Source, ValueId};
use crate::tensor::Tensor;
use std::borrow::Cow;

/// A program that is ready to be run value by value.
pub(crate) struct Stepwise<'p> {
    package: &'p Package,
    isa: Isa,
    threads: Threads,
    /// How each value is made, once it was.
    steps: Vec<Option<Made<'p>>>,
    /// Bytes of constants that may still be packed once and for all.
    packed: u64,
    /// For each value the last one that reads it.
    last_use: Vec<ValueId>,
    spare: Spare,
}

/// How a value is made.
enum Made<'p> {
    Alone(Step<'p>),
    /// Chunks of a dot, with the next value, which adds them up.
    WithNext(Reduction<'p>),
}

/// What a run gives back, and what it need not compute.
pub(crate) struct Wanted<'w, 'a> {
    /// Values that it gives back.
    pub(crate) kept: &'w (dyn Fn(ValueId) -> bool + Sync),
    /// Values that are known before. Asked for each, in order.
    pub(crate) known: &'w mut (dyn FnMut(ValueId) -> Option<Cow<'a, Tensor>> + Send),
}

impl<'p> Stepwise<'p> {
    /// A program that is run once.
    ///
    /// # Errors
    /// When the threads cannot be started.
    pub(crate) fn once(package: &'p Package, options: &Options) -> Result<Self, ExecError> {
        let threads = Threads::new(options.threads)?;
        let steps = package.program().values.iter().map(|_| None).collect();
        let last_use = last_uses(package.program());
        Ok(Self { package, isa: options.isa, threads, steps, packed: 0, last_use, spare: Spare::default() })
    }

    /// A program that is run again and again: constants are packed once and for all.
    ///
    /// # Errors
    /// As [`once`](Self::once).
    pub(crate) fn often(package: &'p Package, options: &Options) -> Result<Self, ExecError> {
        Ok(Self { packed: PACKED, ..Self::once(package, options)? })
    }

    /// The instructions of this run.
    pub(crate) fn isa(&self) -> Isa {
        self.isa
    }

    /// Runs the program; gives the values that are to be kept.
    ///
    /// # Errors
    /// When the inputs do not fit the program, a value does not fit in memory, or this process changed how floats are computed.
    pub(crate) fn run<'a>(
        &mut self,
        inputs: &'a [Tensor],
        wanted: Wanted<'_, 'a>,
        hook: Hook<'_>,
    ) -> Result<Vec<Option<Cow<'a, Tensor>>>, ExecError>
    where
        'p: 'a,
    {
        check_inputs(self.package, inputs)?;
        self.threads.check()?;
        let Self { package, isa, threads, steps, packed, last_use, spare } = self;
        let program = package.program();
        threads.install(|| {
            let mut values: Vec<Option<Cow<'a, Tensor>>> = Vec::with_capacity(program.values.len());
            // The next value, where it was made already.
            let mut next: Option<Tensor> = None;
            for (id, value) in program.values.iter().enumerate() {
                let made = next.take();
                let mut tensor = match ((wanted.known)(id as u64), made, &value.source) {
                    (Some(tensor), ..) => tensor,
                    (None, Some(made), _) => Cow::Owned(made),
                    (None, None, Source::Input) => Cow::Borrowed(&inputs[id]),
                    (None, None, Source::Constant { .. }) => Cow::Borrowed(package.constant(id as u64)),
                    (None, None, Source::Instruction(_)) => {
                        let mut out = spare.take(&value.ty)?;
                        if steps[id].is_none() {
                            steps[id] = plan(package, id, packed);
                        }
                        if let Some(Made::WithNext(reduction)) = &steps[id] {
                            let mut finished = spare.take(&program.values[id + 1].ty)?;
                            in_parts(program, id, reduction, &values, *isa, [&mut out, &mut finished]);
                            next = Some(finished);
                        } else {
                            alone(program, id, steps[id].as_ref(), &values, *isa, &mut out);
                        }
                        Cow::Owned(out)
                    }
                };
                if let Some(finished) = next.take() {
                    // What adds up other chunks is another sum.
                    let mut seen = Cow::Borrowed(&*tensor);
                    hook(id as u64, &mut seen);
                    let changed = if std::ptr::eq(&*seen, &*tensor) { None } else { Some(seen.into_owned()) };
                    match changed {
                        None => next = Some(finished),
                        Some(changed) => tensor = Cow::Owned(changed),
                    }
                } else {
                    hook(id as u64, &mut tensor);
                }
                values.push(Some(tensor));
                let read = instruction(program, id).into_iter().flat_map(|i| &i.operands).map(|o| o.value);
                for o in read.filter(|&o| last_use[o as usize] == id as u64 && !(wanted.kept)(o)) {
                    if let Some(Cow::Owned(tensor)) = values[o as usize].take() {
                        spare.give(tensor);
                    }
                }
            }
            for (id, value) in (0..).zip(&mut values) {
                if !(wanted.kept)(id)
                    && let Some(Cow::Owned(tensor)) = value.take()
                {
                    spare.give(tensor);
                }
            }
            Ok(values)
        })
    }
}

fn instruction(program: &Program, id: usize) -> Option<&Instruction> {
    match &program.values.get(id)?.source {
        Source::Instruction(i) => Some(i),
        _ => None,
    }
}

/// How an instruction is computed. It was not with the value before.
fn plan<'p>(package: &'p Package, id: usize, packed: &mut u64) -> Option<Made<'p>> {
    let i = instruction(package.program(), id)?;
    let mut made = parts(package.program(), id).map_or_else(|| Made::Alone(Step::new(i)), Made::WithNext);
    if let Made::Alone(Step::Reduction(reduction)) | Made::WithNext(reduction) = &mut made {
        pack(package, &ids(&i.operands), reduction, packed);
    }
    Some(made)
}

/// Computes a value into `out`.
fn alone(
    program: &Program,
    id: usize,
    made: Option<&Made<'_>>,
    values: &[Option<Cow<'_, Tensor>>],
    isa: Isa,
    out: &mut Tensor,
) {
    let Some(i) = instruction(program, id).filter(|_| !out.is_empty()) else { return };
    let operands: Vec<&Tensor> = i.operands.iter().filter_map(|o| values[o.value as usize].as_deref()).collect();
    match made {
        Some(Made::Alone(step)) => step.run(&operands, isa, out),
        _ => Step::new(i).run(&operands, isa, out),
    }
}

/// Computes a dot and the fold over its chunks, which is the next value.
fn in_parts(
    program: &Program,
    id: usize,
    reduction: &Reduction<'_>,
    values: &[Option<Cow<'_, Tensor>>],
    isa: Isa,
    [dot, fold]: [&mut Tensor; 2],
) {
    // In place of the dot's result, which no epilogue of the fold reads.
    let none = Tensor::F32(ndarray::ArrayD::zeros(vec![0]));
    let read = |id: ValueId| values.get(id as usize).and_then(Option::as_deref).unwrap_or(&none);
    let [before, after] = [id, id + 1].map(|id| {
        let operands = instruction(program, id).into_iter().flat_map(|i| &i.operands);
        operands.map(|o| read(o.value)).collect::<Vec<_>>()
    });
    let [parts, finished] = [dot, fold].map(|tensor| Out::new(tensor, isa.level()));
    let results = Results { finished: &finished, parts: Some(&parts) };
    reduction.run(Operands { dot: &before, finish: &after }, isa, results);
}

/// A dot with the next value, if that is the fold over its chunks.
fn parts(program: &Program, id: usize) -> Option<Reduction<'static>> {
    let (dot, fold) = (instruction(program, id)?, instruction(program, id + 1)?);
    let mut reads = fold.operands.iter().enumerate().filter(|(_, o)| o.value == id as u64);
    let (operand, _) = reads.next()?;
    let alone = reads.next().is_none();
    Reduction::in_parts(chunked(dot, fold, operand).filter(|_| alone)?)
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
