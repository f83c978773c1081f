//! QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear: one expression an element.
//!
//! Scales and zero points are broadcast to the tensor: one for all, one for each coordinate of an axis, or one for each block along it.

use super::elementwise::map;
use super::reduce::fold_axes;
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::{Context, axis_of};
use crate::lower::formula::Formula;
use crate::lower::lazy::{Axis, Factor, Lazy, merged};
use crate::onnx::element_type;
use crate::program::{DType, FoldOp, NodeId, Op};

/// How far a scale and a zero point reach.
struct Grain {
    axis: i64,
    /// Coordinates that share one, where scales are given in blocks.
    block: u64,
}

fn grain(c: &mut Context<'_, '_>) -> Lowering<Grain> {
    let axis = if c.opset < 13 { 1 } else { c.int("axis", 1)? };
    let block = if c.opset < 21 { 0 } else { c.int("block_size", 0)? };
    let block = u64::try_from(block).map_err(|_| format!("block_size {block}"))?;
    Ok(Grain { axis, block })
}

impl Grain {
    /// A scale or zero point over `dims`.
    fn spread(&self, b: &mut Builder<'_>, t: &Lazy, dims: &[u64], what: &str) -> Lowering<Lazy> {
        let unfit = || format!("its {what} {:?} does not fit {dims:?} along axis {}", t.dims(), self.axis);
        if t.elements() == 1 {
            return b.reshape(t, &[]);
        }
        let a = axis_of(self.axis, dims.len())?;
        if self.block == 0 {
            if t.dims() != [dims[a]] {
                return Err(unfit());
            }
            let mut over = t.clone();
            over.axes.extend(vec![Axis::new(); dims.len() - 1 - a]);
            return Ok(over);
        }
        let fits = |(i, (&d, n)): (usize, (&u64, u64))| if i == a { n == d.div_ceil(self.block) } else { n == d };
        if t.rank() != dims.len() || !dims.iter().zip(t.dims()).enumerate().all(fits) {
            return Err(unfit());
        }
        let mut over = t.clone();
        over.axes[a] = merged(t.axes[a].iter().copied().chain([Factor { extent: self.block, stride: 0 }]));
        crate::lower::mul(&over.dims())?;
        // The last block may be cut short.
        b.slice(&over, a, 0, 1, dims[a])
    }
}

/// An optional attribute that is an element type; 0 is none.
fn type_of(c: &mut Context<'_, '_>, name: &str, since: i64) -> Lowering<Option<DType>> {
    match if c.opset < since { 0 } else { c.int(name, 0)? } {
        0 => Ok(None),
        code => element_type(i32::try_from(code).unwrap_or(i32::MAX)).map(Some),
    }
}

/// An f32 rounded to what a floating-point type holds.
pub(super) fn rounded(f: &mut Formula, x: NodeId, dtype: DType) -> Lowering<NodeId> {
    let narrow = f.cast(dtype, x)?;
    f.cast(DType::F32, narrow)
}

/// Whether a type is one that scales may have.
pub(super) fn is_float(dtype: DType) -> bool {
    matches!(dtype, DType::F32 | DType::F16 | DType::BF16)
}

/// A zero point as f32, or `None` where it is zero everywhere.
pub(super) fn zero_point(b: &Builder<'_>, f: &mut Formula, zero: Option<&Lazy>) -> Lowering<Option<NodeId>> {
    match zero.map(|z| (z, uniform(b, z))) {
        None | Some((_, Some(0))) => Ok(None),
        // No wider than 32 bits, and f32 is what the formula computes in.
        Some((_, Some(known))) => f.float(known as f32).map(Some),
        Some((zero, None)) => {
            let zero = f.load(b, zero)?;
            f.cast(DType::F32, zero).map(Some)
        }
    }
}

/// The register of a constant whose elements are all the same.
fn uniform(b: &Builder<'_>, t: &Lazy) -> Option<i64> {
    let tensor = b.constant_of(t.def)?;
    let mut registers = t.addresses().map(|a| tensor.register(usize::try_from(a).ok()?));
    let first = registers.next()??;
    registers.all(|r| r == Some(first)).then_some(first)
}

/// Rounds to the nearest integer, ties to even, adds the zero point and saturates.
pub(super) fn saturated(f: &mut Formula, x: NodeId, zero: Option<NodeId>, to: DType) -> Lowering<NodeId> {
    let mut whole = f.op(Op::RoundEven, &[x])?;
    if let Some(zero) = zero {
        whole = f.op(Op::Add, &[whole, zero])?;
    }
    f.cast(to, whole)
}

/// Only types of 8 and 16 bits are quantized to.
fn quantized_type(dtype: DType) -> Lowering<DType> {
    match dtype {
        DType::U8 | DType::I8 | DType::U16 | DType::I16 => Ok(dtype),
        _ => Err(format!("quantizing to {dtype} is not supported, only to u8, i8, u16 and i16")),
    }
}

