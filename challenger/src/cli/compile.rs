//! `rebut compile`

use super::Done;
use super::model::{Lowering, named};
use crate::files::write_package;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

/// Arguments of `rebut compile`.
#[derive(Args)]
pub(super) struct Compile {
    /// The ONNX model
    model: PathBuf,
    #[command(flatten)]
    lowering: Lowering,
    /// The package to write
    #[arg(long, short)]
    output: PathBuf,
}

impl Compile {
    pub(super) fn run(&self) -> Done {
        let package = self.lowering.load(&self.model, &[])?;
        let bytes = write_package(&self.output, &package)?;
        let mut out = anstream::stdout();
        let program = package.program();
        writeln!(out, "program  {}", package.identity().program_id)?;
        writeln!(out, "values   {}", program.values.len())?;
        for (i, ty) in program.input_types().enumerate() {
            writeln!(out, "input    {}", named(package.input_name(i), ty))?;
        }
        for (name, ty) in package.output_names().iter().zip(program.output_types()) {
            writeln!(out, "output   {}", named(name, ty))?;
        }
        writeln!(out, "package  {} ({} bytes)", self.output.display(), bytes)?;
        Ok(())
    }
}
