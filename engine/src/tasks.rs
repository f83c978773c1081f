//! Work that is shared by threads: no order of additions depends on who does what.

use rayon::prelude::*;

/// Threads that share the work: those of the pool that this is called in.
pub(crate) fn threads() -> usize {
    if rayon::current_thread_index().is_some() { rayon::current_num_threads() } else { 1 }
}

/// Does tasks `0..count`.
pub(crate) fn each(count: usize, task: impl Fn(usize) + Sync) {
    if count > 1 && threads() > 1 {
        (0..count).into_par_iter().for_each(&task);
    } else {
        (0..count).for_each(task);
    }
}
