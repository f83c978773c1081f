//! Models become programs: their structure, their results, and what is refused.

mod onnx_support;

use onnx_support::tensors::{array, floats_of};
use onnx_support::*;
use proptest::prelude::*;
use rebut_engine::exec;
use rebut_engine::lower::{LowerError, LowerOptions, Lowered, bill, gas::STEP_GAS_CEILING, lower};
use rebut_engine::onnx::{model_from_bytes, read_model, read_tensor_pb};
use rebut_engine::program::limits::LEAF;
use rebut_engine::program::{Instruction, Program, Source, encode_descriptor};
use rebut_engine::reference::{Memory, evaluate};
use rebut_engine::tensor::Tensor;
use std::collections::BTreeSet;
use std::path::Path;

fn lowered(path: &Path) -> Lowered {
    lower(&read_model(path).expect("a model"), &LowerOptions::default()).expect("it lowers")
}

fn bytes_lowered(bytes: Vec<u8>) -> Result<Lowered, String> {
    let model = model_from_bytes(bytes, None).map_err(|e| e.to_string())?;
    lower(&model, &LowerOptions::default()).map_err(|e| e.to_string())
}

fn run(lowered: &Lowered, inputs: &[Tensor]) -> Vec<Tensor> {
    exec::run(&package(lowered), inputs, &exec::Options::default()).expect("it runs")
}

fn assert_close(got: &Tensor, expected: &Tensor, what: &str) {
    assert_eq!(got.ty(), expected.ty(), "{what}");
    if !matches!(got, Tensor::F32(_)) {
        return assert_eq!(got, expected, "{what}");
    }
    for (x, y) in floats_of(got).into_iter().zip(floats_of(expected)) {
        assert!((x - y).abs() <= 1e-5 + 1e-4 * y.abs(), "{what}: {x}, expected {y}");
    }
}

fn instructions(program: &Program) -> impl Iterator<Item = &Instruction> {
    program.values.iter().filter_map(|v| if let Source::Instruction(i) = &v.source { Some(i) } else { None })
}

/// Reductions that are cut into parts.
fn cut(lowered: &Lowered) -> usize {
    lowered.names.iter().filter(|n| n.ends_with("(parts)")).count()
}

#[test]
fn digits_structure() {
    let l = lowered(&repository().join("models/digits/model.onnx"));
    assert_eq!(l.program.values.len(), 20);
    assert_eq!(cut(&l), 2, "the dense layer over 512 and the convolution over 144 are too long for a step");
    assert_eq!((l.inputs[0].0.as_str(), &l.inputs[0].1.dims[..]), ("image", &[1, 1, 8, 8][..]));
    assert_eq!((l.outputs[0].0.as_str(), &l.outputs[0].1.dims[..]), ("probabilities", &[1, 10][..]));
    let operators: Vec<&str> = l.operators.iter().map(String::as_str).filter(|o| !o.is_empty()).collect();
    let expected = "Conv+Relu Conv Conv+Relu MaxPool Gemm Gemm+Relu Gemm Softmax Softmax Softmax Softmax"
        .split(' ')
        .collect::<Vec<_>>();
    assert_eq!(operators, expected);
    // The results of convolutions lie channels last.
    let conv = l.operators.iter().position(|o| o == "Conv+Relu").unwrap();
    assert_eq!(l.program.values[conv].ty.dims, [1, 8, 8, 16]);
    let again = lowered(&repository().join("models/digits/model.onnx"));
    assert_eq!(l.program, again.program, "lowering is deterministic");
}

#[test]
fn digits_results() {
    let folder = repository().join("models/digits");
    let l = lowered(&folder.join("model.onnx"));
    for digit in 0..10 {
        let image = read_tensor_pb(&folder.join(format!("images/digit_{digit}.pb"))).unwrap();
        let expected = read_tensor_pb(&folder.join(format!("expected/digit_{digit}.pb"))).unwrap();
        let got = run(&l, &[image]);
        assert_close(&got[0], &expected, "digits");
        let p = floats_of(&got[0]);
        assert_eq!((0..10).max_by(|&a, &b| p[a].total_cmp(&p[b])), Some(digit));
    }
}

