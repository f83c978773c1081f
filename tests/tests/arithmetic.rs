//! The contracts' float functions, dots and folds against the executable definition, bit for bit; their gas against the snapshot.

use alloy::sol_types::SolCall;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rebut_contracts::abi::{ArithHarness, Elementary};
use rebut_engine::arith::soft;
use rebut_engine::program::{DType, FoldOp, Op};
use rebut_engine::reference;
use rebut_proof::gas::{Snapshot, measure};
use rebut_proof::harness::{Harness, bytes};
use rebut_proof::inputs::{SPECIAL, arguments, specials};
use rebut_proof::operations::OPERATIONS;
use rebut_proof::vectors::{COUNT, digests};
use rebut_sim::BareEvm;

/// Vectors for each operation.
const VECTORS: usize = 10_000;
const SEED: u64 = 0x5eed;

#[test]
fn every_operation() {
    let mut harness = Harness::new();
    for operation in OPERATIONS {
        let all = arguments(operation, VECTORS, SEED);
        for (arguments, got) in all.iter().zip(harness.run(operation, &all)) {
            let want = (operation.soft)(*arguments);
            let name = operation.name;
            assert_eq!(got, want, "{name} of {arguments:08x?}: {got:#010x}, the definition says {want:#010x}");
        }
    }
}

#[test]
fn every_operation_natively() {
    for operation in OPERATIONS {
        for arguments in arguments(operation, VECTORS, SEED + 1) {
            let (got, want) = ((operation.native)(arguments), (operation.soft)(arguments));
            let name = operation.name;
            assert_eq!(got, want, "{name} of {arguments:08x?}: {got:#010x}, the definition says {want:#010x}");
        }
    }
}

/// The contract that adjudicators call knows every operation that they do not have by its code, and no other code.
#[test]
fn the_called_contract_finds_every_operation() {
    let mut evm = BareEvm::new();
    let address = evm.deploy(Elementary::BYTECODE.clone()).expect("it deploys");
    let mut ask = |code: u8, a: u32, b: u32| {
        let [code, a, b] = [u32::from(code), a, b].map(alloy::primitives::U256::from);
        let answer = evm.call(address, Elementary::evaluateCall { code, a, b }.abi_encode());
        answer.map(|(output, _)| Elementary::evaluateCall::abi_decode_returns(&output).expect("a word"))
    };
    for code in 0..=u8::MAX {
        let known = Op::from_code(code).is_some_and(Op::is_called);
        for (a, b) in specials().zip(specials().skip(7)) {
            let answer = ask(code, a, b);
            assert_eq!(answer.is_ok(), known, "{code:#04x}");
            let (Ok(got), Some(op)) = (answer, Op::from_code(code)) else { continue };
            let want = reference::apply(op, DType::F32, [a.into(), b.into(), 0]);
            assert_eq!(got.to::<i64>(), want, "{op} of {a:08x} {b:08x}");
        }
    }
}

#[test]
fn gas_is_that_of_the_snapshot() {
    let committed: Snapshot = serde_json::from_str(include_str!("../../docs/gas.json")).expect("docs/gas.json");
    let measured = measure();
    assert_eq!(measured, committed, "run `cargo xtask gas --write docs/gas.json` and look at what changed");
    assert!(measured.code.values().all(|&bytes| bytes <= 24_576));
}

#[test]
fn digests_of_the_vector_files_are_published() {
    let specification = include_str!("../../docs/arithmetic.md");
    let published = digests(COUNT);
    assert!(
        specification.contains(&published),
        "docs/arithmetic.md needs the lines of `cargo xtask vectors`:\n{published}"
    );
}

/// Vectors of every length around a lane, a half, a block and a chunk.
fn vectors() -> Vec<Vec<u32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED + 1);
    let mut all = Vec::new();
    for n in [0, 1, 7, 8, 9, 15, 16, 17, 255, 256] {
        for wild in [0.0, 0.02, 0.3] {
            for _ in 0..8 {
                let lane = |rng: &mut ChaCha8Rng| match rng.random_bool(wild) {
                    true if rng.random() => SPECIAL[rng.random_range(0..SPECIAL.len())],
                    true => rng.random(),
                    false => rng.random_range(-2.0f32..2.0).to_bits(),
                };
                all.push((0..n).map(|_| lane(&mut rng)).collect());
            }
        }
        all.push(vec![0x8000_0000; n]);
    }
    all
}

