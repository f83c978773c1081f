//! Times of another engine on an ONNX model: `rebut-compare ENGINE MODEL THREADS RUNS INPUT.pb...`
//!
//! Prints one JSON object with the median, minimum and CPU milliseconds of the runs; what the engine refuses is one line and exit code 1.

mod rten;
mod time;
mod tract;

use rebut_engine::onnx::read_tensor_pb;
use rebut_engine::tensor::Tensor;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Whatever an engine refuses with.
type Refusal = Box<dyn std::error::Error>;

/// A model that is ready to run, again and again.
type Run = Box<dyn FnMut() -> Result<(), Refusal>>;

/// What prepares a model for some threads and inputs.
type Prepare = fn(&Path, usize, &[Tensor]) -> Result<Run, Refusal>;

/// Name, version and how to prepare a model.
const ENGINES: [(&str, &str, Prepare); 2] = [("tract", "0.23.9", tract::prepare), ("rten", "0.27.0", rten::prepare)];

fn main() -> ExitCode {
    match report(std::env::args().skip(1)) {
        Ok(json) => {
            println!("{json}");
            ExitCode::SUCCESS
        }
        Err(refusal) => {
            eprintln!("{}", refusal.to_string().replace(['\n', '\r'], " "));
            ExitCode::FAILURE
        }
    }
}

fn report(arguments: impl Iterator<Item = String>) -> Result<serde_json::Value, Refusal> {
    let arguments: Vec<String> = arguments.collect();
    let [engine, model, threads, runs, inputs @ ..] = &arguments[..] else {
        return Err("usage: rebut-compare ENGINE MODEL THREADS RUNS INPUT.pb...".into());
    };
    let (engine, version, prepare) =
        ENGINES.into_iter().find(|(name, ..)| name == engine).ok_or_else(|| format!("no engine {engine:?}"))?;
    let (threads, runs): (usize, usize) = (threads.parse()?, runs.parse()?);
    let inputs = inputs.iter().map(|path| Ok(read_tensor_pb(&PathBuf::from(path))?));
    let inputs = inputs.collect::<Result<Vec<Tensor>, Refusal>>()?;
    let times = time::times(runs, prepare(Path::new(model), threads, &inputs)?)?;
    Ok(serde_json::json!({
        "engine": engine, "version": version, "threads": threads, "runs": runs,
        "median_ms": times.median, "min_ms": times.least, "cpu_median_ms": times.cpu_median,
    }))
}
