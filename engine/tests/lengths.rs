//! Reductions of every length around a lane, a block, a window and a window of windows: the formulas of `docs/arithmetic.md` over
//! whole reductions, the reference element by element, and the native run with every instruction set.

mod onnx_support;

use onnx_support::tensors::{f32s, registers};
use onnx_support::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rebut_engine::arith::{Isa, soft};
use rebut_engine::exec::Options;
use rebut_engine::lower::{LowerOptions, lower};
use rebut_engine::onnx::model_from_bytes;
use rebut_engine::program::{Core, DType, FoldOp, Program, Source};
use rebut_engine::reference::fold;
use rebut_engine::tensor::Tensor;

const LENGTHS: [usize; 14] = [0, 1, 7, 8, 9, 15, 16, 17, 255, 256, 257, 65_535, 65_536, 65_537];
const WINDOW: usize = 256;
const SEED: u64 = 0x1e57;
/// Columns of the matrix products: with them the kernel runs, without them the chain of blocks.
const COLUMNS: [usize; 2] = [1, 33];

/// What a reduction is filled with.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Ordinary,
    Subnormal,
    Cancelling,
    ZeroSigns,
    Wild,
}

const KINDS: [Kind; 5] = [Kind::Ordinary, Kind::Subnormal, Kind::Cancelling, Kind::ZeroSigns, Kind::Wild];

fn lane(rng: &mut ChaCha8Rng, kind: Kind, i: usize) -> u32 {
    match kind {
        Kind::Ordinary => rng.random_range(-2.0f32..2.0).to_bits(),
        Kind::Subnormal => rng.random::<u32>() & 0x807f_ffff | u32::from(rng.random_ratio(1, 8)) << 30,
        // What goes up comes down, but for a little.
        Kind::Cancelling => (if i.is_multiple_of(2) { 1e8f32 } else { -1e8 + rng.random_range(0.0..64.0) }).to_bits(),
        Kind::ZeroSigns => u32::from(rng.random::<bool>()) << 31,
        Kind::Wild if rng.random_ratio(1, 50) => *[0x7f80_0000, 0xff80_0000, 0x7fc0_0000].get(i % 3).expect("of three"),
        Kind::Wild => rng.random::<u32>() & 0xbfff_ffff,
    }
}

fn lanes(rng: &mut ChaCha8Rng, kind: Kind, n: usize) -> Vec<u32> {
    (0..n).map(|i| lane(rng, kind, i)).collect()
}

fn tensor(dims: &[usize], bits: &[u32]) -> Tensor {
    f32s(dims, bits.iter().map(|&b| f32::from_bits(b)))
}

/// Runs a model with every instruction set, compares every element of every instruction with the reference, and gives the output and the
/// lengths of the parts that its reduction is cut into, one after the other.
fn run(model: Vec<u8>, inputs: &[Tensor], what: &str) -> (Vec<u32>, Vec<usize>) {
    let model = model_from_bytes(model, None).expect("a model");
    let package = package(&lower(&model, &LowerOptions::default()).unwrap_or_else(|e| panic!("{what}: {e}")));
    for isa in [Isa::Portable, Isa::Avx2, Isa::Auto] {
        let options = Options { threads: 1, isa };
        let values = agreed::values(&package, inputs, &options, what);
        if isa == Isa::Auto {
            let output = values.last().expect("an output");
            return (registers(output).into_iter().map(|x| x as u32).collect(), parts(package.program()));
        }
    }
    unreachable!("the last instruction set returns")
}

fn parts(program: &Program) -> Vec<usize> {
    let reductions = program.values.iter().filter_map(|v| match &v.source {
        Source::Instruction(i) if i.core != Core::None => Some(i),
        _ => None,
    });
    reductions.map(|i| if i.windowed { WINDOW } else { i.reduction.iter().product::<u64>() as usize }).collect()
}

/// Parts, then parts of their results, until one is left: the first by `first`, the others by `then`.
fn whole(xs: &[i64], parts: &[usize], first: impl Fn(&[i64]) -> i64, then: FoldOp) -> u32 {
    let Some((&length, others)) = parts.split_first().filter(|_| !xs.is_empty()) else { return first(xs) as u32 };
    let mut results: Vec<i64> = xs.chunks(length).map(first).collect();
    for &length in others {
        results = results.chunks(length).map(|part| fold(then, DType::F32, part)).collect();
    }
    assert_eq!(results.len(), 1, "{} elements in parts of {parts:?}", xs.len());
    results[0] as u32
}

fn canonical(bits: &[u32]) -> Vec<i64> {
    bits.iter().map(|&b| soft::canonical(b).into()).collect()
}

#[test]
fn dots_of_every_length() {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    for k in LENGTHS {
        for (kind, columns) in KINDS.into_iter().zip(COLUMNS.into_iter().cycle()) {
            // The long ones take the reference long: one column of each kind, several of the first.
            let columns = if k > 1000 { 1 + 8 * usize::from(matches!(kind, Kind::Ordinary)) } else { columns };
            let (a, b) = (lanes(&mut rng, kind, k), lanes(&mut rng, kind, k * columns));
            let dims: [&[i64]; 2] = [&[1, k as i64], &[k as i64, columns as i64]];
            let model = single("MatMul", 13, &[("a", dims[0]), ("b", dims[1])], vec![], vec![]);
            let what = format!("dot of {k} {kind:?} elements, {columns} columns");
            let (got, parts) = run(model, &[tensor(&[1, k], &a), tensor(&[k, columns], &b)], &what);
            for (column, got) in got.into_iter().enumerate() {
                // Each k as a pair of registers.
                let pairs: Vec<i64> =
                    (0..k).map(|i| i64::from(a[i]) << 32 | i64::from(b[i * columns + column])).collect();
                let chain = |window: &[i64]| {
                    let of = |pair: i64| [(pair >> 32) as u32, pair as u32].map(soft::canonical);
                    window.iter().fold(0, |s, &pair| soft::fma(of(pair)[0], of(pair)[1], s)).into()
                };
                assert_eq!(got, whole(&pairs, &parts, chain, FoldOp::SeqAdd), "{what}, column {column}");
            }
        }
    }
}

#[test]
fn folds_of_every_length() {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED + 1);
    let operators = [
        ("ReduceSum", FoldOp::Sum, FoldOp::SeqAdd),
        ("ReduceSumSquare", FoldOp::SumSq, FoldOp::SeqAdd),
        ("ReduceProd", FoldOp::Prod, FoldOp::SeqMul),
        ("ReduceMin", FoldOp::Min, FoldOp::Min),
        ("ReduceMax", FoldOp::Max, FoldOp::Max),
    ];
    for n in LENGTHS {
        for kind in KINDS {
            for (operator, first, then) in operators {
                let x = lanes(&mut rng, kind, n);
                let model = single(operator, 18, &[("x", &[n as i64])], vec![("axes", ints("axes", &[0]))], vec![]);
                let what = format!("{operator} of {n} {kind:?} elements");
                let (got, parts) = run(model, &[tensor(&[n], &x)], &what);
                let expected = whole(&canonical(&x), &parts, |window| fold(first, DType::F32, window), then);
                assert_eq!(got, [expected], "{what}");
            }
        }
    }
}
