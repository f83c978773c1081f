//! Products of quantized tensors: sums of (a - its zero point) * (b - its zero point) in i32, which wrap.
//!
//! QLinear operators requantise in the epilogue: f32(sum) times one factor, (scale of a * scale of b) / scale of y, rounded; the zero
//! point is added in f32, and the cast saturates.

use super::conv::Convolution;
use super::elementwise::map;
use super::matmul::{of_matrices, product};
use super::quantize::{is_float, quantized_type, rounded, saturated, uniform};
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::Context;
use crate::lower::formula::Formula;
use crate::lower::lazy::{Axis, Lazy};
use crate::lower::spec::Read;
use crate::program::{Core, DType, FoldOp, NodeId, Op};

/// The fold over all axes `dims`; zero points broadcast to them.
fn sum_of_products(
    b: &Builder<'_>,
    dims: &[u64],
    reads: [Read; 2],
    zeros: [Option<&Lazy>; 2],
) -> Lowering<(Core, Vec<Read>)> {
    let mut f = Formula::new(dims);
    let mut factors = [0; 2];
    for ((factor, mut read), zero) in factors.iter_mut().zip(reads).zip(zeros) {
        let known = zero.map_or(Some(0), |z| uniform(b, z));
        let everywhere = read.as_plain().is_some();
        if let Some(known) = known {
            // What pads are: they count nothing.
            read.fill = known;
        }
        let load = f.read(read)?;
        let wide = f.cast(DType::I32, load)?;
        *factor = match (known, zero) {
            (Some(0), _) | (None, None) => wide,
            (Some(known), _) => {
                let zero = f.register(DType::I32, known)?;
                f.op(Op::Sub, &[wide, zero])?
            }
            (None, Some(zero)) => {
                let zero = f.load(b, zero)?;
                let zero = f.cast(DType::I32, zero)?;
                let moved = f.op(Op::Sub, &[wide, zero])?;
                if everywhere {
                    moved
                } else {
                    let (valid, nothing) = (f.valid(load)?, f.register(DType::I32, 0)?);
                    f.select(valid, moved, nothing)?
                }
            }
        };
    }
    let result = f.op(Op::Mul, &factors)?;
    let (reads, body, _) = f.finish(result);
    Ok((Core::Fold { op: FoldOp::Sum, body }, reads))
}

/// Both factors are of 8 bits and have zero points of their own type.
fn check_types(factors: [&Lazy; 2], zeros: [Option<&Lazy>; 2]) -> Lowering<()> {
    for (t, zero) in factors.into_iter().zip(zeros) {
        if !matches!(t.dtype, DType::U8 | DType::I8) {
            return Err(format!("an integer product of {}: only u8 and i8 are supported", t.dtype));
        }
        if let Some(zero) = zero.filter(|z| z.dtype != t.dtype) {
            return Err(format!("its zero point is {}, its tensor {}", zero.dtype, t.dtype));
        }
    }
    Ok(())
}

/// One number, or one for each row of a matrix: [m] or [.., m, 1].
fn per_row(b: &mut Builder<'_>, t: &Lazy) -> Lowering<Lazy> {
    if t.elements() == 1 {
        return b.reshape(t, &[]);
    }
    let mut rows = t.clone();
    if rows.rank() == 1 {
        rows.axes.push(Axis::new());
    }
    Ok(rows)
}

/// One number, or one for each column of a matrix: [n] or [.., 1, n].
fn per_column(b: &mut Builder<'_>, t: &Lazy) -> Lowering<Lazy> {
    if t.elements() == 1 { b.reshape(t, &[]) } else { Ok(t.clone()) }
}

/// The product of matrices with the epilogue.
fn multiply(
    builder: &mut Builder<'_>,
    a: &Lazy,
    b: &Lazy,
    zeros: [Option<Lazy>; 2],
    epilogue: impl FnOnce(&Builder<'_>, &mut Formula, NodeId) -> Lowering<NodeId>,
) -> Lowering<Lazy> {
    let [row, column] = zeros;
    // Over [batch.., m, n, k].
    let row = row.map(|z| per_row(builder, &z)).transpose()?.map(|mut z| {
        if z.rank() > 0 {
            z.axes.insert(z.rank() - 1, Axis::new());
        }
        z
    });
    let column = column.map(|z| per_column(builder, &z)).transpose()?.map(|mut z| {
        if z.rank() > 0 {
            z.axes.push(Axis::new());
        }
        z
    });
    let core = |b: &Builder<'_>, dims: &[u64], reads: [Read; 2]| {
        sum_of_products(b, dims, reads, [row.as_ref(), column.as_ref()])
    };
    product(builder, a, b, DType::I32, core, epilogue)
}

pub(super) fn matmul(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (a, b, za, zb) = (c.input(0)?, c.input(1)?, c.optional(2)?, c.optional(3)?);
    check_types([&a, &b], [za.as_ref(), zb.as_ref()])?;
    let y = of_matrices(a, b, |a, b| multiply(c.b, a, b, [za, zb], |_, _, core| Ok(core)));
    Ok(vec![y?])
}

