//! `rebut trace`

use super::Done;
use super::model::{Execution, Lowering};
use super::progress::during;
use clap::Args;
use rebut_engine::trace::{Storage, Trace as FullTrace, TraceError, TraceView};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

/// Arguments of `rebut trace`.
#[derive(Args)]
pub(super) struct Trace {
    /// A package or ONNX model
    model: PathBuf,
    #[command(flatten)]
    lowering: Lowering,
    #[command(flatten)]
    execution: Execution,
    /// Keep the trace in this file; what it holds already is read instead of computed
    #[arg(long, value_name = "FILE")]
    cache: Option<PathBuf>,
}

impl Trace {
    pub(super) fn run(&self) -> Done {
        let inputs = Arc::new(self.execution.inputs()?);
        let package = Arc::new(self.lowering.load(&self.model, &inputs)?);
        // Roots are all that is shown: no value need stay in memory.
        let storage = Storage { memory: 0, cache: self.cache.clone() };
        let trace = during("tracing", || FullTrace::stored(&package, &inputs, &self.execution.options(), &storage));
        let trace = trace.map_err(|e| match (&e, &self.cache) {
            (TraceError::Cache(_), Some(path)) => format!("{}: {e}", path.display()),
            _ => e.to_string(),
        })?;
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
