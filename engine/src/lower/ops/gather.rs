//! Operators that read where integers say: rows of indices that are known now, and indices that data gives.
//!
//! A negative index counts from the end. One that is out of range is an error where it is known, and otherwise reads 0.

use super::concat::joined;
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::constant::gather as gather_constant;
use crate::lower::context::{Context, axis_of};
use crate::lower::formula::Formula;
use crate::lower::lazy::{Axis, Lazy, axis, extent, row_major};
use crate::lower::mul;
use crate::lower::spec::{Access, Index, Read};
use crate::program::limits::MAX_INDIRECTS;
use crate::program::{DType, Op};
use crate::tensor::Tensor;

/// Rows that are joined one by one.
const JOINED: usize = 64;

/// Rows along an axis.
pub(super) fn gather(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, indices) = (c.input(0)?, c.input(1)?);
    let a = axis_of(c.int("axis", 0)?, x.rank())?;
    Ok(vec![gathered(c.b, &x, &indices, a)?])
}

/// The rows of axis `a` that the indices name, the indices' shape in the axis' place.
pub(super) fn gathered(b: &mut Builder<'_>, x: &Lazy, indices: &Lazy, a: usize) -> Lowering<Lazy> {
    let mut dims = x.dims();
    dims.splice(a..=a, indices.dims());
    mul(&dims)?;
    let known = b.ints(indices);
    if let Some(flat) = known.map(|known| rows(b, x, a, &known)).transpose()?.flatten() {
        return b.reshape(&flat, &dims);
    }
    let (x, indices) = (one_factor(b, x.clone())?, one_factor(b, indices.clone())?);
    let (before, after) = (&x.axes[..a], &x.axes[a + 1..]);
    let axes = [before, &still(&indices.dims()), after].concat();
    let over = |axes: &[Axis]| -> Vec<Axis> { axes.iter().map(|a| axis(extent(a), 0)).collect() };
    let places = Lazy { axes: [&over(before)[..], &indices.axes, &over(after)].concat(), ..indices.clone() };
    let index = index_of(&x, a, places)?;
    read(b, Lazy { axes, ..x }, vec![index])
}

/// The coordinates `known` of an axis, each inside it.
pub(super) fn take(b: &mut Builder<'_>, x: &Lazy, a: usize, known: &[i64]) -> Lowering<Lazy> {
    let taken = rows(b, x, a, known)?;
    taken.ok_or_else(|| format!("more than {JOINED} indices in no even row are only supported on constants"))
}

/// Elements along an axis, one for each index.
pub(super) fn gather_elements(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, indices) = (c.input(0)?, c.input(1)?);
    let a = axis_of(c.int("axis", 0)?, x.rank())?;
    let (from, dims) = (x.dims(), indices.dims());
    let fits = from.len() == dims.len() && (0..from.len()).all(|d| d == a || dims[d] <= from[d]);
    if !fits {
        return Err(format!("indices {dims:?} into {from:?}"));
    }
    let (mut x, indices) = (one_factor(c.b, x)?, one_factor(c.b, indices)?);
    let index = index_of(&x, a, indices)?;
    for (d, &n) in dims.iter().enumerate().filter(|&(d, _)| d != a) {
        x = c.b.slice(&x, d, 0, 1, n)?;
    }
    x.axes[a] = axis(dims[a], 0);
    Ok(vec![read(c.b, x, vec![index])?])
}

/// Blocks that the last axis of the indices names by several coordinates.
pub(super) fn gather_nd(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, indices) = (c.input(0)?, c.input(1)?);
    let batch = usize::try_from(c.int("batch_dims", 0)?).map_err(|e| e.to_string())?;
    let (from, at) = (x.dims(), indices.dims());
    let Some((&named, at)) = at.split_last() else { return Err("indices without an axis".into()) };
    let named = usize::try_from(named).map_err(|e| e.to_string())?;
    if batch > at.len() || at.get(..batch) != from.get(..batch) || !(1..=from.len() - batch).contains(&named) {
        return Err(format!("indices {:?} into {from:?} with {batch} batch axes", indices.dims()));
    }
    if named > MAX_INDIRECTS {
        return Err(format!("indices of {named} coordinates, at most {MAX_INDIRECTS} are supported"));
    }
    let (x, indices) = (one_factor(c.b, x)?, one_factor(c.b, indices)?);
    let rest = &from[batch + named..];
    let mut all = Vec::new();
    for n in 0..named {
        let mut places = c.b.slice(&indices, at.len(), n as u64, 1, 1)?;
        places.axes.pop();
        places.axes.extend(still(rest));
        all.push(index_of(&x, batch + n, places)?);
    }
    let axes = [&x.axes[..batch], &still(&at[batch..]), &x.axes[batch + named..]].concat();
    Ok(vec![read(c.b, Lazy { axes, ..x }, all)?])
}

