//! Convolution: one dot whose views are the windows. The result lies in memory as [n, spatial.., channels], k runs over
//! (kernel.., channel), and pads are zeros in the chain.

use super::pad::widening;
use super::window::{Window, windows};
use crate::lower::Lowering;
use crate::lower::bill::STEP_GAS_CEILING;
use crate::lower::builder::{Builder, weight_of_copy};
use crate::lower::context::Context;
use crate::lower::formula::Formula;
use crate::lower::lazy::{Axis, Lazy, axis, merged};
use crate::lower::spec::{Access, Read, Spec};
use crate::program::limits::MAX_GUARDS;
use crate::program::{Core, DType, NodeId, Op};

pub(super) fn conv(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, w, bias) = (c.input(0)?, c.input(1)?, c.optional(2)?);
    if [&x, &w].iter().any(|t| t.dtype != DType::F32) {
        return Err("only f32 is supported".into());
    }
    let convolution = Convolution::read(c, x, w)?;
    let bias = match bias {
        Some(bias) => Some(convolution.per_map(c.b, &bias, "bias")?),
        None => None,
    };
    let y = convolution.compute(c.b, false, |b, f, core| match &bias {
        Some(bias) => {
            let bias = f.load(b, bias)?;
            f.op(Op::Add, &[core, bias])
        }
        None => Ok(core),
    });
    Ok(vec![y?])
}

/// A node's convolution.
pub(super) struct Convolution {
    x: Lazy,
    w: Lazy,
    group: u64,
    /// Of all groups together.
    maps: u64,
    /// Of one group.
    channels: u64,
    windows: Vec<Window>,
}

impl Convolution {
    /// Of `x [n, c, spatial..]` with `w [m, c / group, kernel..]`, with the node's attributes.
    pub(super) fn read(c: &mut Context<'_, '_>, x: Lazy, w: Lazy) -> Lowering<Self> {
        let (xd, wd) = (x.dims(), w.dims());
        if xd.len() < 3 || wd.len() != xd.len() {
            return Err(format!(
                "input {xd:?} and weights {wd:?} are not [n, c, spatial..] and [m, c, kernel..] of one rank"
            ));
        }
        let kernel: Vec<i64> = wd[2..].iter().map(|&k| i64::try_from(k).unwrap_or(i64::MAX)).collect();
        if c.attributes.ints("kernel_shape")?.is_some_and(|given| given != kernel) {
            return Err(format!("kernel_shape is not that of the weights {wd:?}"));
        }
        let group = c.int("group", 1)?;
        let group = u64::try_from(group).ok().filter(|&g| g > 0).ok_or_else(|| format!("group {group}"))?;
        let windows = windows(c, &xd[2..], &kernel, true, false)?;
        let (maps, channels) = (wd[0], wd[1]);
        if maps % group != 0 || channels.checked_mul(group) != Some(xd[1]) {
            return Err(format!("weights {wd:?} do not fit input {xd:?} in {group} groups"));
        }
        Ok(Self { x, w, group, maps, channels, windows })
    }

    /// One element a map, over the element axes' last two.
    pub(super) fn per_map(&self, b: &mut Builder<'_>, t: &Lazy, what: &str) -> Lowering<Lazy> {
        if t.dims() != [self.maps] {
            return Err(format!("its {what} {:?} is not [{}]", t.dims(), self.maps));
        }
        b.reshape(t, &[self.group, self.maps / self.group])
    }