#[test]
fn dots() {
    let mut harness = Harness::new();
    for pair in vectors().windows(2).filter(|pair| pair[0].len() == pair[1].len()) {
        let (a, b) = (&pair[0], &pair[1]);
        let got = harness.ask(&ArithHarness::dotCall { a: bytes(a).into(), b: bytes(b).into() }).result;
        let chain = |s, (&a, &b)| soft::fma(soft::canonical(a), soft::canonical(b), s);
        let want = a.iter().zip(b).fold(0, chain);
        assert_eq!(got, want, "dot of {a:08x?} and {b:08x?}");
    }
}

/// Operands whose products and sums lie at the ends of the range, far from each other, or cancel.
#[test]
fn dots_of_hostile_operands() {
    let mut harness = Harness::new();
    let mut rng = ChaCha8Rng::seed_from_u64(SEED + 2);
    for case in 0..6_000 {
        let n = rng.random_range(1..=40);
        // A chain is of one kind, or of all.
        let kind = rng.random_range(0..=KINDS);
        let (mut a, mut b, mut want) = (Vec::new(), Vec::new(), 0);
        for _ in 0..n {
            let kind = if kind == KINDS { rng.random_range(0..KINDS) } else { kind };
            let pair = hostile(&mut rng, kind, want);
            let [x, y] = pair.map(soft::canonical);
            want = soft::fma(x, y, want);
            a.push(x);
            b.push(y);
        }
        let got = harness.ask(&ArithHarness::dotCall { a: bytes(&a).into(), b: bytes(&b).into() }).result;
        assert_eq!(got, want, "case {case}: dot of {a:08x?} and {b:08x?}");
    }
}

/// Kinds of factors.
const KINDS: u32 = 9;

/// Two factors that are added to the sum so far.
fn hostile(rng: &mut ChaCha8Rng, kind: u32, sum: u32) -> [u32; 2] {
    const ONE: u32 = 0x3f80_0000;
    let sign = if rng.random() { 0x8000_0000 } else { 0 };
    let of = |rng: &mut ChaCha8Rng, exponents: std::ops::Range<u32>| {
        sign | rng.random_range(exponents) << 23 | rng.random::<u32>() & 0x7f_ffff
    };
    // A small distance from the sum, of the other sign.
    let other = (sum ^ 0x8000_0000).wrapping_add(rng.random_range(0..3));
    match kind {
        // Any finite number.
        0 => [(); 2].map(|()| rng.random::<u32>() & !0x0080_0000),
        // Products around the least subnormal number, and around the least normal one.
        1 => [of(rng, 50..54), of(rng, 50..54)],
        2 => [of(rng, 60..64), of(rng, 64..68)],
        // Around the largest number.
        3 => [of(rng, 188..192), of(rng, 187..191)],
        // The sum's opposite, or nearly.
        4 => match rng.random_range(0..3) {
            0 => [sum ^ 0x8000_0000, ONE],
            1 => [other, ONE],
            _ => [of(rng, 0..24), of(rng, 20..240)],
        },
        // The largest number, about half a unit of it, half of it.
        8 => [sign | [0x7f7f_ffff, 0x72ff_ffff, 0x7300_0000, 0x7300_0001, 0x7f00_0000][rng.random_range(0..5)], ONE],
        // Zeros of either sign.
        5 => [sign, rng.random::<u32>() & !0x0080_0000],
        6 => [sign | rng.random_range(0..4), of(rng, 0..254)],
        // Hardly ever infinite.
        _ if rng.random_bool(0.05) => [SPECIAL[rng.random_range(0..SPECIAL.len())] ^ sign, rng.random()],
        _ => [of(rng, 100..150), of(rng, 126..130)],
    }
}

#[test]
fn folds() {
    let mut harness = Harness::new();
    for op in FoldOp::ALL.into_iter().filter(|op| op.accepts(DType::F32)) {
        for x in vectors() {
            let got = harness.ask(&ArithHarness::foldCall { op: op.code(), x: bytes(&x).into() }).result;
            let registers: Vec<i64> = x.iter().map(|&x| i64::from(soft::canonical(x))).collect();
            let want = reference::fold(op, DType::F32, &registers);
            assert_eq!(i64::from(got), want, "{} of {x:08x?}", op.name());
        }
    }
}
