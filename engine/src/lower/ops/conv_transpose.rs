//! ConvTranspose: one dot for each phase of the strides, over the taps that reach it and the channels; no zero is put in between.

use super::conv::laid_out;
use super::phases::{Phase, Spread, by_phases};
use super::window::given;
use crate::lower::Lowering;
use crate::lower::context::Context;
use crate::lower::formula::Formula;
use crate::lower::lazy::{Lazy, axis, merged};
use crate::lower::spec::{Access, Read, Spec};
use crate::program::{Core, DType, Op};
use crate::tensor::Tensor;
use ndarray::{ArrayD, IxDyn};

pub(super) fn conv_transpose(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, w, bias) = (c.input(0)?, c.input(1)?, c.optional(2)?);
    let (xd, wd) = (x.dims(), w.dims());
    if [&x, &w].iter().any(|t| t.dtype != DType::F32) {
        return Err("only f32 is supported".into());
    }
    if xd.len() < 3 || wd.len() != xd.len() {
        return Err(format!(
            "input {xd:?} and weights {wd:?} are not [n, c, spatial..] and [c, m, kernel..] of one rank"
        ));
    }
    let kernel: Vec<i64> = wd[2..].iter().map(|&k| i64::try_from(k).unwrap_or(i64::MAX)).collect();
    if c.attributes.ints("kernel_shape")?.is_some_and(|given| given != kernel) {
        return Err(format!("kernel_shape is not that of the weights {wd:?}"));
    }
    let group = c.int("group", 1)?;
    let group = u64::try_from(group).ok().filter(|&g| g > 0).ok_or_else(|| format!("group {group}"))?;
    if wd[0] != xd[1] || xd[1] % group != 0 {
        return Err(format!("weights {wd:?} do not fit input {xd:?} in {group} groups"));
    }
    let (channels, maps) = (xd[1] / group, wd[1]);
    let all_maps = maps.checked_mul(group).ok_or("too many maps")?;
    let axes = spreads(c, &xd[2..], &kernel)?;
    let n = axes.len();
    let counts = axes.iter().map(|a| a.count().unsigned_abs());
    let extents: Vec<u64> = std::iter::once(xd[0]).chain(counts).chain([group, maps]).collect();

    let mut epilogue = Formula::new(&extents);
    let mut result = epilogue.core(DType::F32)?;
    let mut nothing = c.b.constant(Tensor::F32(ArrayD::zeros(IxDyn(&[]))));
    if let Some(bias) = &bias {
        if bias.dims() != [all_maps] {
            return Err(format!("bias {:?} is not [{all_maps}]", bias.dims()));
        }
        nothing = c.b.reshape(bias, &[group, maps])?;
        let load = epilogue.load(c.b, &nothing)?;
        result = epilogue.op(Op::Add, &[result, load])?;
    }
    let nothing = nothing.broadcast(&extents).ok_or("its bias does not broadcast")?;

    let w = c.b.plain_axes(w, &(2..2 + n).collect::<Vec<_>>())?;
    let mut grouped = vec![group, channels, maps];
    grouped.extend(&wd[2..]);
    let w = w.reshape(&grouped).ok_or("its weights cannot be split into groups")?;
    let y = by_phases(c.b, &axes, 1, &nothing, |b, phases| {
        let weights = tapped(&w, &extents[..=n], phases)?;
        let taps = phases.iter().map(|p| p.taps.unsigned_abs());
        let reduction: Vec<u64> = taps.chain([channels]).collect();
        let spec = laid_out(b, &x, DType::F32, |_, x| {
            let read = windowed(&x, &axes, phases, [group, channels, maps])?;
            let reads = read.map(|read| vec![read, Read::plain(weights.clone())]);
            let core = Core::Dot { a: 0, b: 1 };
            Ok(reads.map(|reads| Spec::reduction(reduction.clone(), core, reads, epilogue.clone(), result)))
        })?;
        b.reduce(spec, DType::F32)
    })?;
    // n, spatial.., group, map to n, (group, map), spatial..
    let channel = merged(y.axes[n + 1].iter().chain(&y.axes[n + 2]).copied());
    let axes = std::iter::once(y.axes[0].clone()).chain([channel]).chain(y.axes[1..=n].iter().cloned()).collect();
    Ok(vec![Lazy { axes, ..y }])
}

