//! `rebut demo`

use super::Done;
use super::model::{Execution, Lowering};
use super::progress::during;
use crate::demo::{Scene, built_in, play, random_lie, tell};
use clap::Args;
use rebut_sim::adversary::Lie;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

/// Arguments of `rebut demo`.
#[derive(Args, Default)]
pub(super) struct Demo {
    /// A package or ONNX model (default: the built-in digits model)
    #[arg(long, requires = "inputs")]
    model: Option<PathBuf>,
    #[command(flatten)]
    lowering: Lowering,
    #[command(flatten)]
    execution: Execution,
    /// Where the executor lies, as VALUE:ELEMENT (see `rebut inspect`)
    #[arg(long, value_name = "VALUE:ELEMENT")]
    lie: Option<Lie>,
    /// Chooses the lie's place where --lie does not
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object instead of the story
    #[arg(long)]
    json: bool,
}

impl Demo {
    pub(super) fn run(&self) -> Done {
        let (model, package, inputs) = match &self.model {
            Some(path) => {
                let inputs = self.execution.inputs()?;
                (path.display().to_string(), self.lowering.load(path, &inputs)?, inputs)
            }
            None => {
                let (model, package, image) = built_in()?;
                (model, package, if self.execution.has_inputs() { self.execution.inputs()? } else { image })
            }
        };
        let lie = self.lie.or_else(|| random_lie(&package, self.seed));
        let lie = lie.ok_or("the program has no instruction to lie about")?;
        let scene = Scene { model, package: Arc::new(package), inputs, lie, options: self.execution.options() };
        let runtime = tokio::runtime::Runtime::new().map_err(|e| format!("could not start: {e}"))?;
        let report = during("playing the game on the embedded chain", || runtime.block_on(play(scene)))?;
        let mut out = anstream::stdout();
        if self.json {
            writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
        } else {
            tell(&report, &mut out)?;
        }
        if report.verdict == "refuted" && report.honest_claim.phase == "final" {
            Ok(())
        } else {
            Err(format!("the lie's claim ended {}, the honest one {}", report.verdict, report.honest_claim.phase)
                .into())
        }
    }
}
