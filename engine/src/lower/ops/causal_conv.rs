//! CausalConvWithState: a depthwise convolution over the past state and the input, as one dot.

use super::activation::swished;
use super::concat::joined;
use super::pad::widened;
use crate::lower::Lowering;
use crate::lower::context::Context;
use crate::lower::formula::Formula;
use crate::lower::lazy::{Axis, Lazy, axis};
use crate::lower::spec::{Read, Spec};
use crate::program::{Core, DType, Op};

pub(super) fn causal_conv(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, weight, bias, past) = (c.input(0)?, c.input(1)?, c.optional(2)?, c.optional(3)?);
    let swish = match c.attributes.string("activation")?.as_deref() {
        None | Some("none") => false,
        Some("silu" | "swish") => true,
        Some(other) => return Err(format!("activation `{other}` does not exist")),
    };
    let [batch, channels, length] =
        <[u64; 3]>::try_from(x.dims()).map_err(|d| format!("input {d:?} is not [batch, channels, length]"))?;
    let kernel = match weight.dims()[..] {
        [m, 1, kernel] if m == channels && kernel > 0 => kernel,
        _ => return Err(format!("its weight {:?} is not [{channels}, 1, kernel]", weight.dims())),
    };
    let state = kernel - 1;
    if let Some(past) = past.as_ref().filter(|p| p.dims() != [batch, channels, state]) {
        return Err(format!("its past state {:?} is not [{batch}, {channels}, {state}]", past.dims()));
    }
    if let Some(bias) = bias.as_ref().filter(|b| b.dims() != [channels]) {
        return Err(format!("its bias {:?} is not [{channels}]", bias.dims()));
    }
    let whole = match past {
        _ if state == 0 => x,
        Some(past) if length == 0 => past,
        Some(past) => joined(c.b, vec![past, x], 2)?,
        None => widened(c.b, x, &[(2, i64::try_from(state).map_err(|e| e.to_string())?, 0)], 0)?,
    };
    let whole = c.b.plain_axes(whole, &[2])?;
    let present = c.b.slice(&whole, 2, length, 1, state)?;

    // Tap t of element l is element l + t of the whole.
    let stride = whole.axes[2].first().map_or(0, |f| f.stride);
    let mut taps = whole;
    taps.axes[2] = axis(length, stride);
    taps.axes.push(axis(kernel, stride));
    let mut weights = weight.permute(&[1, 0, 2]);
    weights.axes.insert(2, axis(length, 0));
    weights.axes[0] = axis(batch, 0);

    let mut f = Formula::new(&[batch, channels, length]);
    let mut y = f.core(DType::F32)?;
    if let Some(mut bias) = bias {
        bias.axes.push(Axis::new());
        let bias = f.load(c.b, &bias)?;
        y = f.op(Op::Add, &[y, bias])?;
    }
    if swish {
        y = swished(&mut f, y, 1.0)?;
    }
    let reads = vec![Read::plain(taps), Read::plain(weights)];
    let y = c.b.reduce(Spec::reduction(vec![kernel], Core::Dot { a: 0, b: 1 }, reads, f, y), DType::F32)?;
    Ok(vec![y, present])
}
