//! A model's own functions become the nodes of their bodies.

mod onnx_support;

use onnx_support::tensors::{f32s, floats_of};
use onnx_support::*;
use rebut_engine::lower::{LowerOptions, lower};
use rebut_engine::onnx::{Model, model_from_bytes};

/// A model whose graph has input `x` of four floats and output `y`.
fn model(nodes: Vec<Message>, functions: Vec<Message>) -> Vec<u8> {
    let graph = Graph {
        nodes,
        inputs: vec![value("x", F32, &[4])],
        outputs: vec![Message::default().bytes(1, "y")],
        ..Graph::default()
    };
    let bytes = onnx_support::model(graph.message(), &[("", 17), ("local", 1)]);
    functions.into_iter().fold(Message(bytes), |m, f| m.message(25, f)).0
}

fn read(nodes: Vec<Message>, functions: Vec<Message>) -> Result<Model, String> {
    model_from_bytes(model(nodes, functions), None).map_err(|e| e.to_string())
}

fn results(nodes: Vec<Message>, functions: Vec<Message>) -> Vec<f32> {
    let model = read(nodes, functions).expect("a model");
    let lowered = lower(&model, &LowerOptions::default()).expect("it lowers");
    let x = f32s(&[4], [-2.0, -1.0, 1.0, 2.0]);
    floats_of(&agreed::outputs(&lowered, &[x], "a function")[0])
}

fn refused(nodes: Vec<Message>, functions: Vec<Message>, words: &[&str]) {
    let error = read(nodes, functions).expect_err("it must be refused");
    assert!(words.iter().all(|word| error.contains(word)), "`{error}` does not say {words:?}");
}

/// `b = a + a`, through an inner tensor.
fn twice() -> Message {
    let nodes = vec![node("Identity", "", &["a"], &["t"], vec![]), node("Add", "add", &["t", "a"], &["b"], vec![])];
    function("Twice", (&["a"], &["b"]), &[], vec![], nodes, 17)
}

/// A leaky relu whose slope is the attribute `slope`.
fn leaky(attributes: &[&str], defaults: Vec<Message>) -> Message {
    let nodes = vec![node("LeakyRelu", "leak", &["a"], &["b"], vec![attr_of_function("alpha", "slope", 1)])];
    function("Leaky", (&["a"], &["b"]), attributes, defaults, nodes, 17)
}

#[test]
fn calls_become_nodes_with_names_of_their_own() {
    let four = function(
        "Four",
        (&["a"], &["b"]),
        &[],
        vec![],
        vec![call("Twice", &["a"], &["t"], vec![]), call("Twice", &["t"], &["b"], vec![])],
        17,
    );
    // `t` is a name of the graph, too.
    let nodes = || vec![call("Four", &["x"], &["t"], vec![]), call("Four", &["t"], &["y"], vec![])];
    let functions = || vec![four.clone(), twice()];
    assert_eq!(results(nodes(), functions()), [-32.0, -16.0, 16.0, 32.0]);
    let model = read(nodes(), functions()).unwrap();
    assert_eq!(model.nodes.len(), 8);
    let mut names: Vec<&str> = model.nodes.iter().flat_map(|n| &n.outputs).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 8, "{names:?}");
    assert_eq!(model.nodes[1].name, "t/t/add");
    assert_eq!(read(nodes(), functions()).unwrap(), model, "the same file, the same model");
}

#[test]
fn attributes_of_calls_and_defaults() {
    let call = |attributes| vec![call("Leaky", &["x"], &["y"], attributes)];
    let given = || vec![attr_float("slope", 0.25)];
    assert_eq!(results(call(given()), vec![leaky(&["slope"], vec![])]), [-0.5, -0.25, 1.0, 2.0]);
    let default = || leaky(&[], vec![attr_float("slope", 0.5)]);
    assert_eq!(results(call(vec![]), vec![default()]), [-1.0, -0.5, 1.0, 2.0]);
    assert_eq!(results(call(given()), vec![default()]), [-0.5, -0.25, 1.0, 2.0]);
    // Neither given nor with a default: the operator's own default of 0.01.
    assert_eq!(results(call(vec![]), vec![leaky(&["slope"], vec![])]), [-2.0 * 0.01f32, -0.01, 1.0, 2.0]);
    refused(call(vec![attr_float("slop", 0.5)]), vec![default()], &["Leaky", "slop"]);
    refused(
        vec![node("LeakyRelu", "n", &["x"], &["y"], vec![attr_of_function("alpha", "slope", 1)])],
        vec![],
        &["outside a function"],
    );
}

