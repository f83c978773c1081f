//! Normalisations by the input's own statistics: its mean in one pass, the squares of what is left in a second one.

use super::elementwise::map;
use super::reduce::{fold_axes, fold_body};
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::{Context, axes_of, axis_of};
use crate::lower::formula::Formula;
use crate::lower::lazy::{Axis, Lazy};
use crate::lower::mul;
use crate::program::{FoldOp, NodeId, Op, product};

/// What an input is normalised by, along some axes, which stay with extent 1.
struct Statistics {
    mean: Lazy,
    /// The input less its mean.
    rest: Lazy,
    /// What `finish` made of the mean square of that.
    spread: Lazy,
}

fn statistics(
    b: &mut Builder<'_>,
    x: &Lazy,
    axes: &[usize],
    finish: impl FnOnce(&mut Formula, NodeId) -> Lowering<NodeId>,
) -> Lowering<Statistics> {
    let n = elements(x, axes);
    let mean = fold_axes(b, x, axes, FoldOp::Sum, |f, sum| divided(f, sum, n))?;
    let rest = map(b, &[x, &mean], |f, n| f.op(Op::Sub, n))?;
    let spread = mean_square(b, &rest, axes, finish)?;
    Ok(Statistics { mean, rest, spread })
}

fn mean_square(
    b: &mut Builder<'_>,
    x: &Lazy,
    axes: &[usize],
    finish: impl FnOnce(&mut Formula, NodeId) -> Lowering<NodeId>,
) -> Lowering<Lazy> {
    let n = elements(x, axes);
    fold_axes(b, x, axes, FoldOp::SumSq, |f, sum| {
        let mean = divided(f, sum, n)?;
        finish(f, mean)
    })
}

fn elements(x: &Lazy, axes: &[usize]) -> u64 {
    product(&axes.iter().map(|&a| x.dims()[a]).collect::<Vec<_>>())
}

fn divided(f: &mut Formula, sum: NodeId, n: u64) -> Lowering<NodeId> {
    let n = f.float(n as f32)?;
    f.op(Op::Div, &[sum, n])
}

/// 1 / sqrt(variance + epsilon).
fn inverse_deviation(f: &mut Formula, variance: NodeId, epsilon: f32) -> Lowering<NodeId> {
    let epsilon = f.float(epsilon)?;
    let sum = f.op(Op::Add, &[variance, epsilon])?;
    f.op(Op::Rsqrt, &[sum])
}

/// (rest * inverse) * scale + bias.
fn scaled(b: &mut Builder<'_>, rest: &Lazy, inverse: &Lazy, scale: &Lazy, bias: Option<&Lazy>) -> Lowering<Lazy> {
    let dims = rest.dims();
    if [Some(scale), bias].into_iter().flatten().any(|t| t.broadcast(&dims).is_none()) {
        return Err(format!("its scale or bias does not broadcast to {dims:?}"));
    }
    let tensors: Vec<&Lazy> = [rest, inverse, scale].into_iter().chain(bias).collect();
    map(b, &tensors, |f, n| {
        let normal = f.op(Op::Mul, &n[..2])?;
        let scaled = f.op(Op::Mul, &[normal, n[2]])?;
        n.get(3).map_or(Ok(scaled), |&bias| f.op(Op::Add, &[scaled, bias]))
    })
}

/// Statistics are always made in f32.
fn stash_type(c: &mut Context<'_, '_>) -> Lowering<()> {
    match c.int("stash_type", 1)? {
        1 => Ok(()),
        other => Err(format!("stash_type {other} is not supported, only 1 (f32)")),
    }
}

/// All axes from the node's axis on.
fn trailing(c: &mut Context<'_, '_>, x: &Lazy) -> Lowering<Vec<usize>> {
    Ok((axis_of(c.int("axis", -1)?, x.rank())?..x.rank()).collect())
}

/// LayerNormalization, with its mean and the inverse of its deviation.
pub(super) fn layer(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, scale, bias) = (c.input(0)?, c.input(1)?, c.optional(2)?);
    let (axes, epsilon) = (trailing(c, &x)?, c.float("epsilon", 1e-5)?);
    stash_type(c)?;
    let s = statistics(c.b, &x, &axes, |f, variance| inverse_deviation(f, variance, epsilon))?;
    let y = scaled(c.b, &s.rest, &s.spread, &scale, bias.as_ref())?;
    Ok(vec![y, s.mean, s.spread])
}

