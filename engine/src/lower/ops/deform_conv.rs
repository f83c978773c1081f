//! DeformConv: a convolution whose taps are moved by offsets, to places between elements.
//!
//! The corners of a moved tap become a sample by a dot with their weights, times the mask; the samples of a window, over (tap,
//! channel), become an element by a dot with the kernel. Places beyond the input are zeros, and so are corners that are.

use super::gather::one_factor;
use super::sample::{Beyond, Kernel, last, near, neighbours, placed, product, read, weighted, weights};
use super::window::{Window, windows};
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::Context;
use crate::lower::formula::Formula;
use crate::lower::lazy::Lazy;
use crate::lower::mul;
use crate::lower::spec::{Index, Read, Spec};
use crate::program::{Core, DType, NodeId, Op};

/// Spatial dimensions: their outputs and taps are an instruction's axes.
const MOST_DIMENSIONS: usize = 3;

pub(super) fn deform_conv(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, w, offset) = (c.input(0)?, c.input(1)?, c.input(2)?);
    let (bias, mask) = (c.optional(3)?, c.optional(4)?);
    let all = [Some(&x), Some(&w), Some(&offset), bias.as_ref(), mask.as_ref()];
    if all.iter().flatten().any(|t| t.dtype != DType::F32) {
        return Err("only f32 is supported".into());
    }
    let (xd, wd) = (x.dims(), w.dims());
    if !(3..=2 + MOST_DIMENSIONS).contains(&xd.len()) || wd.len() != xd.len() {
        return Err(format!(
            "input {xd:?} and weights {wd:?} are not [n, c, spatial..] and [m, c, kernel..] of one rank"
        ));
    }
    let kernel: Vec<i64> = wd[2..].iter().map(|&k| i64::try_from(k).unwrap_or(i64::MAX)).collect();
    if c.attributes.ints("kernel_shape")?.is_some_and(|given| given != kernel) {
        return Err(format!("kernel_shape is not that of the weights {wd:?}"));
    }
    let windows = windows(c, &xd[2..], &kernel, true, false)?;
    let shape = Shape {
        batch: xd[0],
        channels: xd[1],
        maps: wd[0],
        group: groups(c, "group", &[xd[1], wd[0]])?,
        offset_group: groups(c, "offset_group", &[xd[1]])?,
        taps: mul(&wd[2..])?,
        places: windows.iter().map(|w| w.output.unsigned_abs()).product(),
    };
    if wd[1] != xd[1] / shape.group {
        return Err(format!("weights {wd:?} do not fit input {xd:?} in {} groups", shape.group));
    }
    let output: Vec<u64> = windows.iter().map(|w| w.output.unsigned_abs()).collect();
    let expected = |per_tap: u64| -> Vec<u64> {
        let maps = shape.offset_group.saturating_mul(shape.taps).saturating_mul(per_tap);
        [&[shape.batch, maps], &output[..]].concat()
    };
    let fits = |t: &Lazy, per_tap: u64, what: &str| {
        let expected = expected(per_tap);
        if t.dims() == expected { Ok(()) } else { Err(format!("its {what} {:?} is not {expected:?}", t.dims())) }
    };
    fits(&offset, windows.len() as u64, "offset")?;
    if let Some(mask) = &mask {
        fits(mask, 1, "mask")?;
    }
    let samples = shape.samples(c.b, x, &offset, mask, &windows)?;
    let y = shape.convolved(c.b, &samples, &w, bias)?;
    let dims = [&[shape.batch, shape.maps], &output[..]].concat();
    Ok(vec![c.b.reshape(&y, &dims)?])
}

/// A number of groups, which divides some dimensions.
fn groups(c: &mut Context<'_, '_>, name: &str, dims: &[u64]) -> Lowering<u64> {
    let given = c.int(name, 1)?;
    let groups = u64::try_from(given).ok().filter(|&g| g > 0 && dims.iter().all(|d| d.is_multiple_of(g)));
    groups.ok_or_else(|| format!("{name} {given} does not divide {dims:?}"))
}

struct Shape {
    batch: u64,
    channels: u64,
    maps: u64,
    group: u64,
    offset_group: u64,
    /// Of one window.
    taps: u64,
    /// Of one map of the result.
    places: u64,
}

