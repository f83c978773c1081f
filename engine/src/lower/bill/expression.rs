//! What expressions and the core's arithmetic cost.

use super::gather::{self, Kind};
use super::leaves::Spread;
use super::{Cost, gas, window};
use crate::program::limits::FIRST_REDUCTION_AXIS;
use crate::program::*;
use std::collections::BTreeSet;

/// The core and the epilogue.
pub(super) fn cost(i: &Instruction, spreads: &[Spread]) -> Cost {
    let n = window(i);
    let mut total = Cost::default();
    let mut core = None;
    match &i.core {
        Core::None => {}
        Core::Scan { initial, .. } => {
            // Its first element reads the initial view, every other one its predecessor.
            let (dtype, cost) = match i.views.get(usize::from(*initial)) {
                Some(view) => (gather::dtype(i, view), gather::cost(i, view, Kind::Registers, false, spreads)),
                None => (DType::F32, Cost::default()),
            };
            total += cost;
            total.gas += gas::SCAN + gas::lane(dtype);
            core = Some(dtype);
        }
        Core::Dot { a, b } => {
            for view in [a, b].into_iter().filter_map(|&v| i.views.get(usize::from(v))) {
                total += gather::cost(i, view, Kind::Packed, true, spreads);
            }
            total += Cost { gas: gas::CORE + n * gas::MULTIPLY_ADD, words: 0 };
            core = Some(DType::F32);
        }
        Core::Fold { op, body } => {
            let ((dtype, varies), cost) = expression(i, body, None, true, spreads);
            total += cost;
            let float = dtype == DType::F32;
            let gas = gas::CORE + gas::fold_start(*op, float, n) + n * gas::fold(*op, float);
            total += Cost { gas, words: 20 };
            if !varies {
                total += Cost { gas: n * gas::LANE_REPEATED, words: n };
            }
            core = Some(dtype);
        }
    }
    total += expression(i, &i.epilogue, core, false, spreads).1;
    total
}

/// The type of an expression's result, whether it has a register for each k, and what it costs; every node is evaluated, and each view
/// gathered once.
fn expression(
    i: &Instruction,
    expr: &Expr,
    core: Option<DType>,
    body: bool,
    spreads: &[Spread],
) -> ((DType, bool), Cost) {
    let mut total = Cost::default();
    let mut gathered: BTreeSet<(u8, Kind)> = BTreeSet::new();
    // Of each node: its type and whether it has a register for each k.
    let mut nodes: Vec<(DType, bool)> = Vec::with_capacity(expr.nodes.len());
    let mut called = false;
    let mut call = |calls: bool| {
        called |= calls;
        if calls { gas::CALL } else { 0 }
    };
    for node in &expr.nodes {
        let arg = |n: NodeId| nodes.get(usize::from(n)).copied().unwrap_or((DType::F32, body));
        let any = |args: &[NodeId]| args.iter().any(|&a| arg(a).1);
        let mut gather = |view: u8, kind: Kind| {
            let read = i.views.get(usize::from(view));
            let over = body && read.is_some_and(|v| reduces(i, v));
            if let Some(read) = read.filter(|_| gathered.insert((view, kind))) {
                total += gather::cost(i, read, kind, over, spreads);
            }
            over
        };
        let (result, each) = match *node {
            Node::Const(dtype, _) => ((dtype, false), 0),
            Node::Core => ((core.unwrap_or(DType::F32), false), 0),
            Node::Load(view) => {
                let dtype = i.views.get(usize::from(view)).map_or(DType::F32, |v| gather::dtype(i, v));
                ((dtype, gather(view, Kind::Registers)), 0)
            }
            Node::Valid(view) => ((DType::Bool, gather(view, Kind::Valid)), 0),
            Node::Iota(axis) => ((DType::I64, axis >= FIRST_REDUCTION_AXIS), gas::IOTA),
            Node::Select(c, a, b) => ((arg(a).0, any(&[c, a, b])), gas::SELECT),
            Node::Cast(dtype, a) => {
                let from = arg(a).0;
                let calls = from != dtype && (from.is_float() || dtype.is_float());
                ((dtype, arg(a).1), call(calls) + gas::cast(from, dtype))
            }
            Node::Apply(op, args) => {
                let dtype = arg(args[0]).0;
                let result = (op.result(dtype).unwrap_or(dtype), any(&args[..op.arity()]));
                // Integers are divided without a call.
                let calls = op.is_called() && dtype == DType::F32;
                (result, call(calls) + gas::operation(op, dtype))
            }
        };
        let count = if result.1 { window(i) } else { 1 };
        let stored = if matches!(node, Node::Load(_) | Node::Valid(_)) { 0 } else { count };
        let once = match node.arguments().count() as u64 {
            0 => gas::NODE,
            arguments => gas::OPERATION + arguments * gas::PER_ARGUMENT,
        };
        total += Cost { gas: once + count * each, words: gas::NODE_WORDS + stored };
        nodes.push(result);
    }
    if called {
        total.gas += gas::FIRST_CALL;
    }
    (nodes.last().copied().unwrap_or((DType::F32, body)), total)
}

fn reduces(i: &Instruction, view: &View) -> bool {
    i.forms(view).flat_map(|f| &f.terms).any(|t| t.0 >= FIRST_REDUCTION_AXIS)
}