#[test]
fn shared_models() {
    let Some(shared) = shared() else { return };
    // Name, values, reductions in parts, copies made for the layout.
    let models = [
        ("squeezenet_trained_f32", 113, 13, 5),
        ("mnist_ort_ex", 14, 2, 0),
        ("digits_mlp", 15, 0, 0),
        ("digits_cnn_ts17", 21, 2, 0),
    ];
    for (name, values, parts, copies) in models {
        let folder = shared.join("models").join(name);
        let model = read_model(&folder.join("model.onnx")).unwrap();
        let data = folder.join("test_data_set_0");
        let inputs: Vec<Tensor> =
            (0..model.inputs.len()).map(|i| read_tensor_pb(&data.join(format!("input_{i}.pb"))).unwrap()).collect();
        let shapes = model.inputs.iter().zip(&inputs).map(|(i, t)| (i.name.clone(), t.ty().dims)).collect();
        let l = lower(&model, &LowerOptions { shapes, ..LowerOptions::default() }).unwrap();
        let copied = l.operators.iter().filter(|o| *o == "Copy").count();
        assert_eq!((l.program.values.len(), cut(&l), copied), (values, parts, copies), "{name}");
        let worst = bill(&l.program).into_iter().max_by_key(|b| b.gas_worst).unwrap();
        assert!(worst.gas_worst <= STEP_GAS_CEILING, "{name}: {worst:?}");
        for (i, got) in run(&l, &inputs).iter().enumerate() {
            let expected = read_tensor_pb(&data.join(format!("output_{i}.pb"))).unwrap();
            assert_close(got, &expected, name);
        }
    }
}

/// Counts the leaves that an element really reads.
struct Touched(BTreeSet<(u8, u64)>, Vec<u64>);

impl Memory for Touched {
    fn load(&mut self, operand: u8, index: u64) -> i64 {
        self.0.insert((operand, index / self.1[usize::from(operand)]));
        0
    }
}

#[test]
fn bills_are_upper_bounds() {
    let l = lowered(&repository().join("models/digits/model.onnx"));
    let bills = bill(&l.program);
    for (bill, i) in bills.iter().zip(instructions(&l.program)) {
        let ty = &l.program.ty(bill.value).unwrap();
        let lanes: Vec<u64> = i.operands.iter().map(|o| (LEAF / o.dtype.width()) as u64).collect();
        let mut most = 0;
        for element in 0..ty.elements() {
            let mut touched = Touched(BTreeSet::new(), lanes.clone());
            evaluate(i, ty.dtype, element, &mut touched);
            most = most.max(touched.0.len() as u64);
        }
        assert!(most <= bill.leaves_worst, "value {}: {most} leaves, billed {}", bill.value, bill.leaves_worst);
        assert!(most + 3 >= bill.leaves_worst, "value {}: {most} leaves, billed {}", bill.value, bill.leaves_worst);
        assert!(encode_descriptor(&l.program.values[bill.value as usize]).is_ok());
    }
}

#[test]
fn refusals_name_what_is_wrong() {
    let x: (&str, &[i64]) = ("x", &[2, 3]);
    let cases: [(Vec<u8>, &[&str]); 12] = [
        (single("Frobnicate", 13, &[x], vec![], vec![]), &["unsupported operator Frobnicate (node `node`)"]),
        (single("Relu", 13, &[x], vec![], vec![attr_float("alpha", 0.5)]), &["Relu", "`node`", "attribute `alpha`"]),
        (single("Relu", 13, &[x, ("z", &[1])], vec![], vec![]), &["Relu", "input 1 (`z`)"]),
        (single("Softmax", 13, &[x], vec![], vec![attr_float("axis", 1.0)]), &["`axis`", "float", "int"]),
        (single("Softmax", 13, &[x], vec![], vec![attr_int("axis", 2)]), &["axis 2", "rank 2"]),
        (single("MatMul", 13, &[x, ("z", &[2, 3])], vec![], vec![]), &["inner dimensions differ"]),
        (single("Add", 13, &[x, ("z", &[2])], vec![], vec![]), &["dimensions 3 and 2"]),
        (single("Reshape", 13, &[x], vec![("s", ints("s", &[4, -1]))], vec![]), &["cannot become [4, -1]"]),
        (single("Reshape", 13, &[x], vec![("s", ints("s", &[i64::MAX, i64::MAX]))], vec![]), &["2^40"]),
        (single("Transpose", 13, &[x], vec![], vec![attr_ints("perm", &[0, 0])]), &["perm"]),
        (single("Relu", 13, &[("x", &[1 << 39, 4])], vec![], vec![]), &["input `x`", "2^40"]),
        (
            single("Pad", 13, &[x], vec![("p", ints("p", &[0, 0, 1, 1]))], vec![attr_string("mode", "mirror")]),
            &["mode `mirror`"],
        ),
    ];
    for (bytes, words) in cases {
        let error = bytes_lowered(bytes).expect_err("it must be refused");
        for word in words {
            assert!(error.contains(word), "`{error}` does not say `{word}`");
        }
    }
}

