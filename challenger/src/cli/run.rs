//! `rebut run`

use super::Done;
use super::model::{Execution, Lowering};
use super::progress::during;
use crate::expect::agreement;
use crate::files::{read_tensor, write_tensor};
use clap::Args;
use rebut_engine::arith::native;
use rebut_engine::exec::Session;
use rebut_engine::tensor::Tensor;
use rebut_engine::trace::{Storage, Trace, TraceView};
use rebut_engine::tree::tensor_root;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Arguments of `rebut run`.
#[derive(Args)]
pub(super) struct Run {
    /// A package or ONNX model
    model: PathBuf,
    #[command(flatten)]
    lowering: Lowering,
    #[command(flatten)]
    execution: Execution,
    /// Write the outputs as output_K.pb into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Compare with these outputs; fail beyond 1e-4 relative and 1e-5 absolute
    #[arg(long, value_name = "FILE", num_args = 1..)]
    expect: Vec<PathBuf>,
    /// Run this many times and report the fastest
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,
    /// Do not compute the trace root
    #[arg(long)]
    no_trace: bool,
}

impl Run {
    pub(super) fn run(&self) -> Done {
        let inputs = Arc::new(self.execution.inputs()?);
        let package = Arc::new(self.lowering.load(&self.model, &inputs)?);
        let options = self.execution.options();
        let mut elapsed = Duration::MAX;
        let mut outputs = Vec::new();
        let mut session = Session::new(&package, &options)?;
        for _ in 0..self.repeat {
            let started = Instant::now();
            outputs = during("running", || session.run(&inputs))?;
            elapsed = elapsed.min(started.elapsed());
        }
        let mut out = anstream::stdout();
        for (i, (name, output)) in package.output_names().iter().zip(&outputs).enumerate() {
            writeln!(out, "output {i}  {name}: {} {}", output.ty(), summary(output))?;
            writeln!(out, "          root {}", tensor_root(output))?;
        }
        writeln!(out, "time      {:.3} ms", elapsed.as_secs_f64() * 1e3)?;
        if !self.no_trace {
            // The root alone: nothing is kept.
            let storage = Storage { memory: 0, cache: None };
            let trace = during("tracing", || Trace::stored(&package, &inputs, &options, &storage))?;
            writeln!(out, "trace root {}", trace.root())?;
        }
        if let Some(folder) = &self.out {
            std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
            for (i, (name, output)) in package.output_names().iter().zip(&outputs).enumerate() {
                write_tensor(&folder.join(format!("output_{i}.pb")), name, output)?;
            }
        }
        if !self.expect.is_empty() {
            let expected = self.expect.iter().map(|p| read_tensor(p)).collect::<Result<Vec<_>, _>>()?;
            writeln!(out, "expected  {}", agreement(&outputs, &expected)?)?;
        }
        Ok(())
    }
}

/// The first few elements.
fn summary(tensor: &Tensor) -> String {
    const SHOWN: usize = 10;
    let texts: Vec<String> = match tensor {
        Tensor::F32(a) => a.iter().take(SHOWN).map(|x| format!("{x:.6}")).collect(),
        Tensor::U8(a) | Tensor::Bool(a) => a.iter().take(SHOWN).map(ToString::to_string).collect(),
        Tensor::I8(a) => a.iter().take(SHOWN).map(ToString::to_string).collect(),
        Tensor::U16(a) => a.iter().take(SHOWN).map(ToString::to_string).collect(),
        Tensor::I16(a) => a.iter().take(SHOWN).map(ToString::to_string).collect(),
        Tensor::F16(a) => a.iter().take(SHOWN).map(|&x| format!("{:.4}", native::half::from_f16(x))).collect(),
        Tensor::BF16(a) => a.iter().take(SHOWN).map(|&x| format!("{:.4}", native::half::from_bf16(x))).collect(),
        Tensor::I32(a) => a.iter().take(SHOWN).map(ToString::to_string).collect(),
        Tensor::I64(a) => a.iter().take(SHOWN).map(ToString::to_string).collect(),
    };
    format!("[{}{}]", texts.join(" "), if tensor.len() > SHOWN { " ..." } else { "" })
}
