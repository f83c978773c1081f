//! The contracts' float functions, dots and folds against the executable definition, bit for bit.

use alloy::primitives::Address;
use alloy::sol_types::SolCall;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rebut_contracts::abi::{ArithHarness, ElementaryHarness};
use rebut_engine::arith::soft;
use rebut_engine::program::{DType, FoldOp, Op};
use rebut_engine::reference;
use rebut_sim::BareEvm;

/// Zeros, subnormals, the ends of the range, infinities, NaNs with payloads, ones, halves, and where functions overflow.
const SPECIAL: [u32; 26] = [
    0,
    0x8000_0000,
    1,
    0x8000_0001,
    0x007f_ffff,
    0x807f_ffff,
    0x0080_0000,
    0x8080_0000,
    0x7f7f_ffff,
    0xff7f_ffff,
    0x7f80_0000,
    0xff80_0000,
    0x7fc0_0000,
    0xffc1_2345,
    0x7f80_0001,
    0x3f80_0000,
    0xbf80_0000,
    0x3f00_0000,
    0xbf00_0000,
    0x3fc0_0000,
    0x4b00_0000,
    0x4b00_0001,
    0x4f00_0000,
    0xcf00_0000,
    0x42b1_7218,
    0xc2cf_f1b5,
];
const RANDOM: usize = 10_000;
/// Triples in a call: the EVM's memory costs more than linearly.
const BATCH: usize = 1_000;
const SEED: u64 = 0x5eed;

struct Harness {
    evm: BareEvm,
    basic: Address,
    elementary: Address,
}

impl Harness {
    fn new() -> Self {
        let mut evm = BareEvm::new();
        let basic = evm.deploy(ArithHarness::BYTECODE.clone()).expect("the harness deploys");
        let elementary = evm.deploy(ElementaryHarness::BYTECODE.clone()).expect("the elementary functions deploy");
        Self { evm, basic, elementary }
    }

    fn ask<C: SolCall>(&mut self, call: &C) -> C::Return {
        self.ask_at(self.basic, call)
    }

    fn ask_at<C: SolCall>(&mut self, address: Address, call: &C) -> C::Return {
        let (output, _) = self.evm.call(address, call.abi_encode()).expect("the harness answers");
        C::abi_decode_returns(&output).expect("the harness' answer")
    }

    fn run(&mut self, code: u8, triples: &[[u32; 3]]) -> Vec<u32> {
        let call = ArithHarness::runCall { op: code, triples: bytes(triples.as_flattened()).into() };
        let address = if Op::from_code(code).is_some_and(Op::is_elementary) { self.elementary } else { self.basic };
        self.ask_at(address, &call).as_chunks::<4>().0.iter().map(|lane| u32::from_be_bytes(*lane)).collect()
    }
}

fn bytes(lanes: &[u32]) -> Vec<u8> {
    lanes.iter().flat_map(|x| x.to_be_bytes()).collect()
}

/// Random bits half of the time, else something near the size of what networks compute with.
fn random_bits(rng: &mut impl Rng) -> u32 {
    match rng.random_range(0..4) {
        0 | 1 => rng.random(),
        2 => rng.random_range(-20.0f32..20.0).to_bits(),
        _ => (rng.random_range(-1.0f32..1.0) * 2f32.powi(rng.random_range(-30..30))).to_bits(),
    }
}

/// Every pair of special numbers, and random triples.
fn triples() -> Vec<[u32; 3]> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut all: Vec<[u32; 3]> = SPECIAL.iter().flat_map(|&a| SPECIAL.map(|b| [a, b, a ^ 0x8000_0000])).collect();
    for _ in 0..RANDOM {
        let [a, b] = [random_bits(&mut rng), random_bits(&mut rng)];
        // A third operand that nearly cancels the product is where a fused multiply-add is hard.
        let product = (f32::from_bits(a) * f32::from_bits(b)).to_bits() ^ 0x8000_0000;
        let c = if rng.random() { product.wrapping_add(rng.random_range(0..3)) } else { random_bits(&mut rng) };
        all.push([a, if rng.random_bool(0.1) { a } else { b }, c]);
    }
    all
}

fn compare(harness: &mut Harness, code: u8, name: &str, all: &[[u32; 3]], expected: impl Fn([u32; 3]) -> u32) {
    for batch in all.chunks(BATCH) {
        let answers = harness.run(code, batch);
        assert_eq!(answers.len(), batch.len());
        for (&[a, b, c], got) in batch.iter().zip(answers) {
            // An operand is loaded, and a load makes NaNs canonical.
            let want = expected([a, b, c].map(soft::canonical));
            assert_eq!(
                got, want,
                "{name} of {a:#010x} {b:#010x} {c:#010x}: {got:#010x}, the definition says {want:#010x}"
            );
        }
    }
}

