//! Threads that do the tasks of one region after another, together with the thread that leads them.
//!
//! A run has hundreds of regions, microseconds apart: sooner than the system wakes a thread. So helpers look out for the next region for a while
//! before they sleep, and a region does not wait for those that come too late. Each thread begins with a share of the tasks that is the same in
//! every region of as many tasks, which keeps what lies near in one core's cache, and then takes what others have left.
//!
//! `unsafe` is for a region's task, which is borrowed for as long as the region lasts.
#![allow(unsafe_code)]

use super::{cores, even};
use std::any::Any;
use std::cell::{RefCell, UnsafeCell};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a helper looks out for a region before it sleeps, unless there are more threads than cores.
const PATIENCE: Duration = Duration::from_micros(100);
/// How often it looks before it asks what time it is and lets others have the core.
const LOOKS: u32 = 64;
/// The part of this for which a leader waits for helpers before it does so.
const HURRY: u32 = 20;

/// Most threads of a team: all must be counted in a region's state.
const MOST: usize = 1 << 12;
/// A region's state: how many helpers are in it, whether more may enter, and its number.
const INSIDE: u64 = (1 << 16) - 1;
const OPEN: u64 = 1 << 16;
const NUMBER: u32 = 17;

/// Helpers of one thread at a time, which leads them. They end with the team.
pub(crate) struct Team {
    shared: Arc<Shared>,
    helpers: Vec<JoinHandle<()>>,
    led: AtomicBool,
}

struct Shared {
    state: AtomicU64,
    /// Written by the leader while no helper is in the region and none may enter; read by those that are in it.
    region: UnsafeCell<Region>,
    /// For each thread the next task of its share.
    next: Box<[Next]>,
    /// What a task panicked with.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    patience: Duration,
    sleeping: AtomicUsize,
    sleep: Mutex<()>,
    wake: Condvar,
    ended: AtomicBool,
}

// SAFETY: `region` is the only part that is not `Sync`; its task is, and who reads and writes it when is said there.
unsafe impl Sync for Shared {}
// SAFETY: a region's task is only called while the leader waits in `each`, on any thread.
unsafe impl Send for Shared {}

#[derive(Clone, Copy)]
struct Region {
    task: *const (dyn Fn(usize) + Sync),
    count: usize,
}

/// In a cache line of its own.
#[repr(align(128))]
#[derive(Default)]
struct Next(AtomicUsize);

thread_local!(static LED: RefCell<Option<Arc<Shared>>> = const { RefCell::new(None) });

/// Threads of the team that this thread leads, itself included; 1 inside a task.
pub(super) fn threads() -> usize {
    LED.with_borrow(|led| led.as_ref().map_or(1, |shared| shared.next.len()))
}

/// Whether this thread leads a team.
pub(super) fn leads() -> bool {
    LED.with_borrow(Option::is_some)
}

/// Does tasks `0..count` with the team that this thread leads, or alone. A panic of a task is the caller's, when the region has ended.
pub(super) fn each(count: usize, task: &(dyn Fn(usize) + Sync)) {
    let led = if count > 1 { LED.with_borrow(Option::clone) } else { None };
    match led {
        Some(shared) => {
            let _alone = leading(None);
            shared.each(count, task);
        }
        None => (0..count).for_each(task),
    }
}

/// Makes this thread the leader of a team, or of none, until what it gives is dropped.
fn leading(team: Option<Arc<Shared>>) -> impl Drop {
    struct Before(Option<Arc<Shared>>);
    impl Drop for Before {
        fn drop(&mut self) {
            LED.set(self.0.take());
        }
    }
    Before(LED.replace(team))
}

