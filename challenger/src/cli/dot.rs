//! A program as a picture: Graphviz's DOT language.

use super::inspect::{is_output, kind, origin};
use rebut_engine::lower::Bill;
use rebut_engine::package::Package;
use rebut_engine::program::{Source, ValueId};
use std::collections::BTreeMap;
use std::fmt::Write;

/// One node a value, one edge an operand. Outputs have a double border, constants are grey, inputs round.
pub(super) fn picture(package: &Package, bills: &BTreeMap<ValueId, Bill>) -> String {
    let program = package.program();
    let mut out = String::from("digraph program {\n  node [shape=box, fontname=\"sans-serif\", fontsize=10];\n");
    for (id, value) in (0..).zip(&program.values) {
        let (operator, name) = origin(package, id);
        let mut lines =
            vec![format!("%{id} {operator}").trim_end().to_string(), name.to_string(), value.ty.to_string()];
        let style = match &value.source {
            Source::Input => ", shape=ellipse",
            Source::Constant { .. } => ", style=filled, fillcolor=gray90",
            Source::Instruction(i) => {
                let gas = bills.get(&id).map_or(0, |b| b.gas_worst);
                lines.extend([kind(i), format!("step at most {gas} gas")]);
                if is_output(program, id) { ", peripheries=2" } else { "" }
            }
        };
        let lines: Vec<String> = lines.iter().filter(|l| !l.is_empty()).map(|l| escaped(l)).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  v{id} [label=\"{}\"{style}];", lines.join("\\n"));
        if let Source::Instruction(i) = &value.source {
            for operand in &i.operands {
                let _ = writeln!(out, "  v{} -> v{id};", operand.value);
            }
        }
    }
    out.push_str("}\n");
    out
}

/// Names may hold anything: inside quotes a backslash and a quote are special, and a line is one line.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