/// (scale of a * scale of b) / scale of y, each rounded to the scales' type.
fn factor(b: &mut Builder<'_>, scales: [&Lazy; 3]) -> Lowering<Lazy> {
    let dtype = scales[0].dtype;
    if !is_float(dtype) || scales.iter().any(|s| s.dtype != dtype) {
        return Err(format!("scales of {}, {} and {}", dtype, scales[1].dtype, scales[2].dtype));
    }
    map(b, &scales, |f, n| {
        let wide = n.iter().map(|&s| f.cast(DType::F32, s)).collect::<Lowering<Vec<_>>>()?;
        let both = f.op(Op::Mul, &wide[..2])?;
        let both = rounded(f, both, dtype)?;
        let quotient = f.op(Op::Div, &[both, wide[2]])?;
        rounded(f, quotient, dtype)
    })
}

/// The sum in the result's scale and type, which is that of the zero point.
fn requantised(b: &Builder<'_>, f: &mut Formula, sum: NodeId, factor: &Lazy, zero: &Lazy) -> Lowering<NodeId> {
    let to = quantized_type(zero.dtype)?;
    let sum = f.cast(DType::F32, sum)?;
    let factor = f.load(b, factor)?;
    let scaled = f.op(Op::Mul, &[sum, factor])?;
    let zero = f.load(b, zero)?;
    let zero = f.cast(DType::F32, zero)?;
    saturated(f, scaled, Some(zero), to)
}

pub(super) fn qlinear_matmul(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (a, sa, za) = (c.input(0)?, c.input(1)?, c.input(2)?);
    let (b, sb, zb) = (c.input(3)?, c.input(4)?, c.input(5)?);
    let (sy, zy) = (c.input(6)?, c.input(7)?);
    check_types([&a, &b], [Some(&za), Some(&zb)])?;
    let scales = [per_row(c.b, &sa)?, per_column(c.b, &sb)?, per_row(c.b, &sy)?];
    let factor = factor(c.b, scales.each_ref())?;
    let zero = per_row(c.b, &zy)?;
    let y = of_matrices(a, b, |a, b| {
        multiply(c.b, a, b, [Some(za), Some(zb)], |b, f, sum| requantised(b, f, sum, &factor, &zero))
    });
    Ok(vec![y?])
}

/// The zero points of a convolution over all of its axes: one of the input, one or one a map of the weights.
fn zeros_of(b: &mut Builder<'_>, convolution: &Convolution, zeros: [Option<Lazy>; 2]) -> Lowering<[Option<Lazy>; 2]> {
    let [x, w] = zeros;
    let x = x.map(|z| one(b, &z, "zero point of the input")).transpose()?;
    let mut w = w.map(|z| each_map(b, convolution, &z, "zero point of the weights")).transpose()?;
    if let Some(w) = w.as_mut().filter(|w| w.rank() > 0) {
        w.axes.extend(vec![Axis::new(); convolution.reduced()]);
    }
    Ok([x, w])
}

fn one(b: &mut Builder<'_>, t: &Lazy, what: &str) -> Lowering<Lazy> {
    if t.elements() == 1 { b.reshape(t, &[]) } else { Err(format!("its {what} {:?} is not one number", t.dims())) }
}

fn each_map(b: &mut Builder<'_>, convolution: &Convolution, t: &Lazy, what: &str) -> Lowering<Lazy> {
    if t.elements() == 1 { b.reshape(t, &[]) } else { convolution.per_map(b, t, what) }
}

pub(super) fn conv(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, w, zx, zw) = (c.input(0)?, c.input(1)?, c.optional(2)?, c.optional(3)?);
    check_types([&x, &w], [zx.as_ref(), zw.as_ref()])?;
    let convolution = Convolution::read(c, x, w)?;
    let [zx, zw] = zeros_of(c.b, &convolution, [zx, zw])?;
    let core =
        |b: &Builder<'_>, dims: &[u64], reads: [Read; 2]| sum_of_products(b, dims, reads, [zx.as_ref(), zw.as_ref()]);
    Ok(vec![convolution.compute(c.b, DType::I32, core, |_, _, sum| Ok(sum))?])
}

pub(super) fn qlinear_conv(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, sx, zx) = (c.input(0)?, c.input(1)?, c.input(2)?);
    let (w, sw, zw) = (c.input(3)?, c.input(4)?, c.input(5)?);
    let (sy, zy, bias) = (c.input(6)?, c.input(7)?, c.optional(8)?);
    check_types([&x, &w], [Some(&zx), Some(&zw)])?;
    let convolution = Convolution::read(c, x, w)?;
    let scales = [
        one(c.b, &sx, "scale of the input")?,
        each_map(c.b, &convolution, &sw, "scale of the weights")?,
        one(c.b, &sy, "scale of the output")?,
    ];
    let factor = factor(c.b, scales.each_ref())?;
    let zero = one(c.b, &zy, "zero point of the output")?;
    let bias = bias.map(|bias| convolution.per_map(c.b, &bias, "bias")).transpose()?;
    let [zx, zw] = zeros_of(c.b, &convolution, [Some(zx), Some(zw)])?;
    let core =
        |b: &Builder<'_>, dims: &[u64], reads: [Read; 2]| sum_of_products(b, dims, reads, [zx.as_ref(), zw.as_ref()]);
    let y = convolution.compute(c.b, DType::I32, core, |b, f, mut sum| {
        if let Some(bias) = &bias {
            let bias = f.load(b, bias)?;
            sum = f.op(Op::Add, &[sum, bias])?;
        }
        requantised(b, f, sum, &factor, &zero)
    });
    Ok(vec![y?])
}
