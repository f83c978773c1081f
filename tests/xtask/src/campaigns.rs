//! Long searches in the game, which are a program of their own.

use crate::demos::SHARED_FOLDER;
use crate::failure::Outcome;
use crate::process::{Cmd, root};
use std::path::{Path, PathBuf};

/// Runs a campaign of `rebut-campaigns`; its help is that program's.
pub(crate) fn run(campaign: &str, arguments: &[String]) -> Outcome {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    start(campaign, &words)
}

/// What CI has time for: every tenth small game, random calls, disputes about the built-in model, and two lies about each trained or exported model that is there.
pub(crate) fn slice() -> Outcome {
    start("games", &["--stride", "10"])?;
    start("invariants", &["--calls", "10000"])?;
    start("disputes", &[])?;
    let folders = model_folders(&root().join(SHARED_FOLDER));
    if folders.is_empty() {
        println!("\n!!!!! {SHARED_FOLDER} is not there: NO lies are told about larger models !!!!!");
        return Ok(());
    }
    let folders: Vec<&str> = folders.iter().filter_map(|folder| folder.to_str()).collect();
    start("models", &[&["--lies", "2"], &folders[..]].concat())
}

/// The folders NAME with a model.onnx; ONNX's light graphs are none: they are slow for their size, and the conformance step runs them.
fn model_folders(shared: &Path) -> Vec<PathBuf> {
    let folders = shared.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    let mut folders: Vec<PathBuf> = folders.filter(|folder| folder.join("model.onnx").is_file()).collect();
    folders.sort_unstable();
    folders
}

fn start(campaign: &str, arguments: &[&str]) -> Outcome {
    Cmd::cargo(&["run", "--quiet", "--release", "-p", "rebut-campaigns", "--", campaign]).args(arguments).run()
}
