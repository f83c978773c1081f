//! Every one of the 2^32 arguments: the native form and the definition against an independent reference.

use crate::operations::Operation;
use crate::oracle;
use rayon::prelude::*;
use rebut_engine::arith::soft;
use serde::Serialize;
use sha3::{Digest, Keccak256};
use std::sync::atomic::{AtomicU64, Ordering};

/// Arguments of one block.
const BLOCK: u64 = 1 << 20;

/// What a sweep compares with the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sides {
    /// The native form.
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
    /// Results that differ from the reference, of all compared sides.
    pub mismatches: u64,
    /// keccak256 over the keccak256 of each 2^20 results' big-endian bits, in increasing order of the arguments' bits.
    pub digest: String,
    /// log2 of the least distance to a rounding boundary, in units of the last place, with the argument; none if not compared.
    pub closest: Option<(f64, String)>,
    /// The first few arguments with a mismatch.
    pub failures: Vec<String>,
}

struct Block {
    digest: [u8; 32],
    mismatches: u64,
    closest: (f64, u32),
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
    let closest = blocks.iter().map(|b| b.closest).min_by(|a, b| a.0.total_cmp(&b.0)).filter(|c| c.0.is_finite());
    Some(Sweep {
        function: operation.name.into(),
        inputs: blocks.len() as u64 * BLOCK,
        mismatches: blocks.iter().map(|b| b.mismatches).sum(),
        digest: crate::vectors::digest(&digests),
        closest: closest.map(|(distance, a)| (distance.log2(), format!("{a:08x}"))),
        failures: blocks.iter().flat_map(|b| &b.failures).take(10).map(|a| format!("{a:08x}")).collect(),
    })
}

fn block(operation: &Operation, reference: fn(f32) -> f32, sides: Sides, number: u64) -> Block {
    let mut block = Block { digest: [0; 32], mismatches: 0, closest: (f64::INFINITY, 0), failures: Vec::new() };
    let mut hash = Keccak256::new();
    let first = (number * BLOCK) as u32; // below 2^32
    for a in first..=first + (BLOCK - 1) as u32 {
        let expected = soft::canonical(reference(f32::from_bits(a)).to_bits());
        hash.update(expected.to_be_bytes());
        let mut wrong = sides.native && (operation.native)([a, 0, 0]) != expected;
        if sides.mirror {
            soft::closest::reset();
            wrong |= (operation.soft)([a, 0, 0]) != expected;
            let distance = soft::closest::get();
            if distance < block.closest.0 {
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
