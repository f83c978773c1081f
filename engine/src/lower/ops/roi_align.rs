//! RoiAlign: regions of a map, each in a grid of bins, of which each pools some samples between elements.
//!
//! Where the number of samples follows from the size of a region, regions are known when compiling: all have as many samples as the
//! largest one needs, of which those that a region does not have add nothing to a sum and repeat the last one for a maximum.

use super::elementwise::map;
use super::gather::one_factor;
use super::reduce::{fold_axes, without};
use super::sample::{
    Beyond, Kernel, OUTSIDE, clamped, last, neighbours, outside, placed, product, read, weighted, weights,
};
use super::signal::table;
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::Context;
use crate::lower::formula::Formula;
use crate::lower::lazy::Lazy;
use crate::lower::mul;
use crate::lower::spec::{Index, Read};
use crate::program::{DType, FoldOp, NodeId, Op};

/// Samples along one side of a bin.
const MOST_SAMPLES: u64 = 1 << 16;

/// What all regions have in common.
struct Pooling {
    rois: Lazy,
    scale: f32,
    /// Samples are between elements' centres, and regions may be of any size.
    half_pixel: bool,
    max: bool,
}

/// The bins along one spatial axis.
struct Side {
    /// Columns of the regions that hold its first and last coordinate.
    columns: (u64, u64),
    /// Elements of the map.
    size: u64,
    bins: u64,
    /// The most samples that a bin has.
    samples: u64,
    /// How many each region's bins have, if not all have as many.
    own: Option<Vec<f32>>,
}

pub(super) fn roi_align(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, rois, batch) = (c.input(0)?, c.input(1)?, c.input(2)?);
    let half_pixel = match c.attributes.string("coordinate_transformation_mode")?.as_deref() {
        None => c.opset >= 16,
        Some("half_pixel") => true,
        Some("output_half_pixel") => false,
        Some(other) => return Err(format!("coordinate_transformation_mode `{other}` does not exist")),
    };
    let max = match c.attributes.string("mode")?.as_deref() {
        None | Some("avg") => false,
        Some("max") => true,
        Some(other) => return Err(format!("mode `{other}` does not exist")),
    };
    let scale = c.float("spatial_scale", 1.0)?;
    let bins = [positive(c, "output_height")?, positive(c, "output_width")?];
    let ratio = c.int("sampling_ratio", 0)?;
    let ratio = u64::try_from(ratio).map_err(|_| format!("sampling_ratio {ratio}"))?;
    let xd = x.dims();
    let regions = batch.elements();
    if xd.len() != 4 || rois.dims() != [regions, 4] || batch.rank() != 1 {
        return Err(format!("input {xd:?}, rois {:?} and batch_indices {:?}", rois.dims(), batch.dims()));
    }
    if [&x, &rois].iter().any(|t| t.dtype != DType::F32) || !matches!(batch.dtype, DType::I64 | DType::I32) {
        return Err(format!("{}, rois of {} and batch indices of {}", x.dtype, rois.dtype, batch.dtype));
    }
    let pooling = Pooling { rois, scale, half_pixel, max };
    let mut sides = Vec::new();
    for (a, columns) in [(0, (1, 3)), (1, (0, 2))] {
        let (samples, own) = if ratio > 0 { (ratio, None) } else { pooling.adaptive(c, columns, bins[a])? };
        if samples > MOST_SAMPLES {
            return Err(format!("{samples} samples along a bin, at most {MOST_SAMPLES} are supported"));
        }
        sides.push(Side { columns, size: xd[2 + a], bins: bins[a], samples, own });
    }
    Ok(vec![pooling.pooled(c.b, x, batch, &sides)?])
}

fn positive(c: &mut Context<'_, '_>, name: &str) -> Lowering<u64> {
    let given = c.int(name, 1)?;
    u64::try_from(given).ok().filter(|n| (1..1 << 31).contains(n)).ok_or_else(|| format!("{name} {given}"))
}

