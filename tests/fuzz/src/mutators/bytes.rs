//! Changes of bytes and numbers.

use super::Dice;
use rand::Rng;
use rand::seq::IndexedRandom;

/// How much longer one change may make bytes.
const GROWTH: usize = 64;

/// What libFuzzer does to bytes: it knows what the code compares with.
pub(super) fn change(bytes: &mut Vec<u8>) {
    let size = bytes.len();
    bytes.resize(size + GROWTH, 0);
    let max_size = bytes.len();
    let size = libfuzzer_sys::fuzzer_mutate(bytes, size, max_size);
    bytes.truncate(size);
}

/// A number near the one before, or one near some limit.
pub(super) fn number(dice: &mut Dice, before: i64) -> i64 {
    const LIMITS: [u32; 12] = [0, 3, 4, 8, 9, 16, 24, 31, 32, 39, 40, 62];
    let near = dice.random_range(-1..=1);
    match dice.random_range(0..6) {
        0 => before.wrapping_add(near),
        1 => before.wrapping_neg(),
        2 => dice.random_range(-9..=9),
        3 => before ^ (1 << dice.random_range(0..63)),
        4 => [i64::MIN, i64::MAX, before.wrapping_mul(2), before / 2][dice.random_range(0..4)],
        _ => (1i64 << LIMITS.choose(dice).unwrap_or(&0)).wrapping_add(near),
    }
}

/// An extent: mostly small, or a program is too large to run.
pub(super) fn extent(dice: &mut Dice, before: u64) -> u64 {
    if dice.random_ratio(3, 4) {
        dice.random_range(0..=9)
    } else {
        number(dice, before as i64).unsigned_abs() % (1 << 41)
    }
}
