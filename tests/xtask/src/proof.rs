//! The proof of the arithmetic, which is a program of its own: only it needs the engine, an EVM and the reference's C compiler.

use crate::failure::Outcome;
use crate::process::Cmd;

/// Runs a task of `rebut-proof`; its help is that program's.
pub(crate) fn run(task: &str, arguments: &[String]) -> Outcome {
    build_and_run(task == "sweep", task, arguments)
}

fn build_and_run(oracle: bool, task: &str, arguments: &[String]) -> Outcome {
    let build = ["run", "--quiet", "--release", "-p", "rebut-proof"];
    let features: &[&str] = if oracle { &["--features", "oracle"] } else { &[] };
    Cmd::cargo(&build).args(features).args(["--", task]).args(arguments).run()
}

/// What CI has time for: every 512th block of every sweep, 50,000 vectors of each of the contracts' operations, and
/// 100 instructions of each kind with their changes.
pub(crate) fn slice() -> Outcome {
    let strings = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    build_and_run(true, "sweep", &strings(&["all", "--stride", "512"]))?;
    // The same features, so that nothing is built again.
    build_and_run(true, "evm-vectors", &strings(&["--count", "50000"]))?;
    build_and_run(true, "steps", &strings(&["--seeds", "100"]))
}
