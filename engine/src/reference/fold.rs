//! Folds over one window of at most 256 registers.

use super::scalar::apply;
use crate::program::{DType, FoldOp, Op, limits::SUM_LANES};

const NEGATIVE_ZERO: i64 = 0x8000_0000;

/// Folds a window's registers of type `dtype` by the rule of `op`.
pub fn fold(op: FoldOp, dtype: DType, xs: &[i64]) -> i64 {
    let empty = op.empty(dtype);
    let both = |op: Op| move |a: i64, b: i64| apply(op, dtype, [a, b, 0]);
    let zero = if dtype == DType::F32 { NEGATIVE_ZERO } else { 0 };
    match op {
        _ if xs.is_empty() => empty,
        FoldOp::Sum => lanes(xs, zero, both(Op::Add), both(Op::Add)),
        FoldOp::SumSq => lanes(xs, zero, |lane, x| apply(Op::Fma, dtype, [x, x, lane]), both(Op::Add)),
        FoldOp::Prod => lanes(xs, empty, both(Op::Mul), both(Op::Mul)),
        FoldOp::Min => in_order(xs, both(Op::Min)),
        FoldOp::Max => in_order(xs, both(Op::Max)),
        FoldOp::And => in_order(xs, both(Op::And)),
        FoldOp::Or => in_order(xs, both(Op::Or)),
        FoldOp::SeqAdd => in_order(xs, both(Op::Add)),
        FoldOp::SeqMul => in_order(xs, both(Op::Mul)),
    }
}

fn in_order(xs: &[i64], f: impl Fn(i64, i64) -> i64) -> i64 {
    xs.iter().copied().reduce(f).unwrap_or_default()
}

fn lanes(xs: &[i64], start: i64, take: impl Fn(i64, i64) -> i64, combine: impl Fn(i64, i64) -> i64) -> i64 {
    let mut lanes = [start; SUM_LANES];
    for (j, &x) in xs.iter().enumerate() {
        lanes[j % SUM_LANES] = take(lanes[j % SUM_LANES], x);
    }
    let mut half = SUM_LANES / 2;
    while half > 0 {
        for l in 0..half {
            lanes[l] = combine(lanes[l], lanes[l + half]);
        }
        half /= 2;
    }
    lanes[0]
}
