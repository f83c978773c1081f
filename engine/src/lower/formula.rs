//! Expressions under construction: typed, without duplicates.

use super::Lowering;
use super::builder::Builder;
use super::lazy::Lazy;
use super::spec::Read;
use crate::program::{DType, Expr, Node, NodeId, Op};
use crate::tensor::NAN;

/// An expression over reads of one list of logical axes.
#[derive(Clone, Debug)]
pub(super) struct Formula {
    /// Extents of the axes that the reads are over.
    pub(super) dims: Vec<u64>,
    pub(super) reads: Vec<Read>,
    nodes: Vec<Node>,
    types: Vec<DType>,
}

impl Formula {
    pub(super) fn new(dims: &[u64]) -> Self {
        Self { dims: dims.to_vec(), reads: Vec::new(), nodes: Vec::new(), types: Vec::new() }
    }

    /// The type of a node.
    pub(super) fn dtype(&self, node: NodeId) -> DType {
        self.types.get(usize::from(node)).copied().unwrap_or(DType::F32)
    }

    fn push(&mut self, node: Node, dtype: DType) -> Lowering<NodeId> {
        let at = self.nodes.iter().position(|n| *n == node).unwrap_or(self.nodes.len());
        if at == self.nodes.len() {
            self.nodes.push(node);
            self.types.push(dtype);
        }
        NodeId::try_from(at).map_err(|_| "its expression is too long".into())
    }

    /// A tensor, broadcast to the axes; a constant of one element becomes a number.
    pub(super) fn load(&mut self, b: &Builder<'_>, lazy: &Lazy) -> Lowering<NodeId> {
        if let Some(register) = b.known_scalar(lazy) {
            return self.push(Node::Const(lazy.dtype, register), lazy.dtype);
        }
        let over = lazy.broadcast(&self.dims);
        self.read(Read::plain(
            over.ok_or_else(|| format!("shape {:?} does not broadcast to {:?}", lazy.dims(), self.dims))?,
        ))
    }

    /// A read over the axes.
    pub(super) fn read(&mut self, read: Read) -> Lowering<NodeId> {
        let at = self.reads.iter().position(|r| *r == read).unwrap_or(self.reads.len());
        let dtype = read.dtype();
        if at == self.reads.len() {
            self.reads.push(read);
        }
        let at = u8::try_from(at).map_err(|_| "it reads too many tensors at once")?;
        self.push(Node::Load(at), dtype)
    }

    /// Whether some access of the read behind a [`Node::Load`] holds.
    pub(super) fn valid(&mut self, load: NodeId) -> Lowering<NodeId> {
        match self.nodes.get(usize::from(load)) {
            Some(&Node::Load(view)) => self.push(Node::Valid(view), DType::Bool),
            _ => Err("only reads can be valid or not".into()),
        }
    }

    /// The core's result.
    pub(super) fn core(&mut self, dtype: DType) -> Lowering<NodeId> {
        self.push(Node::Core, dtype)
    }

    /// The coordinate of a logical axis (reduction axes from 8 on), as i64.
    pub(super) fn iota(&mut self, axis: u8) -> Lowering<NodeId> {
        self.push(Node::Iota(axis), DType::I64)
    }

    pub(super) fn float(&mut self, x: f32) -> Lowering<NodeId> {
        let bits = if x.is_nan() { NAN } else { x.to_bits() };
        self.push(Node::Const(DType::F32, bits.into()), DType::F32)
    }

    /// A number of a type, f32 or integer; it must fit an integer type.
    pub(super) fn number(&mut self, dtype: DType, x: i32) -> Lowering<NodeId> {
        if dtype == DType::F32 { self.float(x as f32) } else { self.register(dtype, x.into()) }
    }

    pub(super) fn register(&mut self, dtype: DType, register: i64) -> Lowering<NodeId> {
        if !dtype.holds(register) {
            return Err(format!("{register} is no {dtype}"));
        }
        self.push(Node::Const(dtype, register), dtype)
    }

    pub(super) fn op(&mut self, op: Op, args: &[NodeId]) -> Lowering<NodeId> {
        let mut padded = [0; 3];
        padded[..args.len()].copy_from_slice(args);
        let dtype = self.dtype(padded[0]);
        if let Some(&other) = args.iter().find(|&&a| self.dtype(a) != dtype) {
            return Err(format!("{op} of {dtype} and {}: the types differ", self.dtype(other)));
        }
        let result = op.result(dtype).ok_or_else(|| format!("{op} of {dtype} is not supported"))?;
        self.push(Node::Apply(op, padded), result)
    }

    pub(super) fn select(&mut self, c: NodeId, a: NodeId, b: NodeId) -> Lowering<NodeId> {
        let (kind, dtype) = (self.dtype(c), self.dtype(a));
        if kind != DType::Bool || dtype != self.dtype(b) {
            return Err(format!("a choice by {kind} between {dtype} and {}", self.dtype(b)));
        }
        self.push(Node::Select(c, a, b), dtype)
    }

    pub(super) fn cast(&mut self, to: DType, a: NodeId) -> Lowering<NodeId> {
        if self.dtype(a) == to { Ok(a) } else { self.push(Node::Cast(to, a), to) }
    }

    /// The reads, the expression of `result` and its type.
    pub(super) fn finish(self, result: NodeId) -> (Vec<Read>, Expr, DType) {
        let dtype = self.dtype(result);
        (self.reads, prune(&self.nodes, result), dtype)
    }
}

/// The nodes that `result` needs, in order, `result` last.
pub(super) fn prune(nodes: &[Node], result: NodeId) -> Expr {
    let mut needed = vec![false; nodes.len()];
    needed[usize::from(result)] = true;
    for i in (0..nodes.len()).rev().filter(|&i| i <= usize::from(result)) {
        if needed[i] {
            nodes[i].arguments().for_each(|a| needed[usize::from(a)] = true);
        }
    }
    let mut place = vec![0; nodes.len()];
    let mut out = Vec::new();
    for (i, node) in nodes.iter().enumerate().filter(|&(i, _)| needed[i]) {
        place[i] = out.len() as NodeId; // no more than the nodes that NodeIds name
        out.push(node.renumbered(|a| place[usize::from(a)]));
    }
    Expr { nodes: out }
}
