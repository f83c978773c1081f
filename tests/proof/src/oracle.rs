//! An independent reference for functions of one argument and for pow: CORE-MATH (Inria), whose f32 functions are proven correctly
//! rounded, and arbitrary precision for the two functions that it does not have.

use astro_float::{BigFloat, Consts, RoundingMode};
use std::cell::RefCell;

/// Bits of the arbitrary precision.
const PRECISION: usize = 320;
/// More than the f64 evaluations' relative error.
const MARGIN: f64 = 1.0 / (1u64 << 48) as f64;

/// The correctly rounded function of one argument with this name.
pub fn unary(name: &str) -> Option<fn(f32) -> f32> {
    Some(match name {
        "exp" => core_math::expf,
        "exp2" => core_math::exp2f,
        "expm1" => core_math::expm1f,
        "log" => core_math::logf,
        "log2" => core_math::log2f,
        "log1p" => core_math::log1pf,
        "tanh" => core_math::tanhf,
        "sinh" => core_math::sinhf,
        "cosh" => core_math::coshf,
        "asinh" => core_math::asinhf,
        "acosh" => core_math::acoshf,
        "atanh" => core_math::atanhf,
        "sin" => core_math::sinf,
        "cos" => core_math::cosf,
        "tan" => core_math::tanf,
        "asin" => core_math::asinf,
        "acos" => core_math::acosf,
        "atan" => core_math::atanf,
        "erf" => core_math::erff,
        "rsqrt" => core_math::rsqrtf,
        "sigmoid" => sigmoid,
        "softplus" => softplus,
        // 53 bits are more than twice 24 and two: rounding twice is harmless (Figueroa 1995).
        "reciprocal" => |x| (1.0 / f64::from(x)) as f32,
        "sqrt" => |x| f64::from(x).sqrt() as f32,
        "floor" => |x| f64::from(x).floor() as f32,
        "ceil" => |x| f64::from(x).ceil() as f32,
        "trunc" => |x| f64::from(x).trunc() as f32,
        "round_even" => |x| f64::from(x).round_ties_even() as f32,
        "neg" => |x| f32::from_bits(x.to_bits() ^ 0x8000_0000),
        "abs" => |x| f32::from_bits(x.to_bits() & 0x7fff_ffff),
        _ => return None,
    })
}

/// The correctly rounded power.
pub fn pow(x: f32, y: f32) -> f32 {
    core_math::powf(x, y)
}

fn sigmoid(x: f32) -> f32 {
    let e = core_math::exp(-f64::from(x).abs());
    let y = if x < 0.0 { e } else { 1.0 } / (1.0 + e);
    decide(x, y, |x, big| {
        let one = BigFloat::from_u8(1, PRECISION);
        let sum = one.add(&big.exp(&x.neg()), PRECISION, RoundingMode::ToEven);
        one.div(&sum, PRECISION, RoundingMode::ToEven)
    })
}

fn softplus(x: f32) -> f32 {
    let wide = f64::from(x);
    let y = wide.max(0.0) + core_math::log1p(core_math::exp(-wide.abs()));
    decide(x, y, |x, big| {
        let one = BigFloat::from_u8(1, PRECISION);
        let sum = one.add(&big.exp(&x), PRECISION, RoundingMode::ToEven);
        big.ln(&sum)
    })
}

/// Elementary functions with their cache of constants.
struct Big(Consts);

impl Big {
    fn exp(&mut self, x: &BigFloat) -> BigFloat {
        x.exp(PRECISION, RoundingMode::ToEven, &mut self.0)
    }

    fn ln(&mut self, x: &BigFloat) -> BigFloat {
        x.ln(PRECISION, RoundingMode::ToEven, &mut self.0)
    }
}

/// Rounds `y`, or where its error could matter the exact value.
fn decide(x: f32, y: f64, exact: impl FnOnce(BigFloat, &mut Big) -> BigFloat) -> f32 {
    thread_local!(static BIG: RefCell<Big> = RefCell::new(Big(Consts::new().expect("memory for constants"))));
    let (low, high) = ((y * (1.0 - MARGIN)) as f32, (y * (1.0 + MARGIN)) as f32);
    if low.to_bits() == high.to_bits() || x.is_nan() {
        return low;
    }
    BIG.with_borrow_mut(|big| round(&exact(BigFloat::from_f32(x, PRECISION), big)))
}

/// The f32 nearest to a positive number.
fn round(x: &BigFloat) -> f32 {
    let (words, _, _, exponent, _) = x.as_raw_parts().expect("a number");
    // The value is 0.words * 2^exponent, with the most significant word last and its highest bit set.
    let (&top, rest) = words.split_last().expect("a number has words");
    let sticky = u64::from(rest.iter().any(|&w| w != 0));
    // Its unit is 2^(exponent - 24), but at least that of the subnormals.
    let cut = (40 + (-125 - exponent).max(0)).min(64) as u32;
    let (kept, lost, half) = match cut {
        64 => (0, u128::from(top) << 1 | u128::from(sticky), 1u128 << 64),
        _ => (top >> cut, u128::from(top & ((1 << cut) - 1)) << 1 | u128::from(sticky), 1 << cut),
    };
    let m = kept + u64::from(lost > half || lost == half && kept & 1 == 1);
    let unit = exponent - 64 + cut as i32;
    if cut == 64 && exponent < -149 { 0.0 } else { (m as f64 * 2f64.powi(unit)) as f32 }
}
