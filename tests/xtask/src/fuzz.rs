//! libFuzzer over everything that reads files, with stable Rust: the compiler's own coverage pass, and libFuzzer's sources from its crate.

use crate::failure::{Failure, Outcome, check};
use crate::process::{Cmd, root, shown};
use clap::{Args, ValueEnum};
use std::fs::{create_dir_all, read_dir};
use std::path::{Path, PathBuf};

/// The crate of the targets, a workspace of its own.
const CRATE: &str = "tests/fuzz";
/// What is built, found and kept between runs.
const FOLDER: &str = "target/fuzz";
/// Coverage as libFuzzer wants it. No address sanitizer: what is tested is safe Rust.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// A file that takes longer than 60 s, instrumented, or more than 2 GiB is a finding.
const LIMITS: [&str; 3] = ["-timeout=60", "-rss_limit_mb=2048", "-max_len=8192"];
/// Names the folder that a target writes its seeds to.
const SEEDS: &str = "REBUT_FUZZ_SEEDS";
const COMPILER: &str = "c++";

/// What is fuzzed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Target {
    /// ONNX files
    Importer,
    /// Package files
    Package,
    /// Texts of programs
    Text,
    /// Trace files
    Cache,
}

/// Which targets, how long, and from which seed.
#[derive(Args, Clone, Copy)]
pub(crate) struct Search {
    /// One target instead of all
    target: Option<Target>,
    /// Seconds for each target
    #[arg(long, value_name = "N", default_value_t = Search::slice().seconds)]
    seconds: u64,
    /// What the random changes begin with
    #[arg(long, value_name = "N", default_value_t = Search::slice().seed, value_parser = clap::value_parser!(u32).range(1..))]
    seed: u32,
}

impl Search {
    /// What CI has time for.
    pub(crate) fn slice() -> Self {
        Self { target: None, seconds: 20, seed: 1 }
    }
}

/// Replays what was found before, then searches.
pub(crate) fn run(search: Search) -> Outcome {
    let targets = build()?;
    let chosen: Vec<Target> = search.target.map_or_else(|| Target::value_variants().to_vec(), |target| vec![target]);
    println!("seed {}, {} s a target", search.seed, search.seconds);
    chosen.into_iter().try_for_each(|target| one(&targets, target, search))
}

/// The folder of the targets' programs.
fn build() -> Outcome<PathBuf> {
    if Cmd::new(COMPILER).arg("--version").try_read().is_err() {
        return check(format!("{COMPILER} is missing: libFuzzer needs a C++ compiler (Debian: apt-get install g++)"));
    }
    let version = Cmd::new("rustc").arg("-vV").read()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let Some(host) = host else { return check("rustc -vV names no host") };
    let folder = root().join(FOLDER).join("build");
    // With a target named, programs that run while building are built without the flags.
    let build = ["build", "--locked", "--release", "--target", host, "--target-dir"];
    Cmd::cargo(&build).arg(&folder).within(CRATE).env("RUSTFLAGS", FLAGS).run()?;
    Ok(folder.join(host).join("release"))
}

fn one(programs: &Path, target: Target, search: Search) -> Outcome {
    let name = target.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
    let program = || Cmd::new(programs.join(&name));
    let regressions = root().join(CRATE).join("regressions").join(&name);
    let found = files(&regressions)?;
    if found.is_empty() {
        println!("{name}: nothing was found before");
    } else {
        program().args(LIMITS).args(found).run()?;
    }
    let [corpus, seeds, findings] =
        ["corpus", "seeds", "findings"].map(|part| root().join(FOLDER).join(part).join(&name));
    [&corpus, &seeds, &findings].into_iter().try_for_each(|path| folder(path))?;
    program().env(SEEDS, &seeds.display().to_string()).run()?;
    let prefix = format!("-artifact_prefix={}/", findings.display());
    let (seconds, seed) = (format!("-max_total_time={}", search.seconds), format!("-seed={}", search.seed));
    let outcome = program().args(LIMITS).args([seconds, seed, prefix]).args([&corpus, &seeds]).run();
    if outcome.is_err() {
        println!("{name}: the file is in {}; docs/fuzzing.md says what to do with it", shown(&findings));
    }
    outcome
}

fn folder(path: &Path) -> Outcome {
    create_dir_all(path).map_err(|source| Failure::File { path: shown(path), source })
}

/// The files of a folder in order; none where there is no folder.
fn files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let Ok(entries) = read_dir(folder) else { return Ok(Vec::new()) };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    Ok(files)
}
