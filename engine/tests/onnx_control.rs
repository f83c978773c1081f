//! If, Loop and Scan: resolved when compiling, or refused with what to do.

mod onnx_support;

use onnx_support::tensors::{f32s, floats_of};
use onnx_support::*;
use rebut_engine::lower::{LowerError, LowerOptions, Lowered, lower};
use rebut_engine::onnx::{Dim, model_from_bytes};

const BOOL: i64 = 9;

/// A graph input or output of no declared type.
fn any(name: &str) -> Message {
    Message::default().bytes(1, name)
}

fn body(nodes: Vec<Message>, inputs: &[&str], outputs: &[&str], initializers: Vec<Message>) -> Graph {
    let (inputs, outputs) = (inputs.iter().map(|n| any(n)).collect(), outputs.iter().map(|n| any(n)).collect());
    Graph { nodes, inputs, outputs, initializers }
}

/// A graph with input `x`.
fn graph(nodes: Vec<Message>, dims: &[i64], outputs: &[&str], initializers: Vec<Message>) -> Graph {
    Graph { inputs: vec![value("x", F32, dims)], ..body(nodes, &[], outputs, initializers) }
}

fn flag(name: &str, x: bool) -> Message {
    header(name, BOOL, &[]).bytes(9, [u8::from(x)])
}

fn number(name: &str, x: i64) -> Message {
    header(name, I64, &[]).bytes(9, x.to_le_bytes())
}

fn lowered(graph: &Graph, opset: i64) -> Result<Lowered, LowerError> {
    lower(&model_from_bytes(graph.model(opset), None).expect("a model"), &LowerOptions::default())
}

fn results(graph: &Graph, opset: i64, dims: &[usize], x: &[f32]) -> Vec<(Vec<usize>, Vec<f32>)> {
    let y = agreed::outputs(&lowered(graph, opset).expect("it lowers"), &[f32s(dims, x)], "control");
    y.iter().map(|t| (t.shape().to_vec(), floats_of(t))).collect()
}

/// `y = x + w` or `y = -x`, where `x` is the outer graph's.
fn branches(condition: Vec<Message>, initializers: Vec<Message>) -> Graph {
    let then =
        body(vec![node("Add", "add", &["x", "w"], &["r"], vec![])], &[], &["r"], vec![floats("w", &[1], &[0.5])]);
    let otherwise = body(vec![node("Neg", "neg", &["x"], &["r"], vec![])], &[], &["r"], vec![]);
    let attributes = vec![attr_graph("then_branch", &then), attr_graph("else_branch", &otherwise)];
    let mut nodes = condition;
    nodes.push(node("If", "choice", &["c"], &["y"], attributes));
    graph(nodes, &[2], &["y"], initializers)
}

#[test]
fn a_constant_condition_takes_its_branch() {
    for (c, expected) in [(true, [1.5, 2.5]), (false, [-1.0, -2.0])] {
        let got = results(&branches(vec![], vec![flag("c", c)]), 17, &[2], &[1.0, 2.0]);
        assert_eq!(got, [(vec![2], expected.to_vec())]);
    }
    // A condition on the shape of an input is constant, too.
    let condition = vec![
        node("Shape", "", &["x"], &["s"], vec![]),
        node("Equal", "", &["s", "two"], &["e"], vec![]),
        node("Squeeze", "", &["e"], &["c"], vec![]),
    ];
    let g = branches(condition, vec![ints("two", &[2])]);
    assert_eq!(results(&g, 17, &[2], &[1.0, 2.0])[0].1, [1.5, 2.5]);
    assert!(lowered(&g, 17).unwrap().names.contains(&"choice/add".to_string()), "names say where a node is");
}

#[test]
fn a_condition_on_data_is_refused_with_the_input_to_bind() {
    let condition = vec![
        node("ReduceMax", "", &["x"], &["m"], vec![attr_int("keepdims", 0)]),
        node("Greater", "", &["m", "zero"], &["c"], vec![]),
    ];
    let g = branches(condition, vec![floats("zero", &[], &[0.0])]);
    let error = lowered(&g, 17).unwrap_err();
    let LowerError::Unbound { operator, node: at, inputs, .. } = &error else { panic!("{error}") };
    assert_eq!((operator.as_str(), at.as_str(), &inputs[..]), ("If", "choice", &["x".to_string()][..]));
    for word in ["condition", "Where", "bind input `x` to a constant"] {
        assert!(error.to_string().contains(word), "{error}");
    }
    // Only the branch that is taken has to be supported.
    let mut g = branches(vec![], vec![flag("c", false)]);
    let odd = body(vec![node("NoSuch", "odd", &["x"], &["r"], vec![])], &[], &["r"], vec![]);
    let fine = body(vec![node("Neg", "neg", &["x"], &["r"], vec![])], &[], &["r"], vec![]);
    g.nodes[0] =
        node("If", "choice", &["c"], &["y"], vec![attr_graph("then_branch", &odd), attr_graph("else_branch", &fine)]);
    assert_eq!(results(&g, 17, &[2], &[1.0, 2.0])[0].1, [-1.0, -2.0]);
    g.initializers = vec![flag("c", true)];
    assert_eq!(
        lowered(&g, 17).unwrap_err(),
        LowerError::Operator { operator: "NoSuch".into(), node: "choice/odd".into() }
    );
}

