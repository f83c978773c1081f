//! Small ONNX files written by hand, byte by byte, so that they can be wrong in every way.
#![allow(dead_code, missing_docs, unreachable_pub)]

pub mod agreed;
pub mod one_node;
pub mod tensors;

use rebut_engine::lower::Lowered;
use rebut_engine::package::{Label, Package};
use rebut_engine::program::{parse_program, validate};
use std::path::PathBuf;

/// A protobuf message under construction.
#[derive(Clone, Default)]
pub struct Message(pub Vec<u8>);

impl Message {
    fn varint(&mut self, mut x: u64) {
        while x >= 0x80 {
            self.0.push(x as u8 | 0x80);
            x >>= 7;
        }
        self.0.push(x as u8);
    }

    pub fn int(mut self, field: u64, x: i64) -> Self {
        self.varint(field << 3);
        self.varint(x as u64);
        self
    }

    pub fn float(mut self, field: u64, x: f32) -> Self {
        self.varint(field << 3 | 5);
        self.0.extend(x.to_le_bytes());
        self
    }

    pub fn bytes(mut self, field: u64, bytes: impl AsRef<[u8]>) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.as_ref().len() as u64);
        self.0.extend(bytes.as_ref());
        self
    }

    pub fn message(self, field: u64, message: Message) -> Self {
        self.bytes(field, message.0)
    }
}

pub const F32: i64 = 1;
pub const I64: i64 = 7;

/// A tensor without data.
pub fn header(name: &str, dtype: i64, dims: &[i64]) -> Message {
    dims.iter().fold(Message::default(), |m, &d| m.int(1, d)).int(2, dtype).bytes(8, name)
}

pub fn floats(name: &str, dims: &[i64], values: &[f32]) -> Message {
    header(name, F32, dims).bytes(9, values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>())
}

pub fn ints(name: &str, values: &[i64]) -> Message {
    header(name, I64, &[values.len() as i64]).bytes(9, values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>())
}

/// A tensor whose data is in a file.
pub fn external(name: &str, dims: &[i64], entries: &[(&str, &str)]) -> Message {
    let entry = |m: Message, e: &(&str, &str)| m.message(13, Message::default().bytes(1, e.0).bytes(2, e.1));
    entries.iter().fold(header(name, F32, dims), entry).int(14, 1)
}

pub fn attr_int(name: &str, x: i64) -> Message {
    Message::default().bytes(1, name).int(3, x).int(20, 2)
}

pub fn attr_float(name: &str, x: f32) -> Message {
    Message::default().bytes(1, name).float(2, x).int(20, 1)
}

pub fn attr_ints(name: &str, xs: &[i64]) -> Message {
    xs.iter().fold(Message::default().bytes(1, name), |m, &x| m.int(8, x)).int(20, 7)
}

pub fn attr_floats(name: &str, xs: &[f32]) -> Message {
    xs.iter().fold(Message::default().bytes(1, name), |m, &x| m.float(7, x)).int(20, 6)
}

pub fn attr_strings(name: &str, xs: &[&str]) -> Message {
    xs.iter().fold(Message::default().bytes(1, name), |m, x| m.bytes(9, x)).int(20, 8)
}

pub fn attr_string(name: &str, x: &str) -> Message {
    Message::default().bytes(1, name).bytes(4, x).int(20, 3)
}

pub fn node(op: &str, name: &str, inputs: &[&str], outputs: &[&str], attributes: Vec<Message>) -> Message {
    let m = inputs.iter().fold(Message::default(), |m, i| m.bytes(1, i));
    let m = outputs.iter().fold(m, |m, o| m.bytes(2, o)).bytes(3, name).bytes(4, op);
    attributes.into_iter().fold(m, |m, a| m.message(5, a))
}

pub fn attr_graph(name: &str, graph: &Graph) -> Message {
    Message::default().bytes(1, name).message(6, graph.message()).int(20, 5)
}

/// An attribute of a function's node that is the function's attribute `outer`, of a kind by code.
pub fn attr_of_function(name: &str, outer: &str, kind: i64) -> Message {
    Message::default().bytes(1, name).int(20, kind).bytes(21, outer)
}

