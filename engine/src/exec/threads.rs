//! The threads of a run.

use super::environment;
use super::plain::ExecError;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// The caller's thread, or several of a pool.
pub(super) struct Threads(Option<ThreadPool>);

impl Threads {
    /// That many; 0 for one a core.
    pub(super) fn new(count: usize) -> Result<Self, ExecError> {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let count = if count == 0 { cores() } else { count };
        if count == 1 {
            return Ok(Self(None));
        }
        let pool = ThreadPoolBuilder::new().num_threads(count).build();
        pool.map(|pool| Self(Some(pool))).map_err(|_| ExecError::Threads(count))
    }

    /// Does something on these threads.
    pub(super) fn install<R: Send>(&self, f: impl FnOnce() -> R + Send) -> R {
        match &self.0 {
            Some(pool) => pool.install(f),
            None => f(),
        }
    }

    /// All of them compute floats as IEEE-754 says.
    pub(super) fn check(&self) -> Result<(), ExecError> {
        match &self.0 {
            Some(pool) => pool.broadcast(|_| environment::check()).into_iter().collect::<Result<(), _>>()?,
            None => environment::check()?,
        }
        Ok(())
    }
}
