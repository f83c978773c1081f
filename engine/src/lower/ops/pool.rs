//! Pooling: folds over windows.

use super::elementwise::map;
use super::reduce::{fold_axes, fold_body};
use super::window::{Window, windows};
use crate::lower::Lowering;
use crate::lower::bill::STEP_GAS_CEILING;
use crate::lower::builder::Builder;
use crate::lower::constant::from_registers;
use crate::lower::context::Context;
use crate::lower::formula::Formula;
use crate::lower::lazy::{Lazy, axis};
use crate::lower::mul;
use crate::lower::spec::{Access, Read, Spec};
use crate::program::{Core, DType, Expr, FoldOp, Node, NodeId, Op, TensorType};

/// The greatest element of each window and, where asked for, where it is in the flattened input.
pub(super) fn max_pool(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let column_major = c.flag("storage_order", false)?;
    let windows = pool_windows(c, &x, c.opset >= 10)?;
    let y = pool(c.b, &x, &windows, Folded::elements(FoldOp::Max, x.dtype), |_, _, core| Ok(core))?;
    if c.outputs() < 2 {
        return Ok(vec![channels_second(&y)]);
    }
    let indices = indices(c.b, &x, &windows, &y, column_major)?;
    Ok(vec![channels_second(&y), channels_second(&indices)])
}

/// Where each window's maximum is, of several the first in row-major order; over n, spatial.., c as `y`.
fn indices(b: &mut Builder<'_>, x: &Lazy, windows: &[Window], y: &Lazy, column_major: bool) -> Lowering<Lazy> {
    let (n, dims) = (windows.len(), x.dims());
    let signed = |d: &[u64]| i64::try_from(mul(d)?).map_err(|e| e.to_string());
    let strides: Vec<i64> = (0..n).map(|i| signed(&dims[3 + i..])).collect::<Lowering<_>>()?;
    let kernel: Vec<u64> = windows.iter().map(|w| w.kernel.unsigned_abs()).collect();
    b.budget.table(mul(&kernel)?)?;
    // Address of each tap within a channel from that of the first one.
    let mut offsets = vec![0i64];
    for (w, stride) in windows.iter().zip(&strides) {
        let step = w.dilation.checked_mul(*stride).ok_or("an index overflows")?;
        let tap = |o: &i64, k: i64| k.checked_mul(step).and_then(|k| o.checked_add(k));
        let all: Option<Vec<i64>> = offsets.iter().flat_map(|o| (0..w.kernel).map(move |k| tap(o, k))).collect();
        offsets = all.ok_or("an index overflows")?;
    }
    let offsets = b.integers(&offsets).reshape(&kernel).ok_or("its taps cannot be counted")?;

    let all: Vec<u64> = y.dims().into_iter().chain(kernel.iter().copied()).collect();
    let mut f = Formula::new(&all);
    // The window itself comes first; where it lies is not known yet.
    let placeholder = Lazy { axes: all.iter().map(|&e| axis(e, 0)).collect(), ..x.clone() };
    let element = f.read(Read::plain(placeholder))?;
    let greatest = f.read(Read::plain(Lazy {
        axes: y.axes.iter().cloned().chain(kernel.iter().map(|&k| axis(k, 0))).collect(),
        ..y.clone()
    }))?;
    let offset = f.load(b, &offsets)?;
    let mut found = f.op(Op::Eq, &[element, greatest])?;
    if x.dtype == DType::F32 {
        let (element, greatest) = (f.op(Op::Ne, &[element, element])?, f.op(Op::Ne, &[greatest, greatest])?);
        let neither = f.op(Op::And, &[element, greatest])?;
        found = f.op(Op::Or, &[found, neither])?;
    }
    let inside = f.valid(element)?;
    let found = f.op(Op::And, &[found, inside])?;
    let none = f.register(DType::I64, i64::MAX)?;
    let chosen = f.select(found, offset, none)?;
    let (mut others, body, _) = f.finish(chosen);
    others.remove(0);
    let folded = Folded { op: FoldOp::Min, fill: FoldOp::Max.empty(x.dtype), body, others, dtype: DType::I64 };

    // The first tap's address within the channel.
    let within = pool(b, x, windows, folded, |_, f, core| {
        let mut at = core;
        for (i, (w, stride)) in windows.iter().zip(&strides).enumerate() {
            let step = w.stride.checked_mul(*stride).ok_or("an index overflows")?;
            at = counted(f, at, 1 + i, step)?;
        }
        let before =
            windows.iter().zip(&strides).try_fold(0i64, |sum, (w, s)| sum.checked_sub(w.pads.0.checked_mul(*s)?));
        let before = f.register(DType::I64, before.ok_or("an index overflows")?)?;
        f.op(Op::Add, &[at, before])
    })?;
    let mut f = Formula::new(&within.dims());
    let mut at = f.load(b, &within)?;
    if column_major {
        let mut rest = at;
        let mut sum = f.register(DType::I64, 0)?;
        for (i, stride) in strides.iter().enumerate() {
            let (row, column) = (f.register(DType::I64, *stride)?, f.register(DType::I64, signed(&dims[2..2 + i])?)?);
            let coordinate = f.op(Op::Div, &[rest, row])?;
            rest = f.op(Op::Rem, &[rest, row])?;
            let part = f.op(Op::Mul, &[coordinate, column])?;
            sum = f.op(Op::Add, &[sum, part])?;
        }
        at = sum;
    }
    at = counted(&mut f, at, 0, signed(&dims[1..])?)?;
    at = counted(&mut f, at, n + 1, signed(&dims[2..])?)?;
    b.map(f, at)
}

