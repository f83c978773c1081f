//! Activations: expressions of one element.

use super::elementwise::{map, map_one};
use crate::lower::Lowering;
use crate::lower::context::Context;
use crate::lower::formula::Formula;
use crate::lower::lazy::{Axis, Lazy};
use crate::program::{NodeId, Op};

/// max(x, +0).
pub(super) fn relu(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    map_one(c, |f, x| {
        let zero = f.number(f.dtype(x), 0)?;
        f.op(Op::Max, &[x, zero])
    })
}

/// x < 0 ? slope * x : x.
fn leak(f: &mut Formula, x: NodeId, slope: NodeId) -> Lowering<NodeId> {
    let zero = f.number(f.dtype(x), 0)?;
    let negative = f.op(Op::Lt, &[x, zero])?;
    let below = f.op(Op::Mul, &[slope, x])?;
    f.select(negative, below, x)
}

pub(super) fn leaky_relu(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let alpha = c.float("alpha", 0.01)?;
    map_one(c, |f, x| {
        let slope = f.float(alpha)?;
        leak(f, x, slope)
    })
}

pub(super) fn prelu(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, mut slope) = (c.input(0)?, c.input(1)?);
    if c.opset < 7 && slope.rank() == 1 {
        // One slope a channel.
        slope.axes.extend(vec![Axis::new(); x.rank().saturating_sub(2)]);
    }
    let slope = slope.broadcast(&x.dims()).ok_or("its slope does not broadcast to its input")?;
    Ok(vec![map(c.b, &[&x, &slope], |f, xs| leak(f, xs[0], xs[1]))?])
}

/// x > alpha ? x : 0.
pub(super) fn thresholded_relu(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let alpha = c.float("alpha", 1.0)?;
    map_one(c, |f, x| {
        let (alpha, zero) = (f.float(alpha)?, f.float(0.0)?);
        let above = f.op(Op::Gt, &[x, alpha])?;
        f.select(above, x, zero)
    })
}

/// max(0, min(1, alpha * x + beta)).
fn ramp(f: &mut Formula, x: NodeId, alpha: f32, beta: f32) -> Lowering<NodeId> {
    let (alpha, beta, zero, one) = (f.float(alpha)?, f.float(beta)?, f.float(0.0)?, f.float(1.0)?);
    let scaled = f.op(Op::Mul, &[alpha, x])?;
    let line = f.op(Op::Add, &[scaled, beta])?;
    let capped = f.op(Op::Min, &[line, one])?;
    f.op(Op::Max, &[capped, zero])
}

pub(super) fn hard_sigmoid(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (alpha, beta) = (c.float("alpha", 0.2)?, c.float("beta", 0.5)?);
    map_one(c, |f, x| ramp(f, x, alpha, beta))
}

/// x * hard_sigmoid(x) with slope 1/6.
pub(super) fn hard_swish(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    map_one(c, |f, x| {
        let gate = ramp(f, x, 1.0 / 6.0, 0.5)?;
        f.op(Op::Mul, &[x, gate])
    })
}

/// x / (1 + |x|).
pub(super) fn softsign(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    map_one(c, |f, x| {
        let size = f.op(Op::Abs, &[x])?;
        let one = f.float(1.0)?;
        let below = f.op(Op::Add, &[one, size])?;
        f.op(Op::Div, &[x, below])
    })
}

/// (0.5 * x) * (1 + erf(x / sqrt 2)), or with tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)) for erf.
pub(super) fn gelu(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let approximate = c.attributes.string("approximate")?.unwrap_or_else(|| "none".into());
    map_one(c, |f, x| {
        let bent = match approximate.as_str() {
            "none" => {
                let root = f.float(std::f32::consts::SQRT_2)?;
                let scaled = f.op(Op::Div, &[x, root])?;
                f.op(Op::Erf, &[scaled])?
            }
            "tanh" => {
                // sqrt(2 / pi), rounded.
                let (root, cubic) = (f.float(0.797_884_6)?, f.float(0.044_715)?);
                let square = f.op(Op::Mul, &[x, x])?;
                let cube = f.op(Op::Mul, &[square, x])?;
                let term = f.op(Op::Mul, &[cubic, cube])?;
                let inner = f.op(Op::Add, &[x, term])?;
                let scaled = f.op(Op::Mul, &[root, inner])?;
                f.op(Op::Tanh, &[scaled])?
            }
            other => return Err(format!("approximate `{other}` does not exist")),
        };
        let (one, half) = (f.float(1.0)?, f.float(0.5)?);
        let gate = f.op(Op::Add, &[one, bent])?;
        let halved = f.op(Op::Mul, &[half, x])?;
        f.op(Op::Mul, &[halved, gate])
    })
}

