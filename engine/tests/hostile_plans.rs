//! Programs whose plans could take more than their values: results without elements beside axes of any length, reductions of nothing.

mod onnx_support;

use onnx_support::tensors;
use rebut_engine::exec::{Options, Session};
use rebut_engine::package::{Label, Package};
use rebut_engine::program::{parse_program, validate};
use rebut_engine::tree::tensor_root;

/// Prepares and runs a program whose value %2 reads the input %0 and the constant %1.
fn planned(instruction: &str) -> usize {
    let numbers = tensors::f32s(&[64], (0..64).map(|i| i as f32 - 20.0).collect::<Vec<f32>>());
    let root: String = tensor_root(&numbers).0.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = format!("%0: f32[64] = input %1: f32[64] = constant 0x{root}\n%2: {instruction}\nreturn %2");
    let program = parse_program(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    validate(&program).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let labels = vec![Label::default(); program.values.len()];
    let package =
        Package::new(program, vec![numbers.clone()], labels, vec!["out".into()]).expect("a well-formed program");
    let mut session = Session::new(&package, &Options::default()).expect("threads");
    session.run(&[numbers]).expect("a run")[0].len()
}

#[test]
fn nothing_is_planned_for_nothing() {
    let dots = [
        "f32[3,0,8] = e[3, 0, 8] r[2] v0 = %0[e0+8*e1+e2+r0] else 0.0 v1 = %1[e1+e2+8*r0] else 0.0",
        "f32[0,4294967296,8] = e[0, 4294967296, 8] r[2] v0 = %0[e0+8*e1+e2+r0] else 0.0 v1 = %1[e0+e2+8*r0] else 0.0",
        "f32[0,4294967296,8] = e[0, 4294967296, 8] r[2] v0 = %0[e0+8*e1+e2+r0] else 0.0 v1 = %1[e1+e2+8*r0] else 0.0",
        "f32[0,4294967296,8] = e[0, 4294967296, 8] r[2] v0 = %0[e0+8*e1+r0] else 0.0 v1 = %1[e0+e2+8*r0] else 0.0",
        "f32[4294967296,0] = e[4294967296, 0] r[2] v0 = %0[8*e0+r0] else 0.0 v1 = %1[e1+8*r0] else 0.0",
    ];
    for dot in dots {
        assert_eq!(planned(&format!("{dot} core = dot(v0, v1) core")), 0, "{dot}");
    }
}

#[test]
fn products_of_no_elements() {
    let dot = "f32[3,16] = e[3, 16] r[0] v0 = %0[16*e0+e1+r0] else 0.0 v1 = %1[e0+e1+8*r0] else 0.0";
    assert_eq!(planned(&format!("{dot} core = dot(v0, v1) core")), 48);
}

/// A sum beside a value that no memory holds: whoever only prepares the program asks for none of it.
#[test]
fn long_rows_take_no_memory_before_they_are_made() {
    let text = "%0: f32[16] = input
        %1: f32[1] = e[1] r[16] v0 = %0[r0] else 0.0 core = sum(v0) core
        %2: f32[1000000000000] = e[1000000000000] r[2] v0 = %0[r0] if 0 <= r0 < 2 else -inf core = max(v0) core
        %3: f32[1000000000000] = e[1000000000000] v0 = %1[0] else 0.0 v1 = %2[e0] else 0.0 mul(v0, v1)
        return %3";
    let program = parse_program(text).unwrap_or_else(|e| panic!("{e}"));
    validate(&program).unwrap_or_else(|e| panic!("{e}"));
    let labels = vec![Label::default(); program.values.len()];
    let package = Package::new(program, vec![], labels, vec!["out".into()]).expect("a well-formed program");
    assert!(Session::new(&package, &Options::default()).is_ok());
}
