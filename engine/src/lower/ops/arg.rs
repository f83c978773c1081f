//! ArgMax and ArgMin: the extreme m, then the least (or greatest) index whose element is m.

use super::reduce::{fold_axes, fold_body, without};
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::{Context, axis_of};
use crate::lower::lazy::Lazy;
use crate::program::limits::FIRST_REDUCTION_AXIS;
use crate::program::{DType, FoldOp, Op};

pub(super) fn extreme(c: &mut Context<'_, '_>, op: FoldOp) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let axis = axis_of(c.int("axis", 0)?, x.rank().max(1))?;
    let keep = c.flag("keepdims", true)?;
    let last = c.opset >= 12 && c.flag("select_last_index", false)?;
    let x = if x.rank() == 0 { c.b.reshape(&x, &[1])? } else { x };
    let index = index(c.b, &x, axis, op, last)?;
    Ok(vec![if keep { index } else { without(&index, &[axis]) }])
}

/// The least (or `last`) index of an axis, which stays with extent 1, whose element is the extreme.
pub(super) fn index(b: &mut Builder<'_>, x: &Lazy, axis: usize, op: FoldOp, last: bool) -> Lowering<Lazy> {
    let n = i64::try_from(x.dims()[axis]).map_err(|e| e.to_string())?;
    if n == 0 {
        return Err("there is no extreme of nothing".into());
    }
    let m = fold_axes(b, x, &[axis], op, |_, core| Ok(core))?;
    // The body is over the kept axes, then the reduced one.
    let kept: Vec<usize> = (0..x.rank()).filter(|&a| a != axis).chain([axis]).collect();
    let m = m.permute(&kept);
    let (fold, none) = if last { (FoldOp::Max, -1) } else { (FoldOp::Min, n) };
    fold_body(
        b,
        x,
        &[axis],
        fold,
        |b, f, element| {
            let m = f.load(b, &m)?;
            let mut hit = f.op(Op::Eq, &[element, m])?;
            if f.dtype(element) == DType::F32 {
                let (x_nan, m_nan) = (f.op(Op::Ne, &[element, element])?, f.op(Op::Ne, &[m, m])?);
                let both = f.op(Op::And, &[x_nan, m_nan])?;
                hit = f.op(Op::Or, &[hit, both])?;
            }
            let (at, none) = (f.iota(FIRST_REDUCTION_AXIS)?, f.register(DType::I64, none)?);
            f.select(hit, at, none)
        },
        |_, core| Ok(core),
    )
}
