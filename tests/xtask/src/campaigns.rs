//! Long searches in the game, which are a program of their own.

use crate::demos::SHARED_FOLDER;
use crate::failure::Outcome;
use crate::process::{Cmd, root};

/// Runs a campaign of `rebut-campaigns`; its help is that program's.
pub(crate) fn run(campaign: &str, arguments: &[String]) -> Outcome {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    start(campaign, &words)
}

/// What CI has time for: every tenth small game, random calls, disputes about the built-in model, and two lies about each model that is there.
pub(crate) fn slice() -> Outcome {
    start("games", &["--stride", "10"])?;
    start("invariants", &["--calls", "10000"])?;
    start("disputes", &[])?;
    if !root().join(SHARED_FOLDER).is_dir() {
        println!("\n!!!!! {SHARED_FOLDER} is not there: NO lies are told about larger models !!!!!");
        return Ok(());
    }
    start("models", &["--lies", "2"])
}

fn start(campaign: &str, arguments: &[&str]) -> Outcome {
    Cmd::cargo(&["run", "--quiet", "--release", "-p", "rebut-campaigns", "--", campaign]).args(arguments).run()
}