/// `s -> s * s + x * x` with `i` and `s` collected; the body's condition is `c`.
fn squares(trips: &str, condition: &str, inner: Vec<Message>, c: &str) -> Graph {
    let mut nodes = vec![
        node("Mul", "square", &["x", "x"], &["q"], vec![]),
        node("Mul", "own", &["s", "s"], &["ss"], vec![]),
        node("Add", "sum", &["ss", "q"], &["t"], vec![]),
        node("Cast", "", &["i"], &["fi"], vec![attr_int("to", 1)]),
        node("Identity", "", &["c_in"], &["same"], vec![]),
        node("Less", "", &["i", "one"], &["early"], vec![]),
    ];
    nodes.extend(inner);
    let b = body(nodes, &["i", "c_in", "s"], &[c, "t", "fi", "t"], vec![number("one", 1)]);
    let outer =
        vec![node("Loop", "loop", &[trips, condition, "x"], &["y", "numbers", "all"], vec![attr_graph("body", &b)])];
    graph(
        outer,
        &[2],
        &["y", "numbers", "all"],
        vec![number("m", 3), number("none", 0), flag("yes", true), flag("no", false)],
    )
}

#[test]
fn a_loop_is_unrolled() {
    let run = |g: &Graph| results(g, 17, &[2], &[1.0, 2.0]);
    let three = [
        (vec![2], vec![26.0, 163_220.0]),
        (vec![3], vec![0.0, 1.0, 2.0]),
        (vec![3, 2], vec![2.0, 8.0, 5.0, 68.0, 26.0, 4628.0]),
    ];
    let (x, mut s, mut all) = ([1.0f32, 2.0], [1.0f32, 2.0], vec![]);
    for _ in 0..3 {
        s = [s[0] * s[0] + x[0] * x[0], s[1] * s[1] + x[1] * x[1]];
        all.extend(s);
    }
    let expected = [(vec![2], s.to_vec()), three[1].clone(), (vec![3, 2], all)];
    assert_eq!(run(&squares("m", "", vec![], "same")), expected);
    assert_eq!(run(&squares("m", "yes", vec![], "c_in")), expected);
    // It goes on while the number is below 1: two iterations.
    let two = run(&squares("", "", vec![], "early"));
    assert_eq!(two, [(vec![2], vec![5.0, 68.0]), (vec![2], vec![0.0, 1.0]), (vec![2, 2], vec![2.0, 8.0, 5.0, 68.0])]);
    // What no iteration changes is computed once.
    let l = lowered(&squares("m", "", vec![], "same"), 17).unwrap();
    // x * x is one with the first s * s, too.
    assert_eq!(l.operators.iter().filter(|o| o.contains("Mul")).count(), 3, "{:?} {:?}", l.names, l.operators);
    assert!(l.names.iter().any(|n| n.contains("loop[2]/")), "{:?}", l.names);
}

