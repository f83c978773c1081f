//! Expressions over registers.

use super::Memory;
use super::element::Window;
use super::scalar::{apply, cast};
use crate::program::{DType, Expr, Node};

/// The value and type of an expression at the window's current coordinates.
pub(super) fn evaluate<M: Memory>(
    expr: &Expr,
    at: &Window<'_>,
    core: Option<(DType, i64)>,
    memory: &mut M,
) -> (DType, i64) {
    let mut registers: Vec<(DType, i64)> = Vec::with_capacity(expr.nodes.len());
    for node in &expr.nodes {
        let arg = |n: u8| registers.get(usize::from(n)).copied().unwrap_or((DType::Bool, 0));
        let register = match *node {
            Node::Const(dtype, x) => (dtype, x),
            Node::Load(view) => at.load(view, memory),
            Node::Core => core.unwrap_or((DType::F32, 0)),
            Node::Iota(axis) => (DType::I64, at.coordinate(axis)),
            // Selected alternatives are looked up lazily by guards, not by order of evaluation: `valid` reads indices and no element.
            Node::Valid(view) => (DType::Bool, at.valid(view, memory).into()),
            Node::Select(c, a, b) => arg(if arg(c).1 != 0 { a } else { b }),
            Node::Cast(to, a) => {
                let (from, x) = arg(a);
                (to, cast(from, to, x))
            }
            Node::Apply(op, args) => {
                let (dtype, a) = arg(args[0]);
                let x = apply(op, dtype, [a, arg(args[1]).1, arg(args[2]).1]);
                (op.result(dtype).unwrap_or(dtype), x)
            }
        };
        registers.push(register);
    }
    registers.last().copied().unwrap_or((DType::Bool, 0))
}
