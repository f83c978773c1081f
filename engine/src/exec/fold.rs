//! Folds over a block of elements: each element's own order is kept. Lanes run across elements, or along the reduction where that is how
//! the operand lies in memory.

use super::block::{Scope, multiply_add};
use super::lanes::{Buffer, Each, Lanes};
use super::matrix::run_length;
use super::read::{Block, Run, lying_or_read, reduction_axis, set_reduction};
use super::reduced::{Rows, reduce};
use crate::arith::{for_each_level, native};
use crate::program::{Core, DType, Expr, FoldOp, Instruction, Node, Op, View, limits::SUM_LANES};
use crate::reference;
use std::ops::Range;

/// Whether a fold is faster along its reduction than across elements: its operands lie so, and it is of floats in no strict order.
pub(super) fn runs_along_reduction(i: &Instruction) -> bool {
    let Core::Fold { op: FoldOp::Sum | FoldOp::SumSq | FoldOp::Prod | FoldOp::Min | FoldOp::Max, body } = &i.core
    else {
        return false;
    };
    let (Some(last), k) = (i.reduction.len().checked_sub(1), i.reduction.iter().product::<u64>()) else { return false };
    let plain = |node: &Node| match node {
        Node::Load(v) => {
            let view = &i.views[usize::from(*v)];
            // Guards too step evenly through all axes that are one run.
            view.indirects().next().is_none() && run_length(i, view) >= k && steps(view, reduction_axis(last)) <= 1
        }
        Node::Iota(_) | Node::Valid(_) => false,
        _ => true,
    };
    let float = |node: &Node| match node {
        Node::Load(v) => {
            let operand = i.views[usize::from(*v)].accesses.first().map(|a| usize::from(a.operand));
            operand.and_then(|o| i.operands.get(o)).is_some_and(|o| o.dtype == DType::F32)
        }
        Node::Const(dtype, _) => *dtype == DType::F32,
        Node::Apply(op, _) => op.result(DType::F32) == Some(DType::F32),
        _ => false,
    };
    let contiguous = |node: &Node| match node {
        Node::Load(v) => steps(&i.views[usize::from(*v)], reduction_axis(last)) == 1,
        _ => false,
    };
    let nodes = &body.nodes;
    k >= SUM_LANES as u64 && nodes.iter().all(|n| plain(n) && float(n)) && nodes.iter().any(contiguous)
}

/// The greatest step of a view's addresses along an axis.
fn steps(view: &View, axis: usize) -> u64 {
    view.accesses.iter().map(|a| a.address.coefficient(axis).unsigned_abs()).max().unwrap_or(0)
}

/// Folds the body along the reduction, for every row of the block, whose rows have one element.
pub(super) fn along(
    scope: &Scope<'_>,
    op: FoldOp,
    body: &Expr,
    block: &Block<'_>,
    ks: &Range<u64>,
) -> (DType, Lanes<'static>) {
    let len = (ks.end - ks.start) as usize; // at most a chunk
    let mut out = Buffer::new(block.rows.len());
    if len == 0 {
        return (DType::F32, Lanes::splat(DType::F32, op.empty(DType::F32), out.len()));
    }
    let reduction = &scope.instruction.reduction;
    let axis = reduction_axis(reduction.len().saturating_sub(1));
    if let [Node::Load(v)] = body.nodes.as_slice()
        && let view = &scope.instruction.views[usize::from(*v)]
        && view.accesses.iter().any(|a| !a.guards.is_empty())
    {
        // Most rows are not cut by a guard.
        let mut copy = Buffer::new(len);
        for (mut at, out) in block.rows.iter().copied().zip(out.chunks_exact_mut(1)) {
            set_reduction(&mut at, reduction, ks.start);
            let run = Run { at: &at, axis, len };
            let x = lying_or_read(view, &scope.source(), &run, &mut copy).unwrap_or(&copy);
            reduce(scope.isa.level(), op, Rows { floats: x, apart: len, len }, (out, 1), 1);
        }
        return (DType::F32, Lanes::F32(out));
    }
    let mut rows = block.rows.to_vec();
    rows.iter_mut().for_each(|at| set_reduction(at, reduction, ks.start));
    let block = Block { rows: rows.into(), copies: 1, axis, len };
    let (dtype, x) = scope.evaluate(body, &block, None);
    let x = match x {
        Lanes::Operand(_) => x,
        x => x.spread(dtype, block.lanes()),
    };
    if let Each::Own(x) = x.f32() {
        let count = out.len();
        reduce(scope.isa.level(), op, Rows { floats: x, apart: len, len }, (&mut out, 1), count);
    }
    (DType::F32, Lanes::F32(out))
}

/// Folds the body over `ks` for every element of the block.
pub(super) fn fold(
    scope: &Scope<'_>,
    op: FoldOp,
    body: &Expr,
    block: &Block<'_>,
    ks: Range<u64>,
) -> (DType, Lanes<'static>) {
    let mut block = block.clone();
    let mut state: Option<State> = None;
    for (j, k) in ks.enumerate() {
        block.rows.to_mut().iter_mut().for_each(|at| set_reduction(at, &scope.instruction.reduction, k));
        let (dtype, x) = scope.evaluate(body, &block, None);
        let x = x.spread(dtype, block.lanes());
        let state = state.get_or_insert_with(|| State::new(op, dtype, block.lanes()));
        take_next(scope.isa.level(), state, j, &x);
    }
    match state {
        Some(state) => state.finish(),
        None => {
            let lanes = block.lanes();
            let dtype = scope.evaluate(body, &Block { rows: Vec::new().into(), ..block }, None).0;
            (dtype, Lanes::splat(dtype, op.empty(dtype), lanes))
        }
    }
}

