//! The plain run of chains of real operators with shapes drawn at random: convolutions of every kind with what follows them, pooling, products and
//! transpositions. The reference agrees on every value, and the plain run, with its fused products, on the outputs.

mod onnx_support;

use onnx_support::*;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rebut_engine::arith::Isa;
use rebut_engine::exec::Options;
use rebut_engine::lower::{LowerOptions, lower};
use rebut_engine::onnx::model_from_bytes;
use rebut_engine::tensor::Tensor;

const SEED: u64 = 0x91a5;

/// Numbers of any size, with zeros of both signs and now and then an infinity or a NaN.
fn numbers(rng: &mut ChaCha8Rng, n: usize) -> Vec<f32> {
    let number = |rng: &mut ChaCha8Rng| match rng.random_range(0..400) {
        0 => f32::NAN,
        1 => f32::INFINITY,
        2..20 => -0.0,
        20..40 => f32::from_bits(rng.random::<u32>() & 0x807f_ffff),
        _ => rng.random_range(-2.0..2.0),
    };
    (0..n).map(|_| number(rng)).collect()
}

fn size(dims: &[i64]) -> usize {
    usize::try_from(dims.iter().product::<i64>()).expect("small")
}

fn input(rng: &mut ChaCha8Rng, dims: &[i64]) -> Tensor {
    let dims: Vec<usize> = dims.iter().map(|&d| usize::try_from(d).expect("small")).collect();
    tensors::f32s(&dims, numbers(rng, dims.iter().product()))
}

/// Compares on several threads and with every instruction set.
fn check(graph: Message, inputs: &[Tensor], what: &str) {
    let model = model_from_bytes(model(graph, &[("", 17)]), None).expect("a model");
    let package = package(&lower(&model, &LowerOptions::default()).unwrap_or_else(|e| panic!("{what}: {e}")));
    for (isa, threads) in [(Isa::Portable, 2), (Isa::Avx2, 1), (Isa::Auto, 1), (Isa::Auto, 3)] {
        agreed::values(&package, inputs, &Options { threads, isa }, what);
    }
}

#[test]
fn convolutions_and_what_follows() {
    for case in 0..48 {
        let rng = &mut ChaCha8Rng::seed_from_u64(SEED + case);
        let groups: i64 = *[1, 1, 1, 2, 4, 16].choose(rng).expect("some");
        let per_group = if groups == 16 { 1 } else { *[1, 3, 5, 8, 33, 64].choose(rng).expect("some") };
        let out_per_group = *[1, 2, 8, 9, 17, 40].choose(rng).expect("some");
        let (channels, outputs) = (groups * per_group, groups * out_per_group);
        let [h, w]: [i64; 2] = [rng.random_range(3..9), rng.random_range(3..15)];
        let [kh, kw]: [i64; 2] = [rng.random_range(1..4), rng.random_range(1..4)];
        let pads: Vec<i64> = (0..4).map(|_| rng.random_range(0..2)).collect();
        let strides: Vec<i64> = (0..2).map(|_| rng.random_range(1..3)).collect();
        let [y, x] = [0, 1].map(|i| ([h, w][i] + pads[i] + pads[i + 2] - [kh, kw][i]) / strides[i] + 1);
        let what = format!(
            "case {case}: {channels}x{h}x{w} to {outputs} in {groups} groups, kernel {kh}x{kw}, pads {pads:?}, strides {strides:?}"
        );
        let (narrow, wide) = ([1, channels, h, w], [1, outputs, y, x]);
        let conv = node(
            "Conv",
            "conv",
            &["x", "w", "b"],
            &["c"],
            vec![attr_int("group", groups), attr_ints("pads", &pads), attr_ints("strides", &strides)],
        );
        let mut nodes = vec![conv];
        let last = match case % 4 {
            0 => "c",
            1 => {
                nodes.push(node("Add", "add", &["c", "r"], &["s"], vec![]));
                nodes.push(node("Relu", "relu", &["s"], &["t"], vec![]));
                "t"
            }
            2 => {
                let pool = [attr_ints("kernel_shape", &[2, 2]), attr_ints("pads", &[1, 1, 1, 1])];
                nodes.push(node("MaxPool", "pool", &["c"], &["p"], pool.to_vec()));
                "p"
            }
            _ => {
                nodes.push(node("Transpose", "turn", &["c"], &["p"], vec![attr_ints("perm", &[0, 3, 1, 2])]));
                "p"
            }
        };
        let weights = [("w", vec![outputs, per_group, kh, kw]), ("b", vec![outputs]), ("r", wide.to_vec())];
        let graph = Graph {
            nodes,
            initializers: weights.map(|(name, dims)| floats(name, &dims, &numbers(rng, size(&dims)))).to_vec(),
            inputs: vec![value("x", F32, &narrow)],
            outputs: vec![Message::default().bytes(1, last)],
        };
        check(graph.message(), &[input(rng, &narrow)], &what);
    }
}

