//! How close values come to a rounding boundary, for the sweeps that record it: compiled with the feature `closest` only.

use ruint::aliases::U256;
use std::cell::Cell;

thread_local!(static DISTANCE: Cell<u128> = const { Cell::new(FAR) });

/// More than any distance, which is at most 2^127.
pub const FAR: u128 = u128::MAX;

/// Forgets what was rounded before on this thread.
pub fn reset() {
    DISTANCE.set(FAR);
}

/// The least distance to half way between two f32, in 2^-128 units of the last place, of what was rounded on this thread since the
/// last [`reset`]; [`FAR`] if nothing was. What lies exactly half way does not count: it is known exactly.
pub fn get() -> u128 {
    DISTANCE.get()
}

/// `s` is rounded by cutting `cut` bits.
pub(super) fn note(s: U256, cut: usize) {
    let [a, b, c, d] = *s.as_limbs();
    let (low, high) = (u128::from(a) | u128::from(b) << 64, u128::from(c) | u128::from(d) << 64);
    // The 128 bits below the cut: the others are far too few to matter.
    let rest = match cut {
        ..128 => low << (128 - cut),
        128 => low,
        _ => low >> (cut - 128) | high << (256 - cut),
    };
    let distance = rest.abs_diff(1 << 127);
    if distance != 0 && distance < DISTANCE.get() {
        DISTANCE.set(distance);
    }
}