impl Pooling {
    /// The samples along a bin that each region needs: one for each element, or part of one, of the map that the bin covers.
    fn adaptive(&self, c: &Context<'_, '_>, columns: (u64, u64), bins: u64) -> Lowering<(u64, Option<Vec<f32>>)> {
        let known = c.b.floats(&self.rois).ok_or(
            "sampling_ratio 0 takes as many samples as the regions are large: give a sampling_ratio or bind the regions to a constant",
        )?;
        let offset = if self.half_pixel { 0.5 } else { 0.0 };
        let count = |roi: &[f32; 4]| {
            let at = |column: u64| roi[column as usize] * self.scale - offset; // a column is below 4
            let length = at(columns.1) - at(columns.0);
            let length = if self.half_pixel { length } else { length.max(1.0) };
            (length / bins as f32).ceil().max(0.0)
        };
        let counts: Vec<f32> = known.as_chunks::<4>().0.iter().map(count).collect();
        let most = counts.iter().fold(1.0f32, |a, &b| a.max(b));
        if most > MOST_SAMPLES as f32 {
            return Err(format!("{most} samples along a bin, at most {MOST_SAMPLES} are supported"));
        }
        Ok((most as u64, Some(counts))) // at most 2^16
    }

    fn pooled(&self, b: &mut Builder<'_>, x: Lazy, batch: Lazy, sides: &[Side]) -> Lowering<Lazy> {
        let (x, batch) = (one_factor(b, x)?, one_factor(b, batch)?);
        let xd = x.dims();
        let regions = batch.elements();
        // Region, channel, bin, sample of the bin, corner.
        let mut dims = vec![regions, xd[1]];
        dims.extend(sides.iter().map(|s| s.bins));
        dims.extend(sides.iter().map(|s| s.samples));
        dims.extend([2, 2]);
        mul(&dims)?;
        let of_corners: Vec<u64> = dims[..1].iter().chain(&dims[2..]).copied().collect();

        let stride = |a: usize| x.axes[a].first().map_or(0, |f| f.stride);
        let image = Index { lazy: placed(&batch, &dims, &[0]), limit: xd[0].max(1), coefficient: stride(0) };
        let (mut indices, mut factors) = (vec![image], Vec::new());
        for (a, side) in sides.iter().enumerate() {
            let at = self.coordinates(b, side, regions)?;
            let lazy = neighbours(b, &at, side.size, Kernel::Linear, Beyond::Zeros)?;
            let lazy = placed(&lazy, &dims, &[0, 2 + a, 4 + a, 6 + a]);
            indices.push(Index { lazy, limit: side.size, coefficient: stride(2 + a) });
            factors.push(placed(&weights(b, &at, Kernel::Linear)?, &of_corners, &[0, 1 + a, 3 + a, 5 + a]));
        }
        let corners = product(b, &of_corners, factors)?;
        let corners = placed(&corners, &dims, &[0, 2, 3, 4, 5, 6, 7]);
        let origin = Lazy { axes: vec![x.axes[1].clone()], ..x.clone() };
        let elements = read(placed(&origin, &dims, &[1]), indices);
        let count = counts(b, sides, regions)?;
        if !self.max {
            return weighted(b, &dims, 4, elements, corners, |b, f, sum| {
                let (count, one) = (f.load(b, &count)?, f.float(1.0)?);
                let count = f.op(Op::Max, &[count, one])?;
                f.op(Op::Div, &[sum, count])
            });
        }
        // Of the corners' parts of samples rather than of samples: so the operator is defined.
        let mut f = Formula::new(&dims);
        let (element, weight) = (f.read(elements)?, f.read(Read::plain(corners))?);
        let part = f.op(Op::Mul, &[element, weight])?;
        let parts = b.map(f, part)?;
        let folded = [4, 5, 6, 7];
        let most = fold_axes(b, &parts, &folded, FoldOp::Max, |_, core| Ok(core))?;
        map(b, &[&without(&most, &folded), &count], |f, n| {
            let (most, count, zero) = (n[0], n[1], f.float(0.0)?);
            let none = f.op(Op::Eq, &[count, zero])?;
            f.select(none, zero, most)
        })
    }

