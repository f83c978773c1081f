//! A node's attributes, which whoever reads the node takes out one by one: what is left over was not honoured.

use super::error::OnnxError;
use super::proto::{AttributeProto, NodeProto};
use super::tensor;
use crate::tensor::Tensor;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::path::Path;

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
            Self::Other(kind) => kind,
        }
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
    }

    /// The first attribute that nobody took.
    pub fn unread(&self) -> Option<&str> {
        self.0.keys().next().map(String::as_str)
    }

    /// Whether the node has the attribute and nobody took it yet.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn read(node: &NodeProto, folder: Option<&Path>) -> Result<Self, String> {
        let mut map = BTreeMap::new();
        for a in &node.attribute {
            let value = value(a, folder).map_err(|e| format!("attribute `{}`: {e}", a.name))?;
            if map.insert(a.name.clone(), value).is_some() {
                return Err(format!("attribute `{}` is given twice", a.name));
            }
        }
        Ok(Self(map))
    }
}

fn value(a: &AttributeProto, folder: Option<&Path>) -> Result<Attribute, String> {
    if !a.ref_attr_name.is_empty() {
        return Err("it refers to a function's attribute outside a function".into());
    }
    let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).map_err(|_| "text that is not UTF-8".to_string());
    Ok(match a.r#type {
        1 => Attribute::Float(a.f),
        2 => Attribute::Int(a.i),
        3 => Attribute::String(text(&a.s)?),
        4 => {
            let proto = a.t.as_ref().ok_or("it holds no tensor")?;
            Attribute::Tensor(tensor::read(proto, folder).map_err(|e: OnnxError| e.to_string())?)
        }
        5 => Attribute::Other("graph"),
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
