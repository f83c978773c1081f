//! What the contracts' arithmetic costs: exact figures, committed and compared by a test.

use crate::harness::{Harness, bytes};
use crate::inputs::arguments;
use crate::operations::{OPERATIONS, Operation};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rebut_contracts::abi::ArithHarness::{dotCall, foldCall};
use rebut_contracts::abi::{Adjudicator, Elementary, Game, Rebut, Requests};
use rebut_engine::program::{DType, FoldOp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Arguments that the worst case is searched among.
const SEARCHED: usize = 8_000;
const TYPICAL: usize = 1_000;
const SEED: u64 = 0x6a5;
/// Elements of a dot or a fold: one window.
const WINDOW: usize = 256;

/// Gas of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gas {
    /// The median over arguments of the size that networks compute with.
    pub typical: u32,
    /// The most over edges, all exponents, recorded and random arguments.
    pub worst: u32,
}

/// All figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// By operation, without calling and finding it.
    pub operations: BTreeMap<String, Gas>,
    /// Of reductions over one window of 256 elements.
    pub windows: BTreeMap<String, Gas>,
    /// Bytes of deployed code by contract; the limit is 24,576.
    pub code: BTreeMap<String, usize>,
}

/// Measures everything.
pub fn measure() -> Snapshot {
    let mut harness = Harness::new();
    let operations = OPERATIONS.iter().map(|o| (o.name.to_owned(), operation(&mut harness, o))).collect();
    let mut windows: BTreeMap<String, Gas> = FoldOp::ALL
        .into_iter()
        .filter(|op| op.accepts(DType::F32))
        .map(|op| (op.name().to_owned(), fold(&mut harness, op)))
        .collect();
    windows.insert("dot".into(), dot(&mut harness));
    let code = [
        ("Rebut", Rebut::DEPLOYED_BYTECODE.len()),
        ("Game", Game::DEPLOYED_BYTECODE.len()),
        ("Requests", Requests::DEPLOYED_BYTECODE.len()),
        ("Adjudicator", Adjudicator::DEPLOYED_BYTECODE.len()),
        ("Elementary", Elementary::DEPLOYED_BYTECODE.len()),
    ];
    Snapshot { operations, windows, code: code.into_iter().map(|(name, n)| (name.to_owned(), n)).collect() }
}

fn operation(harness: &mut Harness, operation: &Operation) -> Gas {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    // Both signs for most; positive numbers for those that have no values elsewhere, and within 1 for the inverse ones.
    let (low, high) = match operation.name {
        "log" | "log2" | "sqrt" | "rsqrt" | "pow" => (0.01, 8.0),
        "acosh" => (1.0, 8.0),
        "erf" => (-3.0, 3.0),
        "asin" | "acos" | "atanh" => (-1.0, 1.0),
        _ => (-8.0f32, 8.0),
    };
    let typical: Vec<_> = (0..TYPICAL).map(|_| [(); 3].map(|()| rng.random_range(low..high).to_bits())).collect();
    summary(harness.costs(operation, &typical), harness.costs(operation, &arguments(operation, SEARCHED, SEED)))
}

fn summary(mut typical: Vec<u32>, searched: Vec<u32>) -> Gas {
    typical.sort_unstable();
    let worst = searched.iter().chain(&typical).max();
    Gas { typical: typical[typical.len() / 2], worst: *worst.expect("there are arguments") }
}

/// Windows of normal numbers, then such as cost most: subnormals, wide exponents, a few odd lanes.
fn windows() -> [Vec<Vec<u32>>; 2] {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut window = |lane: fn(&mut ChaCha8Rng) -> u32| -> Vec<Vec<u32>> {
        (0..32).map(|_| (0..WINDOW).map(|_| lane(&mut rng)).collect()).collect()
    };
    let typical = window(|rng| rng.random_range(-2.0f32..2.0).to_bits());
    let mut searched = window(|rng| rng.random());
    searched.extend(window(|rng| rng.random::<u32>() & 0x807f_ffff));
    searched.extend(window(|rng| rng.random::<u32>() & 0xbfff_ffff));
    searched.extend(window(|rng| if rng.random_ratio(1, 8) { 0x0000_0001 } else { 0x3f80_0001 }));
    searched.extend(window(|rng| rng.random::<u32>() & 0x80ff_ffff | rng.random_range(0..2u32) << 30));
    [typical, searched]
}

fn fold(harness: &mut Harness, op: FoldOp) -> Gas {
    let mut ask = |x: &Vec<u32>| {
        let used = harness.ask(&foldCall { op: op.code(), x: bytes(x).into() }).gasUsed;
        u32::try_from(used).expect("gas of one window")
    };
    let [typical, searched] = windows();
    summary(typical.iter().map(&mut ask).collect(), searched.iter().map(&mut ask).collect())
}

fn dot(harness: &mut Harness) -> Gas {
    let mut ask = |x: &[Vec<u32>]| {
        let used = harness.ask(&dotCall { a: bytes(&x[0]).into(), b: bytes(&x[1]).into() }).gasUsed;
        u32::try_from(used).expect("gas of one window")
    };
    let [typical, searched] = windows();
    summary(typical.windows(2).map(&mut ask).collect(), searched.windows(2).map(&mut ask).collect())
}