/// The input over n, outputs of the phase.., group, map, taps.., channel; `None` where its factors do not split so.
fn windowed(
    x: &Lazy,
    spreads: &[Spread],
    phases: &[Phase],
    [group, channels, maps]: [u64; 3],
) -> Lowering<Option<Read>> {
    let split = Lazy { axes: vec![x.axes[1].clone()], ..x.clone() }.reshape(&[group, channels]);
    let Some(split) = split.filter(|_| x.axes[2..].iter().all(|a| a.len() <= 1)) else { return Ok(None) };
    let n = spreads.len();
    let mut base = x.base;
    let (mut outputs, mut taps, mut guards) = (Vec::new(), Vec::new(), Vec::new());
    for (i, (a, p)) in spreads.iter().zip(phases).enumerate() {
        let stride = x.axes[2 + i].first().map_or(0, |f| f.stride);
        let times = |k: i64| stride.checked_mul(k).ok_or("a window's address overflows");
        base = base.checked_add(times(p.start)?).ok_or("a window's address overflows")?;
        outputs.push(axis(a.count().unsigned_abs(), stride));
        taps.push(axis(p.taps.unsigned_abs(), times(-p.back)?));
        guards.extend(a.guard(p, 1 + i, 3 + n + i));
    }
    let axes = std::iter::once(x.axes[0].clone())
        .chain(outputs)
        .chain([split.axes[0].clone(), axis(maps, 0)])
        .chain(taps)
        .chain([split.axes[1].clone()])
        .collect();
    Ok(Some(Read { fill: 0, accesses: vec![Access { lazy: Lazy { base, axes, ..x.clone() }, guards }] }))
}

/// The weights [group, channel, map, kernel..] over the same axes.
fn tapped(w: &Lazy, outer: &[u64], phases: &[Phase]) -> Lowering<Lazy> {
    let mut base = w.base;
    let mut taps = Vec::new();
    for (p, a) in phases.iter().zip(&w.axes[3..]) {
        let stride = a.first().map_or(0, |f| f.stride);
        let times = |k: i64| stride.checked_mul(k).ok_or("a weight's address overflows");
        base = base.checked_add(times(p.first)?).ok_or("a weight's address overflows")?;
        taps.push(axis(p.taps.unsigned_abs(), times(p.step)?));
    }
    let axes = outer.iter().map(|&e| axis(e, 0));
    let axes = axes.chain([w.axes[0].clone(), w.axes[2].clone()]).chain(taps).chain([w.axes[1].clone()]).collect();
    Ok(Lazy { base, axes, ..w.clone() })
}

/// Reads the attributes and finds the output's size, for each spatial axis.
fn spreads(c: &mut Context<'_, '_>, input: &[u64], kernel: &[i64]) -> Lowering<Vec<Spread>> {
    let n = input.len();
    if kernel.iter().any(|k| !(1..1 << 31).contains(k)) {
        return Err(format!("kernel {kernel:?}"));
    }
    let (strides, dilations) = (given(c, "strides", n, 1, 1)?, given(c, "dilations", n, 1, 1)?);
    let (more, pads) = (given(c, "output_padding", n, 0, 0)?, given(c, "pads", 2 * n, 0, 0)?);
    let shape = c.attributes.ints("output_shape")?;
    if shape.as_ref().is_some_and(|s| s.len() != n || s.iter().any(|d| !(1..1 << 40).contains(d))) {
        return Err(format!("output_shape {shape:?} does not fit {n} spatial dimensions"));
    }
    let auto = c.attributes.string("auto_pad")?.unwrap_or_else(|| "NOTSET".into());
    let same = match auto.as_str() {
        "NOTSET" | "VALID" => false,
        "SAME_UPPER" | "SAME_LOWER" => true,
        other => return Err(format!("auto_pad `{other}` does not exist")),
    };
    if auto != "NOTSET" && pads.iter().any(|&p| p != 0) {
        return Err(format!("both pads {pads:?} and auto_pad {auto}"));
    }
    let mut spreads = Vec::with_capacity(n);
    for i in 0..n {
        let size = i64::try_from(input[i]).ok().filter(|&s| s > 0).ok_or("an empty input is not supported")?;
        let (stride, dilation) = (strides[i], dilations[i]);
        let reach = (kernel[i] - 1).checked_mul(dilation).filter(|&r| r < 1 << 40).ok_or("a dilated kernel of 2^40")?;
        let whole = (size - 1).checked_mul(stride).filter(|&w| w < 1 << 40).ok_or("an output of 2^40")?;
        let whole = whole + more[i] + reach + 1;
        let target = match &shape {
            Some(shape) => Some(shape[i]),
            None if same => Some(size.checked_mul(stride).ok_or("an output of 2^40")?),
            None => None,
        };
        let (pad, output) = match target {
            // Pads are what is too much; of an odd number SAME_UPPER has the greater half at the end, everything else at the start.
            // A longer output than the windows reach is filled up at its end.
            Some(output) => {
                let pads = whole - output;
                if pads < 0 && same {
                    return Err(format!("{auto} with windows that reach only {whole} of {output}; give pads"));
                }
                let pads = pads.max(0);
                (if auto == "SAME_UPPER" { pads / 2 } else { pads - pads / 2 }, output)
            }
            None => (pads[i], whole - pads[i] - pads[n + i]),
        };
        if output < 1 {
            return Err(format!("pads {pads:?} leave nothing of {whole}"));
        }
        spreads.push(Spread { input: size, output, kernel: kernel[i], stride, dilation, pad });
    }
    Ok(spreads)
}