impl Team {
    /// A team of `count` threads with its leader.
    pub(crate) fn new(count: usize) -> io::Result<Self> {
        if count > MOST {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let shared = Arc::new(Shared {
            state: AtomicU64::new(0),
            region: UnsafeCell::new(Region { task: &|_| {}, count: 0 }),
            next: (0..count.max(1)).map(|_| Next::default()).collect(),
            panic: Mutex::new(None),
            patience: if count > 1 && count > cores() { Duration::ZERO } else { PATIENCE },
            sleeping: AtomicUsize::new(0),
            sleep: Mutex::new(()),
            wake: Condvar::new(),
            ended: AtomicBool::new(false),
        });
        let mut team = Self { shared, helpers: Vec::new(), led: AtomicBool::new(false) };
        for number in 1..count {
            let shared = team.shared.clone();
            team.helpers
                .push(thread::Builder::new().name(format!("rebut-{number}")).spawn(move || shared.help(number))?);
        }
        Ok(team)
    }

    /// Does something as the leader of this team; alone while another thread leads it.
    pub(crate) fn lead<R>(&self, f: impl FnOnce() -> R) -> R {
        struct Led<'a>(&'a AtomicBool);
        impl Drop for Led<'_> {
            fn drop(&mut self) {
                self.0.store(false, Release);
            }
        }
        if self.helpers.is_empty() || self.led.swap(true, Acquire) {
            let _alone = leading(None);
            return f();
        }
        let _led = Led(&self.led);
        let _leading = leading(Some(self.shared.clone()));
        f()
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.ended.store(true, SeqCst);
        drop(self.shared.asleep());
        self.shared.wake.notify_all();
        for helper in self.helpers.drain(..) {
            let _ = helper.join(); // a helper does not panic: it catches what tasks panic with
        }
    }
}

