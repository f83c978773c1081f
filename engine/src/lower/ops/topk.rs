//! TopK: the rank of an element is the number of better ones; result r takes the element of rank r.
//!
//! Of equal elements the one with the lower index is the better one, and NaN is greater than all numbers, as numpy sorts.

use super::candidates::{number, only, wide};
use super::reduce::fold;
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::{Context, axis_of};
use crate::lower::formula::Formula;
use crate::lower::lazy::{Lazy, axis};
use crate::program::{DType, FoldOp, NodeId, Op};

/// Every element is compared with every other one along the axis: no more than this.
const SORTED: u64 = 1 << 14;

pub(super) fn top_k(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let at = axis_of(c.int("axis", -1)?, x.rank())?;
    let given = if c.opset < 10 { c.attributes.int("k")?.map(|k| vec![k]) } else { c.optional_ints(1, "number k")? };
    let largest = c.opset < 11 || c.flag("largest", true)?;
    if c.opset >= 11 {
        // Where order does not matter, this order is as good as any.
        c.flag("sorted", true)?;
    }
    let Some([k]) = given.as_deref() else { return Err("its number k is missing or not one number".into()) };
    let mut dims = x.dims();
    let n = dims[at];
    let k = u64::try_from(*k).ok().filter(|&k| k <= n).ok_or_else(|| format!("the best {k} of {n}"))?;
    if n > SORTED {
        return Err(format!("an order of {n} elements is not supported, at most {SORTED}"));
    }
    if !wide(x.dtype).is_number() || x.dtype == DType::Bool {
        return Err(format!("an order of {} is not supported", x.dtype));
    }
    let ranks = ranks(c.b, &x, at, largest)?;
    // Over the results, then the candidates.
    dims[at] = k;
    let spread = |t: &Lazy| {
        let mut over = t.clone();
        let candidates = std::mem::replace(&mut over.axes[at], axis(k, 0));
        over.axes.push(candidates);
        over
    };
    let (ranks, elements) = (spread(&ranks), spread(&x));
    let result = u8::try_from(at).map_err(|e| e.to_string())?;
    let chosen = |b: &Builder<'_>, f: &mut Formula| -> Lowering<NodeId> {
        let (rank, result) = (f.load(b, &ranks)?, f.iota(result)?);
        f.op(Op::Eq, &[rank, result])
    };
    let values = fold(
        c.b,
        &dims,
        &[n],
        FoldOp::Sum,
        |b, f| {
            let (chosen, element) = (chosen(b, f)?, f.load(b, &elements)?);
            only(f, chosen, element)
        },
        |_, f, core| f.cast(x.dtype, core),
    )?;
    let indices = fold(
        c.b,
        &dims,
        &[n],
        FoldOp::Sum,
        |b, f| {
            let (chosen, number) = (chosen(b, f)?, number(f)?);
            only(f, chosen, number)
        },
        |_, _, core| Ok(core),
    )?;
    Ok(vec![values, indices])
}

/// For each element the number of those along axis `at` that come before it.
fn ranks(b: &mut Builder<'_>, x: &Lazy, at: usize, largest: bool) -> Lowering<Lazy> {
    let dims = x.dims();
    let n = dims[at];
    let mut own = x.clone();
    own.axes.push(axis(n, 0));
    let mut other = x.clone();
    let candidates = std::mem::replace(&mut other.axes[at], axis(n, 0));
    other.axes.push(candidates);
    let place = u8::try_from(at).map_err(|e| e.to_string())?;
    fold(
        b,
        &dims,
        &[n],
        FoldOp::Sum,
        |b, f| {
            let (own, other) = (f.load(b, &own)?, f.load(b, &other)?);
            let wide = wide(f.dtype(own));
            let (own, other) = (f.cast(wide, own)?, f.cast(wide, other)?);
            let (better, as_good) = compared(f, own, other, largest)?;
            let (here, there) = (f.iota(place)?, number(f)?);
            let earlier = f.op(Op::Lt, &[there, here])?;
            let before = f.select(earlier, as_good, better)?;
            f.cast(DType::I64, before)
        },
        |_, _, core| Ok(core),
    )
}

/// Whether `other` is better than `own`, and whether it is at least as good.
fn compared(f: &mut Formula, own: NodeId, other: NodeId, largest: bool) -> Lowering<(NodeId, NodeId)> {
    let (strictly, weakly) = if largest { (Op::Gt, Op::Ge) } else { (Op::Lt, Op::Le) };
    let (mut better, mut as_good) = (f.op(strictly, &[other, own])?, f.op(weakly, &[other, own])?);
    if f.dtype(own) == DType::F32 {
        // The best is NaN where the greatest are, the worst where the least are.
        let extreme = if largest { other } else { own };
        let nan = f.op(Op::Ne, &[extreme, extreme])?;
        as_good = f.op(Op::Or, &[as_good, nan])?;
        let rest = if largest { own } else { other };
        let number = f.op(Op::Eq, &[rest, rest])?;
        let beyond = f.op(Op::And, &[nan, number])?;
        better = f.op(Op::Or, &[better, beyond])?;
    }
    Ok((better, as_good))
}
