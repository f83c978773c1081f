//! Programs as text and back.

mod onnx_support;
#[path = "../../tests/src/random_program.rs"]
#[allow(unreachable_pub)]
mod random_program;

use onnx_support::repository;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rebut_engine::lower::{LowerOptions, lower};
use rebut_engine::onnx::read_model;
use rebut_engine::program::{
    Access, Affine, Core, DType, Expr, Indirect, Instruction, Node, Op, Operand, Program, Source, TensorType, Value,
    View, parse_program, program_text,
};

/// The text, after it was read and written once more.
fn there_and_back(program: &Program) -> String {
    let text = program_text(program);
    let parsed = parse_program(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert_eq!(parsed, *program, "{text}");
    assert_eq!(program_text(&parsed), text);
    text
}

/// Seeds of random programs: the generator takes long for some others.
const PROGRAMS: u64 = 48;

#[test]
fn random_programs() {
    for seed in 0..PROGRAMS {
        let (package, _) = random_program::random_package(&mut ChaCha8Rng::seed_from_u64(seed), 3);
        there_and_back(package.program());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is changed, deleted or doubled in a text, reading it is an error with a place in it, or gives a program.
    #[test]
    fn damaged_texts(seed in 0..PROGRAMS, at: prop::sample::Index, length in 0usize..40, with in "[ -~\n\u{e9}\u{1f980}]{0,6}") {
        let (package, _) = random_program::random_package(&mut ChaCha8Rng::seed_from_u64(seed), 3);
        let text = program_text(package.program());
        let start = at.index(text.len());
        let end = (start + length).min(text.len());
        let damaged = [&text[..start], &with, &text[end..]].concat();
        match parse_program(&damaged) {
            Ok(program) => drop(there_and_back(&program)),
            Err(e) => prop_assert!(e.line >= 1 && e.line <= damaged.lines().count().max(1) + 1 && e.column >= 1, "{e}"),
        }
    }
}

#[test]
fn the_digits_network() {
    let model = read_model(&repository().join("models/digits/model.onnx")).expect("a model");
    let text = there_and_back(&lower(&model, &LowerOptions::default()).expect("it lowers").program);
    // Comments and other white space say nothing.
    let free = text.replace('\n', "  # so\n\n  ").replace(", ", ",");
    assert_eq!(program_text(&parse_program(&free).unwrap()), text);
}

/// One instruction over an f32 input and an i32 input of four elements each.
fn one(nodes: Vec<Node>, dtype: DType, change: impl FnOnce(&mut Instruction)) -> Program {
    let input = |dtype| Value { ty: TensorType::new(dtype, vec![4]), source: Source::Input };
    let view = |operand| View {
        fill: 0,
        accesses: vec![Access {
            operand,
            address: Affine { base: 0, terms: vec![(0, 1)] },
            guards: vec![],
            indirects: vec![],
        }],
    };
    let operand = |value, dtype| Operand { value, dtype, elements: 4 };
    let mut i = Instruction {
        extents: vec![4],
        reduction: vec![],
        windowed: false,
        operands: vec![operand(0, DType::F32), operand(1, DType::I32)],
        views: vec![view(0), view(1)],
        core: Core::None,
        epilogue: Expr { nodes },
    };
    change(&mut i);
    let values = vec![
        input(DType::F32),
        input(DType::I32),
        Value { ty: TensorType::new(dtype, vec![4]), source: Source::Instruction(i) },
    ];
    Program { inputs: 2, outputs: 1, values }
}

#[test]
fn the_order_and_sharing_of_nodes_are_kept() {
    let epilogue = |nodes: Vec<Node>| {
        let text = there_and_back(&one(nodes, DType::F32, |_| {}));
        let (_, epilogue) = text.split_once("v1 = %1[e0] else 0\n").expect("the views");
        epilogue.trim_end_matches("return %2\n").split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let (x, add) = (Node::Load(0), |a, b| Node::Apply(Op::Add, [a, b, 0]));
    assert_eq!(epilogue(vec![x]), "v0");
    assert_eq!(epilogue(vec![x, x, add(0, 1)]), "add(v0, v0)");
    assert_eq!(epilogue(vec![x, add(0, 0)]), "t0 = v0; add(t0, t0)");
    assert_eq!(epilogue(vec![x, x, add(1, 0)]), "t0 = v0; add(v0, t0)");
    assert_eq!(epilogue(vec![x, Node::Iota(0), x]), "t0 = v0; t1 = e0; v0");
    assert_eq!(epilogue(vec![x, x, x, add(1, 2), add(0, 3)]), "add(v0, add(v0, v0))");
    assert_eq!(epilogue(vec![x, x, add(0, 1), x, add(0, 3)]), "t0 = v0; t2 = add(t0, v0); add(t0, v0)");
}

#[test]
fn numbers_of_every_type_are_exact() {
    for (dtype, register, text) in [
        (DType::F32, 0x3f80_0000, "1.0"),
        (DType::F32, 0x8000_0000, "-0.0"),
        (DType::F32, 1, "1e-45"),
        (DType::F32, 0x7f7f_ffff, "3.4028235e38"),
        (DType::F32, 0x7fc0_0000, "NaN"),
        (DType::F32, 0xff80_0000, "-inf"),
        (DType::I64, i64::MIN, "-9223372036854775808"),
        (DType::I32, -7, "-7:i32"),
        (DType::U8, 255, "255:u8"),
        (DType::I8, -128, "-128:i8"),
        (DType::U16, 65_535, "65535:u16"),
        (DType::I16, -32_768, "-32768:i16"),
        (DType::Bool, 1, "true"),
        (DType::F16, 0x7bff, "65504.0:f16"),
        (DType::F16, 0x8001, "-5.9604645e-8:f16"),
        (DType::BF16, 0x7fc0, "NaN:bf16"),
        (DType::BF16, 0xff80, "-inf:bf16"),
    ] {
        let program = one(vec![Node::Const(dtype, register)], dtype, |i| i.views[1].fill = i64::from(i32::MIN));
        let written = there_and_back(&program);
        assert!(written.contains(&format!("\n    {text}\n")), "{written}");
        assert!(written.contains("%1[e0] else -2147483648"), "{written}");
    }
}

#[test]
fn rare_shapes() {
    // Operands that no view reads, a windowed reduction without r axes, forms at their limits.
    let unread = one(vec![Node::Load(0)], DType::F32, |i| drop(i.views.pop()));
    assert!(there_and_back(&unread).contains("e[4] reads %0, %1\n"));
    let indirect = one(vec![Node::Load(1)], DType::F32, |i| {
        i.views.swap(0, 1);
        let term = |coefficient| Indirect { view: 0, limit: 9, coefficient };
        i.views[1].accesses[0].indirects = vec![term(-3), term(1)];
        i.views[1].accesses[0].address.base = 5;
    });
    assert!(there_and_back(&indirect).contains("v1 = %0[e0+5-3*index(v0, 9)+1*index(v0, 9)] else 0"));
    let windowed = one(vec![Node::Core], DType::F32, |i| {
        i.extents = vec![4, 1];
        i.windowed = true;
        i.core = Core::Dot { a: 0, b: 0 };
    });
    assert!(there_and_back(&windowed).contains("e[4, 1] windowed\n"));
    let forms = one(vec![Node::Load(0)], DType::F32, |i| {
        i.extents = vec![2, 2];
        i.views[0].accesses[0].address = Affine { base: -(1 << 61), terms: vec![(0, -1), (1, 1 << 59)] };
        i.views[1].accesses[0].address = Affine { base: 0, terms: vec![(0, 0), (1, -3)] };
    });
    let text = there_and_back(&forms);
    assert!(text.contains("%0[-e0+576460752303423488*e1-2305843009213693952]"), "{text}");
    assert!(text.contains("%1[0*e0-3*e1]"), "{text}");
}

#[test]
fn errors_say_where() {
    let refused = |text: &str, place: (usize, usize), reason: &str| {
        let e = parse_program(text).expect_err(text);
        assert_eq!((e.line, e.column), place, "{e}");
        assert!(e.reason.contains(reason), "{e}");
    };
    refused("", (1, 1), "return");
    refused("%0: f32[4] = input\nreturn %1", (2, 8), "%1 does not exist");
    refused("%0: f32[4] = input\nreturn %0 %1", (2, 11), "after the program");
    refused("%1: f32[4] = input", (1, 1), "this is %0");
    refused("%0: f33[4] = input", (1, 5), "`f33` is no element type");
    refused("%0: f32[4] = é", (1, 14), "expected `input`");
    refused("é", (1, 1), "return");
    refused("# é\n%0: f32[é] = input", (2, 9), "number");
    refused("%0: f32[1,1,1,1,1,1,1,1,1] = input", (1, 25), "more than 8");
    refused("%0: f32[99999999999999999999] = input", (1, 9), "number");
    refused("%0: f32[4] = constant 0x12", (1, 23), "root");
    let head = "%0: f32[4] = input\n%1: f32[4] = e[4]\n";
    let body = |text: &str| format!("{head}{text}\nreturn %1");
    refused(&body("v0 = %1[e0] else 0.0 v0"), (3, 6), "%1 is not before");
    refused(&body("v0 = %0[e9] else 0.0 v0"), (3, 9), "axis");
    refused(&body("v0 = %0[e0] else 0:f32 v0"), (3, 19), "expected a term");
    refused(&body("v0 = %0[e0] else true v0"), (3, 18), "`true` is no f32");
    refused(&body("v0 = %0[e0] if 1 <= e0 < 4 else 0.0 v0"), (3, 16), "guard");
    refused(&body("v0 = %0[e0] else 0.0 ad(v0, v0)"), (3, 22), "`ad` is no operation");
    refused(&body("v0 = %0[e0] else 0.0 add(v0, t0)"), (3, 30), "`t0`");
    refused(&body("v0 = %0[e0] else 0.0 t0 = v0; t0 = v0; v0"), (3, 31), "twice");
    refused(&body("v0 = %0[e0] else 0.0 t0 = v0; t1 = v0; t0"), (3, 40), "last node");
    refused(&body("300:u8"), (3, 1), "`300` is no u8");
    refused(&body("0.1:f16"), (3, 1), "`0.1` is no f16");
    refused(&body("core = fold(v0) v0"), (3, 8), "no core");
    // What only the whole value shows, at the value.
    refused(&body("v0 = %0[e1] else 0.0 v0"), (2, 1), "value %1: axis 1");
    refused(&body("v0 = %0[e0] else 0.0 i32(v0)"), (2, 1), "value %1");
    // Nothing grows with what a text asks for.
    refused(&body(&"neg(".repeat(1_000_000)), (3, 133), "more than 32 nodes");
    refused(&body(&format!("add({}", "0.0,".repeat(100_000))), (3, 12), "expected `)`");
    refused(&body(&"t0 = ".repeat(100_000)), (3, 6), "nothing that an expression knows");
    let many = (0..1000).map(|i| format!("t{i} = e0; ")).collect::<String>();
    refused(&body(&many), (3, many.find("t32").unwrap() + 7), "more than 32 nodes");
    refused(&body(&format!("v0 = {}", "%0[e0] else ".repeat(100_000))), (3, 54), "more than 4 accesses");
    refused(&body(&format!("v0 = %0[e0] {}", "if 0 <= e0 < 1 ".repeat(100_000))), (3, 75), "more than 4 guards");
}
