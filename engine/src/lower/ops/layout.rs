//! Operators that only move elements: views.

use crate::lower::Lowering;
use crate::lower::context::{Context, axis_of, broadcast_dims};
use crate::lower::lazy::{Lazy, axis};
use crate::lower::mul;
use crate::program::DType;
use crate::tensor::Tensor;
use ndarray::{ArrayD, IxDyn};

pub(super) fn identity(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    Ok(vec![c.input(0)?])
}

/// Inference: everything passes, and the mask is all true (all one before operator set 10).
pub(super) fn dropout(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    c.inference()?;
    if c.opset < 12 {
        c.attributes.float("ratio")?;
    } else {
        c.attributes.int("seed")?;
        c.optional(1)?;
        let training = c.optional(2)?;
        if training.is_some_and(|t| c.b.scalar(&t) != Some(0)) {
            return Err("training is not supported; export for inference".into());
        }
    }
    if c.outputs() < 2 {
        return Ok(vec![x]);
    }
    let one = if c.opset < 10 && x.dtype == DType::F32 {
        Tensor::F32(ArrayD::ones(IxDyn(&[])))
    } else {
        Tensor::Bool(ArrayD::ones(IxDyn(&[])))
    };
    let mask = c.b.constant(one).broadcast(&x.dims()).ok_or("its mask does not broadcast")?;
    Ok(vec![x, mask])
}

pub(super) fn transpose(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let order = match c.attributes.ints("perm")? {
        None => (0..x.rank()).rev().collect(),
        Some(perm) => perm.iter().map(|&a| axis_of(a, x.rank())).collect::<Lowering<Vec<_>>>()?,
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..x.rank()) {
        return Err(format!("perm {order:?} is no order of {} axes", x.rank()));
    }
    view(c, &x, |x| x.permute(&order))
}

/// A view of `x`, by way of a copy where `x` has too many factors for an instruction to read it so.
fn view(c: &mut Context<'_, '_>, x: &Lazy, f: impl Fn(&Lazy) -> Lazy) -> Lowering<Vec<Lazy>> {
    let direct = f(x);
    if direct.readable() {
        return Ok(vec![direct]);
    }
    let copied = c.b.dense(x)?;
    Ok(vec![f(&copied)])
}

pub(super) fn expand(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let shape = c.optional_ints(1, "shape")?.ok_or("its shape is missing")?;
    let shape: Vec<u64> =
        shape.iter().map(|&d| u64::try_from(d).map_err(|_| format!("shape {shape:?}"))).collect::<Lowering<_>>()?;
    mul(&shape)?;
    let target = Lazy { axes: shape.iter().map(|&d| axis(d, 0)).collect(), ..x.clone() };
    let dims = broadcast_dims([&x, &target])?;
    Ok(vec![x.broadcast(&dims).ok_or("it does not broadcast to its shape")?])
}

pub(super) fn tile(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let repeats = c.optional_ints(1, "repeats")?.ok_or("its repeats are missing")?;
    if repeats.len() != x.rank() {
        return Err(format!("{} repeats for rank {}", repeats.len(), x.rank()));
    }
    let mut y = x;
    for (a, &n) in repeats.iter().enumerate() {
        let times = u64::try_from(n).map_err(|_| format!("repeat {n}"))?;
        let mut dims = y.dims();
        dims[a] = dims[a].saturating_mul(times);
        mul(&dims)?;
        y = y.tile(a, times);
    }
    let y = if y.readable() { y } else { c.b.dense(&y)? };
    Ok(vec![y])
}

/// Start, step and number of coordinates of a numpy slice.
fn range(size: u64, start: i64, end: i64, step: i64) -> Lowering<(u64, u64)> {
    let n = i128::from(size);
    let wrap = |x: i64| i128::from(x) + if x < 0 { n } else { 0 };
    if step == 0 {
        return Err("a slice of step 0".into());
    }
    let (low, high) = if step > 0 { (0, n) } else { (-1, n - 1) };
    let (start, end) = (wrap(start).clamp(low.min(high), high), wrap(end).clamp(low.min(high), high));
    let (distance, step) = if step > 0 { (end - start, i128::from(step)) } else { (start - end, -i128::from(step)) };
    let len = if distance <= 0 { 0 } else { (distance - 1) / step + 1 };
    Ok((u64::try_from(start.max(0)).map_err(|e| e.to_string())?, u64::try_from(len).map_err(|e| e.to_string())?))
}

