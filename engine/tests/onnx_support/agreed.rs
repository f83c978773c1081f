//! One node's outputs, where the native run and the reference interpreter agree on every bit.

use super::{Graph, Message, node, package, value};
use rebut_engine::exec;
use rebut_engine::lower::{LowerOptions, Lowered, lower};
use rebut_engine::onnx::model_from_bytes;
use rebut_engine::program::{Source, Value};
use rebut_engine::reference::{Memory, evaluate};
use rebut_engine::tensor::Tensor;

/// A node over given inputs.
pub struct One<'a> {
    pub operator: &'a str,
    pub opset: i64,
    /// `None` is left out.
    pub inputs: Vec<Option<Tensor>>,
    /// Which of them are constants for the compiler.
    pub bound: &'a [usize],
    pub attributes: Vec<Message>,
    pub outputs: usize,
}

impl One<'_> {
    /// The program of this node alone, and the inputs that are left to it.
    pub fn lowered(&self) -> Result<(Lowered, Vec<Tensor>), String> {
        let name = |i: usize| if self.inputs[i].is_some() { format!("x{i}") } else { String::new() };
        let names: Vec<String> = (0..self.inputs.len()).map(name).collect();
        let outputs: Vec<String> = (0..self.outputs).map(|i| format!("y{i}")).collect();
        let given = || self.inputs.iter().zip(&names).filter_map(|(t, n)| t.as_ref().map(|t| (t, n)));
        let dims = |t: &Tensor| t.ty().dims.iter().map(|&d| d as i64).collect::<Vec<_>>();
        let graph = Graph {
            nodes: vec![node(self.operator, "node", &texts(&names), &texts(&outputs), self.attributes.clone())],
            inputs: given().map(|(t, n)| value(n, t.dtype().code().into(), &dims(t))).collect(),
            initializers: vec![],
            outputs: outputs.iter().map(|n| Message::default().bytes(1, n)).collect(),
        };
        let model = model_from_bytes(graph.model(self.opset), None).map_err(|e| e.to_string())?;
        let mut options = LowerOptions::default();
        for &i in self.bound {
            options.bindings.insert(names[i].clone(), self.inputs[i].clone().expect("an input to bind"));
        }
        let lowered = lower(&model, &options).map_err(|e| e.to_string())?;
        let free = given().filter(|(_, n)| !options.bindings.contains_key(*n)).map(|(t, _)| t.clone()).collect();
        Ok((lowered, free))
    }

    /// Its outputs.
    pub fn run(&self) -> Result<Vec<Tensor>, String> {
        let (lowered, inputs) = self.lowered()?;
        let native = exec::run(&package(&lowered), &inputs, &exec::Options::default()).expect("a lowered program runs");
        let values = by_reference(&lowered, &inputs);
        for (native, reference) in native.iter().zip(&values[values.len() - native.len()..]) {
            assert_eq!(native.ty(), reference.ty(), "{}", self.operator);
            assert_eq!(native.to_be_bytes(), reference.to_be_bytes(), "{}: native {native:?}", self.operator);
        }
        Ok(native)
    }

    /// What its refusal says.
    pub fn refusal(&self) -> String {
        self.lowered().expect_err("it must be refused")
    }
}

fn texts(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// All values of a program by the reference interpreter.
pub fn by_reference(lowered: &Lowered, inputs: &[Tensor]) -> Vec<Tensor> {
    let mut given = inputs.iter().chain(&lowered.constants);
    let mut values: Vec<Tensor> = Vec::new();
    for value in &lowered.program.values {
        let made = match &value.source {
            Source::Instruction(_) => instruction(value, &values),
            _ => given.next().expect("an input or a constant").clone(),
        };
        values.push(made);
    }
    values
}

struct Values<'a> {
    operands: Vec<&'a Tensor>,
    /// The elements so far, which a scan reads.
    own: Vec<i64>,
}

impl Memory for Values<'_> {
    fn load(&mut self, operand: u8, index: u64) -> i64 {
        let index = index as usize;
        self.operands.get(usize::from(operand)).map_or_else(|| self.own[index], |t| t.register(index).expect("inside"))
    }
}

fn instruction(value: &Value, values: &[Tensor]) -> Tensor {
    let Source::Instruction(i) = &value.source else { unreachable!("only instructions are evaluated") };
    let operands = i.operands.iter().map(|o| &values[o.value as usize]).collect();
    let mut memory = Values { operands, own: Vec::new() };
    for element in 0..value.ty.elements() {
        let register = evaluate(i, value.ty.dtype, element, &mut memory);
        memory.own.push(register);
    }
    let width = value.ty.dtype.width();
    let bytes: Vec<u8> = memory.own.iter().flat_map(|r| r.to_be_bytes()[8 - width..].to_vec()).collect();
    Tensor::from_be_bytes(&value.ty, &bytes).expect("the right size")
}

pub fn f32s(dims: &[usize], values: impl IntoIterator<Item = f32>) -> Tensor {
    Tensor::F32(ndarray::ArrayD::from_shape_vec(dims, values.into_iter().collect()).expect("as many as the shape says"))
}

pub fn i64s(dims: &[usize], values: impl IntoIterator<Item = i64>) -> Tensor {
    Tensor::I64(ndarray::ArrayD::from_shape_vec(dims, values.into_iter().collect()).expect("as many as the shape says"))
}

pub fn i32s(dims: &[usize], values: impl IntoIterator<Item = i32>) -> Tensor {
    Tensor::I32(ndarray::ArrayD::from_shape_vec(dims, values.into_iter().collect()).expect("as many as the shape says"))
}

pub fn bools(dims: &[usize], values: impl IntoIterator<Item = bool>) -> Tensor {
    let bytes = values.into_iter().map(u8::from).collect();
    Tensor::Bool(ndarray::ArrayD::from_shape_vec(dims, bytes).expect("as many as the shape says"))
}

/// The elements of an f32 tensor.
pub fn floats_of(t: &Tensor) -> Vec<f32> {
    let Tensor::F32(a) = t else { panic!("{} is not f32", t.dtype()) };
    a.iter().copied().collect()
}

/// The elements of a tensor of integers.
pub fn integers_of(t: &Tensor) -> Vec<i64> {
    (0..t.len()).map(|i| t.register(i).expect("inside")).collect()
}

pub fn assert_near(got: &Tensor, expected: &[f64], what: &str) {
    let got = floats_of(got);
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (&x, &y)) in got.iter().zip(expected).enumerate() {
        let near = (f64::from(x) - y).abs() <= 1e-5 + 1e-5 * y.abs();
        assert!(near || f64::from(x) == y || x.is_nan() && y.is_nan(), "{what}: element {i} is {x}, expected {y}");
    }
}