impl Shape {
    /// The input at each moved tap, over n, place, tap, channel.
    fn samples(
        &self,
        b: &mut Builder<'_>,
        x: Lazy,
        offset: &Lazy,
        mask: Option<Lazy>,
        windows: &[Window],
    ) -> Lowering<Lazy> {
        let n = windows.len();
        let x = one_factor(b, x)?;
        let channels = self.channels / self.offset_group;
        // A corner's side of each spatial axis is the last ones.
        let mut dims = vec![self.batch, self.places, self.taps, self.offset_group, channels];
        dims.extend(vec![2; n]);
        mul(&dims)?;
        // What all channels of a group have in common, as offsets lie.
        let mut common = vec![self.batch, self.offset_group, self.taps, self.places];
        let within = [0, 3, 2, 1];
        let (mut indices, mut factors) = (Vec::new(), Vec::new());
        common.extend(vec![2; n]);
        for a in 0..n {
            let at = self.coordinates(b, offset, windows, a)?;
            let size = windows[a].input.unsigned_abs();
            let lazy = neighbours(b, &at, size, Kernel::Linear, Beyond::Zeros)?;
            let lazy = placed(&lazy, &dims, &[&within[..], &[5 + a]].concat());
            indices.push(Index { lazy, limit: size, coefficient: x.axes[2 + a].first().map_or(0, |f| f.stride) });
            factors.push(placed(&weights(b, &at, Kernel::Linear)?, &common, &[0, 1, 2, 3, 4 + a]));
        }
        if let Some(mask) = mask {
            let mask = b.reshape(&mask, &common[..4])?;
            let mask = one_factor(b, mask)?;
            factors.push(placed(&mask, &common, &[0, 1, 2, 3]));
        }
        let corners = product(b, &common, factors)?;
        let sides: Vec<usize> = (5..5 + n).collect();
        let corners = placed(&corners, &dims, &[&within[..], &sides].concat());
        let split = Lazy { axes: x.axes[..2].to_vec(), ..x.clone() };
        let split = split.reshape(&[self.batch, self.offset_group, channels]).ok_or("its channels have no groups")?;
        let elements = read(placed(&split, &dims, &[0, 3, 4]), indices);
        let sampled = weighted(b, &dims, n, elements, corners, |_, _, sum| Ok(sum))?;
        b.reshape(&sampled, &[self.batch, self.places, self.taps, self.channels])
    }

    /// Where the taps are moved to along spatial axis `a`, over n, offset group, tap, place.
    fn coordinates(&self, b: &mut Builder<'_>, offset: &Lazy, windows: &[Window], a: usize) -> Lowering<Lazy> {
        let n = windows.len();
        let apart = [self.batch, self.offset_group, self.taps, n as u64, self.places];
        let whole = b.reshape(offset, &apart)?;
        let mut own = b.slice(&whole, 3, a as u64, 1, 1)?;
        own.axes.remove(3);
        // Taps and places by their coordinates.
        let mut dims = vec![self.batch, self.offset_group];
        dims.extend(windows.iter().map(|w| w.kernel.unsigned_abs()));
        dims.extend(windows.iter().map(|w| w.output.unsigned_abs()));
        let own = b.reshape(&own, &dims)?;
        let own = one_factor(b, own)?;
        let w = &windows[a];
        let mut f = Formula::new(&dims);
        let moved = f.read(Read::plain(own))?;
        let axis = |a: usize| u8::try_from(a).map_err(|e| e.to_string());
        let (tap, place) = (f.iota(axis(2 + a)?)?, f.iota(axis(2 + n + a)?)?);
        let (dilation, stride) = (f.register(DType::I64, w.dilation)?, f.register(DType::I64, w.stride)?);
        let (tap, place) = (f.op(Op::Mul, &[tap, dilation])?, f.op(Op::Mul, &[place, stride])?);
        let from_first = f.op(Op::Add, &[tap, place])?;
        let padding = f.register(DType::I64, w.pads.0)?;
        let unmoved = f.op(Op::Sub, &[from_first, padding])?;
        let unmoved = f.cast(DType::F32, unmoved)?;
        let at = f.op(Op::Add, &[unmoved, moved])?;
        let at = near(&mut f, at, last(w.input.unsigned_abs())?)?;
        let at = b.map(f, at)?;
        b.reshape(&at, &[self.batch, self.offset_group, self.taps, self.places])
    }

    /// The dot of each window's samples with each map's weights, over n, map, place.
    fn convolved(&self, b: &mut Builder<'_>, samples: &Lazy, w: &Lazy, bias: Option<Lazy>) -> Lowering<Lazy> {
        let (maps, channels) = (self.maps / self.group, self.channels / self.group);
        let x = b.reshape(samples, &[self.batch, self.places, self.taps, self.group, channels])?;
        let w = b.reshape(w, &[self.group, maps, channels, self.taps])?;
        let extents = [self.batch, self.places, self.group, maps];
        let all = [&extents[..], &[self.taps, channels]].concat();
        let mut f = Formula::new(&extents);
        let mut result: NodeId = f.core(DType::F32)?;
        if let Some(bias) = bias {
            if bias.dims() != [self.maps] {
                return Err(format!("its bias {:?} is not [{}]", bias.dims(), self.maps));
            }
            let bias = b.reshape(&bias, &[self.group, maps])?;
            let bias = f.load(b, &bias)?;
            result = f.op(Op::Add, &[result, bias])?;
        }
        let reads = vec![Read::plain(placed(&x, &all, &[0, 1, 4, 2, 5])), Read::plain(placed(&w, &all, &[2, 3, 5, 4]))];
        let spec = Spec::reduction(vec![self.taps, channels], Core::Dot { a: 0, b: 1 }, reads, f, result);
        let y = b.reduce(spec, DType::F32)?.permute(&[0, 2, 3, 1]);
        b.reshape(&y, &[self.batch, self.maps, self.places])
    }
}
