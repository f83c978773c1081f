//! `rebut trace`

use super::Done;
use super::model::{Execution, Lowering};
use super::progress::during;
use clap::Args;
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
}

impl Trace {
    pub(super) fn run(&self) -> Done {
        let package = self.lowering.load(&self.model)?;
        let inputs = self.execution.inputs()?;
        let trace = during("tracing", || FullTrace::new(&package, &inputs, &self.execution.options()))?;
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
