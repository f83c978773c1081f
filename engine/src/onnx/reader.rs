//! Graphs and their nodes from the file's messages. A call of one of the model's own functions becomes the nodes of its body: inner
//! tensors get names of their own, attributes that the body refers to get the call's values or the function's defaults.

use super::attributes::{Attribute, Attributes, value};
use super::error::OnnxError;
use super::graph;
use super::model::{Node, Subgraph, ValueInfo, value_info};
use super::opset;
use super::proto::{AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto};
use super::tensor;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Nodes that calls of functions may become, calls counted: functions that call each other twice grow without bound.
const MAX_INLINED_NODES: u64 = 1 << 16;
/// About the bytes that these nodes may take, with their names and attributes.
const MAX_INLINED_BYTES: u64 = 1 << 28;
/// Calls within calls.
const MAX_CALLS: usize = 64;
/// Graphs within graphs.
const MAX_DEPTH: u32 = 32;

/// Domain, name and overload.
type Key<'m> = (&'m str, &'m str, &'m str);

/// Reads graphs of one model.
pub(super) struct Reader<'m> {
    functions: BTreeMap<Key<'m>, &'m FunctionProto>,
    folder: Option<&'m Path>,
    /// The functions being inlined, outermost first.
    calls: Vec<Key<'m>>,
    /// How often a name was given to a call.
    named: BTreeMap<String, u64>,
    /// Graphs being read within each other.
    depth: u32,
    nodes: u64,
    bytes: u64,
}

/// Where nodes are read: the graph itself or the body of a function for one call of it.
pub(super) struct Frame {
    /// Version of the default operator set, where one is imported.
    opset: Option<i64>,
    /// What names of the body are called outside it.
    names: BTreeMap<String, String>,
    /// Stands before all other names.
    prefix: String,
    /// The call's attributes; `None` outside functions.
    attributes: Option<Attributes>,
}

impl Frame {
    /// The model's own graph.
    pub(super) fn of_model(opset: i64) -> Self {
        Self { opset: Some(opset), names: BTreeMap::new(), prefix: String::new(), attributes: None }
    }

    fn rename(&self, name: &str) -> String {
        match self.names.get(name) {
            Some(outside) => outside.clone(),
            None if name.is_empty() => String::new(),
            None => format!("{}{name}", self.prefix),
        }
    }
}

pub(super) fn is_default(domain: &str) -> bool {
    domain.is_empty() || domain == "ai.onnx"
}

fn key<'m>(domain: &'m str, name: &'m str, overload: &'m str) -> Key<'m> {
    (if is_default(domain) { "" } else { domain }, name, overload)
}

impl<'m> Reader<'m> {
    pub(super) fn new(model: &'m ModelProto, folder: Option<&'m Path>) -> Result<Self, OnnxError> {
        let mut functions = BTreeMap::new();
        for f in &model.functions {
            if functions.insert(key(&f.domain, &f.name, &f.overload), f).is_some() {
                return Err(OnnxError::Model(format!("two functions are called `{}`", f.name)));
            }
        }
        Ok(Self { functions, folder, calls: Vec::new(), named: BTreeMap::new(), depth: 0, nodes: 0, bytes: 0 })
    }

    /// A graph with its nodes in order. What it uses and does not define is in `captures` if it is inside another one, else refused.
    pub(super) fn graph(&mut self, proto: &'m GraphProto, frame: &Frame, inside: bool) -> Result<Subgraph, OnnxError> {
        if let Some(sparse) = proto.sparse_initializer.first() {
            let name = sparse.values.as_ref().map_or("", |v| v.name.as_str());
            let reason = "sparse tensors are not supported; store it densely";
            return Err(OnnxError::Model(format!("sparse initializer `{name}`: {reason}")));
        }
        let mut initializers = BTreeMap::new();
        for proto in &proto.initializer {
            let tensor = tensor::read(proto, self.folder)?;
            self.pay(frame, 1, tensor.len().saturating_mul(tensor.dtype().width()) as u64)?;
            if initializers.insert(frame.rename(&proto.name), tensor).is_some() {
                return Err(OnnxError::Model(format!("two initializers are called `{}`", proto.name)));
            }
        }
        let renamed = |info: ValueInfo| ValueInfo { name: frame.rename(&info.name), ..info };
        let mut inputs = Vec::new();
        for input in &proto.input {
            if !initializers.contains_key(&frame.rename(&input.name)) {
                inputs.push(renamed(value_info(input)?));
            } else if inside {
                let reason = "an input of an inner graph has an initializer".into();
                return Err(OnnxError::Value { name: input.name.clone(), reason });
            }
        }
        let outputs = proto.output.iter().map(|o| value_info(o).map(renamed)).collect::<Result<_, _>>()?;
        let mut nodes = Vec::new();
        shallow(self.depth)?;
        self.depth += 1;
        self.read(&proto.node, frame, &mut nodes)?;
        self.depth -= 1;
        // Attributes that functions are given nest deeper than the file does.
        let depth = nodes.iter().flat_map(|n| n.attributes.graphs()).map(|g| g.depth + 1).max().unwrap_or(0);
        shallow(depth)?;
        let mut graph = Subgraph { inputs, outputs, initializers, nodes, captures: Vec::new(), depth };
        let free = graph::sort(&mut graph)?;
        if let Some((name, node)) = free.first().filter(|_| !inside) {
            return Err(graph::undefined(&graph, name, *node));
        }
        let mut captures: Vec<String> = free.into_iter().map(|f| f.0).collect();
        captures.sort_unstable();
        captures.dedup();
        graph.captures = captures;
        Ok(graph)
    }