impl Shared {
    /// A region, from its leader's side.
    fn each(&self, count: usize, task: &(dyn Fn(usize) + Sync)) {
        // SAFETY: only the lifetime changes. No helper calls the task after this function, which nothing leaves before the region has ended.
        let task = unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), &'static (dyn Fn(usize) + Sync)>(task) };
        let number = (self.state.load(Relaxed) >> NUMBER) + 1;
        // SAFETY: the last region has ended, so no helper is in it, and none may enter before the state below says so.
        unsafe { *self.region.get() = Region { task, count } };
        for (thread, next) in self.next.iter().enumerate() {
            next.0.store(even(count, self.next.len(), thread).start, Relaxed);
        }
        self.state.store(number << NUMBER | OPEN, SeqCst);
        // A helper first says that it will sleep and then looks once more; so it is seen here, or sees this region.
        if self.sleeping.load(SeqCst) > 0 {
            drop(self.asleep());
            (1..count).zip(1..self.next.len()).for_each(|_| self.wake.notify_one());
        }
        self.work(0, Region { task, count });
        self.end();
        let panic = self.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }

    /// Does tasks until none is left, or one panics.
    fn work(&self, thread: usize, region: Region) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.tasks(thread, region))) {
            let mut first = self.panic.lock().unwrap_or_else(PoisonError::into_inner);
            match *first {
                None => *first = Some(panic),
                // Not dropped: what a task panics with may panic then.
                Some(_) => std::mem::forget(panic),
            }
        }
    }

    /// Those of this thread's share, then those of the others'.
    fn tasks(&self, thread: usize, Region { task, count }: Region) {
        let threads = self.next.len();
        for of in (thread..threads).chain(0..thread) {
            let end = even(count, threads, of).end;
            loop {
                let task_number = self.next[of].0.fetch_add(1, Relaxed);
                if task_number >= end {
                    break;
                }
                // SAFETY: the region lasts for as long as a thread is in it, and so does what the task borrows.
                unsafe { (*task)(task_number) };
            }
        }
    }

    /// A helper's life.
    fn help(&self, thread: usize) {
        let mut last = 0;
        while let Some(number) = self.wait(last) {
            last = number;
            if !self.enter(number) {
                continue;
            }
            // SAFETY: this helper is in the region, so the leader does not write.
            let region = unsafe { *self.region.get() };
            self.work(thread, region);
            self.state.fetch_sub(1, Release);
        }
    }

    /// The number of an open region after the last one; none when the team ends.
    fn wait(&self, last: u64) -> Option<u64> {
        let next = || {
            let state = self.state.load(SeqCst);
            (state & OPEN != 0 && state >> NUMBER != last).then_some(state >> NUMBER)
        };
        let ended = || self.ended.load(SeqCst);
        let since = Instant::now();
        while since.elapsed() < self.patience {
            for _ in 0..LOOKS {
                if let Some(number) = next() {
                    return Some(number);
                }
                std::hint::spin_loop();
            }
            // Another run may need this core.
            thread::yield_now();
        }
        let mut asleep = self.asleep();
        self.sleeping.fetch_add(1, SeqCst);
        let number = loop {
            match next() {
                _ if ended() => break None,
                Some(number) => break Some(number),
                None => asleep = self.wake.wait(asleep).unwrap_or_else(PoisonError::into_inner),
            }
        };
        self.sleeping.fetch_sub(1, SeqCst);
        number
    }

    fn asleep(&self) -> MutexGuard<'_, ()> {
        self.sleep.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a region: none may enter any more, and those that are in it have left.
    fn end(&self) {
        self.state.fetch_and(!OPEN, Relaxed);
        let since = Instant::now();
        while self.state.load(Acquire) & INSIDE != 0 {
            if since.elapsed() < self.patience / HURRY {
                std::hint::spin_loop();
            } else {
                thread::yield_now();
            }
        }
    }

    /// Enters a region if it is still open.
    fn enter(&self, number: u64) -> bool {
        let open = |state: u64| (state & !INSIDE == number << NUMBER | OPEN).then_some(state + 1);
        self.state.fetch_update(AcqRel, Relaxed, open).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often each task was done.
    fn done(count: usize) -> Vec<AtomicUsize> {
        (0..count).map(|_| AtomicUsize::new(0)).collect()
    }

    fn once(count: usize) {
        let times = done(count);
        each(count, &|n| {
            times[n].fetch_add(1, Relaxed);
        });
        assert!(times.iter().all(|times| times.load(Relaxed) == 1), "{count} tasks");
    }

    #[test]
    fn every_task_is_done_once() {
        for threads in [1, 2, 3, 8, 33] {
            let team = Team::new(threads).unwrap();
            team.lead(|| {
                assert_eq!(super::threads(), threads);
                for round in 0..40 {
                    (0..70).for_each(once);
                    if round % 10 == 0 {
                        // Helpers fall asleep, and wake.
                        thread::sleep(PATIENCE * 3);
                    }
                }
            });
        }
    }

    #[test]
    fn tasks_are_alone_with_their_tasks() {
        let team = Team::new(3).unwrap();
        team.lead(|| {
            each(20, &|_| {
                assert!(!leads());
                once(5);
            });
            assert!(leads());
        });
        assert!(!leads());
    }

    #[test]
    fn all_threads_take_part() {
        let team = Team::new(2).unwrap();
        let met = std::sync::Barrier::new(2);
        // Each of the two tasks waits for the other.
        team.lead(|| (0..100).for_each(|_| each(2, &|_| _ = met.wait())));
    }

    #[test]
    fn panics_are_the_leaders() {
        let team = Team::new(3).unwrap();
        team.lead(|| {
            for bad in 0..30 {
                let times = done(30);
                let panic = catch_unwind(AssertUnwindSafe(|| {
                    each(30, &|n| {
                        times[n].fetch_add(1, Relaxed);
                        assert!(n != bad, "task {n}");
                    });
                }));
                let panic = panic.unwrap_err().downcast::<String>().unwrap();
                assert_eq!(*panic, format!("task {bad}"));
                assert!(times.iter().all(|times| times.load(Relaxed) <= 1));
                once(30);
            }
        });
    }

    #[test]
    fn panics_of_all_threads_are_of_their_region() {
        let team = Team::new(2).unwrap();
        let met = std::sync::Barrier::new(2);
        let bad = |n: usize| {
            met.wait();
            panic!("task {n}");
        };
        team.lead(|| {
            assert!(catch_unwind(AssertUnwindSafe(|| each(2, &bad))).is_err());
            once(2);
        });
    }

    #[test]
    fn one_leader_at_a_time() {
        let team = Team::new(3).unwrap();
        team.lead(|| {
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        team.lead(|| {
                            assert_eq!(threads(), 1);
                            (0..200).for_each(|_| once(40));
                        });
                    });
                }
            });
            once(40);
        });
    }

    #[test]
    fn as_many_as_can_be_counted() {
        assert!(Team::new(MOST + 1).is_err());
    }
}