#[test]
fn shapes_and_bindings() {
    let mut graph = Graph {
        nodes: vec![node("Reshape", "r", &["x", "s"], &["y"], vec![])],
        inputs: vec![Message::default().bytes(1, "x").message(2, tensor_type()), value("s", I64, &[2])],
        outputs: vec![value("y", F32, &[3, 2])],
        ..Graph::default()
    };
    fn tensor_type() -> Message {
        let dim = Message::default().bytes(2, "N");
        let shape = Message::default().message(1, dim).message(1, Message::default().int(1, 3));
        Message::default().message(1, Message::default().int(1, F32).message(2, shape))
    }
    let model = model_from_bytes(graph.model(13), None).unwrap();
    let shapes = |dims: &[u64]| [("x".to_string(), dims.to_vec())].into();
    let bindings = || [("s".to_string(), Tensor::I64(ndarray::arr1(&[3i64, 2]).into_dyn()))].into();
    let error = |options| lower(&model, &options).unwrap_err().to_string();
    assert!(error(LowerOptions::default()).contains("dimension `N` is open"));
    assert!(
        error(LowerOptions { shapes: shapes(&[2, 4]), bindings: bindings(), ..Default::default() })
            .contains("does not agree")
    );
    assert!(
        error(LowerOptions { shapes: shapes(&[2, 3]), ..Default::default() }).contains("bind input `s` to a constant")
    );
    assert!(
        error(LowerOptions { shapes: [("q".to_string(), vec![])].into(), ..Default::default() })
            .contains("no such input")
    );
    let l =
        lower(&model, &LowerOptions { shapes: shapes(&[2, 3]), bindings: bindings(), ..Default::default() }).unwrap();
    let x = array(&[2, 3], |i| i as f32);
    assert_eq!(run(&l, &[x])[0], array(&[3, 2], |i| i as f32));
    // The name of the dimension closes it, and so does another input that has it.
    let dims = |n| [("N".to_string(), n)].into();
    let l = lower(&model, &LowerOptions { dims: dims(2), bindings: bindings(), ..Default::default() }).unwrap();
    assert_eq!(l.inputs[0].1.dims, [2, 3]);
    assert!(
        error(LowerOptions { shapes: shapes(&[2, 3]), dims: dims(4), bindings: bindings() }).contains("does not agree")
    );
    let unknown = error(LowerOptions { dims: [("M".to_string(), 1)].into(), ..Default::default() });
    assert!(unknown.contains("no input of the model has a dimension named `M`"), "{unknown}");
    let other = Message::default().bytes(1, "other").message(2, tensor_type());
    let mut both = graph.clone();
    both.inputs.push(other);
    let model_of_both = model_from_bytes(both.model(13), None).unwrap();
    let l =
        lower(&model_of_both, &LowerOptions { shapes: shapes(&[5, 3]), bindings: bindings(), ..Default::default() });
    assert!(l.unwrap_err().to_string().contains("Reshape"), "15 elements are not 6");
    let l =
        lower(&model_of_both, &LowerOptions { shapes: shapes(&[2, 3]), bindings: bindings(), ..Default::default() });
    assert_eq!(l.unwrap().inputs[1].1.dims, [2, 3]);
    // What must be bound is also there as data.
    let unbound = lower(&model, &LowerOptions { shapes: shapes(&[2, 3]), ..Default::default() }).unwrap_err();
    let asked = LowerError::Unbound {
        operator: "Reshape".into(),
        node: "r".into(),
        what: "its shape is not known when compiling".into(),
        inputs: vec!["s".into()],
    };
    assert_eq!(unbound, asked);
    graph.outputs = vec![value("y", I64, &[3, 2])];
    let model = model_from_bytes(graph.model(13), None).unwrap();
    let error = lower(&model, &LowerOptions { shapes: shapes(&[2, 3]), bindings: bindings(), ..Default::default() })
        .unwrap_err();
    assert!(error.to_string().contains("declares i64"));
}

