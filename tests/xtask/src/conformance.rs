//! ONNX's backend cases, which are a program of their own; where the shared archive is not beside the repository the cases are made from the PyPI package.

use crate::failure::Outcome;
use crate::process::{Cmd, root};
use std::path::PathBuf;

/// The archive that the program looks for by itself.
const SHARED: &str = "../shared/onnx-conformance/onnx_backend_pure_cases.tar.xz";
/// What the cases are made from otherwise.
const PACKAGES: [&str; 2] = ["onnx==1.23.2", "numpy==2.4.6"];

/// Runs `rebut-conformance`; its help is that program's.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let given = arguments.iter().any(|a| a == "--cases" || a.starts_with("--cases=") || a == "--help");
    let made = if given || root().join(SHARED).is_file() { None } else { Some(cases()?) };
    let command = Cmd::cargo(&["run", "--quiet", "--release", "-p", "rebut-conformance", "--"]).args(arguments);
    match made {
        Some(folder) => command.arg("--cases").arg(folder).run(),
        None => command.run(),
    }
}

/// The folder of the cases, made once.
fn cases() -> Outcome<PathBuf> {
    let folder = root().join("target/onnx");
    let made = folder.join("cases");
    // The script writes the light models last.
    if made.join("light").is_dir() {
        return Ok(made);
    }
    let python = folder.join("venv/bin/python");
    Cmd::new("python3").args(["-m", "venv"]).arg(folder.join("venv")).run()?;
    Cmd::new(&python).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES).run()?;
    Cmd::new(&python).arg(root().join("tests/conformance/dump_cases.py")).arg(&made).run()?;
    Ok(made)
}
