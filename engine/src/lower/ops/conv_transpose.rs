//! ConvTranspose: a dot over the taps that reach an output and the channels; no zero is put in between.
//!
//! Without dilation output s m + r, counted with the padding, has the taps r, r + s, .. at the inputs m, m - 1, ..: all phases r are one
//! instruction, with r an element axis of the weights. It is taken where that needs no cutting afterwards, or where there are very many phases;
//! otherwise each phase is a dot of its own and they are interleaved.

use super::conv::laid_out;
use super::phases::{MOST_PHASES, Phase, Spread, by_phases};
use super::window::given;
use crate::lower::Lowering;
use crate::lower::context::Context;
use crate::lower::formula::Formula;
use crate::lower::lazy::{Axis, Lazy, axis, merged};
use crate::lower::spec::{Access, Bound, Read, Spec};
use crate::program::limits::{MAX_GUARDS, MAX_RANK, MAX_REDUCTION_AXES};
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
    let bias = match &bias {
        Some(bias) if bias.dims() == [all_maps] => Some(c.b.reshape(bias, &[group, maps])?),
        Some(bias) => return Err(format!("bias {:?} is not [{all_maps}]", bias.dims())),
        None => None,
    };

    let w = c.b.plain_axes(w, &(2..2 + n).collect::<Vec<_>>())?;
    let mut grouped = vec![group, channels, maps];
    grouped.extend(&wd[2..]);
    let w = w.reshape(&grouped).ok_or("its weights cannot be split into groups")?;
    let parts = Parts { axes, batch: xd[0], group, channels, maps, bias };
    let y = match together(c, &x, &w, &parts)? {
        Some(y) => y,
        None => apart(c, &x, &w, &parts)?,
    };
    // n, spatial.., group, map to n, (group, map), spatial..
    let channel = merged(y.axes[n + 1].iter().chain(&y.axes[n + 2]).copied());
    let axes = std::iter::once(y.axes[0].clone()).chain([channel]).chain(y.axes[1..=n].iter().cloned()).collect();
    Ok(vec![Lazy { axes, ..y }])
}

struct Parts {
    axes: Vec<Spread>,
    batch: u64,
    group: u64,
    /// Channels and maps of one group.
    channels: u64,
    maps: u64,
    /// Over group, map.
    bias: Option<Lazy>,
}