#[test]
fn outputs_are_the_last_values_and_their_own() {
    let graph = Graph {
        nodes: vec![
            node("Relu", "r", &["x"], &["a"], vec![]),
            node("Neg", "n", &["a"], &["b"], vec![]),
            node("Transpose", "t", &["a"], &["c"], vec![]),
            node("Identity", "i", &["b"], &["d"], vec![]),
        ],
        initializers: vec![floats("w", &[2], &[5.0, 6.0])],
        inputs: vec![value("x", F32, &[2, 2])],
        // An intermediate, its reader, a view, an input, a constant, one tensor twice.
        outputs: ["a", "b", "c", "x", "w", "d", "b"].iter().map(|n| Message::default().bytes(1, n)).collect(),
    };
    let l = bytes_lowered(graph.model(13)).unwrap();
    assert_eq!(l.program.outputs, 7);
    let got: Vec<Vec<f32>> = run(&l, &[array(&[2, 2], |i| i as f32 - 1.0)]).iter().map(floats_of).collect();
    let (a, b) = (vec![0.0, 0.0, 1.0, 2.0], vec![-0.0, -0.0, -1.0, -2.0]);
    let x = vec![-1.0, 0.0, 1.0, 2.0];
    assert_eq!(got, [a, b.clone(), vec![0.0, 1.0, 0.0, 2.0], x, vec![5.0, 6.0], b.clone(), b]);
}

#[test]
fn long_reductions_have_parts_of_parts() {
    let n = 256 * 256 + 700;
    let bytes = single("ReduceSum", 13, &[("x", &[2, n])], vec![("a", ints("a", &[1]))], vec![attr_int("keepdims", 0)]);
    let l = bytes_lowered(bytes).unwrap();
    assert_eq!(cut(&l), 2);
    let x = array(&[2, n as usize], |i| (i % 97) as f32 * 0.25);
    let got = floats_of(&run(&l, std::slice::from_ref(&x))[0]);
    for (row, sum) in floats_of(&x).chunks(n as usize).zip(got) {
        let exact: f64 = row.iter().map(|&x| f64::from(x)).sum();
        assert!((f64::from(sum) - exact).abs() < 1e-4 * exact);
    }
}

