//! Pooling: folds over windows.

use super::reduce::fold_axes;
use super::window::{Window, windows};
use crate::lower::Lowering;
use crate::lower::bill::STEP_GAS_CEILING;
use crate::lower::builder::Builder;
use crate::lower::constant::from_registers;
use crate::lower::context::Context;
use crate::lower::formula::Formula;
use crate::lower::lazy::Lazy;
use crate::lower::mul;
use crate::lower::spec::{Access, Read, Spec};
use crate::program::{Core, DType, Expr, FoldOp, Node, NodeId, Op, TensorType};

pub(super) fn max_pool(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    // The storage order concerns the indices, which are not computed.
    c.attributes.int("storage_order")?;
    let windows = pool_windows(c, &x, c.opset >= 10)?;
    let fill = FoldOp::Max.empty(x.dtype);
    Ok(vec![pool(c.b, &x, &windows, FoldOp::Max, fill, |_, _, core| Ok(core))?])
}

/// Sum by number of elements: padding counts as zeros, or does not count.
pub(super) fn average_pool(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let include = c.flag("count_include_pad", false)?;
    let windows = pool_windows(c, &x, c.opset >= 19)?;
    let count = divisor(c.b, &windows, include)?;
    // -0 changes no sum, so that padding left out is as if it were not there.
    let fill = i64::from(if include { 0.0f32 } else { -0.0 }.to_bits());
    let average = pool(c.b, &x, &windows, FoldOp::Sum, fill, |b, f, core| {
        let n = f.load(b, &count)?;
        f.op(Op::Div, &[core, n])
    });
    Ok(vec![average?])
}

pub(super) fn global_max_pool(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let axes = spatial(&x)?;
    Ok(vec![fold_axes(c.b, &x, &axes, FoldOp::Max, |_, core| Ok(core))?])
}

pub(super) fn global_average_pool(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let axes = spatial(&x)?;
    let n = mul(&x.dims()[2..])? as f32;
    let mean = fold_axes(c.b, &x, &axes, FoldOp::Sum, |f, core| {
        let n = f.float(n)?;
        f.op(Op::Div, &[core, n])
    });
    Ok(vec![mean?])
}

fn spatial(x: &Lazy) -> Lowering<Vec<usize>> {
    if x.rank() < 3 {
        Err(format!("input {:?} is not [n, c, spatial..]", x.dims()))
    } else {
        Ok((2..x.rank()).collect())
    }
}

fn pool_windows(c: &mut Context<'_, '_>, x: &Lazy, dilated: bool) -> Lowering<Vec<Window>> {
    spatial(x)?;
    let kernel = c.attributes.ints("kernel_shape")?.ok_or("attribute `kernel_shape` is missing")?;
    windows(c, &x.dims()[2..], &kernel, dilated, true)
}

/// How many elements each window has, over the spatial axes; a window beyond the padding has fewer even with padding counted.
fn divisor(b: &mut Builder<'_>, windows: &[Window], include: bool) -> Lowering<Lazy> {
    let mut per_axis: Vec<Vec<i64>> = Vec::new();
    for w in windows {
        let (first, end) = if include { (0, w.input + w.pads.0 + w.pads.1) } else { (w.pads.0, w.pads.0 + w.input) };
        let inside = |at: i64| {
            // Taps t with first <= start + t * dilation < end.
            let start = at * w.stride;
            let low = (first - start).max(0);
            let low = low / w.dilation + i64::from(low % w.dilation != 0);
            let high = if end > start { (end - start - 1) / w.dilation + 1 } else { 0 };
            (high.min(w.kernel) - low).max(0)
        };
        if w.output > 1 << 24 {
            return Err("its output is too large for a table of divisors".into());
        }
        let counts: Vec<i64> = (0..w.output).map(inside).collect();
        let same = counts.windows(2).all(|p| p[0] == p[1]);
        per_axis.push(if same { counts[..1].to_vec() } else { counts });
    }
    let dims: Vec<u64> = per_axis.iter().map(|a| a.len() as u64).collect();
    if mul(&dims)? > 1 << 24 {
        return Err("its output is too large for a table of divisors".into());
    }
    let mut table = vec![1i64];
    for counts in &per_axis {
        table = table.iter().flat_map(|t| counts.iter().map(move |c| t.saturating_mul(*c))).collect();
    }
    // Counts are integers below 2^63; their conversion rounds once, as a sum of ones would not.
    let registers = table.iter().map(|&n| i64::from((n as f32).to_bits()));
    let table = b.constant(from_registers(&TensorType::new(DType::F32, dims), registers)?);
    // Over n, spatial.., c as the pool's elements lie.
    let axes = std::iter::once(Vec::new()).chain(table.axes.iter().cloned()).chain([Vec::new()]).collect();
    Ok(Lazy { axes, ..table })
}

