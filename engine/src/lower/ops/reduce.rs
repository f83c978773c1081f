//! Reductions along axes.

use super::elementwise::map;
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::{Context, axes_of};
use crate::lower::formula::Formula;
use crate::lower::lazy::{Axis, Lazy};
use crate::lower::spec::{Read, Spec};
use crate::program::{Core, DType, FoldOp, NodeId, Op};

/// Folds `body`, over the element axes and then the reduction axes, and applies the epilogue, over the element axes.
pub(super) fn fold(
    b: &mut Builder<'_>,
    extents: &[u64],
    reduction: &[u64],
    op: FoldOp,
    body: impl FnOnce(&Builder<'_>, &mut Formula) -> Lowering<NodeId>,
    epilogue: impl FnOnce(&Builder<'_>, &mut Formula, NodeId) -> Lowering<NodeId>,
) -> Lowering<Lazy> {
    let mut inner = Formula::new(&[extents, reduction].concat());
    let folded = body(b, &mut inner)?;
    let (reads, body, dtype) = inner.finish(folded);
    if !op.accepts(dtype) {
        return Err(format!("a {} of {dtype} is not supported", op.name()));
    }
    let mut f = Formula::new(extents);
    let core = f.core(dtype)?;
    let result = epilogue(b, &mut f, core)?;
    b.reduce(Spec::reduction(reduction.to_vec(), Core::Fold { op, body }, reads, f, result), dtype)
}

/// Folds `body` of each element along `axes`, which stay with extent 1, and applies the epilogue to the result.
pub(super) fn fold_body(
    b: &mut Builder<'_>,
    x: &Lazy,
    axes: &[usize],
    op: FoldOp,
    body: impl FnOnce(&Builder<'_>, &mut Formula, NodeId) -> Lowering<NodeId>,
    epilogue: impl FnOnce(&mut Formula, NodeId) -> Lowering<NodeId>,
) -> Lowering<Lazy> {
    let kept: Vec<usize> = (0..x.rank()).filter(|a| !axes.contains(a)).collect();
    let order: Vec<usize> = kept.iter().chain(axes).copied().collect();
    let over = x.permute(&order);
    let dims = over.dims();
    let (extents, reduction) = dims.split_at(kept.len());
    let body = |b: &Builder<'_>, f: &mut Formula| {
        let element = f.read(Read::plain(over))?;
        body(b, f, element)
    };
    let y = fold(b, extents, reduction, op, body, |_, f, core| epilogue(f, core))?;
    let mut out = vec![Axis::new(); x.rank()];
    for (&a, axis) in kept.iter().zip(&y.axes) {
        out[a] = axis.clone();
    }
    Ok(Lazy { axes: out, ..y })
}

/// The fold of the elements themselves.
pub(super) fn fold_axes(
    b: &mut Builder<'_>,
    x: &Lazy,
    axes: &[usize],
    op: FoldOp,
    epilogue: impl FnOnce(&mut Formula, NodeId) -> Lowering<NodeId>,
) -> Lowering<Lazy> {
    fold_body(b, x, axes, op, |_, _, element| Ok(element), epilogue)
}

/// The lazy tensor without axes of extent 1.
pub(super) fn without(x: &Lazy, axes: &[usize]) -> Lazy {
    let kept: Vec<usize> = (0..x.rank()).filter(|a| !axes.contains(a)).collect();
    x.permute(&kept)
}

/// The input, the axes and whether they are kept; the axes are an attribute before operator set `since`.
struct Along {
    x: Lazy,
    axes: Vec<usize>,
    keep: bool,
}

fn along(c: &mut Context<'_, '_>, since: i64) -> Lowering<Along> {
    let x = c.input(0)?;
    let keep = c.flag("keepdims", true)?;
    let given = c.ints_or("axes", 1, since)?.unwrap_or_default();
    let noop = c.opset >= since && c.flag("noop_with_empty_axes", false)?;
    let axes = if given.is_empty() && !noop { (0..x.rank()).collect() } else { axes_of(&given, x.rank())? };
    Ok(Along { x, axes, keep })
}

impl Along {
    fn fold(
        &self,
        c: &mut Context<'_, '_>,
        op: FoldOp,
        body: impl FnOnce(&Builder<'_>, &mut Formula, NodeId) -> Lowering<NodeId>,
        epilogue: impl FnOnce(&mut Formula, NodeId) -> Lowering<NodeId>,
    ) -> Lowering<Vec<Lazy>> {
        let y = fold_body(c.b, &self.x, &self.axes, op, body, epilogue)?;
        Ok(vec![if self.keep { y } else { without(&y, &self.axes) }])
    }
}

fn itself(_: &Builder<'_>, _: &mut Formula, element: NodeId) -> Lowering<NodeId> {
    Ok(element)
}

fn plain(_: &mut Formula, core: NodeId) -> Lowering<NodeId> {
    Ok(core)
}

pub(super) fn sum(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    along(c, 13)?.fold(c, FoldOp::Sum, itself, plain)
}

pub(super) fn product(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    along(c, 18)?.fold(c, FoldOp::Prod, itself, plain)
}

/// The sum divided by the number of elements.
pub(super) fn mean(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let along = along(c, 18)?;
    let n: u64 = along.axes.iter().map(|&a| along.x.dims()[a]).product();
    along.fold(c, FoldOp::Sum, itself, |f, core| {
        let n = match f.dtype(core) {
            DType::F32 => f.float(n as f32)?,
            dtype => f.register(dtype, i64::try_from(n).map_err(|e| e.to_string())?)?,
        };
        f.op(Op::Div, &[core, n])
    })
}

/// ReduceMax and ReduceMin; of booleans or and and.
pub(super) fn extreme(c: &mut Context<'_, '_>, op: FoldOp) -> Lowering<Vec<Lazy>> {
    let along = along(c, 18)?;
    let op = match (along.x.dtype, op) {
        (DType::Bool, FoldOp::Max) => FoldOp::Or,
        (DType::Bool, _) => FoldOp::And,
        _ => op,
    };
    along.fold(c, op, itself, plain)
}

pub(super) fn l1(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    along(c, 18)?.fold(c, FoldOp::Sum, |_, f, x| f.op(Op::Abs, &[x]), plain)
}

pub(super) fn l2(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    along(c, 18)?.fold(c, FoldOp::SumSq, itself, |f, core| f.op(Op::Sqrt, &[core]))
}

pub(super) fn sum_square(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    along(c, 18)?.fold(c, FoldOp::SumSq, itself, plain)
}

pub(super) fn log_sum(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    along(c, 18)?.fold(c, FoldOp::Sum, itself, |f, core| f.op(Op::Log, &[core]))
}

/// m + log(sum(e^(x - m))) with m the maximum, or 0 where that is not finite.
pub(super) fn log_sum_exp(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let along = along(c, 18)?;
    let most = fold_axes(c.b, &along.x, &along.axes, FoldOp::Max, |f, most| {
        let (infinite, zero) = (f.float(f32::INFINITY)?, f.float(0.0)?);
        let size = f.op(Op::Abs, &[most])?;
        let finite = f.op(Op::Lt, &[size, infinite])?;
        f.select(finite, most, zero)
    })?;
    let parts = map(c.b, &[&along.x, &most], |f, n| {
        let below = f.op(Op::Sub, n)?;
        f.op(Op::Exp, &[below])
    })?;
    let log = fold_axes(c.b, &parts, &along.axes, FoldOp::Sum, |f, sum| f.op(Op::Log, &[sum]))?;
    let y = map(c.b, &[&most, &log], |f, n| f.op(Op::Add, n))?;
    Ok(vec![if along.keep { y } else { without(&y, &along.axes) }])
}
