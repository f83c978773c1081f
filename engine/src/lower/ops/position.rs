//! Operators that compare coordinates: one map each.

use crate::lower::Lowering;
use crate::lower::context::{Context, axis_of};
use crate::lower::formula::Formula;
use crate::lower::lazy::Lazy;
use crate::lower::mul;
use crate::onnx::element_type;
use crate::program::{DType, NodeId, Op};

/// The coordinate of an axis, as i64.
fn coordinate(f: &mut Formula, axis: usize) -> Lowering<NodeId> {
    f.iota(u8::try_from(axis).map_err(|e| e.to_string())?)
}

/// Trilu: what is on the diagonal `k` and above it, or below it, and else zero.
pub(super) fn triangle(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, k) = (c.input(0)?, c.optional(1)?);
    let op = if c.flag("upper", true)? { Op::Ge } else { Op::Le };
    let row = x.rank().checked_sub(2).ok_or_else(|| format!("input {:?} is no matrix", x.dims()))?;
    let mut f = Formula::new(&x.dims());
    let element = f.load(c.b, &x)?;
    let diagonal = match k {
        Some(k) if k.elements() == 1 && k.dtype == DType::I64 => {
            let k = c.b.reshape(&k, &[])?;
            f.load(c.b, &k)?
        }
        Some(k) => return Err(format!("its diagonal {} {:?} is not one i64", k.dtype, k.dims())),
        None => f.number(DType::I64, 0)?,
    };
    let (row, column) = (coordinate(&mut f, row)?, coordinate(&mut f, row + 1)?);
    let at = f.op(Op::Sub, &[column, row])?;
    let kept = f.op(op, &[at, diagonal])?;
    let zero = f.register(x.dtype, 0)?;
    let y = f.select(kept, element, zero)?;
    Ok(vec![c.b.map(f, y)?])
}

/// OneHot with a depth known now.
pub(super) fn one_hot(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (indices, depth, values) = (c.input(0)?, c.input(1)?, c.input(2)?);
    let at = axis_of(c.int("axis", -1)?, indices.rank() + 1)?;
    let register = c.b.scalar(&depth).ok_or("its depth is not known when compiling: bind it to a constant")?;
    let depth = match depth.dtype {
        DType::F32 => f32::from_bits(register as u32) as i64, // the 32 bits of the register; rounds towards zero
        _ => register,
    };
    if values.dims() != [2] {
        return Err(format!("its values {:?} are not [off, on]", values.dims()));
    }
    let indices = indices.with_axis(at);
    let mut dims = indices.dims();
    dims[at] = u64::try_from(depth).map_err(|_| format!("depth {depth}"))?;
    mul(&dims)?;
    let (off, on) = (c.b.slice(&values, 0, 0, 1, 1)?, c.b.slice(&values, 0, 1, 1, 1)?);

    let mut f = Formula::new(&dims);
    let (index, off, on) = (f.load(c.b, &indices)?, f.load(c.b, &off)?, f.load(c.b, &on)?);
    let index = f.cast(DType::I64, index)?;
    let (zero, depth) = (f.register(DType::I64, 0)?, f.register(DType::I64, depth)?);
    let (negative, wrapped) = (f.op(Op::Lt, &[index, zero])?, f.op(Op::Add, &[index, depth])?);
    let index = f.select(negative, wrapped, index)?;
    let coordinate = coordinate(&mut f, at)?;
    let hit = f.op(Op::Eq, &[coordinate, index])?;
    let y = f.select(hit, on, off)?;
    Ok(vec![c.b.map(f, y)?])
}

/// EyeLike: ones on diagonal `k`; only the input's shape and type count.
pub(super) fn eye_like(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let k = c.int("k", 0)?;
    let dtype = match c.attributes.int("dtype")? {
        None => x.dtype,
        Some(code) => element_type(i32::try_from(code).map_err(|_| format!("element type {code} does not exist"))?)?,
    };
    if x.rank() != 2 {
        return Err(format!("input {:?} is no matrix", x.dims()));
    }
    let mut f = Formula::new(&x.dims());
    let (row, column) = (coordinate(&mut f, 0)?, coordinate(&mut f, 1)?);
    let (at, k) = (f.op(Op::Sub, &[column, row])?, f.register(DType::I64, k)?);
    let hit = f.op(Op::Eq, &[at, k])?;
    let y = f.cast(dtype, hit)?;
    Ok(vec![c.b.map(f, y)?])
}
