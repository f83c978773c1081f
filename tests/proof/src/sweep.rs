//! Every one of the 2^32 arguments: the native form, over slices too, and the definition against an independent reference.

use crate::inputs::random;
use crate::operations::Operation;
use crate::oracle;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use rebut_engine::arith::native::vector;
use rebut_engine::arith::soft;
use rebut_engine::exec::Isa;
use serde::Serialize;
use sha3::{Digest, Keccak256};
use std::sync::atomic::{AtomicU64, Ordering};

/// Arguments of one block.
const BLOCK: u64 = 1 << 20;

/// What a sweep compares with the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sides {
    /// The native form, of one number and over slices.
    pub native: bool,
    /// The definition, which is the exact mirror of the contract's algorithm.
    pub mirror: bool,
}

/// The result of a sweep.
#[derive(Clone, Debug, Serialize)]
pub struct Sweep {
    /// The function.
    pub function: String,
    /// Number of arguments.
    pub inputs: u64,
    /// Arguments at which a compared side differs from the reference.
    pub mismatches: u64,
    /// keccak256 over the keccak256 of each 2^20 of the reference's results, big-endian, in increasing order of the arguments' bits.
    pub digest: String,
    /// log2 of the least distance to a rounding boundary before the one rounding, in units of the last place, with the argument. None
    /// where the definition is not compared, or rounds an exact remainder (`sqrt`, `rsqrt`, `reciprocal`).
    pub closest: Option<(f64, String)>,
    /// The first few arguments with a mismatch.
    pub failures: Vec<String>,
}

struct Block {
    digest: [u8; 32],
    mismatches: u64,
    closest: (u128, u32),
    failures: Vec<u32>,
}

/// Sweeps every `stride`-th block of a function; none if the reference does not have it.
pub fn sweep(operation: &Operation, sides: Sides, stride: u64, progress: impl Fn(u64, u64) + Sync) -> Option<Sweep> {
    let reference = oracle::unary(operation.name)?;
    let numbers: Vec<u64> = (0..(1u64 << 32) / BLOCK).step_by(stride.max(1) as usize).collect();
    let done = AtomicU64::new(0);
    let blocks: Vec<Block> = numbers
        .par_iter()
        .map(|&n| {
            let block = block(operation, reference, sides, n);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, numbers.len() as u64);
            block
        })
        .collect();
    let digests: Vec<u8> = blocks.iter().flat_map(|b| b.digest).collect();
    let closest = blocks.iter().map(|b| b.closest).min().filter(|c| c.0 != soft::closest::FAR);
    Some(Sweep {
        function: operation.name.into(),
        inputs: blocks.len() as u64 * BLOCK,
        mismatches: blocks.iter().map(|b| b.mismatches).sum(),
        digest: crate::vectors::digest(&digests),
        closest: closest.map(|(distance, a)| ((distance as f64).log2() - 128.0, format!("{a:08x}"))),
        failures: blocks.iter().flat_map(|b| &b.failures).take(10).map(|a| format!("{a:08x}")).collect(),
    })
}

/// Compares `count` pairs for pow: powers of small odd numbers next to their exact roots and integers, bases next to 1, and random ones.
pub fn pairs(count: u64, sides: Sides, progress: impl Fn(u64, u64) + Sync) -> Sweep {
    let pow = Operation::named("pow").expect("it is listed");
    let blocks = count.div_ceil(BLOCK);
    let done = AtomicU64::new(0);
    let results: Vec<Block> = (0..blocks)
        .into_par_iter()
        .map(|n| {
            let mut rng = ChaCha8Rng::seed_from_u64(n);
            let mut block =
                Block { digest: [0; 32], mismatches: 0, closest: (soft::closest::FAR, 0), failures: Vec::new() };
            let mut hash = Keccak256::new();
            for _ in 0..BLOCK {
                let [a, b] = pair(&mut rng).map(soft::canonical);
                let expected = soft::canonical(oracle::pow(f32::from_bits(a), f32::from_bits(b)).to_bits());
                hash.update(expected.to_be_bytes());
                let mut wrong = sides.native && (pow.native)([a, b, 0]) != expected;
                wrong |= sides.mirror && (pow.soft)([a, b, 0]) != expected;
                block.mismatches += u64::from(wrong);
                if wrong {
                    block.failures.extend([a, b]);
                }
            }
            block.digest = hash.finalize().into();
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, blocks);
            block
        })
        .collect();
    let digests: Vec<u8> = results.iter().flat_map(|b| b.digest).collect();
    Sweep {
        function: "pow".into(),
        inputs: blocks * BLOCK,
        mismatches: results.iter().map(|b| b.mismatches).sum(),
        digest: crate::vectors::digest(&digests),
        closest: None,
        failures: results.iter().flat_map(|b| &b.failures).take(20).map(|a| format!("{a:08x}")).collect(),
    }
}

