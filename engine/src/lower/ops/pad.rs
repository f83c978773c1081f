//! Pad and CenterCropPad: what is beyond is a view's fill, or a run of coordinates again.

use super::concat::picked;
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::{Context, axes_of, axis_of};
use crate::lower::formula::Formula;
use crate::lower::lazy::{Lazy, axis};
use crate::lower::spec::{Access, Bound, Read};
use crate::program::limits::MAX_GUARDS;
use crate::program::{DType, NodeId};

/// Runs of coordinates that are joined.
const RUNS: usize = 64;

/// Which coordinate stands beyond the ends.
#[derive(Clone, Copy)]
enum Beyond {
    Edge,
    Reflect,
    Wrap,
}

impl Beyond {
    /// The coordinate of an axis of `size` at `i`, which may be beyond it.
    fn coordinate(self, i: i64, size: i64) -> i64 {
        match self {
            Self::Edge => i.clamp(0, size - 1),
            Self::Wrap => i.rem_euclid(size),
            Self::Reflect if size == 1 => 0,
            Self::Reflect => {
                let last = size - 1;
                last - (i.rem_euclid(2 * last) - last).abs()
            }
        }
    }
}

/// Pad; negative pads crop, and what they leave is padded.
pub(super) fn pad(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let mut x = c.input(0)?;
    let beyond = match c.attributes.string("mode")?.as_deref() {
        None | Some("constant") => None,
        Some("edge") => Some(Beyond::Edge),
        Some("reflect") => Some(Beyond::Reflect),
        Some("wrap") if c.opset >= 19 => Some(Beyond::Wrap),
        Some(other) => return Err(format!("mode `{other}` does not exist in operator set {}", c.opset)),
    };
    let pads = c.ints_or("pads", 1, 11)?.ok_or("its pads are missing")?;
    let fill = if c.opset < 11 {
        DType::F32.canonical(c.float("value", 0.0)?.to_bits().into())
    } else {
        match c.optional(2)? {
            Some(_) if beyond.is_some() => 0,
            None => 0,
            Some(value) if value.dtype == x.dtype => c.b.scalar(&value).ok_or("its value must be one constant")?,
            Some(value) => return Err(format!("a {} padded with {}", x.dtype, value.dtype)),
        }
    };
    let axes: Vec<usize> = match if c.opset < 18 { None } else { c.optional_ints(3, "axes")? } {
        None => (0..x.rank()).collect(),
        Some(axes) => {
            axes_of(&axes, x.rank())?;
            axes.iter().map(|&a| axis_of(a, x.rank())).collect::<Lowering<_>>()?
        }
    };
    if pads.len() != 2 * axes.len() || pads.iter().any(|p| p.unsigned_abs() >= 1 << 40) {
        return Err(format!("pads {pads:?} do not fit {} axes", axes.len()));
    }
    if c.opset < 11 && x.dtype != DType::F32 {
        return Err("only f32 is supported".into());
    }
    let mut wider = Vec::new();
    for (i, &a) in axes.iter().enumerate() {
        let (before, after) = (pads[i], pads[axes.len() + i]);
        let size = i64::try_from(x.dims()[a]).map_err(|e| e.to_string())?;
        let (first, end) = ((-before).max(0), size - (-after).max(0));
        if first > end {
            return Err(format!("pads {pads:?} crop more than there is"));
        }
        x = c.b.slice(&x, a, first.unsigned_abs(), 1, (end - first).unsigned_abs())?;
        if before > 0 || after > 0 {
            wider.push((a, before.max(0), after.max(0)));
        }
    }
    match beyond {
        None => Ok(vec![widened(c.b, x, &wider, fill)?]),
        Some(beyond) => {
            for (a, before, after) in wider {
                x = repeated(c.b, &x, a, before, after, beyond)?;
            }
            Ok(vec![x])
        }
    }
}

fn repeated(b: &mut Builder<'_>, x: &Lazy, a: usize, before: i64, after: i64, beyond: Beyond) -> Lowering<Lazy> {
    let size = i64::try_from(x.dims()[a]).map_err(|e| e.to_string())?;
    if size == 0 {
        return Err(format!("axis {a} is empty: there is nothing to pad it with"));
    }
    let end = size + after;
    b.budget.table((end + before).unsigned_abs())?;
    let coordinates: Vec<u64> = (-before..end).map(|i| beyond.coordinate(i, size).unsigned_abs()).collect();
    picked(b, x, a, &coordinates, RUNS)?.ok_or_else(|| format!("axis {a} repeats more than {RUNS} times"))
}

/// The tensor with the fill before and after it, by axis.
pub(super) fn widened(b: &mut Builder<'_>, mut x: Lazy, pads: &[(usize, i64, i64)], fill: i64) -> Lowering<Lazy> {
    for group in pads.chunks(MAX_GUARDS) {
        let (formula, widened) = widening(b, x, group, fill)?;
        x = b.map(formula, widened)?;
    }
    Ok(x)
}

/// The formula that widens along no more axes than an access has guards.
pub(super) fn widening(
    b: &mut Builder<'_>,
    x: Lazy,
    pads: &[(usize, i64, i64)],
    fill: i64,
) -> Lowering<(Formula, NodeId)> {
    let axes: Vec<usize> = pads.iter().map(|p| p.0).collect();
    let mut lazy = b.plain_axes(x, &axes)?;
    let mut guards = Vec::new();
    for &(a, before, after) in pads {
        let size = lazy.dims()[a];
        let stride = lazy.axes[a].first().map_or(0, |f| f.stride);
        lazy.base = stride.checked_mul(before).and_then(|n| lazy.base.checked_sub(n)).ok_or("an address overflows")?;
        lazy.axes[a] = axis(size.saturating_add(before.unsigned_abs()).saturating_add(after.unsigned_abs()), stride);
        guards.push(Bound { limit: size, base: -before, terms: vec![(a, 1)] });
    }
    let dims = lazy.dims();
    crate::lower::mul(&dims)?;
    let mut f = Formula::new(&dims);
    let load = f.read(Read { fill, accesses: vec![Access::guarded(lazy, guards)] })?;
    Ok((f, load))
}

/// CenterCropPad: of an odd difference the greater half is at the end.
pub(super) fn center_crop_pad(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let mut x = c.input(0)?;
    let shape = c.optional_ints(1, "shape")?.ok_or("its shape is missing")?;
    let axes: Vec<usize> = match c.attributes.ints("axes")? {
        None => (0..x.rank()).collect(),
        Some(axes) => {
            axes_of(&axes, x.rank())?;
            axes.iter().map(|&a| axis_of(a, x.rank())).collect::<Lowering<_>>()?
        }
    };
    if shape.len() != axes.len() || shape.iter().any(|d| !(0..1 << 40).contains(d)) {
        return Err(format!("shape {shape:?} does not fit {} axes", axes.len()));
    }
    let mut wider = Vec::new();
    for (&a, &target) in axes.iter().zip(&shape) {
        let size = i64::try_from(x.dims()[a]).map_err(|e| e.to_string())?;
        if target < size {
            let first = (size - target) / 2;
            x = c.b.slice(&x, a, first.unsigned_abs(), 1, target.unsigned_abs())?;
        } else if target > size {
            let before = (target - size) / 2;
            wider.push((a, before, target - size - before));
        }
    }
    Ok(vec![widened(c.b, x, &wider, 0)?])
}
