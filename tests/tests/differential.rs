//! Kernels, reference interpreter and contract on random programs: the same bits, and the same opinion of what is malformed.
//!
//! `REBUT_PROGRAMS=2000 cargo test -p rebut-tests --test differential` looks longer.

use alloy::primitives::Bytes;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rebut_engine::dispute;
use rebut_engine::exec::{self, Isa, Options};
use rebut_engine::package::{Label, Package, PackageError};
use rebut_engine::program::{Core, Program, Source, ValueId, decode_descriptor, encode_descriptor, validate};
use rebut_engine::tensor::Tensor;
use rebut_engine::trace::{Trace, TraceView};
use rebut_engine::tree::tensor_root;
use rebut_sim::adversary::{ForgedTrace, Lie};
use rebut_tests::judge::{Judge, lane};
use rebut_tests::random_program::random_package;
use std::sync::atomic::{AtomicU64, Ordering};

/// Instructions of a random program.
const INSTRUCTIONS: usize = 5;

fn programs(default: u64) -> u64 {
    std::env::var("REBUT_PROGRAMS").map_or(default, |n| n.parse().expect("REBUT_PROGRAMS is a number"))
}

/// Runs `check` on the seeds below `count`, one thread a core.
fn on_seeds(count: u64, check: impl Fn(u64, &mut Judge) + Sync) {
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let mut judge = Judge::new();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= count {
                        break;
                    }
                    check(seed, &mut judge);
                }
            });
        }
    });
}

fn random(seed: u64) -> (Package, Vec<Tensor>) {
    random_package(&mut ChaCha8Rng::seed_from_u64(seed), INSTRUCTIONS)
}

/// The trace by portable code on one thread; every other way to compute it must give the same.
fn one_trace(package: &Package, inputs: &[Tensor], what: &str) -> Trace {
    let trace = |isa, threads| Trace::new(package, inputs, &Options { threads, isa }).expect("a random program runs");
    let first = trace(Isa::Portable, 1);
    for (isa, threads) in
        [(Isa::Portable, 2), (Isa::Avx2, 1), (Isa::Avx2, 3), (Isa::Auto, 1), (Isa::Auto, 2), (Isa::Auto, 8)]
    {
        let other = trace(isa, threads);
        let same = |v: ValueId| first.tensor_root(v) == other.tensor_root(v);
        let differing = (0..first.len() as ValueId).find(|&v| !same(v));
        assert_eq!(differing, None, "{what}: {isa:?} with {threads} threads differs from portable code in this value");
        assert_eq!(first.root(), other.root(), "{what}");
        // The plain run has fused kernels of its own.
        let outputs = exec::run(package, inputs, &Options { threads, isa }).expect("a random program runs");
        for (output, id) in outputs.iter().zip(package.program().output_ids()) {
            assert_eq!(
                tensor_root(output),
                first.tensor_root(id),
                "{what}: {isa:?} with {threads} threads, output {id}"
            );
        }
    }
    first
}

/// Every element of one value, by the reference and by the contract with the real witness; how many there were.
fn check_value(judge: &mut Judge, package: &Package, trace: &Trace, value: ValueId, what: &str) -> u64 {
    let entry = &package.program().values[value as usize];
    let tensor = trace.tensor(value).expect("every value is in the trace");
    let descriptor = encode_descriptor(entry).expect("a valid descriptor");
    for element in 0..tensor.len() as u64 {
        let what = || format!("{what}, value {value}, element {element}");
        let native = tensor.register(element as usize).expect("an element");
        let (reference, _) = dispute::evaluate(package, trace, value, element).expect("an instruction");
        assert_eq!(native, reference, "{}: kernels and reference", what());
        let witness = dispute::witness(package, trace, value, element).expect("a witness");
        let judged = judge.evaluate(descriptor.clone(), value, element, trace, witness);
        assert_eq!(judged, Ok(lane(entry.ty.dtype, native)), "{}: the contract and the kernels", what());
    }
    tensor.len() as u64
}

fn instructions(package: &Package) -> impl Iterator<Item = ValueId> {
    let values = package.program().values.iter().enumerate();
    values.filter(|(_, v)| matches!(v.source, Source::Instruction(_))).map(|(id, _)| id as ValueId)
}