/// The first elements along the time axis in reverse, as many as the batch's length says, then the others as they are.
pub(super) fn reverse_sequence(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, lengths) = (c.input(0)?, c.input(1)?);
    let (time, batch) = (axis_of(c.int("time_axis", 0)?, x.rank())?, axis_of(c.int("batch_axis", 1)?, x.rank())?);
    let dims = x.dims();
    if time == batch || lengths.dims() != [dims[batch]] {
        return Err(format!("lengths {:?} for axes {time} and {batch} of {dims:?}", lengths.dims()));
    }
    let (x, mut lengths) = (one_factor(c.b, x)?, one_factor(c.b, lengths)?);
    let own = lengths.axes.remove(0);
    lengths.axes = still(&dims);
    lengths.axes[batch] = own;
    // The element at `length - 1 - t`: the length is one more than an index may be.
    let mut index = index_of(&x, time, lengths.clone())?;
    index.limit += 1;
    let mut turned = x.clone();
    turned.base = turned.base.checked_sub(index.coefficient).ok_or("an address overflows")?;
    turned.axes[time] = axis(dims[time], -index.coefficient);

    let mut f = Formula::new(&dims);
    let turned =
        f.read(Read { fill: 0, accesses: vec![Access { indices: vec![index], ..Access::guarded(turned, vec![]) }] })?;
    let (same, length) = (f.read(Read::plain(x))?, f.read(Read::plain(lengths))?);
    let length = f.cast(DType::I64, length)?;
    let at = f.iota(u8::try_from(time).map_err(|e| e.to_string())?)?;
    let inside = f.op(Op::Lt, &[at, length])?;
    let result = f.select(inside, turned, same)?;
    Ok(vec![c.b.map(f, result)?])
}

/// A tensor whose axes are one loop each, so that it has common loops with any other such.
pub(super) fn one_factor(b: &mut Builder<'_>, lazy: Lazy) -> Lowering<Lazy> {
    let all: Vec<usize> = (0..lazy.rank()).collect();
    b.plain_axes(lazy, &all)
}

/// Axes along which nothing changes.
fn still(dims: &[u64]) -> Vec<Axis> {
    dims.iter().map(|&d| axis(d, 0)).collect()
}

/// The index into axis `a` of `x` that is read at each of `places`, which are over the result's axes.
fn index_of(x: &Lazy, a: usize, places: Lazy) -> Lowering<Index> {
    if !matches!(places.dtype, DType::I32 | DType::I64) {
        return Err(format!("indices of {}", places.dtype));
    }
    let coefficient = x.axes[a].first().map_or(0, |f| f.stride);
    // Into an axis of no elements any index misses.
    Ok(Index { lazy: places, limit: x.dims()[a].max(1), coefficient })
}

fn read(b: &mut Builder<'_>, lazy: Lazy, indices: Vec<Index>) -> Lowering<Lazy> {
    let dims = lazy.dims();
    mul(&dims)?;
    let mut f = Formula::new(&dims);
    let load = f.read(Read { fill: 0, accesses: vec![Access { indices, ..Access::guarded(lazy, vec![]) }] })?;
    b.map(f, load)
}

/// The rows of known indices along an axis, where that is a view, few rows or a constant.
fn rows(b: &mut Builder<'_>, x: &Lazy, a: usize, known: &[i64]) -> Lowering<Option<Lazy>> {
    let size = i64::try_from(x.dims()[a]).map_err(|e| e.to_string())?;
    let wrapped: Vec<i64> = known.iter().map(|&i| if i < 0 { i.saturating_add(size) } else { i }).collect();
    if let Some(bad) = wrapped.iter().find(|i| !(0..size).contains(i)) {
        return Err(format!("index {bad} of an axis of {size}"));
    }
    let step = if wrapped.len() > 1 { wrapped[1] - wrapped[0] } else { 1 };
    let even = wrapped.windows(2).all(|w| w[1] - w[0] == step);
    Ok(Some(if wrapped.is_empty() {
        b.slice(x, a, 0, 1, 0)?
    } else if even && step != 0 {
        b.slice(x, a, wrapped[0].unsigned_abs(), step, wrapped.len() as u64)?
    } else if even {
        let one = b.slice(x, a, wrapped[0].unsigned_abs(), 1, 1)?;
        let mut wide = one.dims();
        wide[a] = wrapped.len() as u64;
        one.broadcast(&wide).ok_or("its index does not repeat")?
    } else if b.constant_of(x.def).is_some() {
        let dense = b.dense(x)?;
        let tensor = b.constant_of(dense.def).filter(|t| t.len() as u64 == x.elements());
        let made = constant_rows(tensor.ok_or("a repeated constant in no even row")?, &x.dims(), a, &wrapped)?;
        b.constant(made)
    } else if wrapped.len() <= JOINED {
        let rows = wrapped.iter().map(|i| b.slice(x, a, i.unsigned_abs(), 1, 1)).collect::<Lowering<Vec<_>>>()?;
        joined(b, rows, a)?
    } else {
        return Ok(None);
    }))
}

/// The rows of a constant along an axis.
fn constant_rows(tensor: &Tensor, dims: &[u64], a: usize, indices: &[i64]) -> Lowering<Tensor> {
    let stride = row_major(dims)[a];
    let whole = Lazy::dense(0, tensor.dtype(), dims);
    let mut parts = Vec::with_capacity(indices.len());
    for &i in indices {
        let mut one = whole.clone();
        one.base = stride.checked_mul(i).ok_or("an address overflows")?;
        one.axes[a] = Axis::new();
        parts.push(gather_constant(tensor, &one)?);
    }
    macro_rules! join {
        ($variant:ident) => {{
            let views: Vec<_> =
                parts.iter().filter_map(|p| if let Tensor::$variant(x) = p { Some(x.view()) } else { None }).collect();
            Tensor::$variant(ndarray::concatenate(ndarray::Axis(a), &views).map_err(|e| e.to_string())?)
                .into_standard_layout()
        }};
    }
    Ok(match tensor.dtype() {
        DType::F32 => join!(F32),
        DType::U8 => join!(U8),
        DType::I8 => join!(I8),
        DType::U16 => join!(U16),
        DType::I16 => join!(I16),
        DType::I32 => join!(I32),
        DType::I64 => join!(I64),
        DType::Bool => join!(Bool),
        DType::F16 => join!(F16),
        DType::BF16 => join!(BF16),
    })
}
