//! Two's complement fixed point in 256 bits, as the EVM has it.

use ruint::aliases::U256;

/// `(a * b) >> shift` for signed operands, towards minus infinity; the result must fit.
pub(super) fn mul_shift(a: i128, b: i128, shift: usize) -> i128 {
    let product = extend(a).wrapping_mul(extend(b)).arithmetic_shr(shift);
    product.as_limbs()[0] as i128 & 0xffff_ffff_ffff_ffff | (product.as_limbs()[1] as i128) << 64
}

/// The square of a 128-bit number, shifted right; the result must fit.
pub(super) fn square_shift(a: u128, shift: usize) -> u128 {
    let a = U256::from(a);
    ((a * a) >> shift).to()
}

/// Two's complement in 256 bits.
pub(super) fn extend(x: i128) -> U256 {
    let sign = (x >> 127) as u64;
    U256::from_limbs([x as u64, (x >> 64) as u64, sign, sign])
}

/// The square root of `0 < x < 2^254`, rounded down.
///
/// Newton's iteration from a power of two above it: the error, relatively, halves its square, so seven steps lead from 1 to 2^-201.
pub(super) fn root(x: U256) -> U256 {
    let seed = U256::ONE << ((257 - x.leading_zeros()) / 2);
    let y = (0..7).fold(seed, |y: U256, _| (y + x / y) >> 1);
    if y > x / y { y - U256::ONE } else { y }
}