for_each_level!(fn take_next = take, (state: &mut State, j: usize, x: &Lanes<'static>) -> ());

#[inline(always)]
fn take(fused: bool, state: &mut State, j: usize, x: &Lanes<'static>) {
    state.take(j, x, fused);
}

for_each_level!(fn multiply_next = multiply, (x: &[f32], y: &[f32], acc: &mut [f32]) -> ());

#[inline(always)]
fn multiply(fused: bool, x: &[f32], y: &[f32], acc: &mut [f32]) {
    for (acc, (&x, &y)) in acc.iter_mut().zip(x.iter().zip(y)) {
        *acc = multiply_add(fused, x, y, *acc);
    }
}

/// Accumulators: sixteen of them for sums and products, one otherwise.
struct State {
    op: FoldOp,
    dtype: DType,
    lanes: Vec<Lanes<'static>>,
}

impl State {
    fn new(op: FoldOp, dtype: DType, n: usize) -> Self {
        let start = match op {
            FoldOp::Sum | FoldOp::SumSq if dtype == DType::F32 => i64::from((-0f32).to_bits()),
            _ => op.empty(dtype),
        };
        let laned = matches!(op, FoldOp::Sum | FoldOp::SumSq | FoldOp::Prod);
        let count = if laned { SUM_LANES } else { 1 };
        Self { op, dtype, lanes: vec![Lanes::splat(dtype, start, n); count] }
    }

    #[inline(always)]
    fn take(&mut self, j: usize, x: &Lanes<'static>, fused: bool) {
        let first = j == 0;
        let count = self.lanes.len();
        let lane = &mut self.lanes[j % count];
        match (self.op, &mut *lane, x) {
            // These start from their first element, not from an identity.
            (FoldOp::SeqAdd | FoldOp::SeqMul | FoldOp::Min | FoldOp::Max, lane, x) if first => *lane = x.clone(),
            (FoldOp::SumSq, Lanes::F32(acc), Lanes::F32(x)) => {
                acc.iter_mut().zip(x.iter()).for_each(|(acc, &x)| *acc = multiply_add(fused, x, x, *acc));
            }
            (op, lane, x) => combine(combiner(op), self.dtype, lane, x),
        }
    }

    fn finish(mut self) -> (DType, Lanes<'static>) {
        let mut half = self.lanes.len() / 2;
        while half > 0 {
            let (low, high) = self.lanes.split_at_mut(half);
            for (l, h) in low.iter_mut().zip(&*high) {
                combine(combiner(self.op), self.dtype, l, h);
            }
            half /= 2;
        }
        (self.dtype, self.lanes.swap_remove(0))
    }
}

fn combiner(op: FoldOp) -> Op {
    match op {
        FoldOp::Sum | FoldOp::SumSq | FoldOp::SeqAdd => Op::Add,
        FoldOp::Prod | FoldOp::SeqMul => Op::Mul,
        FoldOp::Min => Op::Min,
        FoldOp::Max => Op::Max,
        FoldOp::And => Op::And,
        FoldOp::Or => Op::Or,
    }
}

#[inline(always)]
fn combine(op: Op, dtype: DType, acc: &mut Lanes, x: &Lanes<'_>) {
    #[inline(always)]
    fn each(acc: &mut [f32], x: &[f32], f: impl Fn(f32, f32) -> f32) {
        acc.iter_mut().zip(x).for_each(|(a, &x)| *a = f(*a, x));
    }
    match (acc, x) {
        (Lanes::F32(acc), Lanes::F32(x)) => match op {
            Op::Add => each(acc, x, |a, x| a + x),
            Op::Mul => each(acc, x, |a, x| a * x),
            Op::Min => each(acc, x, native::min),
            _ => each(acc, x, native::max),
        },
        (Lanes::Int(acc), Lanes::Int(x)) => {
            acc.iter_mut().zip(x.iter()).for_each(|(a, &x)| *a = reference::apply(op, dtype, [*a, x, 0]));
        }
        _ => {}
    }
}

/// Chain of fused multiply-adds for blocks that no matrix kernel takes.
pub(super) fn dot(scope: &Scope<'_>, views: [u8; 2], block: &Block<'_>, ks: Range<u64>) -> (DType, Lanes<'static>) {
    let mut block = block.clone();
    let [a, b] = views.map(|v| &scope.instruction.views[usize::from(v)]);
    let (mut acc, mut x, mut y) = (Buffer::new(block.lanes()), Buffer::new(block.lanes()), Buffer::new(block.lanes()));
    acc.fill(0.0);
    for k in ks {
        block.rows.to_mut().iter_mut().for_each(|at| set_reduction(at, &scope.instruction.reduction, k));
        block.read_f32(a, &scope.source(), &mut x);
        block.read_f32(b, &scope.source(), &mut y);
        multiply_next(scope.isa.level(), &x, &y, &mut acc);
    }
    (DType::F32, Lanes::F32(acc))
}
