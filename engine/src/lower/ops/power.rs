//! Pow: by products, a root or a quotient for the commonest constant exponents, otherwise the correctly rounded power of f32; of
//! integers exact and wrapping, as a scan of squares and the product of those that the exponent's bits name.

use super::elementwise::map;
use super::reduce::fold_body;
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::{Context, broadcast_dims};
use crate::lower::formula::Formula;
use crate::lower::lazy::{Lazy, axis};
use crate::lower::mul;
use crate::lower::spec::{Read, Spec};
use crate::program::limits::FIRST_REDUCTION_AXIS;
use crate::program::{Core, DType, FoldOp, NodeId, Op};

pub(super) fn pow(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let (x, exponent) = (c.input(0)?, c.input(1)?);
    let constant = c.b.scalar(&exponent).map(|register| match exponent.dtype {
        DType::F32 => f64::from(f32::from_bits(register as u32)), // the 32 bits of the register
        _ => register as f64,
    });
    if constant.is_none_or(|n| ![1.0, 2.0, 3.0].contains(&n)) && x.dtype.is_integer() && exponent.dtype.is_integer() {
        return Ok(vec![integer_power(c.b, &x, &exponent)?]);
    }
    let power = map(c.b, &[&x, &exponent], |f, operands| {
        let (x, exponent) = (operands[0], operands[1]);
        let dtype = f.dtype(x);
        let float = dtype == DType::F32;
        match constant {
            Some(1.0) => Ok(x),
            Some(2.0) => f.op(Op::Mul, &[x, x]),
            Some(3.0) => {
                let square = f.op(Op::Mul, &[x, x])?;
                f.op(Op::Mul, &[square, x])
            }
            Some(0.5) if float => f.op(Op::Sqrt, &[x]),
            Some(-1.0 | -0.5) if float => {
                let one = f.float(1.0)?;
                let below = if constant == Some(-0.5) { f.op(Op::Sqrt, &[x])? } else { x };
                f.op(Op::Div, &[one, below])
            }
            // An integer to the power of a float is what f32 makes of it.
            _ if dtype.is_number() => {
                let (x, exponent) = (f.cast(DType::F32, x)?, f.cast(DType::F32, exponent)?);
                let power = f.op(Op::Pow, &[x, exponent])?;
                f.cast(dtype, power)
            }
            _ => Err(format!("powers of {dtype} are not supported")),
        }
    });
    Ok(vec![power?])
}

/// Exact and wrapping; of a negative exponent 1 / power, rounded towards zero.
fn integer_power(b: &mut Builder<'_>, x: &Lazy, exponent: &Lazy) -> Lowering<Lazy> {
    let dims = broadcast_dims([x, exponent])?;
    let x = x.broadcast(&dims).ok_or("its operands do not broadcast")?;
    let exponent = exponent.broadcast(&dims).ok_or("its operands do not broadcast")?;
    let bits = 8 * exponent.dtype.width() as u64;
    let last = dims.len();
    let wide = [&dims[..], &[bits]].concat();
    mul(&wide)?;
    // x, x^2, x^4, ... along a new axis.
    let axis = u8::try_from(last).map_err(|e| e.to_string())?;
    let mut f = Formula::new(&wide);
    let before = f.core(x.dtype)?;
    let (at, zero) = (f.iota(axis)?, f.register(DType::I64, 0)?);
    let first = f.op(Op::Eq, &[at, zero])?;
    let square = f.op(Op::Mul, &[before, before])?;
    let square = f.select(first, before, square)?;
    let (scan, root) = (Core::Scan { axis, initial: 0 }, vec![Read::plain(bits_of(&x, bits))]);
    let squares = b.reduce(Spec::reduction(Vec::new(), scan, root, f, square), x.dtype)?;
    let chosen = bits_of(&exponent, bits);
    let body = |b: &Builder<'_>, f: &mut Formula, square: NodeId| -> Lowering<NodeId> {
        let (exponent, at) = (f.load(b, &chosen)?, f.iota(FIRST_REDUCTION_AXIS)?);
        let at = f.cast(f.dtype(exponent), at)?;
        let (one, neutral) = (f.number(f.dtype(exponent), 1)?, f.number(f.dtype(square), 1)?);
        let shifted = f.op(Op::Shr, &[exponent, at])?;
        let bit = f.op(Op::And, &[shifted, one])?;
        let set = f.op(Op::Eq, &[bit, one])?;
        f.select(set, square, neutral)
    };
    let power = fold_body(b, &squares, &[last], FoldOp::Prod, body, |_, core| Ok(core))?;
    let power = b.reshape(&power, &dims)?;
    if exponent.dtype.is_unsigned() {
        return Ok(power);
    }
    // Of 1 and -1 the bits of a negative exponent say the right thing; all others are below 1.
    map(b, &[&x, &exponent, &power], |f, n| {
        let (zero, size) = (f.number(f.dtype(n[0]), 0)?, f.op(Op::Abs, &[n[0]])?);
        let (one, none) = (f.number(f.dtype(n[0]), 1)?, f.number(f.dtype(n[1]), 0)?);
        let (negative, unit) = (f.op(Op::Lt, &[n[1], none])?, f.op(Op::Eq, &[size, one])?);
        let inverse = f.select(unit, n[2], zero)?;
        f.select(negative, inverse, n[2])
    })
}

/// The same element for each bit.
fn bits_of(x: &Lazy, bits: u64) -> Lazy {
    let mut out = x.clone();
    out.axes.push(axis(bits, 0));
    out
}