/// x < 0 ? alpha * (e^x - 1) : x.
pub(super) fn elu(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let alpha = c.float("alpha", 1.0)?;
    map_one(c, |f, x| {
        let (alpha, zero) = (f.float(alpha)?, f.float(0.0)?);
        let curve = f.op(Op::Expm1, &[x])?;
        let (below, negative) = (f.op(Op::Mul, &[alpha, curve])?, f.op(Op::Lt, &[x, zero])?);
        f.select(negative, below, x)
    })
}

/// max(0, x) + min(0, alpha * (e^(x / alpha) - 1)).
pub(super) fn celu(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let alpha = c.float("alpha", 1.0)?;
    map_one(c, |f, x| {
        let (alpha, zero) = (f.float(alpha)?, f.float(0.0)?);
        let scaled = f.op(Op::Div, &[x, alpha])?;
        let curve = f.op(Op::Expm1, &[scaled])?;
        let below = f.op(Op::Mul, &[alpha, curve])?;
        let (above, below) = (f.op(Op::Max, &[zero, x])?, f.op(Op::Min, &[zero, below])?);
        f.op(Op::Add, &[above, below])
    })
}

/// gamma * (x > 0 ? x : alpha * (e^x - 1)).
pub(super) fn selu(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (alpha, gamma) = if c.opset < 6 { (1.6732, 1.0507) } else { (1.673_263_2, 1.050_701) };
    let (alpha, gamma) = (c.float("alpha", alpha)?, c.float("gamma", gamma)?);
    map_one(c, |f, x| {
        let (alpha, gamma, zero) = (f.float(alpha)?, f.float(gamma)?, f.float(0.0)?);
        let curve = f.op(Op::Expm1, &[x])?;
        let (below, positive) = (f.op(Op::Mul, &[alpha, curve])?, f.op(Op::Gt, &[x, zero])?);
        let bent = f.select(positive, x, below)?;
        f.op(Op::Mul, &[gamma, bent])
    })
}

/// x * tanh(softplus(x)).
pub(super) fn mish(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    map_one(c, |f, x| {
        let soft = f.op(Op::Softplus, &[x])?;
        let gate = f.op(Op::Tanh, &[soft])?;
        f.op(Op::Mul, &[x, gate])
    })
}

/// x * sigmoid(alpha * x).
pub(super) fn swished(f: &mut Formula, x: NodeId, alpha: f32) -> Lowering<NodeId> {
    let alpha = f.float(alpha)?;
    let scaled = f.op(Op::Mul, &[alpha, x])?;
    let gate = f.op(Op::Sigmoid, &[scaled])?;
    f.op(Op::Mul, &[x, gate])
}

pub(super) fn swish(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let alpha = c.float("alpha", 1.0)?;
    map_one(c, |f, x| swished(f, x, alpha))
}

/// swish(gate) * x, of one shape.
pub(super) fn swiglu(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (gate, x) = (c.input(0)?, c.input(1)?);
    let alpha = c.float("alpha", 1.0)?;
    if gate.dims() != x.dims() {
        return Err(format!("a gate {:?} of an input {:?}: the shapes differ", gate.dims(), x.dims()));
    }
    let y = map(c.b, &[&gate, &x], |f, n| {
        let gate = swished(f, n[0], alpha)?;
        f.op(Op::Mul, &[gate, n[1]])
    });
    Ok(vec![y?])
}

/// Nearer to zero by `bias`, and zero within `lambd` of it.
pub(super) fn shrink(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (bias, limit) = (c.float("bias", 0.0)?, c.float("lambd", 0.5)?);
    map_one(c, |f, x| {
        let (bias, zero) = (f.float(bias)?, f.float(0.0)?);
        let (low, high) = (f.float(-limit)?, f.float(limit)?);
        let (below, above) = (f.op(Op::Lt, &[x, low])?, f.op(Op::Gt, &[x, high])?);
        let (raised, lowered) = (f.op(Op::Add, &[x, bias])?, f.op(Op::Sub, &[x, bias])?);
        let rest = f.select(above, lowered, zero)?;
        f.select(below, raised, rest)
    })
}
