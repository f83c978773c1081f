//! Operators that regroup axes, and those that ask for sizes.

use crate::lower::Lowering;
use crate::lower::context::{Context, axes_of, axis_of};
use crate::lower::lazy::Lazy;
use crate::lower::mul;

pub(super) fn reshape(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let wanted = c.optional_ints(1, "shape")?.ok_or("its shape is missing")?;
    let zero = c.opset >= 14 && c.flag("allowzero", false)?;
    let mut dims = Vec::with_capacity(wanted.len());
    let mut open = None;
    for (i, &d) in wanted.iter().enumerate() {
        dims.push(match d {
            -1 if open.is_none() => {
                open = Some(i);
                1
            }
            0 if !zero => *x
                .dims()
                .get(i)
                .ok_or_else(|| format!("shape {wanted:?} copies a dimension that {:?} lacks", x.dims()))?,
            d => u64::try_from(d).map_err(|_| format!("shape {wanted:?}"))?,
        });
    }
    if let Some(i) = open {
        let known = mul(&dims)?;
        if known == 0 || x.elements() % known != 0 {
            return Err(format!("{:?} cannot become {wanted:?}", x.dims()));
        }
        dims[i] = x.elements() / known;
    }
    Ok(vec![c.b.reshape(&x, &dims)?])
}

/// Two axes: all before `axis`, and the rest.
pub(super) fn flatten(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let axis = c.int("axis", 1)?;
    let at = if usize::try_from(axis) == Ok(x.rank()) { x.rank() } else { axis_of(axis, x.rank())? };
    let dims = [mul(&x.dims()[..at])?, mul(&x.dims()[at..])?];
    Ok(vec![c.b.reshape(&x, &dims)?])
}

pub(super) fn squeeze(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let dims = x.dims();
    let axes = match c.ints_or("axes", 1, 13)? {
        Some(axes) => axes_of(&axes, x.rank())?,
        None => (0..x.rank()).filter(|&a| dims[a] == 1).collect(),
    };
    if let Some(&a) = axes.iter().find(|&&a| dims[a] != 1) {
        return Err(format!("axis {a} of {dims:?} is not 1"));
    }
    let kept: Vec<usize> = (0..x.rank()).filter(|a| !axes.contains(a)).collect();
    Ok(vec![x.permute(&kept)])
}

pub(super) fn unsqueeze(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let given = c.ints_or("axes", 1, 13)?.ok_or("its axes are missing")?;
    let axes = axes_of(&given, x.rank() + given.len())?;
    Ok(vec![axes.into_iter().fold(x, |y, a| y.with_axis(a))])
}

pub(super) fn shape(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let dims: Vec<i64> = x.dims().iter().map(|&d| i64::try_from(d).unwrap_or(i64::MAX)).collect();
    let rank = i64::try_from(dims.len()).map_err(|e| e.to_string())?;
    let (mut start, mut end) = (0, rank);
    if c.opset >= 15 {
        let clamp = |x: i64| (if x < 0 { x.saturating_add(rank) } else { x }).clamp(0, rank);
        (start, end) = (clamp(c.int("start", 0)?), clamp(c.int("end", rank)?));
    }
    let part = dims.get(start.unsigned_abs() as usize..end.max(start).unsigned_abs() as usize).unwrap_or_default();
    Ok(vec![c.b.integers(part)])
}

pub(super) fn size(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x: Lazy = c.input(0)?;
    let n = i64::try_from(x.elements()).map_err(|e| e.to_string())?;
    let one = c.b.integers(&[n]);
    Ok(vec![c.b.reshape(&one, &[])?])
}