    /// The result; of `integers` between -255 and 255 the exact sums, which wrap, in i32.
    pub(super) fn compute(
        &self,
        b: &mut Builder<'_>,
        integers: bool,
        epilogue: impl FnOnce(&Builder<'_>, &mut Formula, NodeId) -> Lowering<NodeId>,
    ) -> Lowering<Lazy> {
        let Self { x, w, windows, .. } = self;
        let n = windows.len();
        let maps = self.maps / self.group;
        let shape = Shape { batch: x.dims()[0], group: self.group, maps, channels: self.channels, windows };
        let extents: Vec<u64> = std::iter::once(shape.batch)
            .chain(windows.iter().map(|w| w.output.unsigned_abs()))
            .chain([shape.group, maps])
            .collect();
        let reduction: Vec<u64> = windows.iter().map(|w| w.kernel.unsigned_abs()).chain([shape.channels]).collect();
        let mut f = Formula::new(&extents);
        let mut sum = f.core(DType::F32)?;
        if integers {
            sum = f.cast(DType::I32, sum)?;
        }
        let result = epilogue(b, &mut f, sum)?;
        let weights = Read::plain(shape.weights(w)?);
        let spec = |x: Lazy, windows: &[Window]| -> Lowering<Option<Spec>> {
            let reads = shape.input(&x, windows)?.map(|x| vec![x, weights.clone()]);
            let dot = Core::Dot { a: 0, b: 1 };
            Ok(reads
                .map(|reads| Spec { integers, ..Spec::reduction(reduction.clone(), dot, reads, f.clone(), result) }))
        };

        let as_it_is = laid_out(b, x, DType::F32, |_, x| spec(x, windows))?;
        let adds = b.reduction_adds(&as_it_is, DType::F32)?;
        // What cannot be made of a copy is made of the input.
        let copy = if adds > 0 { bordered(b, x, windows) } else { None };
        let better = copy.and_then(|(x, inside)| {
            let candidate = spec(x.clone(), &inside).ok()??;
            let added = b.reduction_adds(&candidate, DType::F32).ok()?;
            (added.saturating_add(weight_of_copy(x.elements())) < adds).then_some(candidate)
        });
        let y = b.reduce(better.unwrap_or(as_it_is), DType::F32)?;

        let mut physical: Vec<u64> = y.dims();
        physical.splice(n + 1.., [self.maps]);
        b.shaped(&y, physical);
        // n, spatial.., group, map back to n, (group, map), spatial..
        let channel: Axis = merged(y.axes[n + 1].iter().chain(&y.axes[n + 2]).copied());
        let axes = std::iter::once(y.axes[0].clone()).chain([channel]).chain(y.axes[1..=n].iter().cloned()).collect();
        Ok(Lazy { axes, ..y })
    }
}

/// What is made of the input as it lies, else channels last, else channels first: the first one whose step is affordable, or the cheapest.
pub(super) fn laid_out(
    b: &mut Builder<'_>,
    x: &Lazy,
    dtype: DType,
    spec: impl Fn(&Builder<'_>, Lazy) -> Lowering<Option<Spec>>,
) -> Lowering<Spec> {
    let (last, back) = channels_last(x.rank());
    let mut best: Option<(u64, Spec)> = None;
    for layout in 0..3 {
        let laid = match layout {
            0 => x.clone(),
            1 => b.dense(&x.permute(&last))?.permute(&back),
            _ => b.dense(x)?,
        };
        let Some(candidate) = spec(b, laid)? else { continue };
        let gas = b.reduction_gas(&candidate, dtype)?;
        if best.as_ref().is_none_or(|b| gas < b.0) {
            best = Some((gas, candidate));
        }
        if best.as_ref().is_some_and(|b| b.0 <= STEP_GAS_CEILING) {
            break;
        }
    }
    Ok(best.ok_or("its input has no usable layout")?.1)
}

/// The input channels last with the borders that windows reach around it, and windows that need no others; `None` where none do, or no
/// instruction makes it. Borders that a step must look for make its window many short runs, and such a copy few long ones.
fn bordered(b: &mut Builder<'_>, x: &Lazy, windows: &[Window]) -> Option<(Lazy, Vec<Window>)> {
    let (last, back) = channels_last(x.rank());
    let mut inside = windows.to_vec();
    let borders: Vec<(usize, i64, i64)> =
        inside.iter_mut().enumerate().filter_map(|(i, w)| w.without_borders().map(|(a, z)| (1 + i, a, z))).collect();
    let elements =
        inside.iter().try_fold(x.dims()[..2].iter().product(), |n: u64, w| n.checked_mul(w.input.unsigned_abs()));
    let small = elements.is_some_and(|n| n <= x.elements().saturating_mul(2));
    if borders.is_empty() || borders.len() > MAX_GUARDS || !small {
        return None;
    }
    let (formula, widened) = widening(b, x.permute(&last), &borders, 0).ok()?;
    Some((b.copy_in_order(formula, widened).ok()?.permute(&back), inside))
}

/// The axes of [n, c, spatial..] as [n, spatial.., c], and back.
fn channels_last(rank: usize) -> (Vec<usize>, Vec<usize>) {
    (
        std::iter::once(0).chain(2..rank).chain([1]).collect(),
        std::iter::once(0).chain([rank - 1]).chain(1..rank - 1).collect(),
    )
}

struct Shape<'w> {
    batch: u64,
    group: u64,
    /// Maps and channels of one group.
    maps: u64,
    channels: u64,
    windows: &'w [Window],
}

impl Shape<'_> {
    /// The input over n, spatial.., group, map, kernel.., channel; `None` where its factors do not split so.
    fn input(&self, x: &Lazy, windows: &[Window]) -> Lowering<Option<Read>> {
        let channels = Lazy { axes: vec![x.axes[1].clone()], ..x.clone() }.reshape(&[self.group, self.channels]);
        let Some(channels) = channels.filter(|_| x.axes[2..].iter().all(|a| a.len() <= 1)) else { return Ok(None) };
        let n = windows.len();
        let stride = |a: usize| x.axes[a].first().map_or(0, |f| f.stride);
        let mut base = x.base;
        let (mut spatial, mut kernel, mut guards) = (Vec::new(), Vec::new(), Vec::new());
        for (i, w) in windows.iter().enumerate() {
            let (at, tap, offset) = w.address(stride(2 + i))?;
            base = base.checked_add(offset).ok_or("a window's address overflows")?;
            spatial.push(at);
            kernel.push(tap);
            guards.extend(w.guard(1 + i, 3 + n + i));
        }
        let axes = std::iter::once(x.axes[0].clone())
            .chain(spatial)
            .chain([channels.axes[0].clone(), axis(self.maps, 0)])
            .chain(kernel)
            .chain([channels.axes[1].clone()])
            .collect();
        let lazy = Lazy { base, axes, ..x.clone() };
        Ok(Some(Read { fill: 0, accesses: vec![Access::guarded(lazy, guards)] }))
    }

    /// The weights over the same axes.
    fn weights(&self, w: &Lazy) -> Lowering<Lazy> {
        let mut dims = vec![self.group, self.maps, self.channels];
        dims.extend(w.dims()[2..].iter());
        let split = w.reshape(&dims).ok_or("its weights cannot be split into groups")?;
        let axes = self.windows.iter().map(|w| axis(w.output.unsigned_abs(), 0));
        let axes = std::iter::once(axis(self.batch, 0)).chain(axes).chain(split.axes[..2].iter().cloned());
        let axes = axes.chain(split.axes[3..].iter().cloned()).chain([split.axes[2].clone()]).collect();
        Ok(Lazy { axes, ..split })
    }
}
