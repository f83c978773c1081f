//! `rebut inspect`

use super::Done;
use super::model::{Lowering, named};
use clap::Args;
use rebut_engine::lower::bill;
use rebut_engine::program::{Source, ValueText};
use rebut_engine::tree::depth;
use std::io::Write;
use std::path::PathBuf;

/// Arguments of `rebut inspect`.
#[derive(Args)]
pub(super) struct Inspect {
    /// A package or ONNX model
    model: PathBuf,
    #[command(flatten)]
    lowering: Lowering,
}

impl Inspect {
    pub(super) fn run(&self) -> Done {
        let package = self.lowering.load(&self.model, &[])?;
        let program = package.program();
        let bills = bill(program);
        let mut out = anstream::stdout();
        let parameters: u64 = package.constants().iter().map(|c| c.len() as u64).sum();
        let elements: u64 = program.values.iter().map(|v| v.ty.elements()).sum();
        let instructions = program.values.iter().filter(|v| matches!(v.source, Source::Instruction(_))).count();
        writeln!(out, "program      {}", package.identity().program_id)?;
        writeln!(out, "descriptors  {}", package.identity().header.descriptors)?;
        writeln!(
            out,
            "values       {} ({} inputs, {} constants, {instructions} instructions), trace depth {}",
            program.values.len(),
            program.inputs,
            package.constants().len(),
            depth(program.values.len() as u64),
        )?;
        writeln!(out, "parameters   {parameters}")?;
        writeln!(out, "elements     {elements} in a trace")?;
        if let Some(worst) = bills.iter().max_by_key(|b| b.gas_worst) {
            writeln!(
                out,
                "worst step   value {}: {} leaves, {} bytes of calldata, {} gas (a bound)",
                worst.value, worst.leaves_worst, worst.calldata_bytes_worst, worst.gas_worst
            )?;
        }
        for (i, ty) in program.input_types().enumerate() {
            writeln!(out, "input        {}", named(package.input_name(i), ty))?;
        }
        for (name, ty) in package.output_names().iter().zip(program.output_types()) {
            writeln!(out, "output       {}", named(name, ty))?;
        }
        writeln!(out)?;
        for (id, value) in program.values.iter().enumerate() {
            let label = package.label(id as u64);
            let (operator, name) = label.map_or(("", ""), |l| (l.operator.as_str(), l.name.as_str()));
            let gas = bills.iter().find(|b| b.value == id as u64);
            let gas = gas.map_or(String::new(), |b| format!(", step at most {} gas", b.gas_worst));
            writeln!(out, "# {operator} {name}{gas}")?;
            writeln!(out, "{}", ValueText { id: id as u64, value })?;
        }
        Ok(())
    }
}