/// `at` and the coordinate of an axis times `step`.
fn counted(f: &mut Formula, at: NodeId, axis: usize, step: i64) -> Lowering<NodeId> {
    let coordinate = f.iota(u8::try_from(axis).map_err(|e| e.to_string())?)?;
    let step = f.register(DType::I64, step)?;
    let part = f.op(Op::Mul, &[coordinate, step])?;
    f.op(Op::Add, &[at, part])
}

/// LpPool: the p-th root of the sum of p-th powers; padding adds nothing.
pub(super) fn lp_pool(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, p) = powers(c)?;
    let windows = pool_windows(c, &x, c.opset >= 18)?;
    let y = pool(c.b, &x, &windows, Folded::norm(p), |_, f, core| rooted(f, core, p))?;
    Ok(vec![channels_second(&y)])
}

pub(super) fn global_lp_pool(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, p) = powers(c)?;
    let axes = spatial(&x)?;
    let body = |_: &Builder<'_>, f: &mut Formula, x: NodeId| if p == 1 { f.op(Op::Abs, &[x]) } else { Ok(x) };
    Ok(vec![fold_body(c.b, &x, &axes, Folded::norm(p).op, body, |f, core| rooted(f, core, p))?])
}

/// The input and p; where p is neither 1 nor 2, the powers of the input: a fold computes none.
fn powers(c: &mut Context<'_, '_>) -> Lowering<(Lazy, i32)> {
    let x = c.input(0)?;
    let p = c.int("p", 2)?;
    let p = i32::try_from(p).ok().filter(|p| (1..1 << 16).contains(p)).ok_or_else(|| format!("a norm of order {p}"))?;
    if x.dtype != DType::F32 {
        return Err(format!("norms of {} are not supported", x.dtype));
    }
    if p <= 2 {
        return Ok((x, p));
    }
    let powers = map(c.b, &[&x], |f, x| {
        let (size, p) = (f.op(Op::Abs, x)?, f.float(p as f32)?);
        f.op(Op::Pow, &[size, p])
    });
    Ok((powers?, p))
}

fn rooted(f: &mut Formula, sum: NodeId, p: i32) -> Lowering<NodeId> {
    match p {
        1 => Ok(sum),
        2 => f.op(Op::Sqrt, &[sum]),
        _ => {
            let root = f.float(1.0 / p as f32)?;
            f.op(Op::Pow, &[sum, root])
        }
    }
}

