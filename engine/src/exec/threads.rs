//! The threads of a run.

use super::environment;
use super::plain::ExecError;
use rayon::{ThreadPool, ThreadPoolBuilder, Yield};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Looks for work before a thread that finds none lets others have its core.
const PATIENCE: u32 = 1 << 12;

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

    /// Does something on these threads. The others look for work all the while: waking one up takes longer than most steps of a run.
    pub(super) fn install<R: Send>(&self, f: impl FnOnce() -> R + Send) -> R {
        let Some(pool) = &self.0 else { return f() };
        pool.scope(|scope| {
            let own = rayon::current_thread_index();
            let done = Done::default();
            let over = done.0.clone();
            scope.spawn_broadcast(move |_, context| {
                if own != Some(context.index()) {
                    help(&over);
                }
            });
            f()
        })
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

/// Says that the work is done, also when it panics.
#[derive(Default)]
struct Done(Arc<AtomicBool>);

impl Drop for Done {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Does what others have to do until everything is done.
fn help(done: &AtomicBool) {
    let mut idle = 0;
    while !done.load(Ordering::Acquire) {
        if rayon::yield_now() == Some(Yield::Executed) {
            idle = 0;
        } else if idle < PATIENCE {
            idle += 1;
            std::hint::spin_loop();
        } else {
            std::thread::yield_now();
        }
    }
}
