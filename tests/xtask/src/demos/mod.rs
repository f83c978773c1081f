//! The release command line on models whose outputs are known, and demos whose lies must be refuted within limits.

mod demo;
mod table;

use crate::failure::{Outcome, check};
use crate::process::{Cmd, executable, root, shown};
use demo::Figures;
use std::path::{Path, PathBuf};
pub(crate) use table::SHARED_FOLDER;
use table::{Case, Checks, OWN, SHARED};

pub(crate) fn run(seeds: u64) -> Outcome {
    let rebut = build()?;
    println!("\nwithout arguments:");
    Cmd::new(&rebut).run()?;
    OWN.iter().try_for_each(|checks| run_model(&rebut, &root(), checks, seeds))?;
    let shared = root().join(SHARED_FOLDER);
    if !shared.is_dir() {
        println!("\n!!!!! {SHARED_FOLDER} is not there: {} models are NOT checked !!!!!", SHARED.len());
        return Ok(());
    }
    SHARED.iter().try_for_each(|checks| run_model(&rebut, &shared, checks, seeds))
}

/// Builds what `cargo run --release` runs, with the same features, and says where it is.
pub(crate) fn build() -> Outcome<PathBuf> {
    let messages = Cmd::cargo(&["build", "--release", "--message-format", "json-render-diagnostics"]);
    eprintln!("$ {}", messages.line());
    let messages = messages.read()?;
    match executable(&messages, "rebut") {
        Some(path) => Ok(path),
        None => check("the default member builds no executable named rebut"),
    }
}

fn run_model(rebut: &Path, folder: &Path, checks: &Checks, seeds: u64) -> Outcome {
    let model = folder.join(checks.model);
    println!("\n{}", shown(&model));
    for case in checks.cases {
        println!("  {}", trace_root(rebut, folder, &model, case)?);
    }
    println!(
        "  {} runs gave the expected outputs, each with one trace root for {}",
        checks.cases.len(),
        WAYS.join(", ")
    );
    let mut worst = Figures::default();
    for seed in 1..=seeds {
        let figures = demo(rebut, folder, &model, &checks.cases[0], seed)?;
        println!("  seed {seed:2}: {figures}");
        worst = worst.max(&figures);
    }
    println!("  worst of {seeds}: {}", worst.numbers());
    Ok(())
}

/// Ways to compute that must not change a bit.
const WAYS: [&str; 3] = ["--threads=1", "--threads=2", "--portable"];

/// The trace root of a run in every way; the command fails when an output differs by more than 1e-4 relative and 1e-5 absolute.
fn trace_root(rebut: &Path, folder: &Path, model: &Path, case: &Case) -> Outcome<String> {
    let mut first = None;
    for way in WAYS {
        let command = with_files(Cmd::new(rebut).arg("run").arg(model), "--input", folder, case.inputs);
        let command = with_files(command, "--expect", folder, case.outputs).arg(way);
        let command_line = command.line().to_owned();
        let output = command.read()?;
        let Some(root) = output.lines().find(|line| line.starts_with("trace root")) else {
            return check(format!("{command_line}\n        printed no trace root"));
        };
        let first = first.get_or_insert_with(|| root.to_owned());
        if first != root {
            return check(format!("{command_line}\n        printed {root}, and {first} with {}", WAYS[0]));
        }
    }
    Ok(first.unwrap_or_default())
}

fn with_files(command: Cmd, option: &str, folder: &Path, files: &[&str]) -> Cmd {
    files.iter().fold(command, |command, file| command.arg(option).arg(folder.join(file)))
}

fn demo(rebut: &Path, folder: &Path, model: &Path, case: &Case, seed: u64) -> Outcome<Figures> {
    let command = Cmd::new(rebut).arg("demo").arg("--model").arg(model);
    let command = with_files(command, "--input", folder, case.inputs);
    let command = command.args(["--seed", &seed.to_string(), "--json"]);
    let line = command.line().to_owned();
    let report = command.read()?;
    match Figures::read(&report).and_then(Figures::within_limits) {
        Ok(figures) => Ok(figures),
        Err(fault) => check(format!("{line}\n        {fault}\n        it printed: {}", report.trim())),
    }
}
