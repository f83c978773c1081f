//! One operation on each element, operands broadcast as numpy does.

use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::{Context, axis_of, broadcast_dims};
use crate::lower::formula::Formula;
use crate::lower::lazy::{Axis, Lazy};
use crate::onnx::element_type;
use crate::program::{DType, NodeId, Op};

/// An instruction of one expression over tensors broadcast together.
pub(super) fn map(
    b: &mut Builder<'_>,
    tensors: &[&Lazy],
    expression: impl FnOnce(&mut Formula, &[NodeId]) -> Lowering<NodeId>,
) -> Lowering<Lazy> {
    let mut f = Formula::new(&broadcast_dims(tensors.iter().copied())?);
    let loads = tensors.iter().map(|t| f.load(b, t)).collect::<Lowering<Vec<_>>>()?;
    let result = expression(&mut f, &loads)?;
    b.map(f, result)
}

/// The same with the node's first input alone.
pub(super) fn map_one(
    c: &mut Context<'_, '_>,
    expression: impl FnOnce(&mut Formula, NodeId) -> Lowering<NodeId>,
) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    Ok(vec![map(c.b, &[&x], |f, x| expression(f, x[0]))?])
}

pub(super) fn unary(c: &mut Context<'_, '_>, op: Op) -> Lowering<Vec<Lazy>> {
    map_one(c, |f, x| f.op(op, &[x]))
}

pub(super) fn binary(c: &mut Context<'_, '_>, op: Op) -> Lowering<Vec<Lazy>> {
    let (x, y) = pair(c)?;
    Ok(vec![map(c.b, &[&x, &y], |f, xy| f.op(op, xy))?])
}

/// Both inputs; before operator set 7 the second one may say at which axis of the first it begins.
fn pair(c: &mut Context<'_, '_>) -> Lowering<(Lazy, Lazy)> {
    let (x, mut y) = (c.input(0)?, c.input(1)?);
    if c.opset < 7 {
        c.attributes.int("broadcast")?;
        if let Some(axis) = c.attributes.int("axis")? {
            let at = axis_of(axis, x.rank())?;
            let behind = x.rank().checked_sub(at + y.rank()).ok_or("its operands do not broadcast")?;
            y.axes.extend(vec![Axis::new(); behind]);
        }
    }
    Ok((x, y))
}

/// And, Or, Xor, Not: of booleans only.
pub(super) fn logical(c: &mut Context<'_, '_>, op: Op) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    if x.dtype != DType::Bool {
        return Err(format!("a logical {op} of {}", x.dtype));
    }
    if op == Op::Not { unary(c, op) } else { binary(c, op) }
}

/// From left to right over any number of inputs.
pub(super) fn variadic(c: &mut Context<'_, '_>, op: Op) -> Lowering<Vec<Lazy>> {
    Ok(vec![chain(c, op)?])
}

fn chain(c: &mut Context<'_, '_>, op: Op) -> Lowering<Lazy> {
    if c.inputs() == 2 {
        let (x, y) = pair(c)?;
        return map(c.b, &[&x, &y], |f, xy| f.op(op, xy));
    }
    let all = c.all()?;
    let mut sum = all[0].clone();
    for next in &all[1..] {
        sum = map(c.b, &[&sum, next], |f, xy| f.op(op, xy))?;
    }
    Ok(sum)
}

pub(super) fn mean(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let sum = chain(c, Op::Add)?;
    let n = c.inputs() as f32;
    let mean = map(c.b, &[&sum], |f, x| {
        let n = f.float(n)?;
        f.op(Op::Div, &[x[0], n])
    });
    Ok(vec![mean?])
}

pub(super) fn reciprocal(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    map_one(c, |f, x| {
        let one = f.float(1.0)?;
        f.op(Op::Div, &[one, x])
    })
}

/// Mod: with `fmod` C's remainder, without it that with the sign of the divisor.
pub(super) fn modulo(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let truncated = c.attributes.int("fmod")?.unwrap_or(0) != 0;
    let (x, y) = pair(c)?;
    let result = map(c.b, &[&x, &y], |f, operands| {
        let (x, y) = (operands[0], operands[1]);
        let rest = f.op(Op::Rem, &[x, y])?;
        if truncated {
            return Ok(rest);
        }
        let dtype = f.dtype(x);
        let zero = f.number(dtype, 0)?;
        // A rest whose sign is not the divisor's moves by one divisor; one of zero only takes its sign.
        let [below, divisor_below] = [f.op(Op::Lt, &[rest, zero])?, f.op(Op::Lt, &[y, zero])?];
        let differ = f.op(Op::Xor, &[below, divisor_below])?;
        let moved = f.op(Op::Add, &[rest, y])?;
        let none = f.op(Op::Eq, &[rest, zero])?;
        let moved = f.select(differ, moved, rest)?;
        let signed = if dtype == DType::F32 {
            let minus = f.float(-0.0)?;
            f.select(divisor_below, minus, zero)?
        } else {
            zero
        };
        f.select(none, signed, moved)
    });
    Ok(vec![result?])
}

/// BitwiseAnd, BitwiseOr, BitwiseXor, BitwiseNot: of integers only.
pub(super) fn bitwise(c: &mut Context<'_, '_>, op: Op) -> Lowering<Vec<Lazy>> {
    integers(c, op)?;
    if op == Op::Not { unary(c, op) } else { binary(c, op) }
}

/// BitShift, of unsigned integers.
pub(super) fn bit_shift(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let direction = c.attributes.string("direction")?;
    let op = match direction.as_deref() {
        Some("LEFT") => Op::Shl,
        Some("RIGHT") => Op::Shr,
        other => return Err(format!("direction {other:?} is neither LEFT nor RIGHT")),
    };
    integers(c, op)?;
    binary(c, op)
}

fn integers(c: &mut Context<'_, '_>, op: Op) -> Lowering<()> {
    let dtype = c.input(0)?.dtype;
    if dtype.is_integer() { Ok(()) } else { Err(format!("a bitwise {op} of {dtype}")) }
}

/// Cast; rounding and saturation options only concern 8-bit floats, which are not supported.
pub(super) fn cast(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let to = c.attributes.int("to")?.ok_or("attribute `to` is missing")?;
    let to = element_type(i32::try_from(to).map_err(|_| format!("element type {to} does not exist"))?)?;
    c.attributes.int("saturate")?;
    c.attributes.string("round_mode")?;
    map_one(c, |f, x| f.cast(to, x))
}

/// CastLike: to the type of the second input.
pub(super) fn cast_like(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let to = c.input(1)?.dtype;
    c.attributes.int("saturate")?;
    c.attributes.string("round_mode")?;
    map_one(c, |f, x| f.cast(to, x))
}