/// Branches of an image that are put side by side: convolutions with what follows them and pooling write to their place in the whole, but not where
/// somebody else reads them, or one is read twice.
#[test]
fn branches_side_by_side() {
    for case in 0..48 {
        let rng = &mut ChaCha8Rng::seed_from_u64(SEED + 2000 + case);
        let channels: i64 = *[1, 3, 16].choose(rng).expect("some");
        let [h, w]: [i64; 2] = [rng.random_range(2..9), rng.random_range(2..12)];
        let axis = *[1, 1, 2, 3].choose(rng).expect("some");
        let count = rng.random_range(2..4);
        let (mut nodes, mut names, mut sizes, mut initializers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for n in 0..count {
            let outputs = if axis == 1 { *[1, 4, 8, 32, 40].choose(rng).expect("some") } else { 8 };
            let (kernel, name) = (*[1, 3].choose(rng).expect("some"), format!("b{n}"));
            let (weights, made) = (format!("w{n}"), format!("c{n}"));
            let pads = attr_ints("pads", &[kernel / 2; 4]);
            let conv = node("Conv", &made, &["x", weights.as_str()], &[made.as_str()], vec![pads]);
            let dims = [outputs, channels, kernel, kernel];
            initializers.push(floats(&weights, &dims, &numbers(rng, size(&dims))));
            nodes.push(conv);
            let (operator, attributes) = match rng.random_range(0..4) {
                0 => ("MaxPool", vec![attr_ints("kernel_shape", &[3, 3]), attr_ints("pads", &[1; 4])]),
                1 => ("Sigmoid", vec![]),
                _ => ("Relu", vec![]),
            };
            nodes.push(node(operator, &name, &[made.as_str()], &[name.as_str()], attributes));
            names.push(name);
            sizes.push(outputs);
        }
        // Now and then the image itself, or a branch again.
        match rng.random_range(0..6) {
            0 if axis == 1 => {
                names.push("x".to_owned());
                sizes.push(channels);
            }
            1 => {
                names.push(names[0].clone());
                sizes.push(sizes[0]);
            }
            _ => {}
        }
        let read: Vec<&str> = names.iter().map(String::as_str).collect();
        nodes.push(node("Concat", "all", &read, &["all"], vec![attr_int("axis", axis)]));
        let total = if axis == 1 { sizes.iter().sum() } else { 8 };
        nodes.push(node("Conv", "mixed", &["all", "w"], &["mixed"], vec![]));
        initializers.push(floats("w", &[5, total, 1, 1], &numbers(rng, size(&[5, total]))));
        let what = format!("case {case}: {channels}x{h}x{w}, axis {axis}, {read:?}");
        let outputs = *[&["mixed"][..], &["all"], &["mixed", "b1"]].choose(rng).expect("some");
        let graph = Graph {
            nodes,
            initializers,
            inputs: vec![value("x", F32, &[1, channels, h, w])],
            outputs: outputs.iter().map(|name| Message::default().bytes(1, name)).collect(),
        };
        check(graph.message(), &[input(rng, &[1, channels, h, w])], &what);
    }
}

#[test]
fn products_of_inputs() {
    for case in 0..32i64 {
        let rng = &mut ChaCha8Rng::seed_from_u64(SEED + 1000 + case as u64);
        let batch: i64 = rng.random_range(1..4);
        let [m, n]: [i64; 2] = [rng.random_range(1..30), *[1, 7, 16, 31, 40].choose(rng).expect("some")];
        let k: i64 = *[1, 31, 64, 197, 300].choose(rng).expect("some");
        let turned = case % 2 == 1;
        let right = if turned { [batch, n, k] } else { [batch, k, n] };
        let what = format!("case {case}: {batch} times {m}x{k} by {k}x{n}, turned {turned}");
        let mut nodes = Vec::new();
        if turned {
            nodes.push(node("Transpose", "turn", &["b"], &["t"], vec![attr_ints("perm", &[0, 2, 1])]));
        }
        nodes.push(node("MatMul", "product", &["a", if turned { "t" } else { "b" }], &["p"], vec![]));
        nodes.push(node("Softmax", "softmax", &["p"], &["s"], vec![attr_int("axis", -1)]));
        nodes.push(node("ReduceMean", "mean", &["s"], &["y"], vec![attr_ints("axes", &[case % 3])]));
        let graph = Graph {
            nodes,
            initializers: vec![],
            inputs: vec![value("a", F32, &[batch, m, k]), value("b", F32, &right)],
            outputs: ["s", "y"].map(|name| Message::default().bytes(1, name)).to_vec(),
        };
        check(graph.message(), &[input(rng, &[batch, m, k]), input(rng, &right)], &what);
    }
}
