//! BitCast: the bits of a number as arithmetic finds them, and the number that bits say.

use super::elementwise::map;
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::context::Context;
use crate::lower::lazy::Lazy;
use crate::onnx::element_type;
use crate::program::{DType, Op};
use crate::tensor::NAN;

/// Bits of an f32 below its exponent.
const FRACTION: i32 = 23;
/// What the exponent field of an f32 is above the exponent of its least fraction bit.
const LEAST_BIT: i32 = 150;
/// The least exponent of an f32 that is no subnormal.
const LEAST_EXPONENT: i32 = -126;

/// To a type of the same width; of f32, NaNs are the canonical one.
pub(super) fn bit_cast(c: &mut Context<'_, '_>) -> Lowering<Vec<Lazy>> {
    let x = c.input(0)?;
    let to = c.attributes.int("to")?.ok_or("attribute `to` is missing")?;
    let to = element_type(i32::try_from(to).map_err(|_| format!("element type {to} does not exist"))?)?;
    let y = match (x.dtype, to) {
        (from, to) if from == to => x,
        (DType::F32, DType::I32) => bits(c.b, &x)?,
        (DType::I32, DType::F32) => number(c.b, &x)?,
        // Casts of these wrap; a bool is 0 or 1.
        (DType::U8, DType::I8)
        | (DType::I8, DType::U8)
        | (DType::U16, DType::I16)
        | (DType::I16, DType::U16)
        | (DType::Bool, DType::U8 | DType::I8) => map(c.b, &[&x], |f, x| f.cast(to, x[0]))?,
        (from, to) => return Err(format!("{from} as {to} is not supported")),
    };
    Ok(vec![y])
}

/// The bits of an f32, as i32.
fn bits(b: &mut Builder<'_>, x: &Lazy) -> Lowering<Lazy> {
    // |x| = 2^e * m * 2^-23 with m below 2^24; a carry of m into the exponent field is what a normal number's leading bit is.
    let finite = map(b, &[x], |f, x| {
        let size = f.op(Op::Abs, &[x[0]])?;
        let log = f.op(Op::Log2, &[size])?;
        // Rounding may have brought the logarithm up to the next integer.
        let guess = f.op(Op::Floor, &[log])?;
        let power = f.op(Op::Exp2, &[guess])?;
        let (above, one) = (f.op(Op::Lt, &[size, power])?, f.float(1.0)?);
        let lower = f.op(Op::Sub, &[guess, one])?;
        let exponent = f.select(above, lower, guess)?;
        let least = f.float(LEAST_EXPONENT as f32)?;
        let exponent = f.op(Op::Max, &[exponent, least])?;
        // Two exact steps: the factor of both would overflow.
        let down = f.op(Op::Neg, &[exponent])?;
        let power = f.op(Op::Exp2, &[down])?;
        let unit = f.op(Op::Mul, &[size, power])?;
        let whole = f.float((1u32 << FRACTION) as f32)?;
        let m = f.op(Op::Mul, &[unit, whole])?;
        let (m, exponent) = (f.cast(DType::I32, m)?, f.cast(DType::I32, exponent)?);
        let least = f.number(DType::I32, LEAST_EXPONENT)?;
        let field = f.op(Op::Sub, &[exponent, least])?;
        let places = f.number(DType::I32, FRACTION)?;
        let field = f.op(Op::Shl, &[field, places])?;
        f.op(Op::Add, &[field, m])
    })?;
    map(b, &[x, &finite], |f, n| {
        let (x, finite) = (n[0], n[1]);
        let infinity = f.float(f32::INFINITY)?;
        let size = f.op(Op::Abs, &[x])?;
        let infinite = f.op(Op::Eq, &[size, infinity])?;
        let infinity = f.register(DType::I32, f32::INFINITY.to_bits().into())?;
        let size = f.select(infinite, infinity, finite)?;
        // The reciprocal knows the sign of a zero.
        let (zero, inverse) = (f.float(0.0)?, f.op(Op::Reciprocal, &[x])?);
        let (below, zero_below) = (f.op(Op::Lt, &[x, zero])?, f.op(Op::Lt, &[inverse, zero])?);
        let negative = f.op(Op::Or, &[below, zero_below])?;
        let sign = f.number(DType::I32, i32::MIN)?;
        let signed = f.op(Op::Or, &[size, sign])?;
        let bits = f.select(negative, signed, size)?;
        let (is_nan, nan) = (f.op(Op::Ne, &[x, x])?, f.register(DType::I32, NAN.into())?);
        f.select(is_nan, nan, bits)
    })
}

/// The f32 with these bits.
fn number(b: &mut Builder<'_>, x: &Lazy) -> Lowering<Lazy> {
    map(b, &[x], |f, x| {
        let x = x[0];
        let (places, field) = (f.number(DType::I32, FRACTION)?, f.number(DType::I32, 0xff)?);
        let shifted = f.op(Op::Shr, &[x, places])?;
        let exponent = f.op(Op::And, &[shifted, field])?;
        let below = f.number(DType::I32, (1 << FRACTION) - 1)?;
        let fraction = f.op(Op::And, &[x, below])?;
        let leading = f.number(DType::I32, 1 << FRACTION)?;
        let normal = f.op(Op::Or, &[fraction, leading])?;
        let zero = f.number(DType::I32, 0)?;
        let subnormal = f.op(Op::Eq, &[exponent, zero])?;
        let m = f.select(subnormal, fraction, normal)?;
        let one = f.number(DType::I32, 1)?;
        let power = f.op(Op::Max, &[exponent, one])?;
        let least = f.number(DType::I32, LEAST_BIT)?;
        let power = f.op(Op::Sub, &[power, least])?;
        let (m, power) = (f.cast(DType::F32, m)?, f.cast(DType::F32, power)?);
        let power = f.op(Op::Exp2, &[power])?;
        let finite = f.op(Op::Mul, &[m, power])?;
        // Of the greatest exponent the fraction says which.
        let (infinity, nan) = (f.float(f32::INFINITY)?, f.float(f32::NAN)?);
        let none = f.op(Op::Eq, &[fraction, zero])?;
        let special = f.select(none, infinity, nan)?;
        let greatest = f.op(Op::Eq, &[exponent, field])?;
        let size = f.select(greatest, special, finite)?;
        let (negative, minus) = (f.op(Op::Lt, &[x, zero])?, f.op(Op::Neg, &[size])?);
        f.select(negative, minus, size)
    })
}
