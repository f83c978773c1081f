//! `rebut inspect`

use super::Done;
use super::dot::picture;
use super::model::{Lowering, named};
use clap::Args;
use rebut_engine::lower::{Bill, bill};
use rebut_engine::package::Package;
use rebut_engine::program::{Core, FoldOp, Instruction, Program, Source, TensorType, ValueId, ValueText};
use rebut_engine::tree::depth;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

/// Arguments of `rebut inspect`.
#[derive(Args)]
pub(super) struct Inspect {
    /// A package or ONNX model
    model: PathBuf,
    #[command(flatten)]
    lowering: Lowering,
    /// Print the program's text, with where values come from in comments
    #[arg(long)]
    text: bool,
    /// Write a picture of the instructions and what they read, for Graphviz
    #[arg(long, value_name = "FILE")]
    dot: Option<PathBuf>,
}

impl Inspect {
    pub(super) fn run(&self) -> Done {
        let package = self.lowering.load(&self.model, &[])?;
        let bills: BTreeMap<ValueId, Bill> = bill(package.program()).into_iter().map(|b| (b.value, b)).collect();
        if let Some(path) = &self.dot {
            std::fs::write(path, picture(&package, &bills)).map_err(|e| format!("{}: {e}", path.display()))?;
        }
        let mut out = anstream::stdout();
        if self.text {
            text(&package, &bills, &mut out)?;
        } else {
            summary(&package, &bills, &mut out)?;
            regions(&package, &bills, &mut out)?;
        }
        Ok(())
    }
}

/// Operator and name of the ONNX node or tensor that a value comes from.
pub(super) fn origin(package: &Package, id: ValueId) -> (&str, &str) {
    package.label(id).map_or(("", ""), |l| (l.operator.as_str(), l.name.as_str()))
}

/// What an instruction does, in short.
pub(super) fn kind(i: &Instruction) -> String {
    let over: u64 = i.reduction.iter().product();
    let window = if i.windowed { ", in windows of 256" } else { "" };
    match &i.core {
        Core::None => "map".into(),
        Core::Dot { .. } => format!("dot of {over}{window}"),
        Core::Fold { op, .. } => format!("{} of {over}{window}", FoldOp::name(*op)),
        Core::Scan { axis, .. } => format!("scan along e{axis}"),
    }
}

fn text(package: &Package, bills: &BTreeMap<ValueId, Bill>, out: &mut impl Write) -> io::Result<()> {
    let program = package.program();
    for (id, value) in (0..).zip(&program.values) {
        let (operator, name) = origin(package, id);
        let gas = bills.get(&id).map_or(String::new(), |b| format!(", step at most {} gas", b.gas_worst));
        // A name may hold anything; a comment is one line.
        let comment: String =
            format!("{operator} {name}{gas}").chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        writeln!(out, "# {}\n{}", comment.trim_start(), ValueText { id, value })?;
    }
    writeln!(out, "return {}", ids(program.output_ids()))
}

fn summary(package: &Package, bills: &BTreeMap<ValueId, Bill>, out: &mut impl Write) -> io::Result<()> {
    let program = package.program();
    let parameters: u64 = package.constants().map(|c| c.len() as u64).sum();
    let sum = |of: fn(&TensorType) -> u64| program.values.iter().map(|v| of(&v.ty)).fold(0, u64::saturating_add);
    let bytes = sum(TensorType::bytes);
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
    writeln!(
        out,
        "trace        {} elements, {bytes} bytes in {} leaves",
        sum(rebut_engine::program::TensorType::elements),
        package.identity().header.leaves
    )?;
    if let Some(worst) = bills.values().max_by_key(|b| b.gas_worst) {
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
    Ok(())
}

/// The values: inputs, constants, and the instructions of one ONNX node after the other.
fn regions(package: &Package, bills: &BTreeMap<ValueId, Bill>, out: &mut impl Write) -> io::Result<()> {
    let program = package.program();
    let mut region = String::new();
    for (id, value) in (0..).zip(&program.values) {
        let (operator, name) = origin(package, id);
        let here = match &value.source {
            Source::Input => "inputs".to_string(),
            Source::Constant { .. } => "constants".to_string(),
            Source::Instruction(_) => node_of(name).to_string(),
        };
        if here != region {
            writeln!(out, "\n{here}")?;
            region = here;
        }
        match &value.source {
            Source::Instruction(i) => {
                let gas = bills.get(&id).map_or(0, |b| b.gas_worst);
                let read = ids(i.operands.iter().map(|o| o.value));
                let last = if is_output(program, id) { ", an output" } else { "" };
                let what = kind(i);
                writeln!(
                    out,
                    "  %{id:<4} {operator}: {} = {what} over {read}, step at most {gas} gas{last}",
                    value.ty
                )?;
            }
            _ => writeln!(out, "  %{id:<4} {name}: {}", value.ty)?,
        }
    }
    Ok(())
}

/// The ONNX node's name, without what lowering adds for the instructions that it needs beside the last one.
fn node_of(name: &str) -> &str {
    let mut name = name;
    while let Some(rest) = name.strip_suffix(" (parts)").or_else(|| name.strip_suffix(" (layout)")) {
        name = rest;
    }
    name
}

pub(super) fn is_output(program: &Program, id: ValueId) -> bool {
    program.output_ids().contains(&id)
}

fn ids(ids: impl Iterator<Item = ValueId>) -> String {
    let texts: Vec<String> = ids.map(|id| format!("%{id}")).collect();
    if texts.is_empty() { "nothing".into() } else { texts.join(", ") }
}
