//! Which parts of the definition the compared elements went through.

use rebut_engine::program::{Core, Expr, FoldOp, Instruction, Node, Op};
use std::collections::BTreeSet;

/// Names of cores and of expressions' operations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reached(BTreeSet<String>);

impl Reached {
    /// What an instruction is made of.
    pub(crate) fn add(&mut self, instruction: &Instruction) {
        self.expression(&instruction.epilogue);
        match &instruction.core {
            Core::None => self.core("map"),
            Core::Dot { .. } => self.core("dot"),
            Core::Scan { .. } => self.core("scan"),
            Core::Fold { op, body } => {
                self.core(op.name());
                self.expression(body);
            }
        }
        if instruction.windowed {
            self.core("windowed");
        }
    }

    fn core(&mut self, name: &str) {
        self.0.insert(format!("core {name}"));
    }

    fn expression(&mut self, expression: &Expr) {
        self.0.extend(expression.nodes.iter().filter_map(|node| match node {
            Node::Apply(op, _) => Some(op.name().to_owned()),
            _ => None,
        }));
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    /// Number of cores and operations reached.
    pub(crate) fn count(&self) -> usize {
        Self::all().iter().filter(|name| self.0.contains(*name)).count()
    }

    /// Cores and operations that no compared element went through.
    pub(crate) fn missing(&self) -> Vec<String> {
        Self::all().into_iter().filter(|name| !self.0.contains(name)).collect()
    }

    /// All cores and operations.
    pub(crate) fn all() -> Vec<String> {
        let cores = ["map", "dot", "scan", "windowed"].into_iter().chain(FoldOp::ALL.iter().map(|op| op.name()));
        let cores = cores.map(|name| format!("core {name}"));
        cores.chain(Op::ALL.iter().map(|op| op.name().to_owned())).collect()
    }
}