fn has_indices(package: &Package, value: ValueId) -> bool {
    let Source::Instruction(i) = &package.program().values[value as usize].source else { return false };
    i.views.iter().any(|v| v.indirects().next().is_some())
}

#[test]
fn all_three_agree_on_every_element() {
    let [elements, indirect] = [AtomicU64::new(0), AtomicU64::new(0)];
    on_seeds(programs(60), |seed, judge| {
        let (package, inputs) = random(seed);
        let what = format!("seed {seed}");
        let trace = one_trace(&package, &inputs, &what);
        for value in instructions(&package) {
            indirect.fetch_add(has_indices(&package, value).into(), Ordering::Relaxed);
            elements.fetch_add(check_value(judge, &package, &trace, value, &what), Ordering::Relaxed);
        }
    });
    let indirect = indirect.into_inner();
    println!("{} elements, {indirect} instructions with indirect terms", elements.into_inner());
    assert!(indirect > 10);
}

/// A scan is judged by what comes before the disputed element in the result itself, which both sides have alike: under the root of a
/// trace that lies there the contract finds the right element, too. What the liar says of the following ones follows from its lie.
#[test]
fn a_lie_in_a_scan_is_seen_under_either_root() {
    const LIES: usize = 4;
    let [lies, after] = [AtomicU64::new(0), AtomicU64::new(0)];
    on_seeds(programs(60), |seed, judge| {
        let (package, inputs) = random(seed);
        let options = Options { threads: 1, ..Options::default() };
        let honest = Trace::new(&package, &inputs, &options).expect("a trace");
        let mut rng = ChaCha8Rng::seed_from_u64(!seed);
        for value in instructions(&package) {
            let entry = &package.program().values[value as usize];
            let Source::Instruction(i) = &entry.source else { continue };
            let elements = entry.ty.elements();
            if !matches!(i.core, Core::Scan { .. }) || elements == 0 {
                continue;
            }
            let descriptor = encode_descriptor(entry).expect("a descriptor");
            for _ in 0..LIES {
                let element = rng.random_range(0..elements);
                let what = format!("seed {seed}, value {value}, element {element}");
                let lie = Lie::Element { value, element };
                let forged = ForgedTrace::new(&package, &inputs, &options, lie).expect("a lie can be told anywhere");
                let forged = forged.trace();
                let register = |trace: &Trace, e: u64| trace.tensor(value).and_then(|t| t.register(e as usize));
                let right = register(&honest, element);
                assert_ne!(register(forged, element), right, "{what}");
                for trace in [&honest, forged] {
                    let witness = dispute::witness(&package, trace, value, element).expect("a witness");
                    let judged = judge.evaluate(descriptor.clone(), value, element, trace, witness);
                    assert_eq!(judged.ok(), right.map(|r| lane(entry.ty.dtype, r)), "{what}");
                }
                // An output may hide a second lie.
                let second = package.program().output_ids().contains(&value).then_some(0);
                for e in (0..elements).filter(|&e| e != element && Some(e) != second) {
                    let (computed, _) = dispute::evaluate(&package, forged, value, e).expect("an instruction");
                    assert_eq!(register(forged, e), Some(computed), "{what}: element {e}");
                    after.fetch_add((register(forged, e) != register(&honest, e)).into(), Ordering::Relaxed);
                }
                lies.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let (lies, after) = (lies.into_inner(), after.into_inner());
    println!("{lies} lies, {after} elements that follow from them");
    assert!(lies > 50 && after > 50);
}

/// The program up to a value, with another descriptor for that value.
fn with_descriptor(package: &Package, value: ValueId, descriptor: &[u8]) -> Result<Program, String> {
    let mut values = package.program().values[..=value as usize].to_vec();
    values[value as usize] = decode_descriptor(descriptor).map_err(|e| e.to_string())?;
    Ok(Program { inputs: package.program().inputs, outputs: 1, values })
}

/// Whether the last value's operands have the types that it says. The contract sees one descriptor and cannot know: who claims or
/// watches validates the whole program first.
fn operands_are_declared_truly(program: &Program) -> bool {
    let Some(Source::Instruction(instruction)) = program.values.last().map(|v| &v.source) else { return true };
    let last = program.values.len() as ValueId - 1;
    instruction.operands.iter().filter(|o| o.value < last).all(|o| {
        let ty = &program.values[o.value as usize].ty;
        (ty.dtype, ty.elements()) == (o.dtype, o.elements)
    })
}

/// One byte changed, the end cut off, or something appended.
fn mutate(rng: &mut impl Rng, descriptor: &[u8]) -> Vec<u8> {
    let mut bytes = descriptor.to_vec();
    let at = rng.random_range(0..bytes.len());
    match rng.random_range(0..20) {
        0 => bytes.truncate(at),
        1 => bytes.push(rng.random()),
        // Small numbers are other codes and counts; anything else is mostly out of range.
        n if n < 12 => bytes[at] = rng.random_range(0..0x40),
        _ => bytes[at] ^= 1 << rng.random_range(0..8),
    }
    bytes
}

#[test]
fn both_refuse_the_same_descriptors() {
    const MUTATIONS: usize = 60;
    let [refused, accepted] = [AtomicU64::new(0), AtomicU64::new(0)];
    on_seeds(programs(30), |seed, judge| {
        let (package, inputs) = random(seed);
        let trace = Trace::new(&package, &inputs, &Options { threads: 1, ..Options::default() }).expect("a trace");
        let mut rng = ChaCha8Rng::seed_from_u64(!seed);
        for value in instructions(&package) {
            if trace.tensor(value).is_none_or(Tensor::is_empty) {
                continue;
            }
            let descriptor = encode_descriptor(&package.program().values[value as usize]).expect("a descriptor");
            let witness = dispute::witness(&package, &trace, value, 0).expect("a witness");
            for _ in 0..MUTATIONS {
                let mutated = mutate(&mut rng, &descriptor);
                if mutated == descriptor {
                    continue;
                }
                let what = format!("seed {seed}, value {value}, descriptor {}", Bytes::from(mutated.clone()));
                let program = with_descriptor(&package, value, &mutated);
                if program.as_ref().is_ok_and(|p| !operands_are_declared_truly(p)) {
                    continue;
                }
                match program.and_then(|p| validate(&p).map(|()| p).map_err(|e| e.to_string())) {
                    Err(reason) => {
                        let judged = judge.evaluate(mutated, value, 0, &trace, witness.clone());
                        assert!(judged.is_err(), "{what}: Rust says {reason}, the contract computes {judged:?}");
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(program) => {
                        let agreed = check_mutant(judge, &package, &inputs, program, &what);
                        accepted.fetch_add(agreed.into(), Ordering::Relaxed);
                    }
                }
            }
        }
    });
    println!("{} refused, {} accepted", refused.into_inner(), accepted.into_inner());
}

/// A mutant that validates is a program like any other: its first element is the same everywhere. Whether it has one.
fn check_mutant(judge: &mut Judge, package: &Package, inputs: &[Tensor], program: Program, what: &str) -> bool {
    const MOST_ELEMENTS: u64 = 100_000;
    let value = program.values.len() as ValueId - 1;
    let Source::Instruction(instruction) = &program.values[value as usize].source else { return false };
    let (elements, dtype) = (program.values[value as usize].ty.elements(), program.values[value as usize].ty.dtype);
    // Computing all of a huge value natively proves nothing more.
    if elements == 0 || elements.saturating_mul(instruction.reduction.iter().product::<u64>().max(1)) > MOST_ELEMENTS {
        return false;
    }
    let labels = vec![Label::default(); program.values.len()];
    let mutant = match Package::new(program, package.constants().cloned().collect(), labels, vec!["out".into()]) {
        Err(PackageError::Step { .. }) => return false,
        mutant => mutant.expect("it validates"),
    };
    let trace = Trace::new(&mutant, inputs, &Options { threads: 1, ..Options::default() }).expect("it runs");
    let descriptor = encode_descriptor(&mutant.program().values[value as usize]).expect("a descriptor");
    let native = trace.tensor(value).and_then(|t| t.register(0)).expect("an element");
    let (reference, _) = dispute::evaluate(&mutant, &trace, value, 0).expect("an instruction");
    assert_eq!(native, reference, "{what}: kernels and reference");
    let witness = dispute::witness(&mutant, &trace, value, 0).expect("a witness");
    let judged = judge.evaluate(descriptor, value, 0, &trace, witness);
    assert_eq!(judged, Ok(lane(dtype, native)), "{what}: the contract and the kernels");
    true
}
