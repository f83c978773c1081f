//! Joined tensors: views of which the first whose guards hold gives the element.

use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::{Context, axis_of};
use crate::lower::formula::Formula;
use crate::lower::lazy::{Lazy, axis};
use crate::lower::spec::{Access, Bound, Read};
use crate::program::limits::{MAX_ACCESSES, MAX_OPERANDS};

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
pub(in crate::lower) fn joined(b: &mut Builder<'_>, mut parts: Vec<Lazy>, at: usize) -> Lowering<Lazy> {
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

/// Coordinates of an axis in any order and number, as even runs that are joined; `None` where there are more than `most` runs.
pub(super) fn picked(
    b: &mut Builder<'_>,
    x: &Lazy,
    at: usize,
    coordinates: &[u64],
    most: usize,
) -> Lowering<Option<Lazy>> {
    let runs = runs(coordinates)?;
    if runs.len() > most {
        return Ok(None);
    }
    let mut parts = Vec::with_capacity(runs.len());
    for (start, step, length) in runs {
        parts.push(if step == 0 {
            let one = b.slice(x, at, start, 1, 1)?;
            let mut dims = one.dims();
            dims[at] = length;
            one.broadcast(&dims).ok_or("its coordinate does not repeat")?
        } else {
            b.slice(x, at, start, step, length)?
        });
    }
    if parts.is_empty() { b.slice(x, at, 0, 1, 0).map(Some) } else { joined(b, parts, at).map(Some) }
}

/// First coordinate, step and length of each even run.
fn runs(coordinates: &[u64]) -> Lowering<Vec<(u64, i64, u64)>> {
    let signed = |x: u64| i64::try_from(x).map_err(|e| e.to_string());
    let mut runs = Vec::new();
    let mut rest = coordinates;
    while let Some((&first, others)) = rest.split_first() {
        let step = others.first().map_or(Ok(1), |&next| Ok::<i64, String>(signed(next)? - signed(first)?))?;
        let mut length = 1;
        while length < rest.len() && signed(rest[length])? - signed(rest[length - 1])? == step {
            length += 1;
        }
        runs.push((first, step, length as u64));
        rest = &rest[length..];
    }
    Ok(runs)
}
