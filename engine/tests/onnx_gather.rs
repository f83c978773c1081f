//! Operators whose indices are computed: results by plain loops, what is fused, and what an index out of range reads.

mod onnx_support;

use ndarray::ArrayD;
use onnx_support::tensors::i64s;
use onnx_support::*;
use rebut_engine::lower::{LowerOptions, Lowered, lower};
use rebut_engine::onnx::model_from_bytes;
use rebut_engine::tensor::Tensor;

fn lowered(graph: &Graph) -> Lowered {
    let model = model_from_bytes(graph.model(13), None).expect("a model");
    lower(&model, &LowerOptions::default()).expect("it lowers")
}

fn array(dims: &[usize]) -> ArrayD<f32> {
    f32_array(tensors::array(dims, |i| i as f32))
}

fn f32_array(tensor: Tensor) -> ArrayD<f32> {
    let Tensor::F32(a) = tensor else { panic!("{} is not f32", tensor.dtype()) };
    a
}

/// The one output.
fn run(lowered: &Lowered, inputs: &[Tensor]) -> ArrayD<f32> {
    f32_array(agreed::outputs(lowered, inputs, "a gather").remove(0))
}

#[test]
fn embeddings_become_part_of_what_adds_to_them() {
    let (words, width) = (40usize, 24usize);
    let table = array(&[words, width]);
    let positions: Vec<f32> = (0..5 * width).map(|x| x as f32 * 0.5).collect();
    let graph = Graph {
        nodes: vec![
            node("Gather", "words", &["table", "ids"], &["w"], vec![]),
            node("Add", "sum", &["w", "positions"], &["y"], vec![]),
        ],
        initializers: vec![
            floats("table", &[words as i64, width as i64], table.as_slice().expect("in order")),
            floats("positions", &[5, width as i64], &positions),
        ],
        inputs: vec![value("ids", I64, &[2, 5])],
        outputs: vec![value("y", F32, &[2, 5, width as i64])],
    };
    let l = lowered(&graph);
    assert_eq!(l.operators.iter().filter(|o| !o.is_empty()).collect::<Vec<_>>(), ["Gather+Add"]);
    let ids = [0, 39, -1, -40, 7, 40, -41, i64::MAX, i64::MIN, 3];
    let y = run(&l, &[i64s(&[2, 5], ids)]);
    for ((at, &got), n) in y.indexed_iter().zip(0..) {
        let (id, j) = (ids[n / width], n % width);
        let row = if id < 0 { id.saturating_add(words as i64) } else { id };
        let word = usize::try_from(row).ok().filter(|&r| r < words).map_or(0.0, |r| table[[r, j]]);
        assert_eq!(got, word + positions[at[1] * width + j], "{at:?}");
    }
}

#[test]
fn an_axis_in_the_middle_of_a_transposed_tensor() {
    let graph = Graph {
        nodes: vec![
            node("Transpose", "t", &["x"], &["xt"], vec![attr_ints("perm", &[2, 1, 0])]),
            node("Gather", "g", &["xt", "at"], &["y"], vec![attr_int("axis", 1)]),
        ],
        initializers: vec![],
        inputs: vec![value("x", F32, &[4, 3, 6]), value("at", I64, &[2, 2])],
        outputs: vec![value("y", F32, &[6, 2, 2, 4])],
    };
    let (x, at) = (array(&[4, 3, 6]), [2, 0, -2, 5]);
    let y = run(&lowered(&graph), &[Tensor::F32(x.clone()), i64s(&[2, 2], at)]);
    assert_eq!(y.shape(), [6, 2, 2, 4]);
    for (i, &got) in y.indexed_iter() {
        let row = match at[2 * i[1] + i[2]] {
            5 => None,
            n if n < 0 => Some(n + 3),
            n => Some(n),
        };
        assert_eq!(got, row.map_or(0.0, |r| x[[i[3], r as usize, i[0]]]), "{i:?}");
    }
}

#[test]
fn lengths_of_reversed_sequences() {
    let attributes = vec![attr_int("time_axis", 1), attr_int("batch_axis", 0)];
    let graph = Graph {
        nodes: vec![node("ReverseSequence", "r", &["x", "lengths"], &["y"], attributes)],
        initializers: vec![],
        inputs: vec![value("x", F32, &[5, 4, 3]), value("lengths", I64, &[5])],
        outputs: vec![value("y", F32, &[5, 4, 3])],
    };
    let (x, lengths) = (array(&[5, 4, 3]), [0, 1, 3, 4, -1]);
    let y = run(&lowered(&graph), &[Tensor::F32(x.clone()), i64s(&[5], lengths)]);
    for (i, &got) in y.indexed_iter() {
        let (t, length) = (i[1] as i64, lengths[i[0]]);
        let from = if t < length { length - 1 - t } else { t };
        assert_eq!(got, x[[i[0], from as usize, i[2]]], "{i:?}");
    }
}
