//! Instructions that small fixed pieces of work take, counted under valgrind: a regression check without noise, unlike a time.
//!
//! A case is done once and several times, and the difference counts: what starts the program and prepares the work falls out.

use crate::failure::{Failure, Outcome, check};
use crate::process::{Cmd, executable, root, shown};
use clap::Args;
use std::collections::BTreeMap;
use std::path::Path;

/// One line a case, for each code path its instructions.
const SNAPSHOT: &str = "docs/instructions.json";
const FOLDER: &str = "target/instructions";
const VALGRIND: &str = "valgrind";
/// A count may differ by this part: the C library and the threads' locks take a little more or less.
const TOLERANCE: f64 = 0.02;
/// How often a case is done beyond once.
const TIMES: u64 = 4;

/// Code paths as the program calls them, and as the snapshot does: valgrind has no AVX-512, so that `auto` is AVX2.
const PATHS: [(&str, &str); 2] = [("auto", "avx2"), ("portable", "portable")];

/// Which cases, and whether the snapshot is compared or written.
#[derive(Args, Default)]
pub(crate) struct Instructions {
    /// Only cases whose name contains this
    #[arg(long, value_name = "TEXT", conflicts_with = "write")]
    only: Option<String>,
    /// Write the snapshot instead of comparing with it
    #[arg(long)]
    write: bool,
}

/// Counts by case and code path.
type Counts = BTreeMap<String, BTreeMap<String, u64>>;

/// Counts, and compares or writes.
pub(crate) fn run(options: &Instructions) -> Outcome {
    if Cmd::new(VALGRIND).arg("--version").try_read().is_err() {
        return check(format!("{VALGRIND} is missing: it counts instructions (Debian: apt-get install valgrind)"));
    }
    if !runs_avx2() {
        return check("this machine has no AVX2: the snapshot's counts are of that code");
    }
    let program = build()?;
    let folder = root().join(FOLDER);
    std::fs::create_dir_all(&folder).map_err(|source| Failure::File { path: shown(&folder), source })?;
    let names = Cmd::new(&program).read()?;
    let chosen = |name: &&str| options.only.as_ref().is_none_or(|text| name.contains(text.as_str()));
    let mut counts = Counts::new();
    for name in names.lines().filter(chosen) {
        for (argument, path) in PATHS {
            let out = folder.join(format!("{name}-{path}.callgrind"));
            let once = total(&program, name, argument, 1, &out)?;
            let all = total(&program, name, argument, 1 + TIMES, &out)?;
            let each = all.saturating_sub(once) / TIMES;
            println!("{name:16} {path:9} {each:>12}");
            counts.entry(name.to_owned()).or_default().insert(path.to_owned(), each);
        }
    }
    let path = root().join(SNAPSHOT);
    let failure = |source| Failure::File { path: SNAPSHOT.to_owned(), source };
    if options.write {
        let text = serde_json::to_string_pretty(&counts).map_err(|e| Failure::Check(e.to_string()))?;
        return std::fs::write(&path, text + "\n").map_err(failure);
    }
    let text = std::fs::read_to_string(&path).map_err(failure)?;
    let committed: Counts = serde_json::from_str(&text).map_err(|e| Failure::Check(format!("{SNAPSHOT}: {e}")))?;
    let faults = differences(&counts, &committed, options.only.is_none());
    if faults.is_empty() {
        println!("{} cases are within {:.0} % of {SNAPSHOT}", counts.len(), TOLERANCE * 100.0);
        return Ok(());
    }
    check(format!(
        "instructions differ from {SNAPSHOT} by more than {:.0} %:\n        {}\n        \
         callgrind_annotate {FOLDER}/CASE-PATH.callgrind shows where they are; where that is meant: cargo xtask instructions --write",
        TOLERANCE * 100.0,
        faults.join("\n        ")
    ))
}

fn runs_avx2() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

/// The program that has the cases, built as a release is.
fn build() -> Outcome<std::path::PathBuf> {
    let build = ["build", "--release", "-p", "rebut-engine", "--bench", "instructions"];
    let build = Cmd::cargo(&build).args(["--message-format", "json-render-diagnostics"]);
    println!("$ {}", build.line());
    match executable(&build.read()?, "instructions") {
        Some(path) => Ok(path),
        None => check("no executable named instructions was built"),
    }
}

/// All instructions of a program that does a case so many times.
fn total(program: &Path, case: &str, path: &str, times: u64, out: &Path) -> Outcome<u64> {
    let file = format!("--callgrind-out-file={}", out.display());
    let command = Cmd::new(VALGRIND).args(["--tool=callgrind", &file]).arg(program);
    let command = command.args([case, path, &times.to_string()]);
    let line = command.line().to_owned();
    command.read()?;
    let text = std::fs::read_to_string(out).map_err(|source| Failure::File { path: shown(out), source })?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
    total.map_or_else(|| check(format!("{line}\n        wrote no totals to {}", shown(out))), Ok)
}

/// Every count that is not as committed; with `all`, cases that are missing on either side, too.
fn differences(counts: &Counts, committed: &Counts, all: bool) -> Vec<String> {
    let mut faults = Vec::new();
    for (case, paths) in counts {
        for (path, &count) in paths {
            match committed.get(case).and_then(|paths| paths.get(path)) {
                None => faults.push(format!("{case} {path}: {count}, not in the snapshot")),
                Some(&before) => {
                    let part = (count as f64 - before as f64) / (before as f64).max(1.0);
                    if part.abs() > TOLERANCE {
                        faults.push(format!("{case} {path}: {count}, was {before} ({:+.1} %)", part * 100.0));
                    }
                }
            }
        }
    }
    let gone = committed.keys().filter(|case| all && !counts.contains_key(*case));
    faults.extend(gone.map(|case| format!("{case}: in the snapshot, but no case")));
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(all: &[(&str, u64)]) -> Counts {
        let one = |&(case, count): &(&str, u64)| (case.to_owned(), [("avx2".to_owned(), count)].into());
        all.iter().map(one).collect()
    }

    #[test]
    fn counts_beyond_the_tolerance_are_found_either_way() {
        let committed = counts(&[("a", 1000), ("b", 1000)]);
        assert_eq!(differences(&counts(&[("a", 1019), ("b", 981)]), &committed, true), [""; 0]);
        let faults = differences(&counts(&[("a", 1021), ("b", 979)]), &committed, true);
        assert_eq!(faults, ["a avx2: 1021, was 1000 (+2.1 %)", "b avx2: 979, was 1000 (-2.1 %)"]);
    }

    #[test]
    fn cases_on_one_side_only_are_found() {
        let committed = counts(&[("a", 1000), ("old", 1000)]);
        let faults = differences(&counts(&[("a", 1000), ("new", 5)]), &committed, true);
        assert_eq!(faults, ["new avx2: 5, not in the snapshot", "old: in the snapshot, but no case"]);
        assert_eq!(differences(&counts(&[("a", 1000)]), &committed, false), [""; 0]);
    }
}
