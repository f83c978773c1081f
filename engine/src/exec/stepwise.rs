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
    /// How each value is made, once it was; nothing for what is run once.
    steps: Vec<Option<Made<'p>>>,
    often: bool,
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
        let (last_use, spare) = (last_uses(package.program()), Spare::new(package.program()));
        Ok(Self { package, isa: options.isa, threads, steps, often: false, packed: 0, last_use, spare })
    }

    /// A program that is run again and again: constants are packed once and for all.
    ///
    /// # Errors
    /// As [`once`](Self::once).
    pub(crate) fn often(package: &'p Package, options: &Options) -> Result<Self, ExecError> {
        Ok(Self { often: true, packed: PACKED, ..Self::once(package, options)? })
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
        let Self { package, isa, threads, steps, often, packed, last_use, spare } = self;
        let program = package.program();
        threads.install(|| {
            let mut values: Vec<Option<Cow<'a, Tensor>>> = Vec::with_capacity(program.values.len());
            // Values whose memory is this run's, to be used again.
            let mut own = vec![false; program.values.len()];
            // The next value, where it was made already.
            let mut next: Option<Tensor> = None;
            for (id, value) in program.values.iter().enumerate() {
                let made = next.take();
                let mut tensor = match ((wanted.known)(id as u64), made, &value.source) {
                    (Some(tensor), ..) => tensor,
                    (None, Some(made), _) => Cow::Owned(made),
                    (None, None, Source::Input) => Cow::Borrowed(&inputs[id]),
                    (None, None, Source::Constant { .. }) => Cow::Borrowed(package.constant(id as u64)),
                    (None, None, Source::Instruction(i)) => {
                        // What is kept takes no more memory than it needs.
                        let mut room = |id: usize| match program.values.get(id) {
                            Some(value) if !(wanted.kept)(id as u64) => spare.take(&value.ty),
                            _ => Tensor::zeros(&program.values[id].ty),
                        };
                        own[id] = true;
                        let mut out = room(id)?;
                        let how = steps[id].take().or_else(|| plan(package, id, packed));
                        match &how {
                            _ if out.is_empty() => {}
                            Some(Made::WithNext(reduction)) if is_there(program, id + 1, id, &values) => {
                                let mut finished = room(id + 1)?;
                                in_parts(program, id, reduction, &values, *isa, [&mut out, &mut finished]);
                                own[id + 1] = true;
                                next = Some(finished);
                            }
                            Some(Made::Alone(step)) => step.run(&operands(i, &values), *isa, &mut out),
                            _ => Step::new(i).run(&operands(i, &values), *isa, &mut out),
                        }
                        steps[id] = how.filter(|_| *often);
                        Cow::Owned(out)
                    }
                };
                // A hook that changes what the next value was made of makes it another one.
                let mut seen = Cow::Borrowed(&*tensor);
                hook(id as u64, &mut seen);
                if let Cow::Owned(changed) = seen {
                    (tensor, next) = (Cow::Owned(changed), None);
                }
                values.push(Some(tensor));
                let read = instruction(program, id).into_iter().flat_map(|i| &i.operands).map(|o| o.value);
                for o in read.filter(|&o| last_use[o as usize] == id as u64 && !(wanted.kept)(o)) {
                    give(spare, &own, o as usize, &mut values[o as usize]);
                }
            }
            for (id, value) in values.iter_mut().enumerate().filter(|(id, _)| !(wanted.kept)(*id as u64)) {
                give(spare, &own, id, value);
            }
            Ok(values)
        })
    }
}

/// Gives back a value's memory, if it is this run's.
fn give(spare: &mut Spare, own: &[bool], id: usize, value: &mut Option<Cow<'_, Tensor>>) {
    if let (Some(Cow::Owned(tensor)), true) = (value.take(), own[id]) {
        spare.give(tensor);
    }
}

fn operands<'v>(i: &Instruction, values: &'v [Option<Cow<'_, Tensor>>]) -> Vec<&'v Tensor> {
    i.operands.iter().filter_map(|o| values[o.value as usize].as_deref()).collect()
}

/// Whether what a value reads besides `before` is there: a run that makes few values again has nothing in place of others.
fn is_there(program: &Program, id: usize, before: usize, values: &[Option<Cow<'_, Tensor>>]) -> bool {
    let there =
        |o: usize| values.get(o).and_then(Option::as_deref).is_some_and(|tensor| tensor.ty() == program.values[o].ty);
    let mut reads = instruction(program, id).into_iter().flat_map(|i| &i.operands).map(|o| o.value as usize);
    reads.all(|o| o == before || there(o))
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
pub(super) fn last_uses(program: &Program) -> Vec<ValueId> {
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