/// All phases as one dot, over n, spatial.., group, map; `None` where that is not possible or not better.
fn together(c: &mut Context<'_, '_>, x: &Lazy, w: &Lazy, parts: &Parts) -> Lowering<Option<Lazy>> {
    let Parts { axes, group, channels, maps, .. } = parts;
    let n = axes.len();
    let even = axes.iter().all(|a| a.pad % a.stride == 0 && a.output % a.stride == 0);
    let many = axes.iter().map(|a| a.stride).fold(1, i64::saturating_mul) > MOST_PHASES;
    if axes.iter().any(|a| a.dilation != 1) || !(even || many) {
        return Ok(None);
    }
    // Inputs before the first one that an output starts at, outputs by m, and taps, of each axis.
    let blocks: Vec<[i64; 3]> = axes
        .iter()
        .map(|a| {
            let first = a.pad / a.stride;
            [first, (a.pad + a.output - 1) / a.stride - first + 1, (a.kernel - 1) / a.stride + 1]
        })
        .collect();
    let strides = axes.iter().map(|a| a.stride.unsigned_abs());
    let counts = blocks.iter().map(|b| b[1].unsigned_abs());
    let extents: Vec<u64> =
        std::iter::once(parts.batch).chain(counts).chain([*group]).chain(strides).chain([*maps]).collect();
    let mut inputs = Vec::new();
    let mut taps = Vec::new();
    for (i, (a, &[first, count, reach])) in axes.iter().zip(&blocks).enumerate() {
        let (at, tap) = (1 + i, 3 + 2 * n + i);
        if first - (reach - 1) < 0 || first + count > a.input {
            inputs.push(Bound { limit: a.input.unsigned_abs(), base: first, terms: vec![(at, 1), (tap, -1)] });
        }
        if a.kernel % a.stride != 0 {
            taps.push(Bound { limit: a.kernel.unsigned_abs(), base: 0, terms: vec![(2 + n + i, 1), (tap, a.stride)] });
        }
    }
    let loops = extents.iter().filter(|&&e| e > 1).count();
    if loops > MAX_RANK || inputs.len() + taps.len() > MAX_GUARDS || n + 1 > MAX_REDUCTION_AXES {
        return Ok(None);
    }
    let too_far = "a window's address overflows";

    // Weights over n, m.., group, r.., map, taps.., channel; laid out here, because a guarded view is not copied later.
    let order: Vec<usize> = [0, 2].into_iter().chain(3..3 + n).chain([1]).collect();
    let w = w.permute(&order);
    let w = if taps.is_empty() || c.b.constant_of(w.def).is_none() { w } else { c.b.dense(&w)? };
    let (mut phases, mut reached) = (Vec::new(), Vec::new());
    for (i, (a, b)) in axes.iter().zip(&blocks).enumerate() {
        let stride = w.axes[2 + i].first().map_or(0, |f| f.stride);
        phases.push(axis(a.stride.unsigned_abs(), stride));
        reached.push(axis(b[2].unsigned_abs(), stride.checked_mul(a.stride).ok_or(too_far)?));
    }
    let over = extents[..=n].iter().map(|&e| axis(e, 0)).chain([w.axes[0].clone()]).chain(phases);
    let over = over.chain([w.axes[1].clone()]).chain(reached).chain([w.axes[2 + n].clone()]).collect();
    let weights = Read { fill: 0, accesses: vec![Access::guarded(Lazy { axes: over, ..w }, taps.clone())] };

    let window = |x: &Lazy| -> Lowering<Option<Read>> {
        let split = Lazy { axes: vec![x.axes[1].clone()], ..x.clone() }.reshape(&[*group, *channels]);
        let Some(split) = split.filter(|_| x.axes[2..].iter().all(|a| a.len() <= 1)) else { return Ok(None) };
        let mut base = x.base;
        let (mut outputs, mut reached) = (Vec::new(), Vec::new());
        for (i, &[first, count, reach]) in blocks.iter().enumerate() {
            let stride = x.axes[2 + i].first().map_or(0, |f| f.stride);
            base = stride.checked_mul(first).and_then(|s| base.checked_add(s)).ok_or(too_far)?;
            outputs.push(axis(count.unsigned_abs(), stride));
            reached.push(axis(reach.unsigned_abs(), stride.checked_neg().ok_or(too_far)?));
        }
        let over = std::iter::once(x.axes[0].clone()).chain(outputs).chain([split.axes[0].clone()]);
        let over = over.chain(extents[2 + n..].iter().map(|&e| axis(e, 0))).chain(reached);
        let over = over.chain([split.axes[1].clone()]).collect();
        // Where there is no weight no element is read either: an infinity times a fill would not be zero.
        let guards = inputs.iter().chain(&taps).cloned().collect();
        Ok(Some(Read { fill: 0, accesses: vec![Access::guarded(Lazy { base, axes: over, ..x.clone() }, guards)] }))
    };

    let mut epilogue = Formula::new(&extents);
    let mut result = epilogue.core(DType::F32)?;
    if let Some(bias) = &parts.bias {
        let mut over = bias.clone();
        over.axes.splice(1..1, vec![Axis::new(); n]);
        let load = epilogue.load(c.b, &over)?;
        result = epilogue.op(Op::Add, &[result, load])?;
    }
    let reduction: Vec<u64> = blocks.iter().map(|b| b[2].unsigned_abs()).chain([*channels]).collect();
    let spec = laid_out(c.b, x, DType::F32, |_, x| {
        let reads = window(&x)?.map(|read| vec![read, weights.clone()]);
        let core = Core::Dot { a: 0, b: 1 };
        Ok(reads.map(|reads| Spec::reduction(reduction.clone(), core, reads, epilogue.clone(), result)))
    })?;
    let mut y = c.b.reduce(spec, DType::F32)?;
    let phases: Vec<Axis> = y.axes.drain(2 + n..2 + 2 * n).collect();
    for (i, r) in phases.into_iter().enumerate() {
        y.axes[1 + i] = merged(y.axes[1 + i].iter().copied().chain(r));
    }
    for (i, a) in axes.iter().enumerate() {
        y = c.b.slice(&y, 1 + i, (a.pad % a.stride).unsigned_abs(), 1, a.output.unsigned_abs())?;
    }
    Ok(Some(y))
}

/// Each phase by itself, over n, spatial.., group, map.
fn apart(c: &mut Context<'_, '_>, x: &Lazy, w: &Lazy, parts: &Parts) -> Lowering<Lazy> {
    let Parts { axes, group, channels, maps, .. } = parts;
    let n = axes.len();
    let counts = axes.iter().map(|a| a.count().unsigned_abs());
    let extents: Vec<u64> = std::iter::once(parts.batch).chain(counts).chain([*group, *maps]).collect();
    let mut epilogue = Formula::new(&extents);
    let mut result = epilogue.core(DType::F32)?;
    let nothing = match &parts.bias {
        Some(bias) => {
            let load = epilogue.load(c.b, bias)?;
            result = epilogue.op(Op::Add, &[result, load])?;
            bias.clone()
        }
        None => c.b.constant(Tensor::F32(ArrayD::zeros(IxDyn(&[])))),
    };
    let nothing = nothing.broadcast(&extents).ok_or("its bias does not broadcast")?;
    by_phases(c.b, axes, 1, &nothing, |b, phases| {
        let weights = tapped(w, &extents[..=n], phases)?;
        let taps = phases.iter().map(|p| p.taps.unsigned_abs());
        let reduction: Vec<u64> = taps.chain([*channels]).collect();
        let spec = laid_out(b, x, DType::F32, |_, x| {
            let read = windowed(&x, axes, phases, [*group, *channels, *maps])?;
            let reads = read.map(|read| vec![read, Read::plain(weights.clone())]);
            let core = Core::Dot { a: 0, b: 1 };
            Ok(reads.map(|reads| Spec::reduction(reduction.clone(), core, reads, epilogue.clone(), result)))
        })?;
        b.reduce(spec, DType::F32)
    })
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
    Ok(Some(Read { fill: 0, accesses: vec![Access::guarded(Lazy { base, axes, ..x.clone() }, guards)] }))
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