#[test]
fn loops_that_never_run_or_never_end() {
    let mut g = squares("none", "", vec![], "same");
    g.outputs.truncate(1);
    let nothing = lowered(&squares("none", "", vec![], "same"), 17).unwrap_err().to_string();
    assert!(nothing.contains("does not declare the shape of `fi`"), "{nothing}");
    let endless = lowered(&squares("", "", vec![], "same"), 17).unwrap_err().to_string();
    assert!(endless.contains("more than 65536 nodes"), "{endless}");
    // A condition that data decides.
    let inner = vec![
        node("ReduceMax", "", &["t"], &["m1"], vec![attr_int("keepdims", 0)]),
        node("Less", "", &["m1", "big"], &["c_data"], vec![]),
        node("Constant", "", &[], &["big"], vec![attr_float("value_float", 9.0)]),
    ];
    let error = lowered(&squares("m", "", inner, "c_data"), 17).unwrap_err();
    assert!(matches!(&error, LowerError::Unbound { inputs, .. } if inputs == &["x"]), "{error}");
    assert!(error.to_string().contains("after iteration 0"), "{error}");
    // Declared shapes make empty results.
    let b = Graph {
        nodes: vec![node("Neg", "", &["s"], &["t"], vec![]), node("Identity", "", &["c_in"], &["c"], vec![])],
        inputs: vec![any("i"), any("c_in"), any("s")],
        outputs: vec![any("c"), any("t"), value("t", F32, &[2])],
        initializers: vec![],
    };
    let outer = vec![node("Loop", "", &["", "no", "x"], &["y", "all"], vec![attr_graph("body", &b)])];
    let g = graph(outer, &[2], &["y", "all"], vec![flag("no", false)]);
    assert_eq!(results(&g, 17, &[2], &[1.0, 2.0]), [(vec![2], vec![1.0, 2.0]), (vec![0, 2], vec![])]);
}

#[test]
fn nested_loops_share_the_budget() {
    let inner = body(
        vec![node("Neg", "", &["s"], &["t"], vec![]), node("Identity", "", &["c_in"], &["c"], vec![])],
        &["j", "c_in", "s"],
        &["c", "t"],
        vec![],
    );
    let outer = body(
        vec![
            node("Loop", "inner", &["m", "", "s"], &["t"], vec![attr_graph("body", &inner)]),
            node("Identity", "", &["c_in"], &["c"], vec![]),
        ],
        &["i", "c_in", "s"],
        &["c", "t"],
        vec![],
    );
    let g = |m| {
        let nodes = vec![node("Loop", "outer", &["m", "", "x"], &["y"], vec![attr_graph("body", &outer)])];
        graph(nodes, &[2], &["y"], vec![number("m", m)])
    };
    assert_eq!(results(&g(3), 17, &[2], &[1.0, 2.0])[0].1, [-1.0, -2.0]);
    let error = lowered(&g(1 << 20), 17).unwrap_err().to_string();
    assert!(error.contains("more than 65536 nodes"), "{error}");
}

/// A running sum along an axis, with the sums collected.
fn sums(opset: i64, attributes: Vec<Message>) -> Graph {
    let b = body(
        vec![node("Add", "sum", &["s", "e"], &["t"], vec![]), node("Identity", "", &["t"], &["u"], vec![])],
        &["s", "e"],
        &["t", "u"],
        vec![],
    );
    let mut attributes = attributes;
    attributes.extend([attr_graph("body", &b), attr_int("num_scan_inputs", 1)]);
    let (inputs, dims): (&[&str], &[i64]) = if opset == 8 { (&["", "s0", "x"], &[2, 3]) } else { (&["s0", "x"], &[2]) };
    let zeros = vec![0.0; dims.iter().product::<i64>() as usize];
    let x: &[i64] = if opset == 8 { &[2, 2, 3] } else { &[3, 2] };
    graph(
        vec![node("Scan", "scan", inputs, &["last", "all"], attributes)],
        x,
        &["last", "all"],
        vec![floats("s0", dims, &zeros)],
    )
}

#[test]
fn a_scan_is_unrolled() {
    let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let run = |attributes| results(&sums(17, attributes), 17, &[3, 2], &x);
    let last = (vec![2], vec![9.0, 12.0]);
    assert_eq!(run(vec![]), [last.clone(), (vec![3, 2], vec![1.0, 2.0, 4.0, 6.0, 9.0, 12.0])]);
    let backwards = vec![attr_ints("scan_input_directions", &[1])];
    assert_eq!(run(backwards), [last.clone(), (vec![3, 2], vec![5.0, 6.0, 8.0, 10.0, 9.0, 12.0])]);
    let turned = vec![attr_ints("scan_output_directions", &[1]), attr_ints("scan_output_axes", &[-1])];
    assert_eq!(run(turned), [last, (vec![2, 3], vec![9.0, 4.0, 1.0, 12.0, 6.0, 2.0])]);
    let error = lowered(&sums(17, vec![attr_ints("scan_input_axes", &[2])]), 17).unwrap_err().to_string();
    assert!(error.contains("axis 2 does not exist"), "{error}");
    // Along the other axis the elements have length 3, the state 2.
    let error = lowered(&sums(17, vec![attr_ints("scan_input_axes", &[-1])]), 17).unwrap_err().to_string();
    assert!(error.contains("scan[0]/sum") && error.contains("do not broadcast"), "{error}");
}

