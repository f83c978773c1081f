//! A model of one node over tensors of any type.

use super::{Graph, Message, agreed, node, value};
use rebut_engine::lower::{LowerOptions, Lowered, lower};
use rebut_engine::onnx::{model_from_bytes, tensor_to_pb};
use rebut_engine::tensor::Tensor;

/// An input of the node.
#[derive(Clone)]
pub enum Given {
    /// An initializer.
    Constant(Tensor),
    /// An input of the model that is bound when compiling.
    Bound(Tensor),
    /// An input of the model.
    Data(Tensor),
    Nothing,
}

/// Inputs of the model; `None` is left out.
pub fn data(inputs: impl IntoIterator<Item = Option<Tensor>>) -> Vec<Given> {
    inputs.into_iter().map(|t| t.map_or(Given::Nothing, Given::Data)).collect()
}

/// A node over given inputs.
pub struct One<'a> {
    pub operator: &'a str,
    pub opset: i64,
    pub inputs: Vec<Given>,
    pub attributes: Vec<Message>,
    pub outputs: usize,
}

impl One<'_> {
    /// The program of this node alone, and the inputs that are left to it.
    pub fn lowered(&self) -> Result<(Lowered, Vec<Tensor>), String> {
        let (mut graph, mut options) = (Graph::default(), LowerOptions::default());
        let (mut names, mut free) = (Vec::new(), Vec::new());
        for (i, input) in self.inputs.iter().enumerate() {
            let name = format!("x{i}");
            if let Given::Bound(t) | Given::Data(t) = input {
                let dims: Vec<i64> = t.shape().iter().map(|&d| d as i64).collect();
                graph.inputs.push(value(&name, t.dtype().code().into(), &dims));
            }
            match input {
                Given::Constant(t) => graph.initializers.push(Message(tensor_to_pb(&name, t))),
                Given::Bound(t) => {
                    options.bindings.insert(name.clone(), t.clone());
                }
                Given::Data(t) => free.push(t.clone()),
                Given::Nothing => {}
            }
            names.push(if matches!(input, Given::Nothing) { String::new() } else { name });
        }
        let outputs: Vec<String> = (0..self.outputs).map(|i| format!("y{i}")).collect();
        graph.outputs = outputs.iter().map(|n| Message::default().bytes(1, n)).collect();
        graph.nodes.push(node(self.operator, "node", &texts(&names), &texts(&outputs), self.attributes.clone()));
        let model = model_from_bytes(graph.model(self.opset), None).map_err(|e| e.to_string())?;
        Ok((lower(&model, &options).map_err(|e| e.to_string())?, free))
    }

    /// Its outputs, on which all agree.
    pub fn run(&self) -> Result<Vec<Tensor>, String> {
        let (lowered, inputs) = self.lowered()?;
        Ok(agreed::outputs(&lowered, &inputs, self.operator))
    }

    /// What its refusal says.
    pub fn refusal(&self) -> String {
        self.lowered().map(|_| ()).expect_err("it must be refused")
    }
}

fn texts(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// What a node gives, or why it is refused.
pub fn one_node(
    operator: &str,
    opset: i64,
    attributes: &[Message],
    inputs: &[Given],
    outputs: usize,
) -> Result<Vec<Tensor>, String> {
    One { operator, opset, inputs: inputs.to_vec(), attributes: attributes.to_vec(), outputs }.run()
}
