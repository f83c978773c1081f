//! Calls that were made before, changed.

use alloy::primitives::U256;
use rand::Rng;
use rand::seq::IndexedRandom;

/// Most calls that are kept.
const KEPT: usize = 400;

/// The calldata that the contract has seen.
#[derive(Default)]
pub(super) struct Seen {
    calls: Vec<Vec<u8>>,
}

impl Seen {
    /// Keeps a call; instead of another one when there are many.
    pub(super) fn keep(&mut self, rng: &mut impl Rng, call: Vec<u8>) {
        if self.calls.len() < KEPT {
            self.calls.push(call);
        } else {
            let at = rng.random_range(0..KEPT);
            self.calls[at] = call;
        }
    }

    /// One of them: as it was, or with words or bytes changed; sometimes with wei.
    pub(super) fn any(&self, rng: &mut impl Rng) -> Option<(Vec<u8>, U256)> {
        let mut call = self.calls.choose(rng)?.clone();
        if rng.random_bool(0.7) {
            for _ in 0..rng.random_range(1..=3) {
                self.change(rng, &mut call);
            }
        }
        let wei = if rng.random_bool(0.3) { rng.random_range(1..200_000_000) } else { 0 };
        Some((call, U256::from(wei)))
    }

    fn change(&self, rng: &mut impl Rng, call: &mut [u8]) {
        let words = call.len().saturating_sub(4) / 32;
        if words == 0 {
            return;
        }
        let at = 4 + 32 * rng.random_range(0..words);
        let word = &mut call[at..at + 32];
        match rng.random_range(0..6) {
            0 => word[31] = word[31].wrapping_add(1),
            1 => word[rng.random_range(0..32)] ^= 1 << rng.random_range(0..8),
            2 => word.fill(if rng.random_bool(0.5) { 0 } else { 0xff }),
            // Word by word of another call: another claim's id, another's list, another's account.
            _ => {
                let other = self.calls.choose(rng).filter(|other| other.len() >= 36);
                if let Some(other) = other {
                    let from = 4 + 32 * rng.random_range(0..(other.len() - 4) / 32);
                    word.copy_from_slice(&other[from..from + 32]);
                }
            }
        }
    }
}
