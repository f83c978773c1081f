//! What makes files that come far: a change of random bytes seldom leaves lengths, hashes and types as they must be, so files are
//! taken apart, changed, and put together as their author would.

mod bytes;
mod cache;
mod onnx;
mod package;
mod program;
mod text;
mod wire;

pub use cache::mutate as cache;
pub use onnx::{crossover as onnx_crossover, mutate as onnx};
pub use package::mutate as package;
pub use text::mutate as text;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The source of randomness: libFuzzer gives a seed for each change.
pub type Dice = ChaCha8Rng;

/// One in so many changes is one of bytes, whatever they mean.
const PLAIN: u32 = 8;

/// Changes the input in place by `change`, or by bytes where that cannot read it; gives the new size.
pub fn mutate(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    change: fn(&[u8], &mut Dice) -> Option<Vec<u8>>,
) -> usize {
    let mut dice = Dice::seed_from_u64(seed.into());
    if !dice.random_ratio(1, PLAIN)
        && let Some(changed) = change(&data[..size], &mut dice)
        && changed.len() <= max_size
    {
        return put(&changed, data);
    }
    libfuzzer_sys::fuzzer_mutate(data, size, max_size)
}

fn put(bytes: &[u8], out: &mut [u8]) -> usize {
    let size = bytes.len().min(out.len());
    out[..size].copy_from_slice(&bytes[..size]);
    size
}