/// Two arguments of pow: a quarter of any kind, the others where results are finite and hard.
fn pair(rng: &mut ChaCha8Rng) -> [u32; 2] {
    let exact = |rng: &mut ChaCha8Rng| {
        // (odd * 2^u)^(2^v) to the power n / 2^v: exact, or next to it.
        let v = rng.random_range(0..=3);
        let base = (2 * rng.random_range(0..40) + 1) as f32 * 2f32.powi(rng.random_range(-6..7));
        let [x, y] = [base.powi(1 << v), rng.random_range(-15..16) as f32 / (1 << v) as f32];
        [x.to_bits().wrapping_add(rng.random_range(0..3)).wrapping_sub(1), y.to_bits()]
    };
    match rng.random_range(0..4) {
        0 => {
            let [a, b, _] = random(rng);
            [a, b]
        }
        1 => exact(rng),
        // Next to 1, with exponents as large as that allows.
        2 => [
            0x3f80_0000u32.wrapping_add_signed(rng.random_range(-5000..5000)),
            rng.random_range(0x4000_0000..0x4d00_0000),
        ],
        _ => {
            let x = rng.random_range(0x0000_0001..0x7f80_0000);
            let reach = 150.0 / f32::from_bits(x).log2().abs().max(1e-6);
            [x, rng.random_range(-reach..reach).to_bits()]
        }
    }
}

/// The form over slices, where there is one.
fn over_slices(name: &str) -> Option<fn(&[f32], &mut [f32], Isa)> {
    Some(match name {
        "exp" => vector::exp,
        "log" => vector::log,
        "tanh" => vector::tanh,
        "sigmoid" => vector::sigmoid,
        "erf" => vector::erf,
        "rsqrt" => vector::rsqrt,
        _ => return None,
    })
}

fn block(operation: &Operation, reference: fn(u32) -> u32, sides: Sides, number: u64) -> Block {
    let mut block = Block { digest: [0; 32], mismatches: 0, closest: (soft::closest::FAR, 0), failures: Vec::new() };
    let mut hash = Keccak256::new();
    let rounds = !matches!(operation.name, "sqrt" | "rsqrt" | "reciprocal");
    let first = (number * BLOCK) as u32; // below 2^32
    let arguments = first..=first + (BLOCK - 1) as u32;
    let slice = over_slices(operation.name).filter(|_| sides.native).map(|form| {
        let x: Vec<f32> = arguments.clone().map(f32::from_bits).collect();
        let mut results = vec![0.0; x.len()];
        form(&x, &mut results, Isa::Auto);
        results
    });
    for (n, a) in arguments.enumerate() {
        let expected = reference(a);
        hash.update(expected.to_be_bytes());
        let mut wrong = sides.native && (operation.native)([a, 0, 0]) != expected;
        wrong |= slice.as_ref().is_some_and(|results| results[n].to_bits() != expected);
        if sides.mirror {
            soft::closest::reset();
            wrong |= (operation.soft)([a, 0, 0]) != expected;
            let distance = soft::closest::get();
            if rounds && distance < block.closest.0 {
                block.closest = (distance, a);
            }
        }
        if wrong {
            block.mismatches += 1;
            if block.failures.len() < 10 {
                block.failures.push(a);
            }
        }
    }
    block.digest = hash.finalize().into();
    block
}
