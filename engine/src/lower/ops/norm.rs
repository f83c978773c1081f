//! Normalisations.

use super::elementwise::map;
use crate::lower::Lowering;
use crate::lower::context::Context;
use crate::lower::formula::Formula;
use crate::lower::lazy::{Axis, Lazy, axis};
use crate::lower::spec::{Access, Bound, Read, Spec};
use crate::program::{Core, DType, Expr, FoldOp, Node, Op};

/// x * a + b with a = scale / sqrt(variance + epsilon), b = bias - mean * a; a and b are constants where the statistics are.
pub(super) fn batch_normalization(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let epsilon = c.float("epsilon", 1e-5)?;
    c.attributes.float("momentum")?;
    c.inference()?;
    // Old operator sets may have statistics for each element instead of each channel.
    let each_channel = c.opset >= 9 || c.flag("spatial", true)?;
    if c.opset >= 14 && c.flag("training_mode", false)? {
        return Err("training is not supported; export for inference".into());
    }
    if x.rank() < 2 {
        return Err(format!("input {:?} has no channels", x.dims()));
    }
    let wanted = if each_channel { x.dims()[1..2].to_vec() } else { x.dims()[1..].to_vec() };
    let mut statistic = |i: usize, what: &str| -> Lowering<Lazy> {
        let t = c.input(i)?;
        if t.dims() == wanted { Ok(t) } else { Err(format!("its {what} {:?} is not {wanted:?}", t.dims())) }
    };
    let (scale, bias) = (statistic(1, "scale")?, statistic(2, "bias")?);
    let (mean, variance) = (statistic(3, "mean")?, statistic(4, "variance")?);
    let a = map(c.b, &[&scale, &variance], |f, n| {
        let epsilon = f.float(epsilon)?;
        let sum = f.op(Op::Add, &[n[1], epsilon])?;
        let deviation = f.op(Op::Sqrt, &[sum])?;
        f.op(Op::Div, &[n[0], deviation])
    })?;
    let b = map(c.b, &[&bias, &mean, &a], |f, n| {
        let shift = f.op(Op::Mul, &n[1..])?;
        f.op(Op::Sub, &[n[0], shift])
    })?;
    // [c] or [c, spatial..] over [n, c, spatial..].
    let spread = |mut t: Lazy| {
        t.axes.resize(x.rank() - 1, Axis::new());
        t
    };
    let (a, b) = (spread(a), spread(b));
    let y = map(c.b, &[&x, &a, &b], |f, n| {
        let scaled = f.op(Op::Mul, &n[..2])?;
        f.op(Op::Add, &[scaled, n[2]])
    });
    Ok(vec![y?])
}

/// x / (bias + alpha / size * sum of squares over the neighbouring channels)^beta, the power by square roots where beta allows.
pub(super) fn lrn(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let (alpha, beta, bias) = (c.float("alpha", 1e-4)?, c.float("beta", 0.75)?, c.float("bias", 1.0)?);
    let size = c.attributes.int("size")?.ok_or("attribute `size` is missing")?;
    if !(1..1 << 31).contains(&size) || x.rank() < 2 || x.dtype != DType::F32 {
        return Err(format!("size {size} of a {} input {:?}", x.dtype, x.dims()));
    }
    let x = c.b.plain_axes(x, &[1])?;
    let rank = x.rank();
    let stride = x.axes[1].first().map_or(0, |f| f.stride);
    let before = (size - 1) / 2;
    let mut over = x.clone();
    over.base =
        stride.checked_mul(before).and_then(|n| over.base.checked_sub(n)).ok_or("its window's address overflows")?;
    over.axes.push(axis(size.unsigned_abs(), stride));
    let inside = Bound { limit: x.dims()[1], base: -before, terms: vec![(1, 1), (rank, 1)] };
    let window = Read { fill: 0, accesses: vec![Access::guarded(over, vec![inside])] };

    let mut f = Formula::new(&x.dims());
    let (element, sum) = (f.read(Read::plain(x))?, f.core(DType::F32)?);
    let (factor, bias) = (f.float(alpha / size as f32)?, f.float(bias)?);
    let scaled = f.op(Op::Mul, &[factor, sum])?;
    let base = f.op(Op::Add, &[bias, scaled])?;
    let root = f.op(Op::Sqrt, &[base])?;
    let power = match beta {
        1.0 => base,
        0.5 => root,
        0.75 => {
            let fourth = f.op(Op::Sqrt, &[root])?;
            f.op(Op::Mul, &[root, fourth])?
        }
        _ => {
            let beta = f.float(beta)?;
            f.op(Op::Pow, &[base, beta])?
        }
    };
    let result = f.op(Op::Div, &[element, power])?;
    let core = Core::Fold { op: FoldOp::SumSq, body: Expr { nodes: vec![Node::Load(0)] } };
    let mut spec = Spec::reduction(vec![size.unsigned_abs()], core, vec![window], f, result);
    spec.leader = Some(0);
    Ok(vec![c.b.reduce(spec, DType::F32)?])
}