/// Lengths that nothing divides have a last part that is filled up.
#[test]
fn parts_need_not_be_even() {
    for n in [1000usize, 1009] {
        let bytes = single("ArgMax", 13, &[("x", &[n as i64])], vec![], vec![attr_int("select_last_index", 1)]);
        let l = bytes_lowered(bytes).unwrap();
        assert!(cut(&l) > 0);
        let got = run(&l, &[array(&[n], |i| (i % 400) as f32)]);
        assert_eq!(got[0], Tensor::I64(ndarray::arr1(&[799i64]).into_dyn()));
    }
    // The operator, and what it makes of a list.
    type Reference = fn(&[f32]) -> f32;
    let cases: [(&str, Reference); 5] = [
        ("ReduceSum", |x| x.iter().sum()),
        ("ReduceL1", |x| x.iter().map(|x| x.abs()).sum()),
        ("ReduceSumSquare", |x| x.iter().map(|x| x * x).sum()),
        ("ReduceMax", |x| x.iter().copied().fold(f32::NEG_INFINITY, f32::max)),
        ("ReduceMin", |x| x.iter().copied().fold(f32::INFINITY, f32::min)),
    ];
    for (operator, reference) in cases {
        for n in [251i64, 2 * 1009] {
            let x: (&str, &[i64]) = ("x", &[3, n]);
            let axes = if operator == "ReduceSum" { vec![("a", ints("a", &[1]))] } else { vec![] };
            let mut attributes = vec![attr_int("keepdims", 0)];
            if axes.is_empty() {
                attributes.push(attr_ints("axes", &[1]));
            }
            let l = bytes_lowered(single(operator, 13, &[x], axes, attributes)).unwrap();
            // Negative numbers alone: zeros that fill up would be the maximum.
            let x = array(&[3, n as usize], |i| -1.0 - (i % 13) as f32 * 0.5);
            let got = floats_of(&run(&l, std::slice::from_ref(&x))[0]);
            for (row, got) in floats_of(&x).chunks(n as usize).zip(got) {
                assert!((got - reference(row)).abs() <= 1e-5 * got.abs(), "{operator} of {n}: {got}");
            }
        }
    }
    let bytes = single("MatMul", 13, &[("a", &[1, 509]), ("b", &[509, 2])], vec![], vec![]);
    let l = bytes_lowered(bytes).unwrap();
    assert!(cut(&l) > 0);
    let (a, b) = (array(&[1, 509], |i| (i % 7) as f32), array(&[509, 2], |i| (i % 5) as f32));
    let got = floats_of(&run(&l, &[a, b])[0]);
    let exact = |j: usize| (0..509).map(|i| (i % 7 * ((2 * i + j) % 5)) as f32).sum::<f32>();
    assert_eq!(got, [exact(0), exact(1)]);
}

#[test]
fn what_no_step_can_afford_is_refused_by_name() {
    let names: Vec<String> = (0..150).map(|i| format!("x{i}")).collect();
    let inputs: Vec<(&str, &[i64])> = names.iter().map(|n| (n.as_str(), &[1i64; 8][..])).collect();
    let error = bytes_lowered(single("Concat", 13, &inputs, vec![], vec![attr_int("axis", 7)])).unwrap_err();
    assert!(error.contains("Concat (node `node`): a step would cost up to"), "{error}");
}

#[test]
fn many_tensors_joined() {
    let names: Vec<String> = (0..15).map(|i| format!("x{i}")).collect();
    let inputs: Vec<(&str, &[i64])> = names.iter().map(|n| (n.as_str(), &[2i64, 1][..])).collect();
    let l = bytes_lowered(single("Concat", 13, &inputs, vec![], vec![attr_int("axis", 1)])).unwrap();
    let tensors: Vec<Tensor> = (0..15).map(|i| array(&[2, 1], |row| (100 * row + i) as f32)).collect();
    let expected = array(&[2, 15], |i| (100 * (i / 15) + i % 15) as f32);
    assert_eq!(run(&l, &tensors)[0], expected);
}

#[test]
fn elementwise_chains_are_one_instruction() {
    let graph = Graph {
        nodes: vec![
            node("MatMul", "m", &["x", "w"], &["a"], vec![]),
            node("Add", "b", &["a", "bias"], &["b"], vec![]),
            node("Sigmoid", "s", &["b"], &["c"], vec![]),
            node("Mul", "g", &["b", "c"], &["d"], vec![]),
            node("Add", "r", &["d", "x"], &["y"], vec![]),
        ],
        initializers: vec![floats("w", &[2, 2], &[1.0, 2.0, 3.0, 4.0]), floats("bias", &[2], &[0.5, -0.5])],
        inputs: vec![value("x", F32, &[3, 2])],
        outputs: vec![value("y", F32, &[3, 2])],
    };
    let l = bytes_lowered(graph.model(13)).unwrap();
    // b has two readers, but once the first is part of the second they are one.
    let operators: Vec<&str> = l.operators.iter().map(String::as_str).filter(|o| !o.is_empty()).collect();
    assert_eq!(operators, ["MatMul+Add+Sigmoid+Mul+Add"]);
    let got = floats_of(&run(&l, &[array(&[3, 2], |i| i as f32 * 0.1)])[0]);
    for (row, got) in got.chunks(2).enumerate() {
        let x = [row as f32 * 0.2, row as f32 * 0.2 + 0.1];
        for j in 0..2 {
            let b = x[0] * [1.0, 2.0][j] + x[1] * [3.0, 4.0][j] + [0.5, -0.5][j];
            let expected = b / (1.0 + (-b).exp()) + x[j];
            assert!((got[j] - expected).abs() < 1e-5);
        }
    }
}

