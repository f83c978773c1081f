//! A model as the rest of the engine sees it.

use super::attributes::Attributes;
use super::error::OnnxError;
use super::proto::{GraphProto, ModelProto, NodeProto, ValueInfoProto};
use super::{MAX_IR_VERSION, MAX_OPSET, MIN_OPSET, graph, tensor};
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
    /// Graph inputs that no initializer gives a value.
    pub inputs: Vec<ValueInfo>,
    /// Graph outputs.
    pub outputs: Vec<ValueInfo>,
    /// Weights and other constants, by name.
    pub initializers: BTreeMap<String, Tensor>,
    /// Nodes in topological order.
    pub nodes: Vec<Node>,
    /// What the file says about intermediate tensors of supported types; a hint, never relied upon.
    pub value_infos: Vec<ValueInfo>,
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
    let opset = opset(&proto)?;
    let Some(graph) = &proto.graph else {
        return fail("the file holds no graph".into());
    };
    if let Some(sparse) = graph.sparse_initializer.first() {
        let name = sparse.values.as_ref().map_or("", |v| v.name.as_str());
        return fail(format!("sparse initializer `{name}`: sparse tensors are not supported; store it densely"));
    }
    let mut initializers = BTreeMap::new();
    for proto in &graph.initializer {
        if initializers.insert(proto.name.clone(), tensor::read(proto, folder)?).is_some() {
            return fail(format!("two initializers are called `{}`", proto.name));
        }
    }
    let nodes = graph.node.iter().map(|n| node(n, &proto, opset, folder)).collect::<Result<Vec<_>, _>>()?;
    let model = Model {
        opset,
        inputs: inputs(graph, &initializers)?,
        outputs: graph.output.iter().map(value_info).collect::<Result<_, _>>()?,
        nodes: graph::sorted(nodes, graph, &initializers)?,
        initializers,
        value_infos: graph.value_info.iter().filter_map(|v| value_info(v).ok()).collect(),
    };
    Ok(model)
}

fn is_default(domain: &str) -> bool {
    domain.is_empty() || domain == "ai.onnx"
}

fn opset(proto: &ModelProto) -> Result<i64, OnnxError> {
    let mut versions = proto.opset_import.iter().filter(|o| is_default(&o.domain)).map(|o| o.version);
    let fail = |reason: String| Err(OnnxError::Model(reason));
    match (versions.next(), versions.next()) {
        (None, _) => fail("it imports no version of the default operator set".into()),
        (Some(a), Some(b)) if a != b => fail(format!("it imports versions {a} and {b} of the default operator set")),
        (Some(v), _) if v < MIN_OPSET => {
            fail(format!("opset {v} is older than {MIN_OPSET}; convert it with onnx.version_converter"))
        }
        (Some(v), _) if v > MAX_OPSET => {
            fail(format!("opset {v} is newer than {MAX_OPSET}; export it for an older one"))
        }
        (Some(v), _) => Ok(v),
    }
}

fn inputs(graph: &GraphProto, initializers: &BTreeMap<String, Tensor>) -> Result<Vec<ValueInfo>, OnnxError> {
    let mut inputs = Vec::new();
    for proto in graph.input.iter().filter(|i| !initializers.contains_key(&i.name)) {
        let info = value_info(proto)?;
        if info.dtype.is_none() {
            let reason = "it declares no element type".into();
            return Err(OnnxError::Value { name: info.name, reason });
        }
        inputs.push(info);
    }
    Ok(inputs)
}

fn value_info(proto: &ValueInfoProto) -> Result<ValueInfo, OnnxError> {
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

fn node(proto: &NodeProto, model: &ModelProto, opset: i64, folder: Option<&Path>) -> Result<Node, OnnxError> {
    let first_output = proto.output.iter().find(|o| !o.is_empty());
    let name = if proto.name.is_empty() { first_output.cloned().unwrap_or_default() } else { proto.name.clone() };
    let fail = |reason: String| OnnxError::Node { operator: proto.op_type.clone(), node: name.clone(), reason };
    if model.functions.iter().any(|f| f.name == proto.op_type && f.domain == proto.domain) {
        return Err(fail("it is a function of the model; inline it with onnx.inliner".into()));
    }
    if !is_default(&proto.domain) {
        return Err(fail(format!("operator domain `{}` is not supported", proto.domain)));
    }
    let attributes = Attributes::read(proto, folder).map_err(fail)?;
    Ok(Node {
        name,
        operator: proto.op_type.clone(),
        opset,
        inputs: proto.input.clone(),
        outputs: proto.output.clone(),
        attributes,
    })
}
