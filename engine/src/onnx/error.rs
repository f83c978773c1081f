//! Why a file is no model that can be used, and what to do about it.

use std::path::PathBuf;

/// Why an ONNX file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The bytes are no protobuf message of the expected kind.
    #[error("not an ONNX file, or damaged: {0}")]
    Decode(#[from] prost::DecodeError),
    /// The model as a whole cannot be used.
    #[error("model: {0}")]
    Model(String),
    /// An initializer or a tensor file cannot be used.
    #[error("tensor `{name}`: {reason}")]
    Tensor {
        /// The tensor's name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A graph input or output cannot be used.
    #[error("graph value `{name}`: {reason}")]
    Value {
        /// The input's or output's name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A node cannot be used.
    #[error("{operator} (node `{node}`): {reason}")]
    Node {
        /// The operator.
        operator: String,
        /// The node's name, or its first output's.
        node: String,
        /// What is wrong with it.
        reason: String,
    },
}
