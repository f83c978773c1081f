//! Indirect terms: their bytes and text, what is malformed, which elements are read in which order, and every element by a plain loop,
//! the reference and the native run.

mod onnx_support;

use onnx_support::tensors::{array, floats_of, i64s};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rebut_engine::arith::Isa;
use rebut_engine::exec::{self, Options};
use rebut_engine::package::{Label, Package};
use rebut_engine::program::{
    Access, Affine, Core, DType, Expr, FoldOp, Guard, Indirect, Instruction, Node, Operand, Program, Source,
    TensorType, Value, View, decode_descriptor, encode_descriptor, program_text, validate,
};
use rebut_engine::reference::{Memory, evaluate};
use rebut_engine::tensor::Tensor;

const FILL: i64 = 0x4110_0000; // 9.0

fn view(operand: u8, fill: i64, terms: &[(u8, i64)], indirects: &[Indirect]) -> View {
    let address = Affine { base: 0, terms: terms.to_vec() };
    View { fill, accesses: vec![Access { operand, address, guards: vec![], indirects: indirects.to_vec() }] }
}

/// out[i, j] = table[ids[i], j], with value 0 the table and value 1 the ids.
fn rows(ids: DType, count: u64, vocabulary: u64, width: u64) -> Program {
    let term = Indirect { view: 0, limit: vocabulary, coefficient: width as i64 };
    let (table, ids) = (TensorType::new(DType::F32, vec![vocabulary, width]), TensorType::new(ids, vec![count]));
    let operand = |value, ty: &TensorType| Operand { value, dtype: ty.dtype, elements: ty.elements() };
    let instruction = Instruction {
        extents: vec![count, width],
        reduction: vec![],
        windowed: false,
        operands: vec![operand(0, &table), operand(1, &ids)],
        views: vec![view(1, 0, &[(0, 1)], &[]), view(0, FILL, &[(1, 1)], &[term])],
        core: Core::None,
        epilogue: Expr { nodes: vec![Node::Load(1)] },
    };
    let result = TensorType::new(DType::F32, vec![count, width]);
    let input = |ty| Value { ty, source: Source::Input };
    let values = vec![input(table), input(ids), Value { ty: result, source: Source::Instruction(instruction) }];
    Program { inputs: 2, outputs: 1, values }
}

fn instruction(program: &mut Program) -> &mut Instruction {
    match program.values.last_mut().map(|v| &mut v.source) {
        Some(Source::Instruction(i)) => i,
        _ => panic!("the last value is an instruction"),
    }
}

fn package(program: Program) -> Package {
    let labels = vec![Label::default(); program.values.len()];
    Package::new(program, vec![], labels, vec!["out".into()]).expect("a well-formed program")
}

/// Operands that note what is read.
struct Noted<'a>(&'a [Tensor], Vec<(u8, u64)>);

impl Memory for Noted<'_> {
    fn load(&mut self, operand: u8, index: u64) -> i64 {
        self.1.push((operand, index));
        self.0[usize::from(operand)].register(index as usize).expect("inside")
    }
}

/// An element by the reference, and what it reads in order.
fn read(program: &Program, inputs: &[Tensor], element: u64) -> (i64, Vec<(u8, u64)>) {
    let value = program.values.last().expect("a value");
    let Source::Instruction(i) = &value.source else { panic!("the last value is an instruction") };
    let mut memory = Noted(inputs, vec![]);
    (evaluate(i, value.ty.dtype, element, &mut memory), memory.1)
}

#[test]
fn bytes_and_text() {
    let program = rows(DType::I64, 5, 3, 4);
    let value = program.values.last().expect("a value");
    let bytes = encode_descriptor(value).expect("it encodes");
    assert_eq!(&decode_descriptor(&bytes).expect("it decodes"), value);
    assert!(program_text(&program).contains("v1 = %0[e1+4*index(v0, 3)] else 9.0"), "{}", program_text(&program));
}

