//! Scans: what is malformed, their bytes and text, and every element by a plain loop, the reference and the native run.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rebut_engine::arith::Isa;
use rebut_engine::dispute::{self, Read};
use rebut_engine::exec::Options;
use rebut_engine::lower::bill;
use rebut_engine::package::{Label, Package};
use rebut_engine::program::{
    Access, Affine, Core, DType, Expr, Guard, Instruction, Node, Op, Operand, Program, Source, TensorType, Value, View,
    decode_descriptor, encode_descriptor, limits::LEAF, program_text, validate,
};
use rebut_engine::reference::apply;
use rebut_engine::tensor::Tensor;
use rebut_engine::trace::Trace;
use std::collections::BTreeSet;

const LENGTHS: [u64; 7] = [0, 1, 2, 127, 128, 129, 300];
const SEED: u64 = 0x5ca;
const MINUS_ZERO: i64 = 0x8000_0000;

/// The rules that the tests scan by; `h` is the element before.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Rule {
    /// h + x.
    Add,
    /// h * x.
    Mul,
    /// fma(a, h, x).
    Affine,
    /// The last x at a place whose coordinate on the axis is not a multiple of three: for types without arithmetic.
    Hold,
}

impl Rule {
    fn accepts(self, dtype: DType) -> bool {
        match self {
            Self::Add | Self::Mul => dtype.is_number(),
            Self::Affine => dtype == DType::F32,
            Self::Hold => true,
        }
    }

    /// Over views 0 (x) and 2 (a); view 1 is what the scan begins with.
    fn epilogue(self, axis: u8) -> Expr {
        let nodes = match self {
            Self::Add => vec![Node::Core, Node::Load(0), Node::Apply(Op::Add, [0, 1, 0])],
            Self::Mul => vec![Node::Core, Node::Load(0), Node::Apply(Op::Mul, [0, 1, 0])],
            Self::Affine => vec![Node::Load(2), Node::Core, Node::Load(0), Node::Apply(Op::Fma, [0, 1, 2])],
            Self::Hold => vec![
                Node::Core,
                Node::Load(0),
                Node::Iota(axis),
                Node::Const(DType::I64, 3),
                Node::Apply(Op::Rem, [2, 3, 0]),
                Node::Cast(DType::Bool, 4),
                Node::Select(5, 1, 0),
            ],
        };
        Expr { nodes }
    }

    fn next(self, dtype: DType, coordinate: u64, h: i64, x: i64, a: i64) -> i64 {
        match self {
            Self::Add => apply(Op::Add, dtype, [h, x, 0]),
            Self::Mul => apply(Op::Mul, dtype, [h, x, 0]),
            Self::Affine => apply(Op::Fma, dtype, [a, h, x]),
            Self::Hold if coordinate.is_multiple_of(3) => h,
            Self::Hold => x,
        }
    }
}

fn strides(extents: &[u64]) -> Vec<u64> {
    (0..extents.len()).map(|x| extents[x + 1..].iter().product()).collect()
}

/// An access that reads one operand, element by element over some axes.
fn access(operand: u8, terms: Vec<(u8, i64)>) -> Access {
    Access { operand, address: Affine { base: 0, terms }, guards: vec![], indirects: vec![] }
}

/// A scan over value 0 (x) along `axis`, from value 1 (one element for each place of the other axes), with value 2 (a).
fn scan(rule: Rule, dtype: DType, extents: &[u64], axis: u8) -> Program {
    let dense: Vec<(u8, i64)> = (0..).zip(strides(extents)).map(|(x, s)| (x, s as i64)).collect();
    let mut others = extents.to_vec();
    others[usize::from(axis)] = 1;
    let first = (0..).zip(strides(&others)).filter(|t| t.0 != axis).map(|(x, s)| (x, s as i64)).collect();
    let types = [extents.to_vec(), others, extents.to_vec()].map(|dims| TensorType::new(dtype, dims));
    let instruction = Instruction {
        extents: extents.to_vec(),
        reduction: vec![],
        windowed: false,
        operands: (0..).zip(&types).map(|(value, ty)| Operand { value, dtype, elements: ty.elements() }).collect(),
        views: vec![
            View { fill: 0, accesses: vec![access(0, dense.clone())] },
            View { fill: 0, accesses: vec![access(1, first)] },
            View { fill: 0, accesses: vec![access(2, dense)] },
        ],
        core: Core::Scan { axis, initial: 1 },
        epilogue: rule.epilogue(axis),
    };
    let mut values: Vec<Value> = types.iter().map(|ty| Value { ty: ty.clone(), source: Source::Input }).collect();
    values.push(Value { ty: types[0].clone(), source: Source::Instruction(instruction) });
    Program { inputs: 3, outputs: 1, values }
}