/// RMSNormalization: the mean is not taken off.
pub(super) fn root_mean_square(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, scale) = (c.input(0)?, c.input(1)?);
    let (axes, epsilon) = (trailing(c, &x)?, c.float("epsilon", 1e-5)?);
    stash_type(c)?;
    let inverse = mean_square(c.b, &x, &axes, |f, mean| inverse_deviation(f, mean, epsilon))?;
    Ok(vec![scaled(c.b, &x, &inverse, &scale, None)?])
}

/// GroupNormalization: scale and bias are of channels since operator set 21, of groups before.
pub(super) fn group(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let groups = c.attributes.int("num_groups")?.ok_or("attribute `num_groups` is missing")?;
    let groups = u64::try_from(groups).ok().filter(|&g| g > 0).ok_or_else(|| format!("{groups} groups"))?;
    let each_channel = c.opset >= 21;
    if each_channel {
        stash_type(c)?;
    }
    by_groups(c, Some(groups), each_channel)
}

/// InstanceNormalization: each channel is a group.
pub(super) fn instance(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    by_groups(c, None, true)
}

/// Normalises groups of channels, or each channel, with scale and bias of channels or groups.
fn by_groups(c: &mut Context<'_, '_>, groups: Option<u64>, each_channel: bool) -> Lowering<Vec<Lazy>> {
    let (x, scale, bias) = (c.input(0)?, c.input(1)?, c.input(2)?);
    let epsilon = c.float("epsilon", 1e-5)?;
    let dims = x.dims();
    let [batch, channels, spatial @ ..] = &dims[..] else { return Err(format!("input {dims:?} has no channels")) };
    let groups = groups.unwrap_or(*channels);
    if channels.checked_rem(groups).unwrap_or(0) != 0 {
        return Err(format!("{channels} channels in {groups} groups"));
    }
    let each = channels.checked_div(groups).unwrap_or(1);
    let x = c.b.reshape(&x, &[*batch, groups, each, mul(spatial)?])?;
    let s = statistics(c.b, &x, &[2, 3], |f, variance| inverse_deviation(f, variance, epsilon))?;
    let mut spread = |t: &Lazy, what: &str| -> Lowering<Lazy> {
        let wanted = if each_channel { [groups, each] } else { [groups, 1] };
        if t.dims() != [wanted[0] * wanted[1]] {
            return Err(format!("its {what} {:?} does not fit {channels} channels in {groups} groups", t.dims()));
        }
        let mut t = c.b.reshape(t, &wanted)?;
        t.axes.push(Axis::new());
        Ok(t)
    };
    let (scale, bias) = (spread(&scale, "scale")?, spread(&bias, "bias")?);
    let y = scaled(c.b, &s.rest, &s.spread, &scale, Some(&bias))?;
    Ok(vec![c.b.reshape(&y, &dims)?])
}

/// What MeanVarianceNormalization adds to a deviation.
const LEAST_DEVIATION: f32 = 1e-9;

/// MeanVarianceNormalization: rest / (deviation + 1e-9).
pub(super) fn mean_variance(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let axes = c.attributes.ints("axes")?.unwrap_or_else(|| vec![0, 2, 3]);
    let axes = axes_of(&axes, x.rank())?;
    let s = statistics(c.b, &x, &axes, |f, variance| {
        let (deviation, least) = (f.op(Op::Sqrt, &[variance])?, f.float(LEAST_DEVIATION)?);
        f.op(Op::Add, &[deviation, least])
    })?;
    Ok(vec![map(c.b, &[&s.rest, &s.spread], |f, n| f.op(Op::Div, n))?])
}

/// LpNormalization: x / norm, and zero where the norm is.
pub(super) fn lp(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let axis = axis_of(c.int("axis", -1)?, x.rank())?;
    let norm = match c.int("p", 2)? {
        1 => fold_body(c.b, &x, &[axis], FoldOp::Sum, |_, f, x| f.op(Op::Abs, &[x]), |_, sum| Ok(sum))?,
        2 => fold_axes(c.b, &x, &[axis], FoldOp::SumSq, |f, sum| f.op(Op::Sqrt, &[sum]))?,
        p => return Err(format!("norms of order {p} are not supported, only 1 and 2")),
    };
    let y = map(c.b, &[&x, &norm], |f, n| {
        let zero = f.float(0.0)?;
        let (none, quotient) = (f.op(Op::Eq, &[n[1], zero])?, f.op(Op::Div, n)?);
        f.select(none, zero, quotient)
    });
    Ok(vec![y?])
}