    fn read(&mut self, protos: &'m [NodeProto], frame: &Frame, nodes: &mut Vec<Node>) -> Result<(), OnnxError> {
        for proto in protos {
            let called = key(&proto.domain, &proto.op_type, &proto.overload);
            let read = match self.functions.get(&called) {
                Some(function) => self.call(called, function, proto, frame, nodes),
                None => self.node(proto, frame).map(|node| nodes.push(node)),
            };
            read.map_err(|e| e.at(proto, &name(proto, frame)))?;
        }
        Ok(())
    }

    fn node(&mut self, proto: &'m NodeProto, frame: &Frame) -> Result<Node, Fault> {
        if !is_default(&proto.domain) {
            return Err(format!("operator domain `{}` is not supported", proto.domain).into());
        }
        let opset = frame.opset.ok_or("its function imports no version of the default operator set")?;
        opset::check_operator(&proto.op_type, opset)?;
        let node = Node {
            name: name(proto, frame),
            operator: proto.op_type.clone(),
            opset,
            inputs: proto.input.iter().map(|i| frame.rename(i)).collect(),
            outputs: proto.output.iter().map(|o| frame.rename(o)).collect(),
            attributes: self.attributes(&proto.attribute, frame)?,
        };
        let names = node.inputs.iter().chain(&node.outputs).map(|n| n.len() as u64 + 24).sum::<u64>();
        self.pay(frame, 1, names + node.attributes.weight())?;
        Ok(node)
    }

