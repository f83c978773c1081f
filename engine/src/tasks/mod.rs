//! Work that is shared by threads: no order of additions depends on who does what.

mod team;

pub(crate) use team::Team;

use std::ops::Range;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Tasks for each thread that make up for one another's length.
const TASKS: u64 = 4;
/// Multiply-adds of a task that is worth another thread's while, and of one that is worth more tasks than threads.
const LEAST: u64 = 1 << 16;
const WORTH: u64 = 1 << 18;

/// Threads that share the work: those of the team that this thread leads.
pub(crate) fn threads() -> usize {
    team::threads()
}

/// About as many tasks as keep all threads at work to the end; 1 where there is one thread.
pub(crate) fn enough() -> usize {
    enough_for(u64::MAX)
}

/// The same for work of that many multiply-adds.
pub(crate) fn enough_for(work: u64) -> usize {
    let threads = threads() as u64;
    // Whole rounds of all threads.
    let rounds = (work / WORTH / threads).min(TASKS);
    let most = if threads > 1 { (work / LEAST).clamp(1, threads).max(rounds * threads) } else { 1 };
    most as usize // a few for each thread
}

/// How many of `count` things a task does: at most `most`, and fewer for the sake of enough tasks, but then no fewer than `least`.
pub(crate) fn share(count: usize, least: usize, most: usize) -> usize {
    count.div_ceil(enough()).max(least).min(most).max(1)
}

/// Part `n` of `parts` of `0..len`, as even as can be.
pub(crate) fn even(len: usize, parts: usize, n: usize) -> Range<usize> {
    len * n / parts..len * (n + 1) / parts // things in memory, and far fewer parts
}

/// Does tasks `0..count`. One of several that has tasks of its own does them alone.
pub(crate) fn each(count: usize, task: impl Fn(usize) + Sync) {
    team::each(count, &task);
}

/// Does something with each part of a list, of `size` elements but for the last.
pub(crate) fn each_part<T: Send>(list: &mut [T], size: usize, task: impl Fn(usize, &mut [T]) + Sync) {
    let parts: Vec<_> = list.chunks_mut(size).map(Mutex::new).collect();
    each(parts.len(), |n| task(n, &mut parts[n].lock().unwrap_or_else(PoisonError::into_inner)));
}

/// Does something with the team that this thread leads, or else with one of all cores that the whole process has; alone while others use that.
pub(crate) fn together<R>(f: impl FnOnce() -> R) -> R {
    static ALL: OnceLock<Option<Team>> = OnceLock::new();
    if team::leads() {
        return f();
    }
    match ALL.get_or_init(|| Team::new(cores()).ok()) {
        Some(all) => all.lead(f),
        None => f(),
    }
}

/// Threads that run at the same time here.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
