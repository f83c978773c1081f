//! Reading ONNX files into checked, typed models. Files are hostile until proven otherwise: every count is checked before memory is
//! taken for it, and nothing outside the model's folder is opened.

mod attributes;
mod error;
mod external;
mod graph;
mod model;
mod opset;
mod proto;
mod reader;
mod tensor;

pub use attributes::{Attribute, Attributes};
pub use error::OnnxError;
pub use model::{Dim, Model, Node, Subgraph, ValueInfo, model_from_bytes, read_model};
pub(crate) use tensor::element_type;
pub use tensor::{read_tensor_pb, tensor_from_pb, tensor_to_pb, write_tensor_pb};

/// Oldest version of the default operator set that is read; of older ones only the operators that this version did not change.
pub const MIN_OPSET: i64 = 6;
/// Newest version of the default operator set that is read.
pub const MAX_OPSET: i64 = 28;
/// Newest version of the file format that is read.
pub const MAX_IR_VERSION: i64 = 14;