    fn attributes(&mut self, protos: &'m [AttributeProto], frame: &Frame) -> Result<Attributes, Fault> {
        let mut attributes = Attributes::default();
        for a in protos {
            let value = match (a.ref_attr_name.as_str(), &frame.attributes) {
                ("", _) if a.r#type == GRAPH => {
                    let body = a.g.as_ref().ok_or_else(|| format!("attribute `{}`: it holds no graph", a.name))?;
                    Some(Attribute::Graph(Arc::new(self.graph(body, frame, true)?)))
                }
                ("", _) => Some(value(a, self.folder).map_err(|e| format!("attribute `{}`: {e}", a.name))?),
                (_, None) => {
                    let reason = "it refers to a function's attribute outside a function";
                    return Err(format!("attribute `{}`: {reason}", a.name).into());
                }
                // Left out in the call and without a default, it is left out here.
                (outer, Some(given)) => given.get(outer).cloned(),
            };
            if let Some(value) = value {
                attributes.insert(&a.name, value)?;
            }
        }
        Ok(attributes)
    }

    /// The nodes of a function's body for one call.
    fn call(
        &mut self,
        called: Key<'m>,
        function: &'m FunctionProto,
        proto: &'m NodeProto,
        frame: &Frame,
        nodes: &mut Vec<Node>,
    ) -> Result<(), Fault> {
        if self.calls.contains(&called) {
            return Err(format!("function `{}` calls itself", function.name).into());
        }
        if self.calls.len() >= MAX_CALLS {
            return Err(format!("functions call each other more than {MAX_CALLS} deep").into());
        }
        let (got, takes) = ((proto.input.len(), proto.output.len()), (function.input.len(), function.output.len()));
        if got.0 > takes.0 || got.1 > takes.1 {
            let reason =
                format!("{} inputs and {} outputs of a function with {} and {}", got.0, got.1, takes.0, takes.1);
            return Err(reason.into());
        }
        let mut inner = Frame {
            opset: opset::of_function(function)?,
            names: BTreeMap::new(),
            prefix: self.prefix(&name(proto, frame)),
            attributes: Some(self.given(function, proto, frame)?),
        };
        for (i, formal) in function.input.iter().enumerate() {
            let actual = proto.input.get(i).map_or_else(String::new, |a| frame.rename(a));
            if formal.is_empty() || inner.names.insert(formal.clone(), actual).is_some() {
                return Err(format!("function `{}`: input `{formal}` has no name of its own", function.name).into());
            }
        }
        for (i, formal) in function.output.iter().enumerate() {
            let Some(actual) = proto.output.get(i).filter(|a| !a.is_empty()).map(|a| frame.rename(a)) else { continue };
            match inner.names.get(formal) {
                None => drop(inner.names.insert(formal.clone(), actual)),
                // An input, or an output before, once more.
                Some(same) => nodes.push(Node {
                    name: actual.clone(),
                    operator: "Identity".into(),
                    opset: frame.opset.unwrap_or(super::MAX_OPSET),
                    inputs: vec![same.clone()],
                    outputs: vec![actual],
                    attributes: Attributes::default(),
                }),
            }
        }
        let names = inner.names.values().map(|n| n.len() as u64 + 48).sum::<u64>();
        self.pay(&inner, 1, names + inner.attributes.as_ref().map_or(0, Attributes::weight))?;
        self.calls.push(called);
        self.read(&function.node, &inner, nodes)?;
        self.calls.pop();
        Ok(())
    }

    /// The attributes of a call, and the defaults of those that it leaves out.
    fn given(&mut self, function: &'m FunctionProto, call: &'m NodeProto, frame: &Frame) -> Result<Attributes, Fault> {
        let mut given = self.attributes(&call.attribute, frame)?;
        let declared = |name: &str| {
            function.attribute.iter().any(|a| a == name) || function.attribute_proto.iter().any(|a| a.name == name)
        };
        if let Some(a) = call.attribute.iter().find(|a| !declared(&a.name)) {
            return Err(format!("function `{}` has no attribute `{}`", function.name, a.name).into());
        }
        let own = Frame { attributes: None, ..Frame::of_model(frame.opset.unwrap_or(super::MAX_OPSET)) };
        let left_out: Vec<_> = function.attribute_proto.iter().filter(|a| given.get(&a.name).is_none()).collect();
        for default in left_out {
            if default.r#type == GRAPH {
                return Err(format!("attribute `{}` has a graph as its default", default.name).into());
            }
            let mut one = self.attributes(std::slice::from_ref(default), &own)?;
            if let Some(value) = one.take(&default.name) {
                given.insert(&default.name, value)?;
            }
        }
        Ok(given)
    }

    /// A name of its own for a call.
    fn prefix(&mut self, name: &str) -> String {
        let calls = self.named.entry(name.to_string()).or_default();
        *calls += 1;
        if *calls == 1 { format!("{name}/") } else { format!("{name}#{calls}/") }
    }

    /// Counts what calls of functions take.
    fn pay(&mut self, frame: &Frame, nodes: u64, bytes: u64) -> Result<(), OnnxError> {
        if frame.attributes.is_some() {
            self.nodes = self.nodes.saturating_add(nodes);
            self.bytes = self.bytes.saturating_add(bytes);
        }
        if self.nodes > MAX_INLINED_NODES || self.bytes > MAX_INLINED_BYTES {
            let reason =
                format!("its functions become more than {MAX_INLINED_NODES} nodes or {MAX_INLINED_BYTES} bytes");
            return Err(OnnxError::Model(reason));
        }
        Ok(())
    }
}

fn shallow(depth: u32) -> Result<(), OnnxError> {
    if depth <= MAX_DEPTH {
        return Ok(());
    }
    Err(OnnxError::Model(format!("its graphs are more than {MAX_DEPTH} deep")))
}

/// The kind of attribute that is a graph.
const GRAPH: i32 = 5;

/// The node's name, or its first output's.
fn name(proto: &NodeProto, frame: &Frame) -> String {
    let first_output = proto.output.iter().find(|o| !o.is_empty());
    match proto.name.as_str() {
        "" => first_output.map_or_else(String::new, |o| frame.rename(o)),
        name => format!("{}{name}", frame.prefix),
    }
}

/// What is wrong with a node, or inside it.
enum Fault {
    Here(String),
    Inside(OnnxError),
}

impl Fault {
    fn at(self, proto: &NodeProto, node: &str) -> OnnxError {
        match self {
            Self::Here(reason) => OnnxError::Node { operator: proto.op_type.clone(), node: node.to_string(), reason },
            Self::Inside(error) => error,
        }
    }
}

impl From<String> for Fault {
    fn from(reason: String) -> Self {
        Self::Here(reason)
    }
}

impl From<&str> for Fault {
    fn from(reason: &str) -> Self {
        Self::Here(reason.to_string())
    }
}

impl From<OnnxError> for Fault {
    fn from(error: OnnxError) -> Self {
        Self::Inside(error)
    }
}