fn package(program: Program) -> Package {
    let labels = vec![Label::default(); program.values.len()];
    Package::new(program, vec![], labels, vec!["out".into()]).expect("a well-formed program")
}

fn register(rng: &mut ChaCha8Rng, dtype: DType) -> i64 {
    const SPECIAL: [i64; 6] = [0, MINUS_ZERO, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 1];
    match dtype {
        DType::F32 if rng.random_ratio(1, 60) => SPECIAL[rng.random_range(0..SPECIAL.len())],
        DType::F32 => rng.random_range(-1.5f32..1.5).to_bits().into(),
        _ => dtype.canonical(rng.random_range(dtype.range().0..=dtype.range().1)),
    }
}

fn random(rng: &mut ChaCha8Rng, ty: &TensorType) -> Tensor {
    let bytes: Vec<u8> = (0..ty.elements())
        .flat_map(|_| register(rng, ty.dtype).to_be_bytes()[8 - ty.dtype.width()..].to_vec())
        .collect();
    Tensor::from_be_bytes(ty, &bytes).expect("the right size")
}

/// The scan by a loop along its axis at each place of the others.
fn by_hand(rule: Rule, dtype: DType, extents: &[u64], axis: u8, inputs: &[Tensor]) -> Vec<i64> {
    let (n, inner) = (extents[usize::from(axis)], strides(extents)[usize::from(axis)]);
    let outer: u64 = extents[..usize::from(axis)].iter().product();
    let at = |t: &Tensor, index: u64| t.register(index as usize).expect("inside");
    let mut out = vec![0; inputs[0].len()];
    for o in 0..outer {
        for i in 0..inner {
            let mut h = at(&inputs[1], o * inner + i);
            for c in 0..n {
                let index = (o * n + c) * inner + i;
                h = dtype.canonical(rule.next(dtype, c, h, at(&inputs[0], index), at(&inputs[2], index)));
                out[index as usize] = h;
            }
        }
    }
    out
}

#[test]
fn every_way_to_compute_a_scan_gives_the_same() {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    for rule in [Rule::Add, Rule::Mul, Rule::Affine, Rule::Hold] {
        for dtype in DType::ALL.into_iter().filter(|&d| rule.accepts(d)) {
            for n in LENGTHS {
                for axis in 0..3u8 {
                    let mut extents = vec![2, 3];
                    extents.insert(usize::from(axis), n);
                    let package = package(scan(rule, dtype, &extents, axis));
                    let inputs: Vec<Tensor> = package.program().input_types().map(|ty| random(&mut rng, ty)).collect();
                    let expected = by_hand(rule, dtype, &extents, axis, &inputs);
                    check(&package, &inputs, axis, &expected, &format!("{rule:?} of {dtype} over {extents:?}"));
                }
            }
        }
    }
}

fn check(package: &Package, inputs: &[Tensor], axis: u8, expected: &[i64], what: &str) {
    for (isa, threads) in [(Isa::Portable, 1), (Isa::Auto, 2)] {
        let trace = Trace::new(package, inputs, &Options { threads, isa }).expect("it runs");
        let out = trace.tensor(3).expect("the result");
        let got: Vec<i64> = (0..out.len()).map(|i| out.register(i).expect("inside")).collect();
        assert_eq!(got, expected, "{what} along {axis}: {isa:?}");
        let billed = bill(package.program())[0].leaves_worst;
        for (element, &expected) in expected.iter().enumerate() {
            let (register, reads) = dispute::evaluate(package, &trace, 3, element as u64).expect("an instruction");
            assert_eq!(register, expected, "{what} along {axis}: the reference at {element}");
            check_reads(package, element as u64, axis, &reads);
            let lanes = (LEAF / out.dtype().width()) as u64;
            let leaves: BTreeSet<_> = reads.iter().map(|r| (r.operand, r.index / lanes)).collect();
            assert!(leaves.len() as u64 <= billed, "{what} along {axis}: {} leaves, {billed} billed", leaves.len());
        }
    }
}