/// Sum by number of elements: padding counts as zeros, or does not count.
pub(super) fn average_pool(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let include = c.flag("count_include_pad", false)?;
    let windows = pool_windows(c, &x, c.opset >= 19)?;
    let count = divisor(c.b, &windows, include)?;
    // -0 changes no sum, so that padding left out is as if it were not there.
    let fill = i64::from(if include { 0.0f32 } else { -0.0 }.to_bits());
    let sum = Folded { fill, ..Folded::elements(FoldOp::Sum, x.dtype) };
    let average = pool(c.b, &x, &windows, sum, |b, f, core| {
        let n = f.load(b, &count)?;
        f.op(Op::Div, &[core, n])
    });
    Ok(vec![channels_second(&average?)])
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
        b.budget.table(w.output.unsigned_abs())?;
        let counts: Vec<i64> = (0..w.output).map(inside).collect();
        let same = counts.windows(2).all(|p| p[0] == p[1]);
        per_axis.push(if same { counts[..1].to_vec() } else { counts });
    }
    let dims: Vec<u64> = per_axis.iter().map(|a| a.len() as u64).collect();
    b.budget.table(mul(&dims)?)?;
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

/// What is folded over a window.
struct Folded {
    op: FoldOp,
    /// What the window gives outside the input.
    fill: i64,
    /// Of the window's element (view 0) and the others.
    body: Expr,
    /// Over all axes.
    others: Vec<Read>,
    /// The body's.
    dtype: DType,
}

impl Folded {
    /// The elements themselves.
    fn elements(op: FoldOp, dtype: DType) -> Self {
        Self { op, fill: op.empty(dtype), body: Expr { nodes: vec![Node::Load(0)] }, others: Vec::new(), dtype }
    }

    /// What the norm of order `p` is the root of, of elements or of their powers.
    fn norm(p: i32) -> Self {
        let sum = Self::elements(if p == 2 { FoldOp::SumSq } else { FoldOp::Sum }, DType::F32);
        let mut nodes = sum.body.nodes.clone();
        nodes.extend((p == 1).then_some(Node::Apply(Op::Abs, [0; 3])));
        Self { body: Expr { nodes }, ..sum }
    }
}

/// From n, spatial.., c to n, c, spatial..
fn channels_second(y: &Lazy) -> Lazy {
    let last = y.rank() - 1;
    let order: Vec<usize> = std::iter::once(0).chain([last]).chain(1..last).collect();
    y.permute(&order)
}

/// A fold over windows; the axes of the result are n, spatial.., c.
fn pool(
    b: &mut Builder<'_>,
    x: &Lazy,
    windows: &[Window],
    folded: Folded,
    epilogue: impl FnOnce(&Builder<'_>, &mut Formula, NodeId) -> Lowering<NodeId>,
) -> Lowering<Lazy> {
    let Folded { op, fill, body, others, dtype } = folded;
    if !op.accepts(dtype) || !x.dtype.is_number() || op == FoldOp::Sum && x.dtype != DType::F32 {
        return Err(format!("pooling of {} is not supported", x.dtype));
    }
    let n = windows.len();
    let dims = x.dims();
    let extents: Vec<u64> =
        std::iter::once(dims[0]).chain(windows.iter().map(|w| w.output.unsigned_abs())).chain([dims[1]]).collect();
    let reduction: Vec<u64> = windows.iter().map(|w| w.kernel.unsigned_abs()).collect();
    let mut f = Formula::new(&extents);
    let core = f.core(dtype)?;
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
        let reads = std::iter::once(read).chain(others.iter().cloned()).collect();
        Ok(Spec::reduction(reduction.clone(), Core::Fold { op, body: body.clone() }, reads, f.clone(), result))
    };
    let mut best: Option<(u64, Spec)> = None;
    for copied in [false, true] {
        let laid = match copied {
            false if x.axes[2..].iter().any(|a| a.len() > 1) => continue,
            false => x.clone(),
            true => b.dense(x)?,
        };
        let candidate = spec(&laid)?;
        let gas = b.reduction_gas(&candidate, dtype)?;
        if best.as_ref().is_none_or(|b| gas < b.0) {
            best = Some((gas, candidate));
        }
        if best.as_ref().is_some_and(|b| b.0 <= STEP_GAS_CEILING) {
            break;
        }
    }
    let (_, spec) = best.ok_or("its input has no usable layout")?;
    b.reduce(spec, dtype)
}