#[test]
fn operator_set_8_scans_each_of_a_batch() {
    let x: Vec<f32> = (1..=12).map(|i| i as f32).collect();
    let got = results(&sums(8, vec![]), 8, &[2, 2, 3], &x);
    assert_eq!(got[0], (vec![2, 3], vec![5.0, 7.0, 9.0, 17.0, 19.0, 21.0]));
    assert_eq!(got[1], (vec![2, 2, 3], vec![1.0, 2.0, 3.0, 5.0, 7.0, 9.0, 7.0, 8.0, 9.0, 17.0, 19.0, 21.0]));
}

#[test]
fn bodies_in_functions_and_captures() {
    // The branch is in a function and uses the function's input and an attribute.
    let then = body(
        vec![node("LeakyRelu", "", &["a"], &["r"], vec![attr_of_function("alpha", "slope", 1)])],
        &[],
        &["r"],
        vec![],
    );
    let otherwise = body(vec![node("Neg", "", &["a"], &["r"], vec![])], &[], &["r"], vec![]);
    let attributes = vec![attr_graph("then_branch", &then), attr_graph("else_branch", &otherwise)];
    let f =
        function("F", (&["a", "c"], &["b"]), &["slope"], vec![], vec![node("If", "", &["c"], &["b"], attributes)], 17);
    let g = graph(
        vec![
            call("F", &["x", "yes"], &["t"], vec![attr_float("slope", 0.5)]),
            call("F", &["t", "no"], &["y"], vec![attr_float("slope", 0.5)]),
        ],
        &[2],
        &["y"],
        vec![flag("yes", true), flag("no", false)],
    );
    let bytes = Message(onnx_support::model(g.message(), &[("", 17), ("local", 1)])).message(25, f).0;
    let model = model_from_bytes(bytes, None).unwrap();
    assert_eq!(model.nodes[0].reads().collect::<Vec<_>>(), ["yes", "x", "x"]);
    let l = lower(&model, &LowerOptions::default()).unwrap();
    let y = agreed::outputs(&l, &[f32s(&[2], [-2.0, 3.0])], "a function");
    assert_eq!(y, [f32s(&[2], [1.0, -3.0])]);
    assert_eq!(model.inputs[0].dims, Some(vec![Dim::Fixed(2)]));

    // A body is sorted with what it captures: here the nodes around stand in the wrong order.
    let mut g = branches(vec![], vec![flag("c", true)]);
    let then = body(vec![node("Neg", "", &["late"], &["r"], vec![])], &[], &["r"], vec![]);
    g.nodes = vec![
        node("If", "", &["c"], &["y"], vec![attr_graph("then_branch", &then), attr_graph("else_branch", &then)]),
        node("Neg", "", &["x"], &["late"], vec![]),
    ];
    assert_eq!(results(&g, 17, &[2], &[1.0, 2.0])[0].1, [1.0, 2.0]);
    g.nodes.pop();
    let error = model_from_bytes(g.model(17), None).unwrap_err().to_string();
    assert!(error.contains("`late` is defined nowhere"), "{error}");
}

#[test]
fn graphs_that_functions_nest_are_bounded() {
    // Each function wraps the graph that it is given in two more and gives it to the next.
    let wrap = |inner: Message| body(vec![node("If", "", &["c"], &["r"], vec![inner])], &[], &["r"], vec![]);
    let given = || attr_of_function("then_branch", "g", 5);
    let name = |i: usize| format!("F{i}");
    let functions: Vec<Message> = (0..60)
        .map(|i| {
            let wrapped = attr_graph("g", &wrap(attr_graph("then_branch", &wrap(given()))));
            let next = call(&name(i + 1), &["c"], &["r"], vec![wrapped]);
            function(&name(i), (&["c"], &["r"]), &["g"], vec![], vec![next], 17)
        })
        .collect();
    let last =
        function(&name(60), (&["c"], &["r"]), &["g"], vec![], vec![node("If", "", &["c"], &["r"], vec![given()])], 17);
    let leaf = body(vec![node("Neg", "", &["x"], &["r"], vec![])], &[], &["r"], vec![]);
    let g = graph(vec![call("F0", &["c"], &["y"], vec![attr_graph("g", &leaf)])], &[2], &["y"], vec![flag("c", true)]);
    let bytes = Message(onnx_support::model(g.message(), &[("", 17), ("local", 1)]));
    let bytes = functions.into_iter().chain([last]).fold(bytes, |m, f| m.message(25, f)).0;
    let error = model_from_bytes(bytes, None).unwrap_err().to_string();
    assert!(error.contains("more than 32 deep"), "{error}");
}