/// At the axis' start the initial view is read, behind it the element one step back, and never anything at or behind the element.
fn check_reads(package: &Package, element: u64, axis: u8, reads: &[Read]) {
    const ITSELF: u8 = 3;
    let Source::Instruction(i) = &package.program().values[3].source else { panic!("an instruction") };
    let stride = strides(&i.extents)[usize::from(axis)];
    let coordinate = element / stride % i.extents[usize::from(axis)];
    let of = |operand| reads.iter().filter(|r| r.operand == operand).map(|r| r.index).collect::<Vec<_>>();
    let before = if coordinate > 0 { vec![element - stride] } else { vec![] };
    assert_eq!(of(ITSELF), before);
    assert_eq!(of(1).is_empty(), coordinate > 0);
    assert_eq!(i.predecessor(element), before.first().copied());
}

#[test]
fn zeros_keep_their_signs() {
    let package = package(scan(Rule::Add, DType::F32, &[3], 0));
    let f32s = |x: [f32; 3]| Tensor::F32(ndarray::arr1(&x).into_dyn());
    let start = Tensor::F32(ndarray::arr1(&[-0.0f32]).into_dyn());
    let inputs = [f32s([-0.0, -0.0, 0.0]), start, f32s([0.0; 3])];
    let out = rebut_engine::exec::run(&package, &inputs, &Options::default()).expect("it runs");
    let bits: Vec<i64> = (0..3).filter_map(|i| out[0].register(i)).collect();
    assert_eq!(bits, [MINUS_ZERO, MINUS_ZERO, 0]);
}

#[test]
fn bytes_and_text() {
    let program = scan(Rule::Add, DType::F32, &[2, 5], 1);
    let value = &program.values[3];
    let bytes = encode_descriptor(value).expect("a descriptor");
    assert_eq!(decode_descriptor(&bytes).as_ref(), Ok(value));
    // The core's code, its axis and its view, then the epilogue of three nodes.
    assert!(bytes.windows(5).any(|b| b == [3, 1, 1, 3, 2]), "{bytes:02x?}");
    assert!(
        program_text(&program).contains("core = scan(e1 from v1)\n    add(core, v0)"),
        "{}",
        program_text(&program)
    );
}

fn refusal(change: impl FnOnce(&mut Instruction)) -> String {
    let mut program = scan(Rule::Add, DType::F32, &[2, 5], 1);
    let Source::Instruction(i) = &mut program.values[3].source else { panic!("an instruction") };
    change(i);
    validate(&program).expect_err("it must be refused").to_string()
}

#[test]
fn malformed_scans_are_refused() {
    let says = |error: String, what: &str| assert!(error.contains(what), "`{error}` does not say `{what}`");
    says(refusal(|i| i.core = Core::Scan { axis: 2, initial: 1 }), "axis 2");
    says(refusal(|i| i.core = Core::Scan { axis: 8, initial: 1 }), "axis 8");
    says(refusal(|i| i.core = Core::Scan { axis: 1, initial: 3 }), "from no view");
    says(refusal(|i| i.reduction = vec![1]), "r axes");
    says(
        refusal(|i| {
            (i.extents, i.windowed) = (vec![2, 5, 1], true);
        }),
        "r axes",
    );
    // Nothing but the predecessor comes from the result: views do not know it.
    says(refusal(|i| i.views[0].accesses[0].operand = 3), "no operand");
    says(refusal(|i| i.views[1].accesses[0].address.terms = vec![(8, 1)]), "axis 8 does not exist");
    let mut program = scan(Rule::Add, DType::F32, &[2, 5], 1);
    program.values[1].ty.dtype = DType::I32;
    let Source::Instruction(i) = &mut program.values[3].source else { panic!("an instruction") };
    i.operands[1].dtype = DType::I32;
    says(validate(&program).expect_err("it must be refused").to_string(), "a scan of f32 from i32");
}

/// A view that is only its fill costs no leaf: the bill knows.
#[test]
fn a_fill_costs_no_leaf() {
    let mut program = scan(Rule::Add, DType::F32, &[2000], 0);
    let Source::Instruction(i) = &mut program.values[3].source else { panic!("an instruction") };
    i.views.truncate(2);
    assert_eq!(bill(&program)[0].leaves_worst, 3, "x, the first element and the one before");
    let Source::Instruction(i) = &mut program.values[3].source else { panic!("an instruction") };
    i.views[1].accesses[0].guards = vec![Guard { limit: 0, affine: Affine::default() }];
    assert_eq!(bill(&program)[0].leaves_worst, 2, "x and the one before");
}