/// A function of domain `local`; `attributes` have no defaults, `defaults` have.
pub fn function(
    name: &str,
    (inputs, outputs): (&[&str], &[&str]),
    attributes: &[&str],
    defaults: Vec<Message>,
    nodes: Vec<Message>,
    opset: i64,
) -> Message {
    let m = inputs.iter().fold(Message::default().bytes(1, name), |m, i| m.bytes(4, i));
    let m = outputs.iter().fold(m, |m, o| m.bytes(5, o));
    let m = attributes.iter().fold(m, |m, a| m.bytes(6, a));
    let m = nodes.into_iter().fold(m, |m, n| m.message(7, n));
    let m = m.message(9, Message::default().bytes(1, "").int(2, opset)).bytes(10, "local");
    defaults.into_iter().fold(m, |m, a| m.message(11, a))
}

/// A node that calls a function of domain `local`.
pub fn call(name: &str, inputs: &[&str], outputs: &[&str], attributes: Vec<Message>) -> Message {
    node(name, "", inputs, outputs, attributes).bytes(7, "local")
}

/// A graph input or output.
pub fn value(name: &str, dtype: i64, dims: &[i64]) -> Message {
    let shape = dims.iter().fold(Message::default(), |m, &d| m.message(1, Message::default().int(1, d)));
    let tensor = Message::default().int(1, dtype).message(2, shape);
    Message::default().bytes(1, name).message(2, Message::default().message(1, tensor))
}

#[derive(Clone, Default)]
pub struct Graph {
    pub nodes: Vec<Message>,
    pub initializers: Vec<Message>,
    pub inputs: Vec<Message>,
    pub outputs: Vec<Message>,
}

impl Graph {
    pub fn message(&self) -> Message {
        let parts = [(1, &self.nodes), (5, &self.initializers), (11, &self.inputs), (12, &self.outputs)];
        parts
            .into_iter()
            .fold(Message::default(), |m, (field, all)| all.iter().fold(m, |m, x| m.message(field, x.clone())))
    }

    pub fn model(&self, opset: i64) -> Vec<u8> {
        model(self.message(), &[("", opset)])
    }
}

pub fn model(graph: Message, opsets: &[(&str, i64)]) -> Vec<u8> {
    let import = |m: Message, o: &(&str, i64)| m.message(8, Message::default().bytes(1, o.0).int(2, o.1));
    opsets.iter().fold(Message::default().int(1, 8), import).message(7, graph).0
}

/// One node between f32 inputs and one output.
pub fn single(
    op: &str,
    opset: i64,
    inputs: &[(&str, &[i64])],
    initializers: Vec<(&str, Message)>,
    attributes: Vec<Message>,
) -> Vec<u8> {
    let names: Vec<&str> = inputs.iter().map(|i| i.0).chain(initializers.iter().map(|i| i.0)).collect();
    Graph {
        nodes: vec![node(op, "node", &names, &["y"], attributes)],
        inputs: inputs.iter().map(|(name, dims)| value(name, F32, dims)).collect(),
        initializers: initializers.into_iter().map(|i| i.1).collect(),
        outputs: vec![Message::default().bytes(1, "y")],
    }
    .model(opset)
}

pub fn package(lowered: &Lowered) -> Package {
    Package::try_from(lowered.clone()).expect("a lowered program is a package")
}

/// A program from its text.
pub fn written(text: &str, what: &str) -> Package {
    let program = parse_program(text).unwrap_or_else(|e| panic!("{what}: {e}\n{text}"));
    validate(&program).unwrap_or_else(|e| panic!("{what}: {e}\n{text}"));
    let labels = vec![Label::default(); program.values.len()];
    let names = (0..program.outputs).map(|n| format!("out{n}")).collect();
    Package::new(program, vec![], labels, names).expect("a well-formed program")
}

pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder of shared models, if it is beside the repository.
pub fn shared() -> Option<PathBuf> {
    let folder = repository().join("../shared");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("\n*** ../shared is not beside the repository: the tests on its models DID NOT RUN ***\n");
    None
}
