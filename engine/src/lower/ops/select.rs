//! Choices by comparison.

use super::elementwise::{map, map_one};
use crate::lower::Lowering;
use crate::lower::context::Context;
use crate::lower::formula::Formula;
use crate::lower::lazy::Lazy;
use crate::program::{DType, NodeId, Op};

/// By compare and select: below the minimum the minimum, then above the maximum the maximum.
pub(super) fn clip(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    if c.opset < 11 {
        let (lo, hi) = (c.float("min", f32::MIN)?, c.float("max", f32::MAX)?);
        return map_one(c, |f, x| {
            let (lo, hi) = (f.float(lo)?, f.float(hi)?);
            let raised = bound(f, Op::Lt, x, lo)?;
            bound(f, Op::Gt, raised, hi)
        });
    }
    let (lo, hi) = (c.optional(1)?, c.optional(2)?);
    let mut f = Formula::new(&x.dims());
    let mut y = f.load(c.b, &x)?;
    for (limit, op) in [(lo, Op::Lt), (hi, Op::Gt)] {
        if let Some(limit) = limit {
            if limit.elements() != 1 {
                return Err("its bounds must be scalars".into());
            }
            let limit = c.b.reshape(&limit, &[])?;
            let limit = f.load(c.b, &limit)?;
            y = bound(&mut f, op, y, limit)?;
        }
    }
    Ok(vec![c.b.map(f, y)?])
}

fn bound(f: &mut Formula, op: Op, x: NodeId, limit: NodeId) -> Lowering<NodeId> {
    let beyond = f.op(op, &[x, limit])?;
    f.select(beyond, limit, x)
}

/// Where.
pub(super) fn choose(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (condition, x, y) = (c.input(0)?, c.input(1)?, c.input(2)?);
    Ok(vec![map(c.b, &[&condition, &x, &y], |f, n| f.select(n[0], n[1], n[2]))?])
}

/// 1, -1 or x itself, which is zero or NaN.
pub(super) fn sign(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    map_one(c, |f, x| {
        let dtype = f.dtype(x);
        let (zero, one) = (f.number(dtype, 0)?, f.number(dtype, 1)?);
        let above = f.op(Op::Gt, &[x, zero])?;
        if dtype.is_unsigned() {
            return f.select(above, one, zero);
        }
        let minus = f.number(dtype, -1)?;
        let below = f.op(Op::Lt, &[x, zero])?;
        let rest = f.select(below, minus, x)?;
        f.select(above, one, rest)
    })
}

pub(super) fn is_nan(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    map_one(c, |f, x| {
        if f.dtype(x) != DType::F32 {
            return Err(format!("IsNaN of {}", f.dtype(x)));
        }
        f.op(Op::Ne, &[x, x])
    })
}

/// Whether it is one of the infinities that the attributes name.
pub(super) fn is_infinite(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (negative, positive) = (c.flag("detect_negative", true)?, c.flag("detect_positive", true)?);
    map_one(c, |f, x| {
        if f.dtype(x) != DType::F32 {
            return Err(format!("IsInf of {}", f.dtype(x)));
        }
        let mut any = f.register(DType::Bool, 0)?;
        for (asked, infinity) in [(negative, f32::NEG_INFINITY), (positive, f32::INFINITY)] {
            let infinity = f.float(infinity)?;
            let hit = f.op(Op::Eq, &[x, infinity])?;
            any = if asked { f.op(Op::Or, &[any, hit])? } else { any };
        }
        Ok(any)
    })
}
