//! When and on what it was measured.

use super::quietly;
use crate::failure::Outcome;
use crate::process::Cmd;
use std::fs::read_to_string;

/// Programs that run beside make figures noise from about this many on.
const BUSY: f64 = 0.5;

pub(super) struct Machine {
    /// Year, month and day.
    pub(super) date: String,
    pub(super) commit: String,
    pub(super) cpu: String,
    pub(super) cores: usize,
    /// The widest vectors that kernels are written for.
    pub(super) vectors: &'static str,
    /// Mean number of running programs in the minute before.
    pub(super) load: String,
}

/// Asks the system; says aloud when it is busy.
pub(super) fn describe() -> Outcome<Machine> {
    let date = quietly(Cmd::new("date").args(["-u", "+%Y-%m-%d"]))?.trim().to_owned();
    // A copy of the sources need not be a git repository.
    let commit = Cmd::new("git").args(["rev-parse", "--short", "HEAD"]).try_read().ok().filter(|o| o.status.success());
    let commit = commit.map_or_else(|| "unknown".to_owned(), |o| String::from_utf8_lossy(&o.stdout).trim().to_owned());
    let info = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let load = read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    if load.parse::<f64>().is_ok_and(|load| load > BUSY) {
        eprintln!("!!!!! the load is {load} before anything is measured: other programs run, figures are noise !!!!!");
    }
    let (cpu, vectors) = cpu(&info);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    Ok(Machine { date, commit, cpu, cores, vectors, load })
}

/// Name and vectors of the first CPU of `/proc/cpuinfo`.
fn cpu(info: &str) -> (String, &'static str) {
    let field = |name: &str| {
        let mut fields = info.lines().filter_map(|line| line.split_once(':'));
        fields.find_map(|(key, value)| (key.trim() == name).then(|| value.trim().to_owned()))
    };
    let flags = field("flags").unwrap_or_default();
    let has = |flag: &str| flags.split(' ').any(|f| f == flag);
    let vectors = match () {
        () if has("avx512f") => "AVX-512",
        () if has("avx2") => "AVX2",
        () => "no AVX2",
    };
    (field("model name").unwrap_or_else(|| "unknown CPU".to_owned()), vectors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_is_read() {
        let info = "processor\t: 0\nmodel name\t: Some CPU @ 2.50GHz\nflags\t\t: fpu avx2 avx512f\n";
        assert_eq!(cpu(info), ("Some CPU @ 2.50GHz".to_owned(), "AVX-512"));
        assert_eq!(cpu("flags : fpu avx2x"), ("unknown CPU".to_owned(), "no AVX2"));
    }
}
