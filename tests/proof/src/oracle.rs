//! An independent reference for functions of one argument and for pow: CORE-MATH (Inria), whose f32 functions are proven correctly
//! rounded, and arbitrary precision for the two functions that it does not have.

use astro_float::{BigFloat, Consts, RoundingMode};
use rebut_engine::arith::soft::canonical;
use std::cell::RefCell;

/// Bits of the arbitrary precision.
const PRECISION: usize = 320;
/// More than the f64 evaluations' relative error.
const MARGIN: f64 = 1.0 / (1u64 << 48) as f64;

/// The function of one argument with this name, over bits; NaNs in its results are canonical.
pub fn unary(name: &str) -> Option<fn(u32) -> u32> {
    macro_rules! rounded {
        ($function:expr) => {
            |x| canonical(($function)(f32::from_bits(x)).to_bits())
        };
    }
    Some(match name {
        "exp" => rounded!(core_math::expf),
        "exp2" => rounded!(core_math::exp2f),
        "expm1" => rounded!(core_math::expm1f),
        "log" => rounded!(core_math::logf),
        "log2" => rounded!(core_math::log2f),
        "log1p" => rounded!(core_math::log1pf),
        "tanh" => rounded!(core_math::tanhf),
        "sinh" => rounded!(core_math::sinhf),
        "cosh" => rounded!(core_math::coshf),
        "asinh" => rounded!(core_math::asinhf),
        "acosh" => rounded!(core_math::acoshf),
        "atanh" => rounded!(core_math::atanhf),
        "sin" => rounded!(core_math::sinf),
        "cos" => rounded!(core_math::cosf),
        "tan" => rounded!(core_math::tanf),
        "asin" => rounded!(core_math::asinf),
        "acos" => rounded!(core_math::acosf),
        "atan" => rounded!(core_math::atanf),
        "erf" => rounded!(core_math::erff),
        "rsqrt" => rounded!(core_math::rsqrtf),
        "sigmoid" => rounded!(sigmoid),
        "softplus" => rounded!(softplus),
        // 53 bits are more than twice 24 and two: rounding twice is harmless (Figueroa 1995).
        "reciprocal" => rounded!(|x: f32| (1.0 / f64::from(x)) as f32),
        "sqrt" => rounded!(|x: f32| f64::from(x).sqrt() as f32),
        "floor" => rounded!(|x: f32| f64::from(x).floor() as f32),
        "ceil" => rounded!(|x: f32| f64::from(x).ceil() as f32),
        "trunc" => rounded!(|x: f32| f64::from(x).trunc() as f32),
        "round_even" => rounded!(|x: f32| f64::from(x).round_ties_even() as f32),
        "neg" => |x| canonical(x ^ 0x8000_0000),
        "abs" => |x| canonical(x & 0x7fff_ffff),
        "i32_f32" => |x| (f64::from(x as i32) as f32).to_bits(),
        "f32_i32" => |x| (f32::from_bits(x) as i128).clamp(i32::MIN.into(), i32::MAX.into()) as i32 as u32,
        "f32_f16" => |x| narrowed(x, 10, 15),
        "f32_bf16" => |x| narrowed(x, 7, 127),
        _ => return None,
    })
}

/// The nearest number of a 16-bit format with so many bits of fraction and this bias: by scaling in f64, where that is exact.
fn narrowed(x: u32, fraction: u32, bias: i32) -> u32 {
    let magnitude = f64::from(f32::from_bits(x)).abs();
    let infinity = (2 * bias as u64 + 1) << fraction;
    if magnitude.is_nan() {
        return (infinity | 1 << (fraction - 1)) as u32;
    }
    // Subnormals have the unit of the least normal numbers.
    let exponent = ((magnitude.to_bits() >> 52) as i32 - 1023).max(1 - bias);
    let units = (magnitude / 2f64.powi(exponent - fraction as i32)).round_ties_even() as u64;
    let code = units.saturating_add(((exponent - 1 + bias) as u64) << fraction);
    code.min(infinity) as u32 | (x >> 31) << 15
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
