//! Expressions, and numbers of any type.

use super::cursor::{Cursor, Parsed, axis_of, fault, number_after};
use crate::arith::native::half::{from_bf16, from_f16, to_bf16, to_f16};
use crate::program::limits::*;
use crate::program::types::*;
use crate::program::{DType, Op};
use std::collections::BTreeMap;
use std::str::FromStr;

impl<'t> Cursor<'t> {
    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        let mut expr = Expr::default();
        let mut names: BTreeMap<&'t str, NodeId> = BTreeMap::new();
        loop {
            let start = self.here();
            let name = self.word().filter(|w| number_after('t', w).is_some());
            if let Some(name) = name.filter(|_| self.eat('=')) {
                let node = self.term(&mut expr, &names, 0)?;
                self.expect(';')?;
                if names.insert(name, node).is_some() {
                    return Err(fault(start, format!("`{name}` is defined twice")));
                }
            } else {
                self.at = start;
                let result = self.term(&mut expr, &names, 0)?;
                // The last node is the result.
                if usize::from(result) + 1 != expr.nodes.len() {
                    return Err(fault(start, "an expression's result is not its last node"));
                }
                return Ok(expr);
            }
        }
    }

    /// Adds the nodes of a term, its own last; gives that one.
    fn term(&mut self, expr: &mut Expr, names: &BTreeMap<&'t str, NodeId>, depth: usize) -> Parsed<NodeId> {
        let at = self.here();
        if depth > MAX_NODES {
            return Err(fault(at, format!("an expression of more than {MAX_NODES} nodes")));
        }
        let literal = self.peek().is_some_and(|c| c == '-' || c.is_ascii_digit());
        let word = if literal { "" } else { self.word().unwrap_or_default() };
        let node = if literal || matches!(word, "inf" | "NaN" | "true" | "false") {
            self.at = at;
            self.constant()?
        } else if self.eat('(') {
            let node = if word == "valid" {
                Node::Valid(self.view_number()?)
            } else {
                let op = Op::from_name(word);
                let dtype = DType::ALL.into_iter().find(|d| d.to_string() == word);
                let count = match (op, dtype) {
                    (Some(op), _) => op.arity(),
                    (None, Some(_)) => 1,
                    (None, None) if word == "select" => 3,
                    (None, None) => return Err(fault(at, format!("`{word}` is no operation"))),
                };
                let mut args = [0; 3];
                for (i, arg) in args[..count].iter_mut().enumerate() {
                    if i > 0 {
                        self.expect(',')?;
                    }
                    *arg = self.term(expr, names, depth + 1)?;
                }
                match (op, dtype) {
                    (Some(op), _) => Node::Apply(op, args),
                    (None, Some(dtype)) => Node::Cast(dtype, args[0]),
                    (None, None) => Node::Select(args[0], args[1], args[2]),
                }
            };
            self.expect(')')?;
            node
        } else if word == "core" {
            Node::Core
        } else if let Some(view) = number_after('v', word) {
            Node::Load(view)
        } else if let Some(axis) = axis_of(word) {
            Node::Iota(axis)
        } else if let Some(&node) = names.get(word) {
            return Ok(node);
        } else if word.is_empty() {
            return Err(fault(at, "expected a term of an expression"));
        } else {
            return Err(fault(at, format!("`{word}` is nothing that an expression knows")));
        };
        if expr.nodes.len() >= MAX_NODES {
            return Err(fault(at, format!("an expression of more than {MAX_NODES} nodes")));
        }
        expr.nodes.push(node);
        NodeId::try_from(expr.nodes.len() - 1).map_err(|_| fault(at, "too many nodes"))
    }

    fn constant(&mut self) -> Parsed<Node> {
        let at = self.here();
        self.eat('-');
        let text = self.word().unwrap_or_default();
        let dtype = if self.eat(':') {
            self.dtype()?
        } else if matches!(text, "true" | "false") {
            DType::Bool
        } else if text.bytes().all(|b| b.is_ascii_digit()) {
            DType::I64
        } else {
            DType::F32
        };
        let end = self.at;
        self.at = at;
        let register = self.number_of(dtype)?;
        self.at = end;
        Ok(Node::Const(dtype, register))
    }

    /// The register of a number of a type.
    pub(super) fn number_of(&mut self, dtype: DType) -> Parsed<i64> {
        let at = self.here();
        let negative = self.eat('-');
        let text = self.word().unwrap_or_default();
        let signed = format!("{}{text}", if negative { "-" } else { "" });
        let register = match dtype {
            DType::Bool => bool::from_str(&signed).ok().map(i64::from),
            DType::F32 => f32::from_str(&signed).ok().map(|x| i64::from(x.to_bits())),
            DType::F16 | DType::BF16 => f32::from_str(&signed).ok().and_then(|x| {
                let (bits, back) = match dtype {
                    DType::F16 => (to_f16(x), from_f16(to_f16(x))),
                    _ => (to_bf16(x), from_bf16(to_bf16(x))),
                };
                (x.is_nan() || back.to_bits() == x.to_bits()).then_some(i64::from(bits))
            }),
            _ => i64::from_str(&signed).ok().filter(|&x| dtype.holds(x)),
        };
        register.map(|x| dtype.canonical(x)).ok_or_else(|| fault(at, format!("`{signed}` is no {dtype}")))
    }
}