    /// One column of the regions, in elements of the map.
    fn column(&self, b: &mut Builder<'_>, f: &mut Formula, column: u64) -> Lowering<NodeId> {
        let mut of_all = b.slice(&self.rois, 1, column, 1, 1)?;
        of_all.axes.pop();
        let (x, scale) = (f.read(Read::plain(of_all))?, f.float(self.scale)?);
        let (x, offset) = (f.op(Op::Mul, &[x, scale])?, f.float(if self.half_pixel { 0.5 } else { 0.0 })?);
        f.op(Op::Sub, &[x, offset])
    }

    /// Where the samples of each region, bin and place in a bin are along a side.
    fn coordinates(&self, b: &mut Builder<'_>, side: &Side, regions: u64) -> Lowering<Lazy> {
        let last = last(side.size)?;
        let mut f = Formula::new(&[regions]);
        let start = self.column(b, &mut f, side.columns.0)?;
        let start = b.map(f, start)?;
        let mut f = Formula::new(&[regions]);
        let (from, to) = (self.column(b, &mut f, side.columns.0)?, self.column(b, &mut f, side.columns.1)?);
        let mut length = f.op(Op::Sub, &[to, from])?;
        if !self.half_pixel {
            let one = f.float(1.0)?;
            length = f.op(Op::Max, &[length, one])?;
        }
        let bins = f.float(side.bins as f32)?;
        let bin = f.op(Op::Div, &[length, bins])?;
        let bin = b.map(f, bin)?;

        let dims = [regions, side.bins, side.samples];
        let mut f = Formula::new(&dims);
        let (start, bin) =
            (f.read(Read::plain(placed(&start, &dims, &[0])))?, f.read(Read::plain(placed(&bin, &dims, &[0])))?);
        let own = match &side.own {
            None => None,
            Some(own) => {
                let own = b.constant(table(vec![regions], own.iter().copied())?);
                Some(f.load(b, &placed(&own, &[regions, 1, 1], &[0]))?)
            }
        };
        let (number, sample) = (f.iota(1)?, f.iota(2)?);
        let (number, mut sample) = (f.cast(DType::F32, number)?, f.cast(DType::F32, sample)?);
        let mut missing = None;
        match own {
            Some(own) if self.max => {
                let one = f.float(1.0)?;
                let end = f.op(Op::Sub, &[own, one])?;
                sample = f.op(Op::Min, &[sample, end])?;
            }
            Some(own) => missing = Some(f.op(Op::Ge, &[sample, own])?),
            None => {}
        }
        let samples = own.map_or_else(|| f.float(side.samples as f32), Ok)?;
        let before = f.op(Op::Mul, &[number, bin])?;
        let before = f.op(Op::Add, &[start, before])?;
        let half = f.float(0.5)?;
        let middle = f.op(Op::Add, &[sample, half])?;
        let middle = f.op(Op::Mul, &[middle, bin])?;
        let within = f.op(Op::Div, &[middle, samples])?;
        let at = f.op(Op::Add, &[before, within])?;
        // What is less than an element beyond the map counts as on its border.
        let mut away = outside(&mut f, at, -1.0, last + 1.0)?;
        if let Some(missing) = missing {
            away = f.op(Op::Or, &[away, missing])?;
        }
        let (inside, nowhere) = (clamped(&mut f, at, 0.0, last)?, f.float(OUTSIDE)?);
        let at = f.select(away, nowhere, inside)?;
        b.map(f, at)
    }
}

/// The samples of each region's bins, over regions, channels and bins.
fn counts(b: &mut Builder<'_>, sides: &[Side], regions: u64) -> Lowering<Lazy> {
    let of = |side: &Side, region: usize| match &side.own {
        Some(own) => own.get(region).copied().unwrap_or(0.0),
        None => side.samples as f32,
    };
    let given = if sides.iter().any(|s| s.own.is_some()) { regions } else { 1 };
    // A table of regions that are known, so few.
    let all = (0..given as usize).map(|region| sides.iter().map(|s| of(s, region)).product());
    let all: Vec<f32> = all.collect();
    Ok(b.constant(table(vec![given, 1, 1, 1], all.into_iter())?))
}