/// An operator, a function and what it gives of nothing.
type Cumulative = (&'static str, fn(f32, f32) -> f32, f32);

fn cumulative(operator: &str, opset: i64, dims: &[i64], axis: i64, exclusive: bool, reverse: bool) -> Vec<u8> {
    let flags = vec![attr_int("exclusive", exclusive.into()), attr_int("reverse", reverse.into())];
    single(operator, opset, &[("x", dims)], vec![("axis", ints("axis", &[axis]))], flags)
}

/// The results as numpy makes them, one line at a time.
fn by_lines(
    (_, f, nothing): Cumulative,
    dims: [usize; 3],
    axis: usize,
    exclusive: bool,
    reverse: bool,
    x: &[f32],
) -> Vec<u32> {
    let inner: usize = dims[axis + 1..].iter().product();
    let n = dims[axis];
    let mut y = vec![0.0f32; x.len()];
    for line in 0..x.len() / n.max(1) {
        let at = |c: usize| (line / inner * n + if reverse { n - 1 - c } else { c }) * inner + line % inner;
        for c in 0..n {
            y[at(c)] = match (c, exclusive) {
                (0, true) => nothing,
                (0, false) => x[at(0)],
                (_, true) => f(y[at(c - 1)], x[at(c - 1)]),
                (_, false) => f(y[at(c - 1)], x[at(c)]),
            };
        }
    }
    y.iter().map(|y| y.to_bits()).collect()
}

#[test]
fn cumulative_operators() {
    let operators: [(Cumulative, i64); 3] = [
        (("CumSum", |a, b| a + b, 0.0), 11),
        (("CumSum", |a, b| a + b, 0.0), 14),
        (("CumProd", |a, b| a * b, 1.0), 26),
    ];
    for (operator, opset) in operators {
        for dims in [[2, 3, 5], [4, 1, 300], [1, 130, 2], [3, 0, 2]] {
            let n: usize = dims.iter().product();
            let x: Vec<f32> = (0..n).map(|i| if i % 4 == 0 { -0.0 } else { 0.3 * (i % 7) as f32 }).collect();
            for axis in 0..3 {
                for (exclusive, reverse) in [(false, false), (true, false), (false, true), (true, true)] {
                    let shape = dims.map(|d| d as i64);
                    let bytes = cumulative(operator.0, opset, &shape, axis as i64 - 3, exclusive, reverse);
                    let y = &run(&bytes_lowered(bytes).unwrap(), &[array(&dims, |i| x[i])])[0];
                    let bits: Vec<u32> = floats_of(y).iter().map(|y| y.to_bits()).collect();
                    let expected = by_lines(operator, dims, axis, exclusive, reverse, &x);
                    let name = operator.0;
                    assert_eq!(bits, expected, "{name} of {dims:?} along {axis}, {exclusive}, {reverse}");
                }
            }
        }
    }
}

/// Views of views, neighbours before and behind, and constants: the axis of the scan stays whole through all of it.
#[test]
fn cumulative_sums_among_other_nodes() {
    let graph = Graph {
        nodes: vec![
            node("Neg", "n", &["x"], &["a"], vec![]),
            node("Reshape", "r", &["a", "four"], &["b"], vec![]),
            node("Transpose", "t", &["b"], &["c"], vec![attr_ints("perm", &[1, 0, 2])]),
            node("CumSum", "s", &["c", "two"], &["d"], vec![]),
            node("Mul", "m", &["d", "d"], &["y"], vec![]),
            node("CumSum", "k", &["w", "zero"], &["z"], vec![attr_int("reverse", 1)]),
        ],
        initializers: vec![
            ints("four", &[2, 3, 4]),
            ints("two", &[2]),
            ints("zero", &[0]),
            floats("w", &[3], &[1.0, 2.0, 4.0]),
        ],
        inputs: vec![value("x", F32, &[4, 6])],
        outputs: ["y", "z"].iter().map(|n| Message::default().bytes(1, n)).collect(),
    };
    let l = bytes_lowered(graph.model(14)).unwrap();
    let scans: Vec<&Instruction> =
        instructions(&l.program).filter(|i| matches!(i.core, rebut_engine::program::Core::Scan { .. })).collect();
    assert_eq!(scans.len(), 1, "the sums of a constant are a constant");
    let got = run(&l, &[array(&[4, 6], |i| i as f32)]);
    let (mut expected, mut sum) = (vec![0.0; 24], 0.0);
    for i in 0..24 {
        sum = if i % 4 == 0 { 0.0 } else { sum } - i as f32;
        // [2, 3, 4] with its first axes exchanged.
        expected[(i / 4 % 3 * 2 + i / 12) * 4 + i % 4] = sum * sum;
    }
    assert_eq!(floats_of(&got[0]), expected);
    assert_eq!(floats_of(&got[1]), [7.0, 6.0, 4.0]);
}

#[test]
fn cumulative_sums_that_are_refused() {
    let says = |bytes: Vec<u8>, what: &str| {
        let error = bytes_lowered(bytes).expect_err("it must be refused");
        assert!(error.contains(what), "`{error}` does not say `{what}`");
    };
    let x: (&str, &[i64]) = ("x", &[2, 3]);
    says(single("CumSum", 14, &[x], vec![("axis", ints("axis", &[2]))], vec![]), "axis 2");
    says(single("CumSum", 14, &[x], vec![("axis", ints("axis", &[0, 1]))], vec![]), "2 axes, one is needed");
    says(single("CumSum", 14, &[x], vec![], vec![]), "its axis is missing");
    let unknown = Graph {
        nodes: vec![node("CumSum", "s", &["x", "axis"], &["y"], vec![])],
        inputs: vec![value("x", F32, &[2, 3]), value("axis", I64, &[])],
        outputs: vec![value("y", F32, &[2, 3])],
        ..Graph::default()
    };
    says(unknown.model(14), "its axis is not known when compiling");
    let bools = Graph {
        nodes: vec![node("CumSum", "s", &["x", "axis"], &["y"], vec![])],
        initializers: vec![ints("axis", &[0])],
        inputs: vec![value("x", 9, &[2, 3])],
        outputs: vec![value("y", 9, &[2, 3])],
    };
    says(bools.model(14), "add of bool is not supported");
}

fn victim() -> Vec<u8> {
    Graph {
        nodes: vec![
            node(
                "Conv",
                "c",
                &["x", "w"],
                &["a"],
                vec![attr_ints("pads", &[1, 1, 1, 1]), attr_ints("strides", &[2, 1])],
            ),
            node("MaxPool", "p", &["a"], &["b"], vec![attr_ints("kernel_shape", &[2, 2]), attr_int("ceil_mode", 1)]),
            node("Reshape", "r", &["b", "s"], &["c"], vec![attr_int("allowzero", 0)]),
            node("Slice", "l", &["c", "one", "many", "one", "two"], &["d"], vec![]),
            node("Pad", "q", &["d", "four"], &["e"], vec![]),
            node("Softmax", "m", &["e"], &["y"], vec![attr_int("axis", -1)]),
        ],
        initializers: vec![
            floats("w", &[2, 1, 3, 3], &[0.5; 18]),
            ints("s", &[1, -1]),
            ints("one", &[1]),
            ints("two", &[2]),
            ints("many", &[i64::MAX]),
            ints("four", &[0, 1, 0, 1]),
        ],
        inputs: vec![value("x", F32, &[1, 1, 4, 4])],
        outputs: vec![value("y", F32, &[])],
    }
    .model(17)
}

#[test]
fn the_victim_lowers() {
    let l = bytes_lowered(victim()).unwrap();
    let y = floats_of(&run(&l, &[array(&[1, 1, 4, 4], |i| i as f32)])[0]);
    assert!((y.iter().sum::<f32>() - 1.0).abs() < 1e-6);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_changed_bytes_are_an_error_or_a_program(changes in prop::collection::vec((0usize..2000, any::<u8>()), 1..4)) {
        let mut bytes = victim();
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let _ = bytes_lowered(bytes);
    }
}
