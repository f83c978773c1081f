//! Times of runs.

use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

/// Runs before the first that is timed.
const WARM_UP: usize = 5;

/// Milliseconds of runs.
pub(crate) struct Times {
    pub(crate) median: f64,
    pub(crate) least: f64,
    /// Of all threads together.
    pub(crate) cpu_median: f64,
}

/// Times a run after some that are not timed.
pub(crate) fn times<E>(runs: usize, mut run: impl FnMut() -> Result<(), E>) -> Result<Times, E> {
    let (mut walls, mut cpus) = (Vec::new(), Vec::new());
    for number in 0..WARM_UP + runs.max(1) {
        let (wall, cpu) = (Instant::now(), cpu_time());
        run()?;
        if number >= WARM_UP {
            walls.push(wall.elapsed());
            cpus.push(cpu_time().saturating_sub(cpu));
        }
    }
    walls.sort_unstable();
    cpus.sort_unstable();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let middle = walls.len() / 2;
    Ok(Times { median: ms(walls[middle]), least: ms(walls[0]), cpu_median: ms(cpus[middle]) })
}

fn cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}
