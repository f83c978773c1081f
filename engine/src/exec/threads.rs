//! The threads of a run.

use super::environment;
use super::plain::ExecError;
use crate::tasks::{Team, cores};

/// The caller's thread, and several more.
pub(super) struct Threads(Team);

impl Threads {
    /// That many; 0 for one a core. They compute floats as IEEE-754 says.
    pub(super) fn new(count: usize) -> Result<Self, ExecError> {
        let count = if count == 0 { cores() } else { count };
        // Threads have the modes of the one that starts them.
        environment::check()?;
        Team::new(count).map(Self).map_err(|_| ExecError::Threads(count))
    }

    /// Does something on these threads.
    ///
    /// # Errors
    /// When the calling one computes floats in another way.
    pub(super) fn run<R>(&self, f: impl FnOnce() -> R) -> Result<R, ExecError> {
        environment::check()?;
        Ok(self.0.lead(f))
    }
}