/// The definition of an operation, as the harness asks for it; none where it is not defined on floats.
fn definition(op: Op) -> Option<fn([u32; 3]) -> u32> {
    Some(match op {
        Op::Add => |[a, b, _]| soft::add(a, b),
        Op::Sub => |[a, b, _]| soft::sub(a, b),
        Op::Mul => |[a, b, _]| soft::mul(a, b),
        Op::Div => |[a, b, _]| soft::div(a, b),
        Op::Min => |[a, b, _]| soft::min(a, b),
        Op::Max => |[a, b, _]| soft::max(a, b),
        Op::Lt => |[a, b, _]| soft::lt(a, b).into(),
        Op::Le => |[a, b, _]| soft::le(a, b).into(),
        Op::Gt => |[a, b, _]| soft::gt(a, b).into(),
        Op::Ge => |[a, b, _]| soft::ge(a, b).into(),
        Op::Eq => |[a, b, _]| soft::eq(a, b).into(),
        Op::Ne => |[a, b, _]| soft::ne(a, b).into(),
        Op::Fma => |[a, b, c]| soft::fma(a, b, c),
        Op::Rem => |[a, b, _]| soft::rem(a, b),
        Op::Pow => |[a, b, _]| soft::pow(a, b),
        Op::Exp2 => |[a, ..]| soft::exp2(a),
        Op::Expm1 => |[a, ..]| soft::expm1(a),
        Op::Log2 => |[a, ..]| soft::log2(a),
        Op::Log1p => |[a, ..]| soft::log1p(a),
        Op::Sinh => |[a, ..]| soft::sinh(a),
        Op::Cosh => |[a, ..]| soft::cosh(a),
        Op::Asinh => |[a, ..]| soft::asinh(a),
        Op::Acosh => |[a, ..]| soft::acosh(a),
        Op::Atanh => |[a, ..]| soft::atanh(a),
        Op::Sin => |[a, ..]| soft::sin(a),
        Op::Cos => |[a, ..]| soft::cos(a),
        Op::Tan => |[a, ..]| soft::tan(a),
        Op::Asin => |[a, ..]| soft::asin(a),
        Op::Acos => |[a, ..]| soft::acos(a),
        Op::Atan => |[a, ..]| soft::atan(a),
        Op::Softplus => |[a, ..]| soft::softplus(a),
        Op::Rsqrt => |[a, ..]| soft::rsqrt(a),
        Op::Reciprocal => |[a, ..]| soft::reciprocal(a),
        Op::Neg => |[a, ..]| soft::neg(a),
        Op::Abs => |[a, ..]| soft::abs(a),
        Op::Sqrt => |[a, ..]| soft::sqrt(a),
        Op::Exp => |[a, ..]| soft::exp(a),
        Op::Log => |[a, ..]| soft::log(a),
        Op::Tanh => |[a, ..]| soft::tanh(a),
        Op::Sigmoid => |[a, ..]| soft::sigmoid(a),
        Op::Erf => |[a, ..]| soft::erf(a),
        Op::Floor => |[a, ..]| soft::floor(a),
        Op::Ceil => |[a, ..]| soft::ceil(a),
        Op::Trunc => |[a, ..]| soft::trunc(a),
        Op::RoundEven => |[a, ..]| soft::round_even(a),
        Op::And | Op::Or | Op::Xor | Op::Not | Op::Shl | Op::Shr => return None,
    })
}

#[test]
fn every_operation_on_floats() {
    let (mut harness, all) = (Harness::new(), triples());
    for &op in Op::ALL {
        let Some(expected) = definition(op) else {
            assert_eq!(op.result(DType::F32), None, "{op} is defined on floats");
            continue;
        };
        compare(&mut harness, op.code(), op.name(), &all, expected);
    }
}

#[test]
fn conversions() {
    let (mut harness, all) = (Harness::new(), triples());
    compare(&mut harness, 0x00, "load", &all, |[a, ..]| a);
    let (lo, hi) = DType::I32.range();
    compare(&mut harness, 0x06, "f32 to i32", &all, |[a, ..]| soft::to_int(a, lo, hi) as u32);
    compare(&mut harness, 0x08, "f32 to f16", &all, |[a, ..]| soft::half::to_f16(a).into());
    compare(&mut harness, 0x09, "f32 to bf16", &all, |[a, ..]| soft::half::to_bf16(a).into());
    // The low half of the word is the argument: no NaN of f32 may be made of it first.
    let halves: Vec<[u32; 3]> = (0..=u16::MAX).map(|h| [h.into(), 0, 0]).collect();
    compare(&mut harness, 0x0a, "f16 to f32", &halves, |[a, ..]| soft::half::from_f16(a as u16));
    compare(&mut harness, 0x0b, "bf16 to f32", &halves, |[a, ..]| soft::half::from_bf16(a as u16));
    let integers: Vec<[u32; 3]> =
        all.iter().map(|t| t.map(|x| if soft::is_nan(x) { 0x7fff_ffff } else { x })).collect();
    // The bits are an integer here, not a float: nothing in them is a NaN.
    let integers: Vec<[u32; 3]> = integers.into_iter().filter(|t| !soft::is_nan(t[0])).collect();
    compare(&mut harness, 0x07, "i32 to f32", &integers, |[a, ..]| soft::from_i64(i64::from(a as i32)));
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
