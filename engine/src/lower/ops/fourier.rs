//! DFT and STFT: dots with a table of correctly rounded cosines and sines.

use super::elementwise::map;
use super::signal::{LARGEST_TABLE, optional_whole, table, whole};
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::{Context, axis_of};
use crate::lower::formula::Formula;
use crate::lower::lazy::{Lazy, axis};
use crate::lower::series::{circle, to_f32};
use crate::lower::spec::{Read, Spec};
use crate::program::{Core, DType, Op};

/// A discrete Fourier transform.
#[derive(Clone, Copy)]
struct Transform {
    length: u64,
    inverse: bool,
    /// Only the first half of the spectrum, of which the rest follows where the signal is real.
    onesided: bool,
}

pub(super) fn dft(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let given = optional_whole(c, 1, "dft_length")?;
    let at = if c.opset < 20 { c.int("axis", 1)? } else { optional_whole(c, 2, "axis")?.unwrap_or(-2) };
    let at = axis_of(at, x.rank())?;
    let (inverse, onesided) = (c.flag("inverse", false)?, c.flag("onesided", false)?);
    if at + 1 == x.rank() {
        return Err("its axis is that of the real and imaginary parts".into());
    }
    let size = x.dims()[at];
    let length = match given {
        Some(length) => u64::try_from(length).map_err(|_| format!("dft_length {length}"))?,
        None if inverse && onesided => size.saturating_sub(1).saturating_mul(2),
        None => size,
    };
    Ok(vec![transformed(c.b, &x, at, Transform { length, inverse, onesided })?])
}

pub(super) fn stft(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let step = whole(c, 1, "frame_step")?;
    let window = c.optional(2)?;
    let given = optional_whole(c, 3, "frame_length")?;
    let onesided = c.flag("onesided", true)?;
    let [_, signal, _] =
        <[u64; 3]>::try_from(x.dims()).map_err(|d| format!("signal {d:?} is not [batch, length, 1 or 2]"))?;
    let length = match (given, &window) {
        (Some(length), _) => u64::try_from(length).map_err(|_| format!("frame_length {length}"))?,
        (None, Some(window)) => window.elements(),
        (None, None) => signal,
    };
    if let Some(window) = window.as_ref().filter(|w| w.dims() != [length]) {
        return Err(format!("window {:?} is not [{length}], the length of a frame", window.dims()));
    }
    if step < 1 || length < 1 || length > signal {
        return Err(format!("frames of {length}, {step} apart, in a signal of {signal}"));
    }
    let x = c.b.plain_axes(x, &[1])?;
    let stride = x.axes[1].first().map_or(0, |f| f.stride);
    let apart = stride.checked_mul(step).ok_or("a frame's address overflows")?;
    let count = (signal - length) / step.unsigned_abs() + 1;
    let axes = vec![x.axes[0].clone(), axis(count, apart), axis(length, stride), x.axes[2].clone()];
    let mut frames = Lazy { axes, ..x };
    if let Some(window) = window {
        let over = Lazy { axes: vec![window.axes[0].clone(), Vec::new()], ..window };
        frames = map(c.b, &[&frames, &over], |f, n| f.op(Op::Mul, n))?;
    }
    Ok(vec![transformed(c.b, &frames, 2, Transform { length, inverse: false, onesided })?])
}

/// The transform along axis `at` of a tensor whose last axis is the real part, or it and the imaginary part.
fn transformed(b: &mut Builder<'_>, x: &Lazy, at: usize, t: Transform) -> Lowering<Lazy> {
    let dims = x.dims();
    let (last, parts) = (dims.len() - 1, dims[dims.len() - 1]);
    if x.dtype != DType::F32 || !(1..=2).contains(&parts) {
        return Err(format!("a transform of {} {dims:?}; only f32 [.., 1 or 2] is supported", x.dtype));
    }
    let real = t.inverse && t.onesided;
    let half = t.length / 2 + 1;
    let used = dims[at].min(if real { half } else { t.length });
    if used == 0 {
        return Err(format!("a transform of length {} of {dims:?}", t.length));
    }
    let outputs = if t.onesided && !t.inverse { half } else { t.length };
    let components = if real { 1 } else { 2 };
    let weights = [outputs, components, used, parts];
    if crate::lower::mul(&weights)? > LARGEST_TABLE {
        return Err(format!("a transform of length {}: its table {weights:?} is too large", t.length));
    }
    b.budget.table(t.length)?;
    // Few enough to be computed.
    let turns: Vec<(i128, i128)> = (0..t.length).map(|k| circle(k, t.length)).collect();
    let weights = b.constant(table(weights.to_vec(), t.weights(&turns, outputs, components, used, parts))?);

    // Over the other axes, output, component, position, part.
    let others: Vec<usize> = (0..last).filter(|&a| a != at).collect();
    let x = b.slice(x, at, 0, 1, used)?;
    let lead = || others.iter().map(|&a| x.axes[a].clone());
    let read =
        lead().chain([axis(outputs, 0), axis(components, 0), x.axes[at].clone(), x.axes[last].clone()]).collect();
    let read = Read::plain(Lazy { axes: read, ..x.clone() });
    let table = others.iter().map(|&a| axis(dims[a], 0)).chain(weights.axes.iter().cloned()).collect();
    let table = Read::plain(Lazy { axes: table, ..weights });
    let extents: Vec<u64> = others.iter().map(|&a| dims[a]).chain([outputs, components]).collect();
    let mut f = Formula::new(&extents);
    let mut result = f.core(DType::F32)?;
    if t.inverse {
        let length = f.float(t.length as f32)?;
        result = f.op(Op::Div, &[result, length])?;
    }
    let core = Core::Dot { a: 0, b: 1 };
    let y = b.reduce(Spec::reduction(vec![used, parts], core, vec![read, table], f, result), DType::F32)?;
    let mut order: Vec<usize> = (0..others.len()).collect();
    order.insert(at, others.len());
    order.push(others.len() + 1);
    Ok(y.permute(&order))
}

impl Transform {
    /// What the result is multiplied with: over output, component, position, part.
    fn weights(
        self,
        turns: &[(i128, i128)],
        outputs: u64,
        components: u64,
        used: u64,
        parts: u64,
    ) -> impl Iterator<Item = f32> {
        let all = move |o: u64| (0..components).map(move |c| (o, c));
        let all = (0..outputs).flat_map(all).flat_map(move |(o, c)| (0..used).map(move |k| (o, c, k)));
        all.flat_map(move |(o, c, k)| (0..parts).map(move |p| self.weight(turns, o, c, k, p)))
    }

    fn weight(self, turns: &[(i128, i128)], output: u64, component: u64, position: u64, part: u64) -> f32 {
        // Below 2^48.
        let (cosine, sine) = turns[(output * position % self.length) as usize];
        let sine = if self.inverse { sine } else { -sine };
        let weight = match (component, part) {
            (0, 0) | (1, 1) => cosine,
            (0, _) => -sine,
            _ => sine,
        };
        let mirrored = self.inverse && self.onesided;
        if !mirrored {
            return to_f32(weight);
        }
        // Every frequency between stands for its mirror image too; the outermost are real.
        let alone = position == 0 || 2 * position == self.length;
        match (alone, part) {
            (true, 0) => to_f32(weight),
            (true, _) => 0.0,
            _ => 2.0 * to_f32(weight),
        }
    }
}