/// A fold over windows; the element axes are n, spatial.., c.
fn pool(
    b: &mut Builder<'_>,
    x: &Lazy,
    windows: &[Window],
    op: FoldOp,
    fill: i64,
    epilogue: impl FnOnce(&Builder<'_>, &mut Formula, NodeId) -> Lowering<NodeId>,
) -> Lowering<Lazy> {
    if !op.accepts(x.dtype) || op == FoldOp::Sum && x.dtype != DType::F32 {
        return Err(format!("pooling of {} is not supported", x.dtype));
    }
    let n = windows.len();
    let dims = x.dims();
    let extents: Vec<u64> =
        std::iter::once(dims[0]).chain(windows.iter().map(|w| w.output.unsigned_abs())).chain([dims[1]]).collect();
    let reduction: Vec<u64> = windows.iter().map(|w| w.kernel.unsigned_abs()).collect();
    let mut f = Formula::new(&extents);
    let core = f.core(x.dtype)?;
    let result = epilogue(b, &mut f, core)?;
    let spec = |x: &Lazy| -> Lowering<Spec> {
        let mut base = x.base;
        let (mut spatial, mut kernel, mut guards) = (Vec::new(), Vec::new(), Vec::new());
        for (i, w) in windows.iter().enumerate() {
            let (at, tap, offset) = w.address(x.axes[2 + i].first().map_or(0, |f| f.stride))?;
            base = base.checked_add(offset).ok_or("a window's address overflows")?;
            spatial.push(at);
            kernel.push(tap);
            guards.extend(w.guard(1 + i, 2 + n + i));
        }
        let axes = std::iter::once(x.axes[0].clone()).chain(spatial).chain([x.axes[1].clone()]).chain(kernel).collect();
        let read = Read { fill, accesses: vec![Access::guarded(Lazy { base, axes, ..x.clone() }, guards)] };
        let core = Core::Fold { op, body: Expr { nodes: vec![Node::Load(0)] } };
        Ok(Spec::reduction(reduction.clone(), core, vec![read], f.clone(), result))
    };
    let mut best: Option<(u64, Spec)> = None;
    for copied in [false, true] {
        let laid = match copied {
            false if x.axes[2..].iter().any(|a| a.len() > 1) => continue,
            false => x.clone(),
            true => b.dense(x)?,
        };
        let candidate = spec(&laid)?;
        let gas = b.reduction_gas(&candidate, x.dtype)?;
        if best.as_ref().is_none_or(|b| gas < b.0) {
            best = Some((gas, candidate));
        }
        if best.as_ref().is_some_and(|b| b.0 <= STEP_GAS_CEILING) {
            break;
        }
    }
    let (_, spec) = best.ok_or("its input has no usable layout")?;
    let y = b.reduce(spec, x.dtype)?;
    let order: Vec<usize> = std::iter::once(0).chain([n + 1]).chain(1..=n).collect();
    Ok(y.permute(&order))
}
