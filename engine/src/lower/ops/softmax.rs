//! Softmax, LogSoftmax and Hardmax: the first two with the maximum taken off before the exponential, and division by the sum.

use super::arg::index;
use super::elementwise::map;
use super::reduce::fold_axes;
use crate::lower::Lowering;
use crate::lower::context::{Context, axis_of};
use crate::lower::formula::Formula;
use crate::lower::lazy::Lazy;
use crate::lower::mul;
use crate::program::{FoldOp, Op};

/// The input and the axes that are normalised together: one since operator set 13, before that all from the axis on.
fn along(c: &mut Context<'_, '_>) -> Lowering<(Lazy, Vec<usize>)> {
    let x = c.input(0)?;
    let axis = c.int("axis", if c.opset < 13 { 1 } else { -1 })?;
    if c.opset >= 13 {
        let at = axis_of(axis, x.rank())?;
        return Ok((x, vec![at]));
    }
    // Before 13 the axis may also stand behind the last one: rows of one element.
    let at = if usize::try_from(axis) == Ok(x.rank()) { x.rank() } else { axis_of(axis, x.rank())? };
    let axes = (at..x.rank()).collect();
    Ok((x, axes))
}

pub(super) fn softmax(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, axes) = along(c)?;
    let m = fold_axes(c.b, &x, &axes, FoldOp::Max, |_, core| Ok(core))?;
    let e = map(c.b, &[&x, &m], |f, n| {
        let shifted = f.op(Op::Sub, n)?;
        f.op(Op::Exp, &[shifted])
    })?;
    let sum = fold_axes(c.b, &e, &axes, FoldOp::Sum, |_, core| Ok(core))?;
    Ok(vec![map(c.b, &[&e, &sum], |f, n| f.op(Op::Div, n))?])
}

/// (x - m) - log(sum(exp(x - m))).
pub(super) fn log_softmax(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, axes) = along(c)?;
    let m = fold_axes(c.b, &x, &axes, FoldOp::Max, |_, core| Ok(core))?;
    let e = map(c.b, &[&x, &m], |f, n| {
        let shifted = f.op(Op::Sub, n)?;
        f.op(Op::Exp, &[shifted])
    })?;
    let log = fold_axes(c.b, &e, &axes, FoldOp::Sum, |f, core| f.op(Op::Log, &[core]))?;
    let y = map(c.b, &[&x, &m, &log], |f, n| {
        let shifted = f.op(Op::Sub, &n[..2])?;
        f.op(Op::Sub, &[shifted, n[2]])
    });
    Ok(vec![y?])
}

/// One at the first maximum, else zero.
pub(super) fn hardmax(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, axes) = along(c)?;
    let dims = x.dims();
    // Several axes are one.
    let first = axes.first().copied().unwrap_or(x.rank());
    let behind = if axes.is_empty() { first } else { first + axes.len() };
    let flat = c.b.reshape(&x, &[mul(&dims[..first])?, mul(&dims[first..behind])?, mul(&dims[behind..])?])?;
    if flat.elements() == 0 {
        return Ok(vec![x]);
    }
    let best = index(c.b, &flat, 1, FoldOp::Max, false)?;
    let mut f = Formula::new(&flat.dims());
    let (best, at) = (f.load(c.b, &best)?, f.iota(1)?);
    let hit = f.op(Op::Eq, &[best, at])?;
    let y = f.cast(x.dtype, hit)?;
    let y = c.b.map(f, y)?;
    Ok(vec![c.b.reshape(&y, &dims)?])
}
