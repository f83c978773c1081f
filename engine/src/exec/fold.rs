//! Folds over a block of elements: each element's own order is kept, the lanes run across elements.

use super::block::Scope;
use super::lanes::Lanes;
use super::read::{Block, set_reduction};
use crate::arith::native;
use crate::program::{DType, Expr, FoldOp, Op, limits::SUM_LANES};
use crate::reference;
use std::ops::Range;

/// Folds the body over `ks` for every element of the block.
pub(super) fn fold(scope: &Scope<'_>, op: FoldOp, body: &Expr, block: &Block, ks: Range<u64>) -> (DType, Lanes) {
    let mut block = block.clone();
    let mut state: Option<State> = None;
    for (j, k) in ks.enumerate() {
        block.rows.iter_mut().for_each(|at| set_reduction(at, &scope.instruction.reduction, k));
        let (dtype, x) = scope.evaluate(body, &block, None);
        state.get_or_insert_with(|| State::new(op, dtype, block.lanes())).take(j, &x);
    }
    match state {
        Some(state) => state.finish(),
        None => {
            let lanes = block.lanes();
            let dtype = scope.evaluate(body, &Block { rows: Vec::new(), ..block }, None).0;
            (dtype, Lanes::splat(dtype, op.empty(dtype), lanes))
        }
    }
}

/// Accumulators: sixteen of them for sums and products, one otherwise.
struct State {
    op: FoldOp,
    dtype: DType,
    lanes: Vec<Lanes>,
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

    fn take(&mut self, j: usize, x: &Lanes) {
        let first = j == 0;
        let count = self.lanes.len();
        let lane = &mut self.lanes[j % count];
        match (self.op, &mut *lane, x) {
            // These start from their first element, not from an identity.
            (FoldOp::SeqAdd | FoldOp::SeqMul | FoldOp::Min | FoldOp::Max, lane, x) if first => *lane = x.clone(),
            (FoldOp::SumSq, Lanes::F32(acc), Lanes::F32(x)) => {
                acc.iter_mut().zip(x).for_each(|(acc, &x)| *acc = native::fma(x, x, *acc));
            }
            (op, lane, x) => combine(combiner(op), self.dtype, lane, x),
        }
    }

    fn finish(mut self) -> (DType, Lanes) {
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

fn combine(op: Op, dtype: DType, acc: &mut Lanes, x: &Lanes) {
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
            acc.iter_mut().zip(x).for_each(|(a, &x)| *a = reference::apply(op, dtype, [*a, x, 0]));
        }
        _ => {}
    }
}

/// Chain of fused multiply-adds for blocks that no matrix kernel takes.
pub(super) fn dot(scope: &Scope<'_>, views: [u8; 2], block: &Block, ks: Range<u64>) -> (DType, Lanes) {
    let mut block = block.clone();
    let [a, b] = views.map(|v| &scope.instruction.views[usize::from(v)]);
    let mut acc = vec![0.0f32; block.lanes()];
    let (mut x, mut y) = (acc.clone(), acc.clone());
    for k in ks {
        block.rows.iter_mut().for_each(|at| set_reduction(at, &scope.instruction.reduction, k));
        block.read_f32(a, &scope.source(), &mut x);
        block.read_f32(b, &scope.source(), &mut y);
        for (acc, (&x, &y)) in acc.iter_mut().zip(x.iter().zip(&y)) {
            *acc = native::fma(x, y, *acc);
        }
    }
    (DType::F32, Lanes::F32(acc))
}
