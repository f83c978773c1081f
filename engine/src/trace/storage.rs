//! Traces in bounded memory.

use super::cache::{CacheError, CacheFile};
use super::elsewhere::Elsewhere;
use super::{Part, Trace, TraceView, Unavailable};
use crate::dispute::{DisputeError, evaluate};
use crate::exec::{ExecError, Options, Stepwise, Wanted};
use crate::package::Package;
use crate::program::limits::LEAF;
use crate::program::{Program, Source, ValueId};
use crate::tensor::Tensor;
use crate::tree::{lane_of, tensor_root};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Elements of each value from a file that are computed again.
const SAMPLES: u64 = 8;

/// Where the values of a trace are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Storage {
    /// Bytes of instructions' results that may stay in memory. What a run holds at a time, weights, inputs and the upper levels of the trees
    /// (a five-hundredth of the values) are there anyway.
    pub memory: u64,
    /// A file that results are streamed into as they are made, and read from where it holds them: a run that was interrupted goes on where it
    /// stopped. Without a file, what is not in memory is computed again when it is needed.
    pub cache: Option<PathBuf>,
}

impl Default for Storage {
    /// 512 MiB in memory and no file.
    fn default() -> Self {
        Self { memory: 512 << 20, cache: None }
    }
}

/// Why there is no trace.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The program could not be run.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// The file cannot be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// A value could not be had again.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A program that is ready to be run and committed to, run after run.
pub struct Tracer<'p> {
    package: &'p Arc<Package>,
    options: Options,
    storage: Storage,
    run: Stepwise<'p>,
}

impl<'p> Tracer<'p> {
    /// Prepares a program.
    ///
    /// # Errors
    /// When the threads cannot be started.
    pub fn new(package: &'p Arc<Package>, options: &Options, storage: Storage) -> Result<Self, ExecError> {
        Ok(Self { package, options: *options, storage, run: Stepwise::often(package, options)? })
    }

    /// Runs the program and commits to every value, in the memory that the storage allows.
    ///
    /// # Errors
    /// When the inputs do not fit the program, a value does not fit in memory, or the file cannot be used.
    pub fn trace(&mut self, inputs: &Arc<Vec<Tensor>>) -> Result<Trace, TraceError> {
        let Self { package, options, storage, run } = self;
        let program = package.program();
        let roots = || inputs.iter().map(tensor_root).collect::<Vec<_>>();
        let file = storage.cache.as_ref().map(|path| CacheFile::open(path, package, &roots())).transpose()?;
        // The part of the value that was read last; the run takes it up at once.
        let read: Mutex<Option<(ValueId, Part)>> = Mutex::new(None);
        let file = Mutex::new(file);
        let mut known = |id: ValueId| {
            let (tensor, tree) = locked(&file).as_mut()?.next(id, options.isa)?;
            *locked(&read) = Some((id, Part { tree: Arc::new(tree), tensor: None }));
            Some(std::borrow::Cow::Owned(tensor))
        };
        let part = |id: ValueId, tensor: &Tensor| match locked(&read).take() {
            Some((same, part)) if same == id => Some(part),
            _ => Part::constant(package, id)?.if_same(tensor),
        };
        let in_memory = in_memory(program, storage.memory);
        let kept = |id: ValueId| usize::try_from(id).ok().and_then(|id| in_memory.get(id).copied()).unwrap_or(false);
        let wanted = Wanted { kept: &kept, known: &mut known };
        let mut trace = Trace::of_run(run, inputs, wanted, &part, &mut |_, _| {}, &mut |id, tensor, tree| {
            if let Some(file) = locked(&file).as_mut() {
                file.put(id, tensor, tree.root());
            }
        })?;
        let mut file = file.into_inner().unwrap_or_else(PoisonError::into_inner);
        let taken = file.as_mut().map(CacheFile::finish).transpose()?.unwrap_or(0);
        trace.elsewhere = Some(Arc::new(Elsewhere::new(Arc::clone(package), inputs.clone(), *options, file)));
        trace.check_samples(package, taken)?;
        Ok(trace)
    }
}

impl Trace {
    /// Runs the program once and commits to every value, in the memory that `storage` allows.
    ///
    /// # Errors
    /// As [`Tracer::trace`].
    pub fn stored(
        package: &Arc<Package>,
        inputs: &Arc<Vec<Tensor>>,
        options: &Options,
        storage: &Storage,
    ) -> Result<Self, TraceError> {
        let run = Stepwise::once(package, options)?;
        Tracer { package, options: *options, storage: storage.clone(), run }.trace(inputs)
    }

    /// Computes some elements of the values below `end` again: a file may come from another program's author, or from before a repair.
    fn check_samples(&self, package: &Package, end: ValueId) -> Result<(), TraceError> {
        for (value, entry) in (0..end).zip(&package.program().values) {
            let elements = entry.ty.elements();
            for sample in 0..SAMPLES.min(elements) {
                // Spread over the value, both ends included.
                let element = u128::from(sample) * u128::from(elements - 1) / u128::from(SAMPLES - 1);
                let element = u64::try_from(element).unwrap_or(0).min(elements - 1);
                let computed = match evaluate(package, self, value, element) {
                    Ok((register, _)) => register,
                    Err(DisputeError::Unavailable(lost)) => return Err(lost.into()),
                    Err(_) => continue, // no instruction
                };
                let lanes = (LEAF / entry.ty.dtype.width()) as u64;
                let leaf = self.leaf(value, element / lanes)?;
                if lane_of(&leaf, entry.ty.dtype, (element % lanes) as usize) != computed {
                    return Err(CacheError::Wrong { value, element }.into());
                }
            }
        }
        Ok(())
    }
}

/// One thread at a time asks for a run's values; which one that is changes.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which values stay in memory: the first results that fit.
fn in_memory(program: &Program, mut memory: u64) -> Vec<bool> {
    let fits = program.values.iter().map(|value| {
        let left = memory.checked_sub(value.ty.bytes()).filter(|_| matches!(value.source, Source::Instruction(_)));
        memory = left.unwrap_or(memory);
        left.is_some()
    });
    fits.collect()
}
