//! Spatial operators against plain loops in f64, where the backend cases do not reach: other operator sets, strides, groups, types, and
//! sizes at which a step would cost too much if it were laid out badly.

#[path = "../onnx_support/mod.rs"]
mod onnx_support;

mod borders;
mod local_norms;
mod padding;
mod phases;
mod pooling;
mod refusals;
mod resizing;
mod signals;
mod sizes;

use onnx_support::tensors::{bools, coordinates, f32s, floats_of, i64s, registers, u8s};
use onnx_support::*;
use rebut_engine::lower::gas::STEP_GAS_CEILING;
use rebut_engine::lower::{LowerOptions, Lowered, bill, lower};
use rebut_engine::onnx::model_from_bytes;
use rebut_engine::tensor::Tensor;

fn lowered(bytes: Vec<u8>) -> Result<Lowered, String> {
    let model = model_from_bytes(bytes, None).map_err(|e| e.to_string())?;
    lower(&model, &LowerOptions::default()).map_err(|e| e.to_string())
}

fn refusal(bytes: Vec<u8>) -> String {
    lowered(bytes).expect_err("it is refused")
}

/// The outputs of a model, on which all agree; no step of it is above the ceiling.
fn run(bytes: Vec<u8>, inputs: &[Tensor]) -> Vec<Tensor> {
    let l = lowered(bytes).expect("it lowers");
    let worst = bill(&l.program).into_iter().max_by_key(|b| b.gas_worst);
    assert!(worst.is_none_or(|w| w.gas_worst <= STEP_GAS_CEILING), "{worst:?}");
    agreed::outputs(&l, inputs, "a spatial operator")
}

fn array(dims: &[usize]) -> Tensor {
    tensors::array(dims, tensors::noise)
}

/// The elements of an f32 tensor.
fn elements(tensor: &Tensor) -> Vec<f64> {
    floats_of(tensor).into_iter().map(f64::from).collect()
}

fn assert_close(got: &Tensor, dims: &[usize], expected: &[f64], what: &str) {
    assert_eq!(got.shape(), dims, "{what}");
    tensors::assert_near(got, expected, what);
}

fn signed(dims: &[usize]) -> Vec<i64> {
    dims.iter().map(|&d| d as i64).collect()
}

fn flat(dims: &[usize], at: &[usize]) -> usize {
    dims.iter().zip(at).fold(0, |n, (&d, &i)| n * d + i)
}

/// A spatial operator's numbers, for 2 axes.
#[derive(Clone, Copy, Debug)]
struct Plane {
    size: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    /// Before and after, of each axis.
    pads: [[usize; 2]; 2],
}

impl Plane {
    fn attributes(&self) -> Vec<Message> {
        let [a, b] = self.pads;
        vec![
            attr_ints("strides", &signed(&self.stride)),
            attr_ints("dilations", &signed(&self.dilation)),
            attr_ints("pads", &signed(&[a[0], b[0], a[1], b[1]])),
        ]
    }
}

const PLANES: [Plane; 5] = [
    Plane { size: [3, 5], kernel: [3, 2], stride: [2, 3], dilation: [1, 1], pads: [[1, 0], [0, 1]] },
    Plane { size: [4, 3], kernel: [2, 3], stride: [3, 2], dilation: [2, 2], pads: [[0, 0], [1, 2]] },
    Plane { size: [5, 4], kernel: [3, 3], stride: [1, 1], dilation: [1, 2], pads: [[1, 1], [2, 2]] },
    Plane { size: [2, 2], kernel: [1, 2], stride: [4, 6], dilation: [1, 4], pads: [[0, 0], [0, 0]] },
    Plane { size: [6, 1], kernel: [4, 1], stride: [2, 1], dilation: [3, 1], pads: [[2, 3], [0, 0]] },
];

/// A model of one node whose outputs are all asked for.
fn outputs(op: &str, opset: i64, inputs: Vec<Message>, outputs: &[&str], attributes: Vec<Message>) -> Vec<u8> {
    let names: Vec<String> = (0..inputs.len()).map(|i| format!("i{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Graph {
        nodes: vec![node(op, "node", &names, outputs, attributes)],
        inputs,
        outputs: outputs.iter().map(|name| Message::default().bytes(1, name)).collect(),
        ..Graph::default()
    }
    .model(opset)
}

fn value_of(name: &str, dtype: i64, dims: &[usize]) -> Message {
    value(name, dtype, &signed(dims))
}