/// saturate(round(x / scale) + zero point), the quotient in the type of the scale or that of `precision`.
pub(super) fn quantize(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, scale, zero) = (c.input(0)?, c.input(1)?, c.optional(2)?);
    let grain = grain(c)?;
    if c.opset >= 19 {
        // How a cast to 8-bit floats behaves: there are none.
        c.attributes.int("saturate")?;
    }
    let wanted = type_of(c, "output_dtype", 21)?;
    let precision = type_of(c, "precision", 23)?.unwrap_or(scale.dtype);
    if ![scale.dtype, precision].into_iter().all(is_float) {
        return Err(format!("a scale of {} and a quotient of {precision} are not supported", scale.dtype));
    }
    let to = zero.as_ref().map(|z| z.dtype).or(wanted).unwrap_or(DType::U8);
    if wanted.is_some_and(|wanted| wanted != to) {
        return Err(format!("its zero point is {to}, but its output_dtype is another type"));
    }
    let to = quantized_type(to)?;
    let dims = x.dims();
    let scale = grain.spread(c.b, &scale, &dims, "scale")?;
    let zero = zero.map(|z| grain.spread(c.b, &z, &dims, "zero point")).transpose()?;
    let mut f = Formula::new(&dims);
    let in_precision = |f: &mut Formula, t: &Lazy| -> Lowering<NodeId> {
        let load = f.load(c.b, t)?;
        let float = f.cast(DType::F32, load)?;
        if t.dtype == precision { Ok(float) } else { rounded(f, float, precision) }
    };
    let (x, scale) = (in_precision(&mut f, &x)?, in_precision(&mut f, &scale)?);
    let quotient = f.op(Op::Div, &[x, scale])?;
    let quotient = rounded(&mut f, quotient, precision)?;
    let zero = zero_point(c.b, &mut f, zero.as_ref())?;
    let result = saturated(&mut f, quotient, zero, to)?;
    Ok(vec![c.b.map(f, result)?])
}

/// (x - zero point) * scale.
pub(super) fn dequantize(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, scale, zero) = (c.input(0)?, c.input(1)?, c.optional(2)?);
    let grain = grain(c)?;
    let to = type_of(c, "output_dtype", 23)?.unwrap_or(scale.dtype);
    if ![scale.dtype, to].into_iter().all(is_float) || !x.dtype.is_integer() {
        return Err(format!("{} with a scale of {} to {to} is not supported", x.dtype, scale.dtype));
    }
    if let Some(zero) = zero.as_ref().filter(|z| z.dtype != x.dtype) {
        return Err(format!("its zero point is {}, its input {}", zero.dtype, x.dtype));
    }
    let dims = x.dims();
    let scale = grain.spread(c.b, &scale, &dims, "scale")?;
    let zero = zero.map(|z| grain.spread(c.b, &z, &dims, "zero point")).transpose()?;
    let mut f = Formula::new(&dims);
    let (x, scale) = (f.load(c.b, &x)?, f.load(c.b, &scale)?);
    let (mut x, scale) = (f.cast(DType::F32, x)?, f.cast(DType::F32, scale)?);
    if let Some(zero) = zero_point(c.b, &mut f, zero.as_ref())? {
        x = f.op(Op::Sub, &[x, zero])?;
    }
    let product = f.op(Op::Mul, &[x, scale])?;
    let result = f.cast(to, product)?;
    Ok(vec![c.b.map(f, result)?])
}

/// The scale is the range of x and 0 over 255, the zero point where 0 comes to lie; where all is 0, the scale is 1 / 255, as in
/// ONNX's reference implementation.
pub(super) fn dynamic_quantize(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    if x.dtype != DType::F32 {
        return Err(format!("only f32 is supported, not {}", x.dtype));
    }
    let axes: Vec<usize> = (0..x.rank()).collect();
    let mut bound = |op: FoldOp, beyond: Op| -> Lowering<Lazy> {
        let folded = fold_axes(c.b, &x, &axes, op, |f, core| {
            let zero = f.float(0.0)?;
            f.op(beyond, &[core, zero])
        })?;
        c.b.reshape(&folded, &[])
    };
    let (greatest, least) = (bound(FoldOp::Max, Op::Max)?, bound(FoldOp::Min, Op::Min)?);
    let scale = map(c.b, &[&greatest, &least], |f, n| {
        let (range, steps, one) = (f.op(Op::Sub, n)?, f.float(255.0)?, f.float(1.0)?);
        let none = f.op(Op::Eq, n)?;
        let range = f.select(none, one, range)?;
        f.op(Op::Div, &[range, steps])
    })?;
    let zero = map(c.b, &[&least, &scale], |f, n| {
        let quotient = f.op(Op::Div, n)?;
        let zero = f.op(Op::Neg, &[quotient])?;
        saturated(f, zero, None, DType::U8)
    })?;
    let y = map(c.b, &[&x, &scale, &zero], |f, n| {
        let quotient = f.op(Op::Div, &n[..2])?;
        let zero = f.cast(DType::F32, n[2])?;
        saturated(f, quotient, Some(zero), DType::U8)
    })?;
    Ok(vec![y, scale, zero])
}