#[test]
fn a_function_has_its_own_operator_set() {
    // Axes are an attribute of ReduceSum in operator set 11, and an input in 17, the model's.
    let nodes = vec![node("ReduceSum", "", &["a"], &["b"], vec![attr_ints("axes", &[0]), attr_int("keepdims", 0)])];
    let sum = function("Total", (&["a"], &["b"]), &[], vec![], nodes, 11);
    let nodes = vec![call("Total", &["x"], &["s"], vec![]), node("Add", "", &["x", "s"], &["y"], vec![])];
    assert_eq!(results(nodes, vec![sum]), [-2.0, -1.0, 1.0, 2.0]);
    // PRelu's slope was not broadcast before operator set 7.
    let nodes = vec![node("PRelu", "", &["a", "a"], &["b"], vec![])];
    let old = function("F", (&["a"], &["b"]), &[], vec![], nodes, 3);
    refused(vec![call("F", &["x"], &["y"], vec![])], vec![old], &["PRelu", "opset 3"]);
}

#[test]
fn inputs_and_outputs_of_calls() {
    // The second input is left out, the first output not wanted; the last output is the input itself.
    let nodes = vec![node("Clip", "", &["a", "low"], &["c"], vec![]), node("Neg", "", &["a"], &["n"], vec![])];
    let f = || function("F", (&["a", "low"], &["c", "n", "a"]), &[], vec![], nodes.clone(), 17);
    assert_eq!(results(vec![call("F", &["x"], &["", "y"], vec![])], vec![f()]), [2.0, 1.0, -1.0, -2.0]);
    assert_eq!(results(vec![call("F", &["x", ""], &["", "", "y"], vec![])], vec![f()]), [-2.0, -1.0, 1.0, 2.0]);
    refused(vec![call("F", &["x", "x", "x"], &["y"], vec![])], vec![f()], &["3 inputs"]);
    refused(vec![call("F", &["x"], &["y", "", "", "z"], vec![])], vec![f()], &["4 outputs"]);
    refused(vec![call("F", &["x"], &["y"], vec![])], vec![f(), f()], &["two functions", "F"]);
    let empty = function("F", (&["a"], &["b"]), &[], vec![], vec![], 17);
    refused(vec![call("F", &["x"], &["y"], vec![])], vec![empty], &["`y` is defined nowhere"]);
}

#[test]
fn recursion_and_growth_without_bound_are_refused() {
    let calls = |name: &str, other: &str| {
        let nodes = vec![call(other, &["a"], &["t"], vec![]), call(other, &["t"], &["b"], vec![])];
        function(name, (&["a"], &["b"]), &[], vec![], nodes, 17)
    };
    let start = || vec![call("F0", &["x"], &["y"], vec![])];
    refused(start(), vec![calls("F0", "F0")], &["`F0` calls itself"]);
    refused(start(), vec![calls("F0", "F1"), calls("F1", "F0")], &["calls itself"]);
    // 2^40 nodes, and 2^40 calls of nothing.
    let name = |i: usize| format!("F{i}");
    let chain = |n: usize| (0..n).map(|i| calls(&name(i), &name(i + 1))).collect::<Vec<_>>();
    let leaf = |nodes| function("F40", (&["a"], &["b"]), &[], vec![], nodes, 17);
    let neg = node("Neg", "", &["a"], &["b"], vec![]);
    refused(start(), [chain(40), vec![leaf(vec![neg])]].concat(), &["more than 65536 nodes"]);
    refused(start(), [chain(40), vec![leaf(vec![])]].concat(), &["more than 65536 nodes"]);
    // Deep, not wide.
    let line = |i: usize| {
        function(&name(i), (&["a"], &["b"]), &[], vec![], vec![call(&name(i + 1), &["a"], &["b"], vec![])], 17)
    };
    refused(start(), (0..5000).map(line).collect(), &["deep"]);
    // A megabyte for each of 2^10 calls.
    let big = node(
        "Constant",
        "",
        &[],
        &["c"],
        vec![Message::default().bytes(1, "value").int(20, 4).message(5, floats("", &[1 << 18], &vec![0.5; 1 << 18]))],
    );
    let mut functions = chain(10);
    functions.push(function(
        "F10",
        (&["a"], &["b"]),
        &[],
        vec![],
        vec![big, node("Neg", "", &["a"], &["b"], vec![])],
        17,
    ));
    refused(start(), functions, &["bytes"]);
}
