//! `rebut trace`

use super::Done;
use super::model::{Execution, Lowering};
use super::progress::during;
use clap::Args;
use rebut_engine::package::Package;
use rebut_engine::tensor::Tensor;
use rebut_engine::trace::{Trace as FullTrace, TraceView};
use std::io::Write;
use std::path::PathBuf;

/// Arguments of `rebut trace`.
#[derive(Args)]
pub(super) struct Trace {
    /// A package or ONNX model
    model: PathBuf,
    #[command(flatten)]
    lowering: Lowering,
    #[command(flatten)]
    execution: Execution,
    /// Keep the trace in this file; where it exists, read it instead of running
    #[arg(long, value_name = "FILE")]
    cache: Option<PathBuf>,
}

impl Trace {
    fn trace(
        &self,
        package: &Package,
        inputs: &[Tensor],
    ) -> Result<FullTrace, Box<dyn std::error::Error + Send + Sync>> {
        let run = || during("tracing", || FullTrace::new(package, inputs, &self.execution.options()));
        let Some(path) = &self.cache else { return Ok(run()?) };
        let at = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
        if path.exists() {
            let bytes = std::fs::read(path).map_err(|e| at(&e))?;
            return Ok(
                during("reading the trace", || FullTrace::from_bytes(package, inputs, &bytes)).map_err(|e| at(&e))?
            );
        }
        let trace = run()?;
        std::fs::write(path, trace.to_bytes(package)?).map_err(|e| at(&e))?;
        Ok(trace)
    }

    pub(super) fn run(&self) -> Done {
        let inputs = self.execution.inputs()?;
        let package = self.lowering.load(&self.model, &inputs)?;
        let trace = self.trace(&package, &inputs)?;
        let mut out = anstream::stdout();
        for (id, value) in package.program().values.iter().enumerate() {
            let label = package.label(id as u64);
            let (operator, name) = label.map_or(("", ""), |l| (l.operator.as_str(), l.name.as_str()));
            writeln!(out, "{id:>5} {} {} {operator} {name}", trace.tensor_root(id as u64), value.ty)?;
        }
        writeln!(out, "elements   {}", trace.elements())?;
        writeln!(out, "program    {}", package.identity().program_id)?;
        writeln!(out, "trace root {}", trace.root())?;
        Ok(())
    }
}
