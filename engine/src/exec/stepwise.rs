//! The run for a trace: every value is made, in order. A dot is computed together with the fold over its chunks, and a value's memory is used
//! again after its last reader.

use super::lifetimes::last_uses;
use super::matrix::{Operands, Results, chunked};
use super::out::Out;
use super::plain::{ExecError, Hook, Options, check_inputs};
use super::plan::ids;
use super::spare::Spare;
use super::step::{Budget, Reduction, Step, pack};
use super::threads::Threads;
use crate::arith::Isa;
use crate::package::Package;
use crate::program::{Instruction, Program, Source, ValueId};
use crate::tensor::{Tensor, TensorError};
use std::borrow::Cow;

/// A program that is ready to be run value by value.
pub(crate) struct Stepwise<'p> {
    package: &'p Package,
    isa: Isa,
    threads: Threads,
    /// How each value is made, once it was; nothing for what is run once.
    steps: Vec<Option<Made<'p>>>,
    often: bool,
    /// What plans may still take.
    budget: Budget,
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
        // A plan is gone after its value.
        let budget = Budget { packed: 0, found: u64::MAX };
        Ok(Self { package, isa: options.isa, threads, steps, often: false, budget, last_use, spare })
    }

    /// A program that is run again and again: constants are packed once and for all.
    ///
    /// # Errors
    /// As [`once`](Self::once).
    pub(crate) fn often(package: &'p Package, options: &Options) -> Result<Self, ExecError> {
        Ok(Self { often: true, budget: Budget::default(), ..Self::once(package, options)? })
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
        let Self { package, isa, threads, steps, often, budget, last_use, spare } = self;
        let program = package.program();
        let values = threads.run(|| {
            let mut values: Values<'a> = Vec::with_capacity(program.values.len());
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
                        let room = |id: usize| match &program.values[id].ty {
                            ty if (wanted.kept)(id as u64) => Tensor::aligned(ty, Vec::new()),
                            ty => spare.take(ty),
                        };
                        let how = steps[id].take().unwrap_or_else(|| Made::new(package, id, i, budget));
                        let (made, with_it) = how.make(program, (id, i), &values, *isa, room)?;
                        steps[id] = often.then_some(how);
                        next = with_it;
                        Cow::Owned(made)
                    }
                };
                // A hook that changes what the next value was made of makes it another one.
                let mut seen = Cow::Borrowed(&*tensor);
                hook(id as u64, &mut seen);
                if let Cow::Owned(changed) = seen {
                    (tensor, next) = (Cow::Owned(changed), None);
                }
                values.push(Some(tensor));
                let read = value.instruction().into_iter().flat_map(|i| &i.operands).map(|o| o.value);
                for o in read.filter(|&o| last_use[o as usize] == id as u64 && !(wanted.kept)(o)) {
                    give(spare, &mut values[o as usize]);
                }
            }
            for (_, value) in (0..).zip(&mut values).filter(|(id, _)| !(wanted.kept)(*id)) {
                give(spare, value);
            }
            Ok(values)
        });
        values?
    }
}

/// The values so far; `None` for those that are not needed any more.
type Values<'a> = Vec<Option<Cow<'a, Tensor>>>;

/// Gives back a value's memory, if it is the run's.
fn give(spare: &mut Spare, value: &mut Option<Cow<'_, Tensor>>) {
    if let Some(Cow::Owned(tensor)) = value.take() {
        spare.give(tensor);
    }
}

impl<'p> Made<'p> {
    /// How an instruction is computed that was not with the value before.
    fn new(package: &'p Package, id: usize, i: &'p Instruction, budget: &mut Budget) -> Self {
        let fold = package.program().instruction(id as u64 + 1);
        let with_next = fold.and_then(|fold| in_parts(id as u64, i, fold));
        let mut made = with_next.map_or_else(|| Self::Alone(Step::new(i)), Self::WithNext);
        if let Self::Alone(Step::Reduction(reduction)) | Self::WithNext(reduction) = &mut made {
            reduction.keep(budget);
            pack(package, &ids(&i.operands), reduction, budget);
        }
        made
    }

    /// The value, and the next one if it was made with it; `room` gives a tensor for each.
    fn make(
        &self,
        program: &Program,
        (id, i): (usize, &Instruction),
        values: &Values<'_>,
        isa: Isa,
        mut room: impl FnMut(usize) -> Result<Tensor, TensorError>,
    ) -> Result<(Tensor, Option<Tensor>), TensorError> {
        let mut out = room(id)?;
        if out.is_empty() {
            return Ok((out, None));
        }
        let operands: Vec<&Tensor> = i.operands.iter().filter_map(|o| values[o.value as usize].as_deref()).collect();
        match self {
            Self::Alone(step) => step.run(&operands, isa, &mut out),
            Self::WithNext(reduction) => {
                if let Some(after) = beside(program, id, values) {
                    let mut sum = room(id + 1)?;
                    let [parts, finished] = [&mut out, &mut sum].map(|tensor| Out::new(tensor, isa.level()));
                    let results = Results { finished: &finished, parts: Some(&parts) };
                    reduction.run(Operands { dot: &operands, finish: &after }, isa, results);
                    return Ok((out, Some(sum)));
                }
                Step::new(i).run(&operands, isa, &mut out);
            }
        }
        Ok((out, None))
    }
}

/// What the value after `id` reads, with nothing in place of `id` itself, which its epilogue does not read. `None` where something is not there: a
/// run that makes few values again has nothing in place of the others.
fn beside<'v>(program: &Program, id: usize, values: &'v Values<'_>) -> Option<Vec<&'v Tensor>> {
    let read = |o: usize| match values.get(o) {
        _ if o == id => Some(Tensor::none()),
        Some(value) => value.as_deref().filter(|tensor| tensor.ty() == program.values[o].ty),
        None => None,
    };
    program.instruction(id as u64 + 1)?.operands.iter().map(|o| read(o.value as usize)).collect()
}

/// The dot `id` with the next value, if that is the fold over its chunks.
fn in_parts(id: ValueId, dot: &Instruction, fold: &Instruction) -> Option<Reduction<'static>> {
    let mut reads = fold.operands.iter().enumerate().filter(|(_, o)| o.value == id);
    let (operand, _) = reads.next()?;
    let alone = reads.next().is_none();
    Reduction::in_parts(chunked(dot, fold, operand).filter(|_| alone)?)
}
