//! The engines: each is a program that times a model with some threads and prints one JSON object.

use super::models::{BENCH_FOLDER, Model, input_files};
use super::python::python;
use super::{FOLDER, file_failure, quietly};
use crate::failure::{Outcome, check};
use crate::process::{Cmd, root, shown};
use serde_json::Value;
use std::path::PathBuf;

/// The crate of the other engines in Rust, a workspace of its own.
const COMPARE: &str = "tests/compare";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Engine {
    Rebut,
    Onnxruntime,
    Tract,
    Rten,
}

/// In the order of their turns.
pub(super) const ENGINES: [Engine; 4] = [Engine::Rebut, Engine::Onnxruntime, Engine::Tract, Engine::Rten];

impl Engine {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rebut => "rebut",
            Self::Onnxruntime => "onnxruntime",
            Self::Tract => "tract",
            Self::Rten => "rten",
        }
    }
}

/// What one program printed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measured {
    pub(super) version: String,
    pub(super) median_ms: f64,
    /// What only our own says.
    pub(super) own: Option<Own>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Own {
    pub(super) multiply_adds: f64,
    pub(super) elements: f64,
    /// Median of runs that commit to every value.
    pub(super) trace_ms: f64,
}

/// A model that every engine can be given.
pub(super) struct Prepared {
    model: PathBuf,
    package: PathBuf,
    inputs: Vec<PathBuf>,
}

/// The engines' programs.
pub(super) struct Engines {
    rebut: PathBuf,
    compare: PathBuf,
    python: PathBuf,
    script: PathBuf,
}

impl Engines {
    /// Builds what is built from source, and brings the rest.
    pub(super) fn build() -> Outcome<Self> {
        let script = root().join(BENCH_FOLDER).join("ort_latency.py");
        if !script.is_file() {
            return check(format!("{} is not there: it times onnxruntime", shown(&script)));
        }
        let target = root().join(FOLDER).join("compare");
        let build = ["build", "--locked", "--release", "--target-dir"];
        quietly(Cmd::cargo(&build).arg(&target).within(COMPARE))?;
        let compare = target.join("release/rebut-compare");
        Ok(Self { rebut: crate::demos::build()?, compare, python: python(&[])?, script })
    }

    /// Compiles the model once, and makes inputs where it has none.
    pub(super) fn prepare(&self, model: &Model) -> Outcome<Prepared> {
        let folder = root().join(FOLDER).join("packages");
        std::fs::create_dir_all(&folder).map_err(file_failure(&folder))?;
        let package = folder.join(format!("{}.rebut", model.name));
        quietly(Cmd::new(&self.rebut).arg("compile").arg(&model.file).arg("-o").arg(&package))?;
        let inputs = match &model.inputs {
            Some(folder) => folder.clone(),
            None => {
                let folder = root().join(FOLDER).join("inputs").join(model.name);
                let bench = Cmd::new(&self.rebut).arg("bench").arg(&package).args(["--repeat", "1", "--write-inputs"]);
                quietly(bench.arg(&folder))?;
                folder
            }
        };
        let inputs = input_files(&inputs);
        if inputs.is_empty() {
            return check(format!("{} has no inputs", model.name));
        }
        Ok(Prepared { model: model.file.clone(), package, inputs })
    }

    /// One turn of an engine: its figures, or why it does not run the model.
    pub(super) fn measure(
        &self,
        engine: Engine,
        prepared: &Prepared,
        threads: usize,
        runs: usize,
    ) -> Outcome<Result<Measured, String>> {
        let (threads, runs) = (threads.to_string(), runs.to_string());
        let mut command = match engine {
            Engine::Rebut => {
                let bench = Cmd::new(&self.rebut).arg("bench").arg(&prepared.package).args(["--trace", "--json"]);
                bench.args(["--threads", &threads, "--repeat", &runs]).arg("--input").args(&prepared.inputs)
            }
            Engine::Onnxruntime => {
                let script = Cmd::new(&self.python).arg(&self.script).arg(&prepared.model);
                script.args([&threads, &runs]).args(&prepared.inputs)
            }
            Engine::Tract | Engine::Rten => {
                let compare = Cmd::new(&self.compare).arg(engine.name()).arg(&prepared.model);
                compare.args([&threads, &runs]).args(&prepared.inputs)
            }
        };
        let output = command.try_read()?;
        if !output.status.success() {
            return Ok(Err(reason(&String::from_utf8_lossy(&output.stderr))));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        match figures(&text) {
            Some(measured) => Ok(Ok(measured)),
            None => check(format!("{}\n        printed no figures: {}", command.line(), text.trim())),
        }
    }
}

/// The last line that says something.
fn reason(errors: &str) -> String {
    let says = |line: &&str| !line.trim().is_empty() && !line.starts_with("note:");
    errors.lines().rfind(says).unwrap_or("it ended without a word").trim().to_owned()
}

fn figures(text: &str) -> Option<Measured> {
    let json: Value = serde_json::from_str(text.trim()).ok()?;
    let own = || {
        Some(Own {
            multiply_adds: json["multiply_adds"].as_f64()?,
            elements: json["elements"].as_f64()?,
            trace_ms: json["trace"]["median_ms"].as_f64()?,
        })
    };
    let median_ms = json["median_ms"].as_f64().filter(|&ms| ms > 0.0)?;
    Some(Measured { version: json["version"].as_str()?.to_owned(), median_ms, own: own() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read() {
        let other = figures(r#"{"engine": "onnxruntime", "version": "1.31.1", "median_ms": 2.5}"#);
        assert_eq!(other, Some(Measured { version: "1.31.1".into(), median_ms: 2.5, own: None }));
        let ours =
            r#"{"version": "0.1.0", "median_ms": 2, "multiply_adds": 7, "elements": 9, "trace": {"median_ms": 3}}"#;
        let own = Own { multiply_adds: 7.0, elements: 9.0, trace_ms: 3.0 };
        assert_eq!(figures(ours).and_then(|m| m.own), Some(own));
        for bad in ["", "{}", r#"{"version": "1", "median_ms": 0}"#] {
            assert_eq!(figures(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_refusal_is_the_last_line_that_says_something() {
        assert_eq!(reason("Traceback\n  File x\nNotImplemented: Foo\n\n"), "NotImplemented: Foo");
        assert_eq!(
            reason("thread panicked\nindex out of range\nnote: run with RUST_BACKTRACE=1"),
            "index out of range"
        );
        assert_eq!(reason(""), "it ended without a word");
    }
}
