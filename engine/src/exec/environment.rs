//! The floating-point environment: a thread that flushes subnormals or rounds otherwise than to nearest would compute other bits.
//!
//! Some libraries set such modes for a whole process. They are found by computing with them, on every kind of CPU.

use std::hint::black_box;

/// What is wrong with a thread's floating-point environment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Environment {
    /// Subnormal results or arguments are replaced by zero (FTZ, DAZ).
    #[error("subnormal numbers are flushed to zero")]
    Flushes,
    /// Results are not rounded to nearest, ties to even.
    #[error("results are not rounded to nearest, ties to even")]
    Rounds,
}

/// Checks the calling thread.
///
/// # Errors
/// When it would give other bits than IEEE-754 says.
pub fn check() -> Result<(), Environment> {
    // Constants must not be folded when compiling: the compiler rounds to nearest.
    let result = |x: f32, y: f32, f: fn(f32, f32) -> f32| black_box(f)(black_box(x), black_box(y)).to_bits();
    let (least, smallest) = (f32::from_bits(1), f32::MIN_POSITIVE);
    if result(smallest, 0.5, |x, y| x * y) != 0x0040_0000 || result(least, least, |x, y| x + y) != 2 {
        return Err(Environment::Flushes);
    }
    // Half a unit above and below one, and a little more, on both sides of zero.
    let (half, more) = (f32::EPSILON / 2.0, f32::EPSILON * 0.75);
    for sign in [1.0f32, -1.0] {
        let one = sign.to_bits();
        let sums = [result(sign, sign * half, |x, y| x + y), result(sign, sign * more, |x, y| x + y)];
        if sums != [one, one + 1] {
            return Err(Environment::Rounds);
        }
    }
    let wide = |y: f64| (black_box(1.0f64) + black_box(y)).to_bits();
    let one = 1.0f64.to_bits();
    if [wide(f64::EPSILON / 2.0), wide(f64::EPSILON * 0.75)] != [one, one + 1] {
        return Err(Environment::Rounds);
    }
    Ok(())
}
