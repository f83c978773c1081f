//! A model as the rest of the engine sees it.

use super::attributes::Attributes;
use super::error::OnnxError;
use super::proto::{ModelProto, ValueInfoProto};
use super::reader::{Frame, Reader};
use super::{MAX_IR_VERSION, opset, tensor};
use crate::program::DType;
use crate::tensor::Tensor;
use bytes::Bytes;
use prost::Message;
use std::collections::BTreeMap;
use std::path::Path;

/// A model whose graph is well-formed: nodes in topological order, every name defined once and before its use.
#[derive(Clone, PartialEq, Debug)]
pub struct Model {
    /// Version of the default operator set.
    pub opset: i64,
    /// Subgraph inputs that no initializer gives a value.
    pub inputs: Vec<ValueInfo>,
    /// Subgraph outputs.
    pub outputs: Vec<ValueInfo>,
    /// Weights and other constants, by name.
    pub initializers: BTreeMap<String, Tensor>,
    /// Nodes in topological order.
    pub nodes: Vec<Node>,
    /// What the file says about intermediate tensors of supported types; a hint, never relied upon.
    pub value_infos: Vec<ValueInfo>,
}

/// The body of a control operator: nodes in topological order, which may also use what the graphs around define.
#[derive(Clone, PartialEq, Debug)]
pub struct Subgraph {
    /// What the operator gives it.
    pub inputs: Vec<ValueInfo>,
    /// What it gives back.
    pub outputs: Vec<ValueInfo>,
    /// Its own constants, by name.
    pub initializers: BTreeMap<String, Tensor>,
    /// Nodes in topological order.
    pub nodes: Vec<Node>,
    /// Names that it uses and does not define, in increasing order.
    pub captures: Vec<String>,
    /// How deep the graphs inside it are.
    pub(super) depth: u32,
}

/// One node of the graph.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// The node's name, or its first output's where it has none.
    pub name: String,
    /// The operator.
    pub operator: String,
    /// Version of the operator set that defines it.
    pub opset: i64,
    /// Tensors read; an empty name is an optional input left out.
    pub inputs: Vec<String>,
    /// Tensors written; an empty name is an optional output left out.
    pub outputs: Vec<String>,
    /// The attributes.
    pub attributes: Attributes,
}

impl Node {
    /// The names of the tensors that it reads: its inputs, and what its graphs use of the graphs around.
    pub fn reads(&self) -> impl Iterator<Item = &str> {
        let captured = self.attributes.graphs().flat_map(|g| &g.captures);
        self.inputs.iter().filter(|i| !i.is_empty()).chain(captured).map(String::as_str)
    }
}

/// Name, type and shape of a graph input, output or intermediate tensor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ValueInfo {
    /// Its name.
    pub name: String,
    /// Its element type; always there for inputs.
    pub dtype: Option<DType>,
    /// Its dimensions, where the file gives a shape.
    pub dims: Option<Vec<Dim>>,
}

/// One dimension as a file declares it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Dim {
    /// A number.
    Fixed(u64),
    /// A name: equal names are equal numbers.
    Named(String),
    /// Nothing is said.
    Unknown,
}

/// Reads a model; its external data is looked for in its folder.
///
/// # Errors
/// When the file cannot be read or is no model that can be used; the text says what to do.
pub fn read_model(path: &Path) -> Result<Model, OnnxError> {
    let bytes = std::fs::read(path).map_err(|source| OnnxError::Io { path: path.to_path_buf(), source })?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    model_from_bytes(bytes, Some(folder))
}

/// A model from the bytes of its file; without a `folder` external data is refused.
///
/// # Errors
/// As [`read_model`].
pub fn model_from_bytes(bytes: impl Into<Bytes>, folder: Option<&Path>) -> Result<Model, OnnxError> {
    let proto = ModelProto::decode(bytes.into())?;
    let fail = |reason: String| Err(OnnxError::Model(reason));
    if !(3..=MAX_IR_VERSION).contains(&proto.ir_version) {
        return fail(format!("IR version {} is not in 3..={MAX_IR_VERSION}", proto.ir_version));
    }
    let opset = opset::of_model(&proto)?;
    let Some(graph) = &proto.graph else {
        return fail("the file holds no graph".into());
    };
    let read = Reader::new(&proto, folder)?.graph(graph, &Frame::of_model(opset), false)?;
    if let Some(input) = read.inputs.iter().find(|i| i.dtype.is_none()) {
        let reason = "it declares no element type".into();
        return Err(OnnxError::Value { name: input.name.clone(), reason });
    }
    Ok(Model {
        opset,
        inputs: read.inputs,
        outputs: read.outputs,
        initializers: read.initializers,
        nodes: read.nodes,
        value_infos: graph.value_info.iter().filter_map(|v| value_info(v).ok()).collect(),
    })
}

pub(super) fn value_info(proto: &ValueInfoProto) -> Result<ValueInfo, OnnxError> {
    let fail = |reason: String| Err(OnnxError::Value { name: proto.name.clone(), reason });
    let mut info = ValueInfo { name: proto.name.clone(), dtype: None, dims: None };
    let Some(ty) = &proto.r#type else { return Ok(info) };
    let Some(ty) = &ty.tensor_type else {
        return fail("only tensors are supported, not sequences, maps, optional or sparse values".into());
    };
    if ty.elem_type != 0 {
        match tensor::element_type(ty.elem_type) {
            Ok(dtype) => info.dtype = Some(dtype),
            Err(reason) => return fail(reason),
        }
    }
    if let Some(shape) = &ty.shape {
        let mut dims = Vec::with_capacity(shape.dim.len());
        for d in &shape.dim {
            dims.push(match (d.dim_value, &d.dim_param) {
                (Some(n), _) => match u64::try_from(n) {
                    Ok(n) => Dim::Fixed(n),
                    Err(_) => Dim::Unknown,
                },
                (None, Some(name)) if !name.is_empty() => Dim::Named(name.clone()),
                _ => Dim::Unknown,
            });
        }
        info.dims = Some(dims);
    }
    Ok(info)
}
