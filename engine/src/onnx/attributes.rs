//! A node's attributes, which whoever reads the node takes out one by one: what is left over was not honoured.

use super::error::OnnxError;
use super::model::Subgraph;
use super::proto::AttributeProto;
use super::tensor;
use crate::tensor::Tensor;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The value of an attribute.
#[derive(Clone, PartialEq, Debug)]
pub enum Attribute {
    /// One float.
    Float(f32),
    /// One integer.
    Int(i64),
    /// Text.
    String(String),
    /// A tensor.
    Tensor(Tensor),
    /// Floats.
    Floats(Vec<f32>),
    /// Integers.
    Ints(Vec<i64>),
    /// Texts.
    Strings(Vec<String>),
    /// The body of a control operator.
    Graph(Arc<Subgraph>),
    /// A kind that no supported operator has, by name.
    Other(&'static str),
}

impl Attribute {
    fn kind(&self) -> &'static str {
        match self {
            Self::Float(_) => "float",
            Self::Int(_) => "int",
            Self::String(_) => "string",
            Self::Tensor(_) => "tensor",
            Self::Floats(_) => "floats",
            Self::Ints(_) => "ints",
            Self::Strings(_) => "strings",
            Self::Graph(_) => "graph",
            Self::Other(kind) => kind,
        }
    }

    /// About the bytes that a copy of it takes.
    fn weight(&self) -> u64 {
        (match self {
            Self::Float(_) | Self::Int(_) | Self::Graph(_) | Self::Other(_) => 8,
            Self::String(x) => x.len(),
            Self::Tensor(x) => x.len().saturating_mul(x.dtype().width()),
            Self::Floats(x) => 4 * x.len(),
            Self::Ints(x) => 8 * x.len(),
            Self::Strings(x) => x.iter().map(|s| s.len() + 24).sum(),
        }) as u64
    }
}

/// The attributes of one node, by name.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Attributes(BTreeMap<String, Attribute>);

macro_rules! takers {
    ($($(#[$doc:meta])* $name:ident: $variant:ident -> $t:ty;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            /// When the attribute is of another kind; the text names both.
            pub fn $name(&mut self, name: &str) -> Result<Option<$t>, String> {
                match self.0.remove(name) {
                    None => Ok(None),
                    Some(Attribute::$variant(x)) => Ok(Some(x)),
                    Some(other) => Err(format!("attribute `{name}` is of kind {}, not {}", other.kind(), stringify!($name))),
                }
            }
        )*
    };
}

impl Attributes {
    takers! {
        /// Takes a float.
        float: Float -> f32;
        /// Takes an integer.
        int: Int -> i64;
        /// Takes a text.
        string: String -> String;
        /// Takes a tensor.
        tensor: Tensor -> Tensor;
        /// Takes a list of floats.
        floats: Floats -> Vec<f32>;
        /// Takes a list of integers.
        ints: Ints -> Vec<i64>;
        /// Takes a list of texts.
        strings: Strings -> Vec<String>;
        /// Takes a graph.
        graph: Graph -> Arc<Subgraph>;
    }

    /// The first attribute that nobody took.
    pub fn unread(&self) -> Option<&str> {
        self.0.keys().next().map(String::as_str)
    }

    /// Whether the node has the attribute and nobody took it yet.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The graphs among them.
    pub(super) fn graphs(&self) -> impl Iterator<Item = &Subgraph> {
        self.0.values().filter_map(|a| if let Attribute::Graph(graph) = a { Some(&**graph) } else { None })
    }

    /// About the bytes that a copy of them takes.
    pub(crate) fn weight(&self) -> u64 {
        self.0.iter().map(|(name, a)| a.weight() + name.len() as u64).sum()
    }

    /// One by name, for a node of a function's body that refers to it.
    pub(super) fn get(&self, name: &str) -> Option<&Attribute> {
        self.0.get(name)
    }

    /// Takes one of any kind.
    pub(super) fn take(&mut self, name: &str) -> Option<Attribute> {
        self.0.remove(name)
    }

    /// Adds one, which must be the only one of its name.
    pub(super) fn insert(&mut self, name: &str, value: Attribute) -> Result<(), String> {
        match self.0.insert(name.to_string(), value) {
            None => Ok(()),
            Some(_) => Err(format!("attribute `{name}` is given twice")),
        }
    }
}

/// The value of an attribute that is no graph and refers to nothing.
pub(super) fn value(a: &AttributeProto, folder: Option<&Path>) -> Result<Attribute, String> {
    let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).map_err(|_| "text that is not UTF-8".to_string());
    Ok(match a.r#type {
        1 => Attribute::Float(a.f),
        2 => Attribute::Int(a.i),
        3 => Attribute::String(text(&a.s)?),
        4 => {
            let proto = a.t.as_ref().ok_or("it holds no tensor")?;
            Attribute::Tensor(tensor::read(proto, folder).map_err(|e: OnnxError| e.to_string())?)
        }
        6 => Attribute::Floats(a.floats.clone()),
        7 => Attribute::Ints(a.ints.clone()),
        8 => Attribute::Strings(a.strings.iter().map(text).collect::<Result<_, _>>()?),
        9 => Attribute::Other("tensors"),
        10 => Attribute::Other("graphs"),
        11 | 12 => Attribute::Other("sparse tensor"),
        13 | 14 => Attribute::Other("type"),
        code => return Err(format!("it is of unknown kind {code}")),
    })
}
