//! Concat and Pad: views of which the first whose guards hold gives the element.

use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::{Context, axis_of};
use crate::lower::formula::Formula;
use crate::lower::lazy::{Lazy, axis};
use crate::lower::spec::{Access, Bound, Read};
use crate::program::DType;
use crate::program::limits::{MAX_ACCESSES, MAX_GUARDS, MAX_OPERANDS};

pub(super) fn concat(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let all = c.all()?;
    let at = axis_of(c.attributes.int("axis")?.ok_or("attribute `axis` is missing")?, all[0].rank())?;
    for other in &all[1..] {
        let same = other.rank() == all[0].rank()
            && other.dtype == all[0].dtype
            && other.dims().iter().zip(all[0].dims()).enumerate().all(|(a, (&x, y))| a == at || x == y);
        if !same {
            return Err(format!("{} {:?} beside {} {:?}", other.dtype, other.dims(), all[0].dtype, all[0].dims()));
        }
    }
    let parts: Vec<Lazy> = all.iter().filter(|t| t.dims()[at] > 0).cloned().collect();
    if parts.is_empty() {
        return Ok(vec![all[0].clone()]);
    }
    Ok(vec![joined(c.b, parts, at)?])
}

/// Any number of tensors joined along an axis, in groups of as many as one instruction reads.
pub(super) fn joined(b: &mut Builder<'_>, mut parts: Vec<Lazy>, at: usize) -> Lowering<Lazy> {
    while parts.len() > 1 {
        let groups: Vec<Vec<Lazy>> = parts.chunks(MAX_OPERANDS).map(<[Lazy]>::to_vec).collect();
        parts = groups
            .into_iter()
            .map(|g| if g.len() == 1 { Ok(g[0].clone()) } else { join(b, &g, at) })
            .collect::<Lowering<_>>()?;
    }
    parts.pop().ok_or_else(|| "nothing to join".into())
}

fn join(b: &mut Builder<'_>, parts: &[Lazy], at: usize) -> Lowering<Lazy> {
    let mut dims = parts[0].dims();
    let lengths: Vec<u64> = parts.iter().map(|p| p.dims()[at]).collect();
    dims[at] = lengths.iter().try_fold(0u64, |sum, &n| sum.checked_add(n)).ok_or("its axis overflows")?;
    crate::lower::mul(&dims)?;
    let mut accesses = Vec::new();
    let mut start: i64 = 0;
    for (part, &length) in parts.iter().zip(&lengths) {
        let part = b.plain_axes(part.clone(), &[at])?;
        let stride = part.axes[at].first().map_or(0, |f| f.stride);
        let mut lazy = part.clone();
        lazy.axes[at] = axis(dims[at], stride);
        lazy.base = stride.checked_mul(start).and_then(|n| lazy.base.checked_sub(n)).ok_or("an address overflows")?;
        let own = Bound { limit: length, base: -start, terms: vec![(at, 1)] };
        accesses.push(Access::guarded(lazy, vec![own]));
        start += i64::try_from(length).map_err(|e| e.to_string())?;
    }
    let mut f = Formula::new(&dims);
    let mut loads = Vec::new();
    for group in accesses.chunks(MAX_ACCESSES) {
        loads.push(f.read(Read { fill: 0, accesses: group.to_vec() })?);
    }
    let mut result = *loads.last().ok_or("nothing to join")?;
    for &load in loads.iter().rev().skip(1) {
        let valid = f.valid(load)?;
        result = f.select(valid, load, result)?;
    }
    b.map(f, result)
}

/// Pad with a constant; negative pads crop.
pub(super) fn pad(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let mut x = c.input(0)?;
    let mode = c.attributes.string("mode")?.unwrap_or_else(|| "constant".into());
    if mode != "constant" {
        return Err(format!("mode `{mode}` is not supported"));
    }
    let pads = c.ints_or("pads", 1, 11)?.ok_or("its pads are missing")?;
    let fill = if c.opset < 11 {
        DType::F32.canonical(c.float("value", 0.0)?.to_bits().into())
    } else {
        match c.optional(2)? {
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
    for group in wider.chunks(MAX_GUARDS) {
        x = widened(c.b, x, group, fill)?;
    }
    Ok(vec![x])
}

fn widened(b: &mut Builder<'_>, x: Lazy, pads: &[(usize, i64, i64)], fill: i64) -> Lowering<Lazy> {
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
    b.map(f, load)
}
