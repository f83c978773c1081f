//! Programs as text, which [`parse_program`](super::parse_program) reads back.
//!
//! One value a paragraph: `%n: type = input | constant ROOT | instruction`, an instruction with its extents, views, core and epilogue.
//! `e0..` and `r0..` are the coordinates of the element and reduction axes; `index(v0, 9)` is what `v0` reads, as an index below 9.
//! Expressions are nested calls; a node that cannot be nested, because several others or none use it, has a line `t5 = ...;`. Constants
//! are f32, i64 and bool as they look, else `7:u8`.

use super::limits::FIRST_REDUCTION_AXIS;
use super::types::*;
use super::{DType, FoldOp};
use crate::arith::native::half::{from_bf16, from_f16};
use std::collections::BTreeSet;
use std::fmt::{self, Write};

/// Text of a whole program.
pub fn program_text(program: &Program) -> String {
    let mut out = String::new();
    for (id, value) in program.values.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{}", ValueText { id: id as u64, value });
    }
    let outputs: Vec<String> = program.output_ids().map(|v| format!("%{v}")).collect();
    let _ = writeln!(out, "return {}", outputs.join(", "));
    out
}

/// One value as text.
pub struct ValueText<'a> {
    /// Its number.
    pub id: ValueId,
    /// The value.
    pub value: &'a Value,
}

impl fmt::Display for ValueText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}: {} = ", self.id, self.value.ty)?;
        match &self.value.source {
            Source::Input => f.write_str("input"),
            Source::Constant { root } => write!(f, "constant {root}"),
            Source::Instruction(i) => instruction(f, i, self.value.ty.dtype),
        }
    }
}

fn instruction(f: &mut fmt::Formatter<'_>, i: &Instruction, dtype: DType) -> fmt::Result {
    write!(f, "e{:?}", i.extents)?;
    if !i.reduction.is_empty() {
        write!(f, " r{:?}", i.reduction)?;
    }
    if i.windowed {
        f.write_str(" windowed")?;
    }
    // Views say what is read, except where an operand is named and never read.
    let read: BTreeSet<u8> = i.views.iter().flat_map(|v| &v.accesses).map(|a| a.operand).collect();
    if read.len() < i.operands.len() {
        let all: Vec<String> = i.operands.iter().map(|o| format!("%{}", o.value)).collect();
        write!(f, " reads {}", all.join(", "))?;
    }
    for (n, view) in i.views.iter().enumerate() {
        write!(f, "\n    v{n} = ")?;
        for access in &view.accesses {
            let operand = i.operands.get(usize::from(access.operand)).map_or(u64::MAX, |o| o.value);
            write!(f, "%{operand}[{}", AffineText(&access.address))?;
            for term in &access.indirects {
                write!(f, "{:+}*index(v{}, {})", term.coefficient, term.view, term.limit)?;
            }
            f.write_str("]")?;
            for guard in &access.guards {
                write!(f, " if 0 <= {} < {}", AffineText(&guard.affine), guard.limit)?;
            }
            f.write_str(" else ")?;
        }
        let fill_type =
            view.accesses.first().and_then(|a| i.operands.get(usize::from(a.operand))).map_or(dtype, |o| o.dtype);
        f.write_str(&register(fill_type, view.fill))?;
    }
    match &i.core {
        Core::None => {}
        Core::Dot { a, b } => write!(f, "\n    core = dot(v{a}, v{b})")?,
        Core::Fold { op, body } => write!(f, "\n    core = {}({})", FoldOp::name(*op), expression(body, "\n        "))?,
        Core::Scan { axis, initial } => {
            write!(f, "\n    core = scan({} from v{initial})", axis_name(*axis))?;
        }
    }
    write!(f, "\n    {}", expression(&i.epilogue, "\n    "))
}

fn register(dtype: DType, x: i64) -> String {
    match dtype {
        DType::F32 => format!("{:?}", f32::from_bits((x & 0xffff_ffff) as u32)),
        DType::F16 | DType::BF16 => {
            let widen = if dtype == DType::F16 { from_f16 } else { from_bf16 };
            format!("{:?}", widen((x & 0xffff) as u16))
        }
        DType::Bool => (x != 0).to_string(),
        _ => x.to_string(),
    }
}

struct AffineText<'a>(&'a Affine);

impl fmt::Display for AffineText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut empty = true;
        for &(axis, a) in &self.0.terms {
            let sign = if a < 0 {
                "-"
            } else if empty {
                ""
            } else {
                "+"
            };
            f.write_str(sign)?;
            if a.unsigned_abs() != 1 {
                write!(f, "{}*", a.unsigned_abs())?;
            }
            f.write_str(&axis_name(axis))?;
            empty = false;
        }
        match self.0.base {
            b if empty => write!(f, "{b}"),
            0 => Ok(()),
            b => write!(f, "{b:+}"),
        }
    }
}

fn axis_name(axis: u8) -> String {
    match axis.checked_sub(FIRST_REDUCTION_AXIS) {
        Some(r) => format!("r{r}"),
        None => format!("e{axis}"),
    }
}

/// A constant of an expression, with its type where it does not look like it.
fn constant(dtype: DType, x: i64) -> String {
    match dtype {
        DType::F32 | DType::I64 | DType::Bool => register(dtype, x),
        _ => format!("{}:{dtype}", register(dtype, x)),
    }
}

/// An expression as nested calls, with lines of their own for the nodes that are not used exactly once, right behind them in order:
/// reading it again gives the same nodes in the same order.
fn expression(expr: &Expr, line: &str) -> String {
    let arguments = |node: &Node| -> Vec<NodeId> {
        match *node {
            Node::Select(c, a, b) => vec![c, a, b],
            Node::Cast(_, a) => vec![a],
            Node::Apply(op, args) => args[..op.arity()].to_vec(),
            _ => vec![],
        }
    };
    let mut uses = vec![0; expr.nodes.len()];
    for a in expr.nodes.iter().flat_map(arguments) {
        if let Some(n) = uses.get_mut(usize::from(a)) {
            *n += 1;
        }
    }
    // What is written and not yet nested in something else: node and text.
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (index, node) in expr.nodes.iter().enumerate() {
        let mut texts = Vec::new();
        for a in arguments(node).into_iter().rev().map(usize::from) {
            let nested = lines.pop_if(|(last, _)| *last == a && uses.get(a) == Some(&1));
            texts.push(nested.map_or_else(|| format!("t{a}"), |(_, text)| text));
        }
        texts.reverse();
        let arguments = texts.join(", ");
        let text = match *node {
            Node::Const(dtype, x) => constant(dtype, x),
            Node::Load(v) => format!("v{v}"),
            Node::Core => "core".into(),
            Node::Iota(axis) => axis_name(axis),
            Node::Valid(v) => format!("valid(v{v})"),
            Node::Select(..) => format!("select({arguments})"),
            Node::Cast(dtype, _) => format!("{dtype}({arguments})"),
            Node::Apply(op, _) => format!("{op}({arguments})"),
        };
        lines.push((index, text));
    }
    let (_, result) = lines.pop().unwrap_or_default();
    let before: String = lines.into_iter().map(|(index, text)| format!("t{index} = {text};{line}")).collect();
    before + &result
}