#[test]
fn malformed_terms_are_refused() {
    let good = rows(DType::I64, 5, 3, 4);
    validate(&good).expect("well-formed");
    let refuse = |what: &str, change: fn(&mut Instruction)| {
        let mut program = good.clone();
        change(instruction(&mut program));
        let error = validate(&program).expect_err(what).to_string();
        assert!(error.contains(what), "{what}: {error}");
    };
    refuse("an index that no earlier view reads", |i| i.views[1].accesses[0].indirects[0].view = 1);
    refuse("an index of f32", |i| i.views[0].accesses[0].operand = 0);
    refuse("an index below 0", |i| i.views[1].accesses[0].indirects[0].limit = 0);
    refuse("5 indirect terms", |i| {
        let term = i.views[1].accesses[0].indirects[0];
        i.views[1].accesses[0].indirects = vec![term; 5];
    });
    refuse("an address reaches 2^62", |i| {
        i.views[1].accesses[0].indirects[0] = Indirect { view: 0, limit: 1 << 39, coefficient: -(1 << 23) };
    });
    refuse("an index by view 1, which needs another", |i| {
        let ids = i.views[0].clone();
        i.views[1].accesses[0].operand = 1;
        i.views[1].fill = 0;
        i.views.push(ids);
        i.views[2].accesses[0].indirects = vec![Indirect { view: 1, limit: 3, coefficient: 1 }];
    });
    refuse("uses r axes", |i| {
        i.reduction = vec![2];
        i.views[0].accesses[0].address.terms.push((8, 1));
        i.core = Core::Fold { op: FoldOp::Sum, body: Expr { nodes: vec![Node::Load(1)] } };
    });
}

#[test]
fn indices_are_read_where_all_before_them_held() {
    let ids = i64s(&[5], [2, -1, 3, -4, i64::MIN]);
    let inputs = [array(&[3, 4], |i| i as f32), ids];
    let mut program = rows(DType::I64, 5, 3, 4);
    let seven = |x: f32| i64::from(x.to_bits());
    assert_eq!(read(&program, &inputs, 1), (seven(9.0), vec![(1, 0), (0, 9)]));
    assert_eq!(read(&program, &inputs, 4), (seven(8.0), vec![(1, 1), (0, 8)]), "from the end");
    for i in 2..5 {
        assert_eq!(read(&program, &inputs, 4 * i), (FILL, vec![(1, i)]), "out of range");
    }
    // A second term, and a guard on the row.
    let i = instruction(&mut program);
    i.views.insert(1, view(1, 0, &[], &[]));
    i.epilogue = Expr { nodes: vec![Node::Load(2)] };
    let access = &mut i.views[2].accesses[0];
    access.indirects.push(Indirect { view: 1, limit: 3, coefficient: 1 });
    access.guards.push(Guard { limit: 4, affine: Affine { base: 0, terms: vec![(0, 1)] } });
    validate(&program).expect("well-formed");
    assert_eq!(read(&program, &inputs, 0), (seven(10.0), vec![(1, 0), (1, 0), (0, 10)]), "both terms");
    assert_eq!(read(&program, &inputs, 8), (FILL, vec![(1, 2)]), "up to the first that fails");
    assert_eq!(read(&program, &inputs, 16), (FILL, vec![]), "no index behind a guard that fails");
    // Whether it holds needs the indices; the next alternative is only tried where it does not.
    let i = instruction(&mut program);
    i.epilogue = Expr { nodes: vec![Node::Valid(2), Node::Const(DType::F32, 0), Node::Select(0, 1, 1)] };
    assert_eq!(read(&program, &inputs, 0).1, vec![(1, 0), (1, 0)]);
}

/// The element of the row that `id` says.
fn by_hand(table: &[f32], id: i64, vocabulary: i64, width: usize, j: usize) -> f32 {
    let row = if id < 0 { id.saturating_add(vocabulary) } else { id };
    if (0..vocabulary).contains(&row) { table[row as usize * width + j] } else { 9.0 }
}

#[test]
fn every_way_to_gather_gives_the_same() {
    const SEED: u64 = 0x1d5;
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    // Runs along rows, runs across them, and one row only.
    for (count, vocabulary, width) in [(40, 7, 33), (300, 50, 3), (1, 5, 20), (70, 1, 1), (3, 1000, 130)] {
        let program = rows(DType::I64, count, vocabulary, width);
        let limit = vocabulary as i64 + 2;
        let ids: Vec<i64> = (0..count).map(|_| rng.random_range(-limit..limit)).collect();
        let inputs = [array(&[vocabulary as usize, width as usize], |i| i as f32), i64s(&[ids.len()], &ids)];
        let table = floats_of(&inputs[0]);
        let expected: Vec<f32> = (0..(count * width) as usize)
            .map(|n| by_hand(&table, ids[n / width as usize], vocabulary as i64, width as usize, n % width as usize))
            .collect();
        for (isa, threads) in [(Isa::Portable, 1), (Isa::Portable, 2), (Isa::Avx2, 1), (Isa::Auto, 2)] {
            let outputs = exec::run(&package(program.clone()), &inputs, &Options { threads, isa }).expect("it runs");
            assert!(
                floats_of(&outputs[0]) == expected,
                "{count} of {vocabulary} x {width}, {isa:?}, {threads} threads"
            );
        }
        for (n, x) in expected.iter().enumerate() {
            assert_eq!(read(&program, &inputs, n as u64).0, i64::from(x.to_bits()), "{count}: element {n}");
        }
    }
}
