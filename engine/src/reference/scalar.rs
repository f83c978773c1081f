//! The scalar table on registers (`docs/arithmetic.md`): f32 by software, integers wrapping and total.

use crate::arith::soft;
use crate::program::{DType, Op};

/// A register of f32 as its bits.
fn bits(register: i64) -> u32 {
    (register & 0xffff_ffff) as u32
}

/// A register of a 16-bit float as its bits.
fn half(register: i64) -> u16 {
    (register & 0xffff) as u16
}

/// Wraps an integer to a type's width (two's complement).
fn wrap(dtype: DType, x: i64) -> i64 {
    match dtype {
        DType::U8 => (x as u8).into(),
        DType::I8 => (x as i8).into(),
        DType::U16 => (x as u16).into(),
        DType::I16 => (x as i16).into(),
        DType::I32 => (x as i32).into(),
        DType::I64 | DType::F32 | DType::Bool | DType::F16 | DType::BF16 => x,
    }
}

/// `op` on registers of type `dtype`; unused arguments are ignored. An operation that the type does not have gives 0: a validated
/// program has none.
pub fn apply(op: Op, dtype: DType, [a, b, c]: [i64; 3]) -> i64 {
    match dtype {
        DType::F32 => float(op, bits(a), bits(b), bits(c)),
        DType::Bool => boolean(op, a != 0, b != 0),
        DType::F16 | DType::BF16 => 0,
        _ => integer(op, dtype, a, b),
    }
}

fn float(op: Op, a: u32, b: u32, c: u32) -> i64 {
    let value = match op {
        Op::Add => soft::add(a, b),
        Op::Sub => soft::sub(a, b),
        Op::Mul => soft::mul(a, b),
        Op::Div => soft::div(a, b),
        Op::Min => soft::min(a, b),
        Op::Max => soft::max(a, b),
        Op::Fma => soft::fma(a, b, c),
        Op::Neg => soft::neg(a),
        Op::Abs => soft::abs(a),
        Op::Sqrt => soft::sqrt(a),
        Op::Exp => soft::exp(a),
        Op::Log => soft::log(a),
        Op::Tanh => soft::tanh(a),
        Op::Sigmoid => soft::sigmoid(a),
        Op::Erf => soft::erf(a),
        Op::Floor => soft::floor(a),
        Op::Ceil => soft::ceil(a),
        Op::Trunc => soft::trunc(a),
        Op::RoundEven => soft::round_even(a),
        Op::Lt => return soft::lt(a, b).into(),
        Op::Le => return soft::le(a, b).into(),
        Op::Gt => return soft::gt(a, b).into(),
        Op::Ge => return soft::ge(a, b).into(),
        Op::Eq => return soft::eq(a, b).into(),
        Op::Ne => return soft::ne(a, b).into(),
        Op::Rem => soft::rem(a, b),
        Op::Pow => soft::pow(a, b),
        Op::Exp2 => soft::exp2(a),
        Op::Expm1 => soft::expm1(a),
        Op::Log2 => soft::log2(a),
        Op::Log1p => soft::log1p(a),
        Op::Sinh => soft::sinh(a),
        Op::Cosh => soft::cosh(a),
        Op::Asinh => soft::asinh(a),
        Op::Acosh => soft::acosh(a),
        Op::Atanh => soft::atanh(a),
        Op::Sin => soft::sin(a),
        Op::Cos => soft::cos(a),
        Op::Tan => soft::tan(a),
        Op::Asin => soft::asin(a),
        Op::Acos => soft::acos(a),
        Op::Atan => soft::atan(a),
        Op::Softplus => soft::softplus(a),
        Op::Rsqrt => soft::rsqrt(a),
        Op::Reciprocal => soft::reciprocal(a),
        Op::And | Op::Or | Op::Xor | Op::Not | Op::Shl | Op::Shr => 0,
    };
    value.into()
}

fn boolean(op: Op, a: bool, b: bool) -> i64 {
    i64::from(match op {
        Op::Eq => a == b,
        Op::Ne | Op::Xor => a != b,
        Op::And => a & b,
        Op::Or => a | b,
        Op::Not => !a,
        _ => false,
    })
}

fn integer(op: Op, dtype: DType, a: i64, b: i64) -> i64 {
    let value = match op {
        Op::Add => a.wrapping_add(b),
        Op::Sub => a.wrapping_sub(b),
        Op::Mul => a.wrapping_mul(b),
        Op::Div if b == 0 => 0,
        Op::Div => a.wrapping_div(b),
        Op::Rem if b == 0 => 0,
        Op::Rem => a.wrapping_rem(b),
        // A count is unsigned: whatever does not fit shifts everything out.
        Op::Shl => u32::try_from(b).ok().and_then(|n| a.checked_shl(n)).unwrap_or(0),
        Op::Shr => a >> u32::try_from(b).map_or(63, |n| n.min(63)),
        Op::Min => a.min(b),
        Op::Max => a.max(b),
        Op::Lt => i64::from(a < b),
        Op::Le => i64::from(a <= b),
        Op::Gt => i64::from(a > b),
        Op::Ge => i64::from(a >= b),
        Op::Eq => i64::from(a == b),
        Op::Ne => i64::from(a != b),
        Op::And => a & b,
        Op::Or => a | b,
        Op::Xor => a ^ b,
        Op::Neg => a.wrapping_neg(),
        Op::Abs => a.wrapping_abs(),
        Op::Not => !a,
        _ => 0,
    };
    wrap(dtype, value)
}

/// Converts a register between types: to integers truncating and saturating (NaN gives 0), between integers wrapping, to bool as
/// "is not zero" (NaN is true). The 16-bit floats convert through f32, to which they convert exactly.
pub fn cast(from: DType, to: DType, x: i64) -> i64 {
    match (from, to) {
        _ if from == to => x,
        (DType::F16, _) => cast(DType::F32, to, soft::half::from_f16(half(x)).into()),
        (DType::BF16, _) => cast(DType::F32, to, soft::half::from_bf16(half(x)).into()),
        (_, DType::F16) => soft::half::to_f16(bits(cast(from, DType::F32, x))).into(),
        (_, DType::BF16) => soft::half::to_bf16(bits(cast(from, DType::F32, x))).into(),
        (DType::F32, DType::Bool) => (bits(x) & 0x7fff_ffff != 0).into(),
        (DType::F32, _) => {
            let (lo, hi) = to.range();
            soft::to_int(bits(x), lo, hi)
        }
        (_, DType::F32) => soft::from_i64(x).into(),
        (_, DType::Bool) => (x != 0).into(),
        (_, _) => wrap(to, x),
    }
}
