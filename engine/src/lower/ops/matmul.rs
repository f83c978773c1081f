//! Matrix products.

use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::{Context, broadcast_dims};
use crate::lower::formula::Formula;
use crate::lower::lazy::{Axis, Lazy, axis};
use crate::lower::spec::{Read, Spec};
use crate::program::{Core, DType, NodeId, Op};

/// `a [batch.., m, k]` times `b [batch.., k, n]` with the epilogue, as `[batch.., m, n]`; the batches broadcast.
pub(super) fn dot(
    builder: &mut Builder<'_>,
    a: &Lazy,
    b: &Lazy,
    epilogue: impl FnOnce(&Builder<'_>, &mut Formula, NodeId) -> Lowering<NodeId>,
) -> Lowering<Lazy> {
    if [a, b].iter().any(|t| t.dtype != DType::F32) {
        return Err(format!("a matrix product of {} and {}: only f32 is supported", a.dtype, b.dtype));
    }
    product(builder, a, b, false, epilogue)
}

/// The same; of `integers` between -255 and 255 the exact sum, which wraps, in i32.
pub(super) fn product(
    builder: &mut Builder<'_>,
    a: &Lazy,
    b: &Lazy,
    integers: bool,
    epilogue: impl FnOnce(&Builder<'_>, &mut Formula, NodeId) -> Lowering<NodeId>,
) -> Lowering<Lazy> {
    let batched = |t: &Lazy| Lazy { axes: t.axes[..t.rank() - 2].to_vec(), ..t.clone() };
    let (a_batch, b_batch) = (batched(a), batched(b));
    let batch = broadcast_dims([&a_batch, &b_batch])?;
    let last = |t: &Lazy, from_end: usize| t.axes[t.rank() - from_end].clone();
    let (m, k, n) = (a.dims()[a.rank() - 2], a.dims()[a.rank() - 1], b.dims()[b.rank() - 1]);
    if b.dims()[b.rank() - 2] != k {
        return Err(format!("{:?} times {:?}: the inner dimensions differ", a.dims(), b.dims()));
    }
    let spread = |t: &Lazy, tail: [Axis; 3]| -> Lowering<Read> {
        let mut over = t.broadcast(&batch).ok_or("its batches do not broadcast")?;
        over.axes.extend(tail);
        Ok(Read::plain(over))
    };
    let reads = vec![
        spread(&a_batch, [last(a, 2), axis(n, 0), last(a, 1)])?,
        spread(&b_batch, [axis(m, 0), last(b, 1), last(b, 2)])?,
    ];
    let mut f = Formula::new(&[&batch[..], &[m, n]].concat());
    let mut sum = f.core(DType::F32)?;
    if integers {
        sum = f.cast(DType::I32, sum)?;
    }
    let result = epilogue(builder, &mut f, sum)?;
    let spec = Spec::reduction(vec![k], Core::Dot { a: 0, b: 1 }, reads, f, result);
    builder.reduce(Spec { integers, ..spec }, DType::F32)
}

/// A product of two tensors of which either may be a vector, by `multiply`, which takes matrices.
pub(super) fn of_matrices(a: Lazy, b: Lazy, multiply: impl FnOnce(&Lazy, &Lazy) -> Lowering<Lazy>) -> Lowering<Lazy> {
    let (row, column) = (a.rank() == 1, b.rank() == 1);
    if a.rank() == 0 || b.rank() == 0 {
        return Err("a matrix product of a scalar".into());
    }
    let a = if row { a.with_axis(0) } else { a };
    let b = if column { b.with_axis(1) } else { b };
    let mut y = multiply(&a, &b)?;
    if column {
        y.axes.pop();
    }
    if row {
        let at = y.rank() - if column { 1 } else { 2 };
        y.axes.remove(at);
    }
    Ok(y)
}

pub(super) fn matmul(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (a, b) = (c.input(0)?, c.input(1)?);
    Ok(vec![of_matrices(a, b, |a, b| dot(c.b, a, b, |_, _, core| Ok(core)))?])
}

/// alpha * (A B) + beta * C.
pub(super) fn gemm(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (a, b, bias) = (c.input(0)?, c.input(1)?, c.optional(2)?);
    let (alpha, beta) = (c.float("alpha", 1.0)?, c.float("beta", 1.0)?);
    let (flip_a, flip_b) = (c.flag("transA", false)?, c.flag("transB", false)?);
    if c.opset < 7 {
        // Whether C broadcasts; here it does wherever it can.
        c.attributes.int("broadcast")?;
    }
    if a.rank() != 2 || b.rank() != 2 {
        return Err(format!("{:?} times {:?}: only matrices are supported", a.dims(), b.dims()));
    }
    let turned = |t: Lazy, flip: bool| if flip { t.permute(&[1, 0]) } else { t };
    let y = dot(c.b, &turned(a, flip_a), &turned(b, flip_b), |builder, f, core| {
        let mut y = core;
        if alpha != 1.0 {
            let alpha = f.float(alpha)?;
            y = f.op(Op::Mul, &[alpha, y])?;
        }
        if let Some(bias) = bias {
            let mut add = f.load(builder, &bias)?;
            if beta != 1.0 {
                let beta = f.float(beta)?;
                add = f.op(Op::Mul, &[beta, add])?;
            }
            y = f.op(Op::Add, &[y, add])?;
        }
        Ok(y)
    });
    Ok(vec![y?])
}
