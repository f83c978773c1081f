//! Work that is shared by threads: no order of additions depends on who does what.

use rayon::prelude::*;

/// Threads that share the work: those of the pool that this is called in.
pub(crate) fn threads() -> usize {
    if rayon::current_thread_index().is_some() { rayon::current_num_threads() } else { 1 }
}

/// Tasks for each thread that make up for one another's length.
const TASKS: usize = 4;

/// About as many tasks as keep all threads at work to the end; 1 where there is one thread.
pub(crate) fn enough() -> usize {
    match threads() {
        1 => 1,
        several => TASKS * several,
    }
}

/// How many of `count` things a task does: at most `most`, and fewer for the sake of enough tasks, but then no fewer than `least`.
pub(crate) fn share(count: usize, least: usize, most: usize) -> usize {
    count.div_ceil(enough()).max(least).min(most).max(1)
}

/// Does tasks `0..count`.
pub(crate) fn each(count: usize, task: impl Fn(usize) + Sync) {
    if count > 1 && threads() > 1 {
        (0..count).into_par_iter().for_each(&task);
    } else {
        (0..count).for_each(task);
    }
}