pub(super) fn slice(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let mut x = c.input(0)?;
    let starts = c.ints_or("starts", 1, 10)?.ok_or("its starts are missing")?;
    let ends = c.ints_or("ends", 2, 10)?.ok_or("its ends are missing")?;
    let axes = c.ints_or("axes", 3, 10)?;
    let steps = if c.opset < 10 { None } else { c.optional_ints(4, "steps")? };
    let axes = axes.unwrap_or_else(|| (0i64..).take(starts.len()).collect());
    let steps = steps.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err("its starts, ends, axes and steps differ in number".into());
    }
    for i in 0..starts.len() {
        let a = axis_of(axes[i], x.rank())?;
        let (start, len) = range(x.dims()[a], starts[i], ends[i], steps[i])?;
        x = c.b.slice(&x, a, start, steps[i], len)?;
    }
    Ok(vec![x])
}

pub(super) fn split(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let a = axis_of(c.int("axis", 0)?, x.rank())?;
    let given = c.ints_or("split", 1, 13)?;
    let parts = match if c.opset < 18 { None } else { c.attributes.int("num_outputs")? } {
        Some(n) => usize::try_from(n).ok().filter(|&n| n == c.outputs()).ok_or_else(|| format!("num_outputs {n}"))?,
        None => c.outputs(),
    };
    let size = x.dims()[a];
    let sizes: Vec<u64> = match given {
        Some(sizes) => {
            sizes.iter().map(|&n| u64::try_from(n).map_err(|_| format!("a part of {n}"))).collect::<Lowering<_>>()?
        }
        None if c.opset < 18 && !size.is_multiple_of(parts.max(1) as u64) => {
            return Err(format!("an axis of {size}, not in {parts} equal parts"));
        }
        None => {
            // Equal parts, the last one smaller.
            let part = size.div_ceil(parts.max(1) as u64);
            (0..parts as u64).map(|i| part.min(size.saturating_sub(part.saturating_mul(i)))).collect()
        }
    };
    if sizes.len() != c.outputs() || sizes.iter().fold(0u64, |s, &n| s.saturating_add(n)) != size {
        return Err(format!("parts {sizes:?} of an axis of {size} for {} outputs", c.outputs()));
    }
    let mut start = 0;
    let mut out = Vec::new();
    for n in sizes {
        out.push(c.b.slice(&x, a, start, 1, n)?);
        start += n;
    }
    Ok(out)
}

/// The input as [n, c, h, w], the block size, and whether channels are outside the blocks (CRD) or inside (DCR).
fn blocks(c: &mut Context<'_, '_>, since: i64) -> Lowering<(Lazy, [u64; 4], u64, bool)> {
    let x = c.input(0)?;
    let block = c.attributes.int("blocksize")?.ok_or("attribute `blocksize` is missing")?;
    let block =
        u64::try_from(block).ok().filter(|b| (1..1 << 20).contains(b)).ok_or_else(|| format!("blocksize {block}"))?;
    let dims = <[u64; 4]>::try_from(x.dims()).map_err(|d| format!("input {d:?} is not [n, c, h, w]"))?;
    let mode = if c.opset < since { None } else { c.attributes.string("mode")? };
    let outside = match mode.as_deref() {
        None | Some("DCR") => false,
        Some("CRD") => true,
        Some(other) => return Err(format!("mode `{other}` does not exist")),
    };
    Ok((x, dims, block, outside))
}

pub(super) fn depth_to_space(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, [n, ch, h, w], b, outside) = blocks(c, 11)?;
    if ch % (b * b) != 0 {
        return Err(format!("{ch} channels in blocks of {b}"));
    }
    let depth = ch / (b * b);
    let (split, order) = if outside {
        ([n, depth, b, b, h, w], [0, 1, 4, 2, 5, 3])
    } else {
        ([n, b, b, depth, h, w], [0, 3, 4, 1, 5, 2])
    };
    let turned = c.b.reshape(&x, &split)?.permute(&order);
    Ok(vec![c.b.reshape(&turned, &[n, depth, h * b, w * b])?])
}

pub(super) fn space_to_depth(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, [n, ch, h, w], b, outside) = blocks(c, 28)?;
    if h % b != 0 || w % b != 0 {
        return Err(format!("{h} by {w} in blocks of {b}"));
    }
    let order = if outside { [0, 1, 3, 5, 2, 4] } else { [0, 3, 5, 1, 2, 4] };
    let turned = c.b.reshape(&x, &[n, ch, h / b, b, w / b, b])?.permute(&order);
    Ok(vec![c.b.reshape(&turned, &[n, ch * b * b, h / b, w / b])?])
}
