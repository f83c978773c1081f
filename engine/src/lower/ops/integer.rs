//! Products of quantized tensors: sums of (a - its zero point) * (b - its zero point) in i32, which wrap.
//!
//! The differences are integers between -255 and 255 and become f32, so that the product is a dot: as many products as a step takes add up
//! exactly there, and parts are added up in i32. Pads are zero points, so zeros.
//!
//! QLinear operators requantise in the epilogue: f32(sum) times one factor, (scale of a * scale of b) / scale of y, rounded; the zero
//! point is added in f32, and the cast saturates.

use super::conv::Convolution;
use super::elementwise::map;
use super::matmul::{of_matrices, product};
use super::quantize::{is_float, rounded, saturated, zero_point};
use crate::lower::Lowering;
use crate::lower::builder::{Builder, MADE_LIMIT};
use crate::lower::constant::from_registers;
use crate::lower::context::Context;
use crate::lower::formula::Formula;
use crate::lower::lazy::{Axis, Lazy};
use crate::program::{DType, NodeId, Op, TensorType};

/// A tensor less its zero points, which broadcast to it, as f32.
fn centred(b: &mut Builder<'_>, t: &Lazy, zero: Option<&Lazy>) -> Lowering<Lazy> {
    if let Some(tensor) = centred_constant(b, t, zero)? {
        return Ok(tensor);
    }
    let mut f = Formula::new(&t.dims());
    let element = f.load(b, t)?;
    let mut element = f.cast(DType::F32, element)?;
    if let Some(zero) = zero_point(b, &mut f, zero)? {
        element = f.op(Op::Sub, &[element, zero])?;
    }
    b.map(f, element)
}

/// The same now, where all is known: weights.
fn centred_constant(b: &mut Builder<'_>, t: &Lazy, zero: Option<&Lazy>) -> Lowering<Option<Lazy>> {
    let dims = t.dims();
    let zero = zero.map(|z| z.broadcast(&dims).ok_or("a zero point that does not broadcast")).transpose()?;
    let known = |t: &Lazy| b.constant_of(t.def).is_some();
    if !known(t) || !zero.as_ref().is_none_or(known) || t.elements() > MADE_LIMIT {
        return Ok(None);
    }
    let elements = |t: &Lazy| -> Option<Vec<i64>> {
        let tensor = b.constant_of(t.def)?;
        t.addresses().map(|a| tensor.register(usize::try_from(a).ok()?)).collect()
    };
    let outside = "a view outside its constant";
    let mut values = elements(t).ok_or(outside)?;
    if let Some(zero) = &zero {
        let zeros = elements(zero).ok_or(outside)?;
        values.iter_mut().zip(zeros).for_each(|(x, zero)| *x -= zero);
    }
    // Of 8 bits and a sign: exact in f32.
    let registers = values.into_iter().map(|x| i64::from((x as f32).to_bits()));
    Ok(Some(b.constant(from_registers(&TensorType::new(DType::F32, dims), registers)?)))
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
    let row = row.map(|z| per_row(builder, &z)).transpose()?;
    let column = column.map(|z| per_column(builder, &z)).transpose()?;
    let (a, b) = (centred(builder, a, row.as_ref())?, centred(builder, b, column.as_ref())?);
    product(builder, &a, &b, true, epilogue)
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
    let to = zero.dtype;
    if !matches!(to, DType::U8 | DType::I8) {
        return Err(format!("a quantized product in {to}: only u8 and i8 are supported"));
    }
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

/// A node's convolution of what is less its zero points: one of the input, one or one a map of the weights.
fn convolution(c: &mut Context<'_, '_>, [x, w]: [Lazy; 2], [zx, zw]: [Option<Lazy>; 2]) -> Lowering<Convolution> {
    let zx = zx.map(|z| one(c.b, &z, "zero point of the input")).transpose()?;
    let maps = w.dims().first().copied();
    let zw = match zw {
        Some(z) if z.elements() != 1 && (z.rank() != 1 || z.dims().first().copied() != maps) => {
            return Err(format!("its zero point of the weights {:?} is not one a map", z.dims()));
        }
        Some(z) if z.elements() == 1 => Some(c.b.reshape(&z, &[])?),
        Some(mut z) => {
            z.axes.extend(vec![Axis::new(); w.rank().saturating_sub(1)]);
            Some(z)
        }
        None => None,
    };
    let (x, w) = (centred(c.b, &x, zx.as_ref())?, centred(c.b, &w, zw.as_ref())?);
    Convolution::read(c, x, w)
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
    let convolution = convolution(c, [x, w], [zx, zw])?;
    Ok(vec![convolution.compute(c.b, true, |_, _, sum| Ok(sum))?])
}

pub(super) fn qlinear_conv(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, sx, zx) = (c.input(0)?, c.input(1)?, c.input(2)?);
    let (w, sw, zw) = (c.input(3)?, c.input(4)?, c.input(5)?);
    let (sy, zy, bias) = (c.input(6)?, c.input(7)?, c.optional(8)?);
    check_types([&x, &w], [Some(&zx), Some(&zw)])?;
    let convolution = convolution(c, [x, w], [Some(zx), Some(zw)])?;
    let sx = one(c.b, &sx, "scale of the input")?;
    let sw = each_map(c.b, &convolution, &sw, "scale of the weights")?;
    let sy = one(c.b, &sy, "scale of the output")?;
    let factor = factor(c.b, [&sx, &sw, &sy])?;
    let zero = one(c.b, &zy, "zero point of the output")?;
    let bias = bias.map(|bias| convolution.per_map(c.b, &bias, "bias")).transpose()?;
    let y = convolution.compute(c.b, true, |b, f, mut sum| {
        if let Some(bias) = &bias {
            let bias = f.load(b, bias)?;
            sum = f.op(Op::Add, &[sum, bias])?;
        }
        requantised(b, f, sum, &factor, &zero)
    });
    Ok(vec![y?])
}
