//! The proof of the arithmetic, which is a program of its own: only it needs the engine, an EVM and the reference's C compiler.

use crate::failure::Outcome;
use crate::process::Cmd;

/// Runs a task of `rebut-proof`; its help is that program's.
pub(crate) fn run(task: &str, arguments: &[String]) -> Outcome {
    let build = ["run", "--quiet", "--release", "-p", "rebut-proof"];
    let features: &[&str] = if task == "sweep" { &["--features", "oracle"] } else { &[] };
    Cmd::cargo(&build).args(features).args(["--", task]).args(arguments).run()
}
