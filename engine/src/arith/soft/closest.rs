//! How close values come to a rounding boundary, for the sweeps that record it: compiled with the feature `closest` only.

use ruint::aliases::U256;
use std::cell::Cell;

thread_local!(static DISTANCE: Cell<f64> = const { Cell::new(f64::INFINITY) });

/// Forgets what was rounded before on this thread.
pub fn reset() {
    DISTANCE.set(f64::INFINITY);
}

/// The least distance to half way between two f32, in units of the last place, of what was rounded on this thread since the last
/// [`reset`]; infinite if nothing was. What lies exactly half way does not count: it is known exactly.
pub fn get() -> f64 {
    DISTANCE.get()
}

/// `s` is rounded by cutting `cut` bits.
pub(super) fn note(s: U256, cut: usize) {
    let rest: u128 = (s << (256 - cut) >> 128usize).to();
    let distance = rest.abs_diff(1 << 127) as f64 / 2f64.powi(128);
    if distance != 0.0 {
        DISTANCE.set(DISTANCE.get().min(distance));
    }
}
