//! Pad and CenterCropPad: guarded views; borders that repeat the input are pieces of it, joined.

use super::concat::joined;
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::{Context, axis_of};
use crate::lower::formula::Formula;
use crate::lower::lazy::{Lazy, axis};
use crate::lower::spec::{Access, Bound, Read};
use crate::program::DType;
use crate::program::limits::MAX_GUARDS;

/// Pieces of one axis that are joined at most.
const PIECES: i64 = 64;

/// Pad; negative pads crop.
pub(super) fn pad(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let mut x = c.input(0)?;
    let mode = c.attributes.string("mode")?.unwrap_or_else(|| "constant".into());
    let border = match mode.as_str() {
        "constant" => None,
        "edge" => Some(Border::Edge),
        "reflect" => Some(Border::Reflect),
        "wrap" if c.opset >= 19 => Some(Border::Wrap),
        other => return Err(format!("mode `{other}` does not exist in operator set {}", c.opset)),
    };
    let pads = c.ints_or("pads", 1, 11)?.ok_or("its pads are missing")?;
    let fill = if c.opset < 11 {
        DType::F32.canonical(c.float("value", 0.0)?.to_bits().into())
    } else {
        match c.optional(2)? {
            Some(_) if border.is_some() => 0,
            None => 0,
            Some(value) if value.dtype == x.dtype => c.b.scalar(&value).ok_or("its value must be one constant")?,
            Some(value) => return Err(format!("a {} padded with {}", x.dtype, value.dtype)),
        }
    };
    let axes: Vec<usize> = match if c.opset < 18 { None } else { c.optional_ints(3, "axes")? } {
        None => (0..x.rank()).collect(),
        Some(axes) => axes.iter().map(|&a| axis_of(a, x.rank())).collect::<Lowering<_>>()?,
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
    let Some(border) = border else { return Ok(vec![widened(c.b, x, &wider, fill)?]) };
    for (a, before, after) in wider {
        x = border.around(c.b, &x, a, before, after)?;
    }
    Ok(vec![x])
}

/// CenterCropPad: the middle of the input, or zeros around it.
pub(super) fn center_crop_pad(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let mut x = c.input(0)?;
    let shape = c.optional_ints(1, "shape")?.ok_or("its shape is missing")?;
    let axes: Vec<usize> = match c.attributes.ints("axes")? {
        None => (0..x.rank()).collect(),
        Some(axes) => axes.iter().map(|&a| axis_of(a, x.rank())).collect::<Lowering<_>>()?,
    };
    if axes.len() != shape.len() {
        return Err(format!("shape {shape:?} does not fit {} axes", axes.len()));
    }
    let mut wider = Vec::new();
    for (&a, &wanted) in axes.iter().zip(&shape) {
        let wanted = u64::try_from(wanted).ok().filter(|&n| n < 1 << 40).ok_or_else(|| format!("shape {shape:?}"))?;
        let size = x.dims()[a];
        if wanted <= size {
            x = c.b.slice(&x, a, (size - wanted) / 2, 1, wanted)?;
        } else {
            let missing = i64::try_from(wanted - size).map_err(|e| e.to_string())?;
            wider.push((a, missing / 2, missing - missing / 2));
        }
    }
    Ok(vec![widened(c.b, x, &wider, 0)?])
}

/// With `fill` before and after it on any number of axes: (axis, before, after).
pub(super) fn widened(b: &mut Builder<'_>, mut x: Lazy, pads: &[(usize, i64, i64)], fill: i64) -> Lowering<Lazy> {
    for group in pads.chunks(MAX_GUARDS) {
        x = widened_together(b, x, group, fill)?;
    }
    Ok(x)
}

fn widened_together(b: &mut Builder<'_>, x: Lazy, pads: &[(usize, i64, i64)], fill: i64) -> Lowering<Lazy> {
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
    let load = f.read(Read { fill, accesses: vec![Access { lazy, guards }] })?;
    b.map(f, load)
}

/// What stands in a border.
#[derive(Clone, Copy)]
enum Border {
    /// The nearest element.
    Edge,
    /// The mirror image, the element at the mirror itself left out.
    Reflect,
    /// The other end.
    Wrap,
}

/// `len` elements of an axis from `start` on, `step` apart; the same one with step 0.
struct Piece {
    start: i64,
    step: i64,
    len: i64,
}

impl Border {
    fn around(self, b: &mut Builder<'_>, x: &Lazy, a: usize, before: i64, after: i64) -> Lowering<Lazy> {
        let n = i64::try_from(x.dims()[a]).map_err(|e| e.to_string())?;
        if n == 0 {
            return Err("its border would repeat an axis of no elements".into());
        }
        // A single element is everywhere.
        let pieces = match self {
            Self::Reflect if n > 1 => reflections(n, before, after)?,
            Self::Wrap if n > 1 => rounds(n, before, after)?,
            _ => vec![
                Piece { start: 0, step: 0, len: before },
                Piece { start: 0, step: 1, len: n },
                Piece { start: n - 1, step: 0, len: after },
            ],
        };
        let mut parts = Vec::new();
        for Piece { start, step, len } in pieces.into_iter().filter(|p| p.len > 0) {
            let (start, len) = (start.unsigned_abs(), len.unsigned_abs());
            parts.push(if step == 0 {
                let one = b.slice(x, a, start, 1, 1)?;
                let mut dims = one.dims();
                dims[a] = len;
                crate::lower::mul(&dims)?;
                one.broadcast(&dims).ok_or("its border does not repeat")?
            } else {
                b.slice(x, a, start, step, len)?
            });
        }
        joined(b, parts, a)
    }
}

/// Numbers of the first and the last piece that lie around an axis, of so many elements each.
fn around(each: i64, before: i64, last: i64) -> Lowering<(i64, i64)> {
    let (first, end) = ((-before).div_euclid(each), last.div_euclid(each));
    if end - first >= PIECES {
        return Err(format!("a border that repeats its axis more than {PIECES} times"));
    }
    Ok((first, end))
}

/// Positions `-before..n + after` of an axis that begins again and again.
fn rounds(n: i64, before: i64, after: i64) -> Lowering<Vec<Piece>> {
    let (first, end) = around(n, before, n + after - 1)?;
    let piece = |k: i64| {
        let (low, high) = ((k * n).max(-before), ((k + 1) * n).min(n + after));
        Piece { start: low - k * n, step: 1, len: high - low }
    };
    Ok((first..=end).map(piece).collect())
}

/// Positions `-before..n + after` of an axis that is read to its end, back to its start, and so on.
fn reflections(n: i64, before: i64, after: i64) -> Lowering<Vec<Piece>> {
    let way = n - 1;
    let (first, end) = around(way, before, n + after - 1)?;
    let piece = |k: i64| {
        // A way there has both ends, a way back none.
        let back = k.rem_euclid(2) == 1;
        let inside = i64::from(back);
        let low = (k * way + inside).max(-before);
        let high = ((k + 1) * way + 1 - inside).min(n + after);
        let start = if back { (k + 1) * way - low } else { low - k * way };
        Piece { start, step: if back { -1 } else { 1 }, len: high - low }
    };
    Ok((first - 1..=end).map(piece).collect())
}
