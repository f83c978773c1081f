//! Two's complement fixed point in 256 bits, as the EVM has it.

use ruint::aliases::U256;

/// `(a * b) >> shift` for signed operands, towards minus infinity; the result must fit, and `0 < shift < 256`.
pub(super) fn mul_shift(a: i128, b: i128, shift: usize) -> i128 {
    let (low, high) = product(a.unsigned_abs(), b.unsigned_abs());
    if (a < 0) == (b < 0) {
        return shifted(low, high, shift) as i128;
    }
    // The magnitude of what is towards minus infinity is rounded up.
    let lost = match shift {
        ..128 => low << (128 - shift) != 0,
        128 => low != 0,
        _ => low != 0 || high << (256 - shift) != 0,
    };
    -(shifted(low, high, shift) as i128) - i128::from(lost)
}

/// The square of a 128-bit number, shifted right; the result must fit, and `0 < shift < 256`.
pub(super) fn square_shift(a: u128, shift: usize) -> u128 {
    let (low, high) = product(a, a);
    shifted(low, high, shift)
}

/// The low and the high half of a product.
fn product(a: u128, b: u128) -> (u128, u128) {
    let half = |x: u128| (x & u128::from(u64::MAX), x >> 64);
    let ((a0, a1), (b0, b1)) = (half(a), half(b));
    let (low, (middle, carry)) = (a0 * b0, (a0 * b1).overflowing_add(a1 * b0));
    let (low, overflow) = low.overflowing_add(middle << 64);
    (low, a1 * b1 + (middle >> 64) + (u128::from(carry) << 64) + u128::from(overflow))
}

fn shifted(low: u128, high: u128, shift: usize) -> u128 {
    match shift {
        ..128 => low >> shift | high << (128 - shift),
        _ => high >> (shift - 128),
    }
}

/// Two's complement in 256 bits.
pub(super) fn extend(x: i128) -> U256 {
    let sign = (x >> 127) as u64;
    U256::from_limbs([x as u64, (x >> 64) as u64, sign, sign])
}

/// The square root of `0 < x < 2^254`, rounded down.
///
/// Newton's iteration from above, where the root of the leading 63 or 64 bits leads: the error, relatively, halves its square, so
/// three steps lead from 2^-31 to below 2^-240.
pub(super) fn root(x: U256) -> U256 {
    // An even shift, so that the root of what is left is the root's leading part.
    let shift = (256 - x.leading_zeros()).saturating_sub(63) & !1;
    let top: u64 = (x >> shift).to();
    let seed = U256::from(top.isqrt() + 1) << (shift / 2);
    let y = (0..3).fold(seed, |y: U256, _| (y + x / y) >> 1);
    if y > x / y { y - U256::ONE } else { y }
}
