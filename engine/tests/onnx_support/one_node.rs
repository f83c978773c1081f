//! A model of one node over tensors of any type, run natively and, element by element, by the reference.

use super::{Graph, Message, node, package, value};
use rebut_engine::dispute::evaluate;
use rebut_engine::exec::Options;
use rebut_engine::lower::{LowerOptions, lower};
use rebut_engine::onnx::{model_from_bytes, tensor_to_pb};
use rebut_engine::program::{DType, Source};
use rebut_engine::tensor::Tensor;
use rebut_engine::trace::{Trace, TraceView};

/// An input of the node.
#[derive(Clone)]
pub enum Given {
    /// An initializer.
    Constant(Tensor),
    /// An input of the model.
    Data(Tensor),
    Nothing,
}

pub fn f32s(dims: &[usize], values: &[f32]) -> Tensor {
    Tensor::F32(ndarray::ArrayD::from_shape_vec(dims, values.to_vec()).expect("the right size"))
}

pub fn i64s(dims: &[usize], values: &[i64]) -> Tensor {
    Tensor::I64(ndarray::ArrayD::from_shape_vec(dims, values.to_vec()).expect("the right size"))
}

pub fn i32s(dims: &[usize], values: &[i32]) -> Tensor {
    Tensor::I32(ndarray::ArrayD::from_shape_vec(dims, values.to_vec()).expect("the right size"))
}

pub fn u8s(dims: &[usize], values: &[u8]) -> Tensor {
    Tensor::U8(ndarray::ArrayD::from_shape_vec(dims, values.to_vec()).expect("the right size"))
}

pub fn i8s(dims: &[usize], values: &[i8]) -> Tensor {
    Tensor::I8(ndarray::ArrayD::from_shape_vec(dims, values.to_vec()).expect("the right size"))
}

pub fn u16s(dims: &[usize], values: &[u16]) -> Tensor {
    Tensor::U16(ndarray::ArrayD::from_shape_vec(dims, values.to_vec()).expect("the right size"))
}

pub fn i16s(dims: &[usize], values: &[i16]) -> Tensor {
    Tensor::I16(ndarray::ArrayD::from_shape_vec(dims, values.to_vec()).expect("the right size"))
}

/// The elements of an f32 tensor.
pub fn floats(tensor: &Tensor) -> Vec<f32> {
    let Tensor::F32(a) = tensor else { panic!("{} is not f32", tensor.dtype()) };
    a.iter().copied().collect()
}

/// The registers of any tensor.
pub fn registers(tensor: &Tensor) -> Vec<i64> {
    (0..tensor.len()).filter_map(|i| tensor.register(i)).collect()
}

/// A list of texts as an attribute.
pub fn attr_strings(name: &str, xs: &[&str]) -> Message {
    xs.iter().fold(Message::default().bytes(1, name), |m, x| m.bytes(9, x)).int(20, 8)
}

/// A list of floats as an attribute.
pub fn attr_floats(name: &str, xs: &[f32]) -> Message {
    xs.iter().fold(Message::default().bytes(1, name), |m, &x| m.float(7, x)).int(20, 6)
}

/// What the node gives, or why it is refused.
pub fn one_node(
    op: &str,
    opset: i64,
    attributes: &[Message],
    inputs: &[Given],
    outputs: usize,
) -> Result<Vec<Tensor>, String> {
    let mut graph = Graph::default();
    let (mut names, mut given) = (Vec::new(), Vec::new());
    for (i, input) in inputs.iter().enumerate() {
        let name = format!("x{i}");
        match input {
            Given::Constant(t) => graph.initializers.push(Message(tensor_to_pb(&name, t))),
            Given::Data(t) => {
                let dims: Vec<i64> = t.shape().iter().map(|&d| d as i64).collect();
                graph.inputs.push(value(&name, t.dtype().code().into(), &dims));
                given.push(t.clone());
            }
            Given::Nothing => {
                names.push(String::new());
                continue;
            }
        }
        names.push(name);
    }
    let results: Vec<String> = (0..outputs).map(|i| format!("y{i}")).collect();
    graph.outputs = results.iter().map(|name| Message::default().bytes(1, name)).collect();
    let (inputs, outputs): (Vec<&str>, Vec<&str>) =
        (names.iter().map(String::as_str).collect(), results.iter().map(String::as_str).collect());
    graph.nodes.push(node(op, "node", &inputs, &outputs, attributes.to_vec()));
    let model = model_from_bytes(graph.model(opset), None).map_err(|e| e.to_string())?;
    let lowered = lower(&model, &LowerOptions::default()).map_err(|e| e.to_string())?;

    let package = package(&lowered);
    let trace = Trace::new(&package, &given, &Options::default()).expect("it runs");
    let values = &package.program().values;
    for (id, v) in values.iter().enumerate().filter(|(_, v)| matches!(v.source, Source::Instruction(_))) {
        let made = trace.tensor(id as u64).expect("a value");
        for element in 0..made.len() {
            let (register, _) = evaluate(&package, &trace, id as u64, element as u64).expect("an instruction");
            assert_eq!(made.register(element), Some(register), "{op}: element {element} of value {id}: {}", v.ty);
        }
    }
    let first = values.len() - outputs.len();
    Ok((first..values.len()).map(|id| trace.tensor(id as u64).expect("a value").clone()).collect())
}

/// The numbers `f(0), f(1), ..` for a shape.
pub fn array(dims: &[usize], f: impl Fn(usize) -> f32) -> Tensor {
    f32s(dims, &(0..dims.iter().product()).map(f).collect::<Vec<_>>())
}

/// Whether both have the same type and, but for `tolerance`, the same numbers.
pub fn assert_close(got: &Tensor, dims: &[usize], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!((got.dtype(), got.shape()), (DType::F32, dims), "{what}");
    for (i, (x, y)) in floats(got).iter().zip(expected).enumerate() {
        assert!((f64::from(*x) - y).abs() <= tolerance, "{what}: element {i} is {x}, expected {y}");
    }
}
