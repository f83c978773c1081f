//! Folds over candidates: each element looks at some things in turn and takes what it is told to.

use super::reduce::fold;
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::formula::Formula;
use crate::lower::lazy::Lazy;
use crate::program::limits::FIRST_REDUCTION_AXIS;
use crate::program::{DType, FoldOp, NodeId, Op};

/// The number of a candidate.
pub(super) fn number(f: &mut Formula) -> Lowering<NodeId> {
    f.iota(FIRST_REDUCTION_AXIS)
}

/// The type in which folds take elements of a type.
pub(super) fn wide(dtype: DType) -> DType {
    match dtype {
        DType::F16 | DType::BF16 => DType::F32,
        DType::Bool => DType::U8,
        other => other,
    }
}

/// `value`, where `chosen`, else what a sum does not notice: a sum of one value and of these is the value itself, whatever its bits.
pub(super) fn only(f: &mut Formula, chosen: NodeId, value: NodeId) -> Lowering<NodeId> {
    let value = f.cast(wide(f.dtype(value)), value)?;
    let nothing = if f.dtype(value) == DType::F32 { f.float(-0.0)? } else { f.register(f.dtype(value), 0)? };
    f.select(chosen, value, nothing)
}

/// Candidate number `which` of `values` (over the element axes, then the candidates), or `otherwise` where there is none of that number.
pub(super) fn nth(b: &mut Builder<'_>, values: &Lazy, which: &Lazy, otherwise: &Lazy) -> Lowering<Lazy> {
    let mut dims = values.dims();
    let candidates = dims.pop().ok_or("candidates without an axis")?;
    // Over the candidates, too.
    let mut asked = which.broadcast(&dims).ok_or("its numbers do not fit its elements")?;
    asked.axes.push(crate::lower::lazy::axis(candidates, 0));
    let count = i64::try_from(candidates).map_err(|e| e.to_string())?;
    fold(
        b,
        &dims,
        &[candidates],
        FoldOp::Sum,
        |b, f| {
            let (asked, value, number) = (f.load(b, &asked)?, f.load(b, values)?, number(f)?);
            let chosen = f.op(Op::Eq, &[asked, number])?;
            only(f, chosen, value)
        },
        |b, f, core| {
            let (which, otherwise) = (f.load(b, which)?, f.load(b, otherwise)?);
            let (none, count) = (f.register(DType::I64, 0)?, f.register(DType::I64, count)?);
            let (low, high) = (f.op(Op::Ge, &[which, none])?, f.op(Op::Lt, &[which, count])?);
            let inside = f.op(Op::And, &[low, high])?;
            let value = f.cast(values.dtype, core)?;
            f.select(inside, value, otherwise)
        },
    )
}
