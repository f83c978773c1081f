//! Versions of the default operator set.

use super::error::OnnxError;
use super::proto::{FunctionProto, ModelProto, OperatorSetIdProto};
use super::reader::is_default;
use super::{MAX_OPSET, MIN_OPSET};

/// The version that a model imports.
pub(super) fn of_model(proto: &ModelProto) -> Result<i64, OnnxError> {
    let version = imported(&proto.opset_import).map_err(OnnxError::Model)?;
    version.ok_or_else(|| OnnxError::Model("it imports no version of the default operator set".into()))
}

/// The version that a function's body is written in; it may use nothing but other functions.
pub(super) fn of_function(proto: &FunctionProto) -> Result<Option<i64>, String> {
    imported(&proto.opset_import).map_err(|e| format!("function `{}`: {e}", proto.name))
}

/// Refuses an operator of a version that is too old for it.
pub(super) fn check_operator(operator: &str, version: i64) -> Result<(), String> {
    if version >= MIN_OPSET || SINCE_FIRST.contains(&operator) {
        return Ok(());
    }
    Err(format!("of opset {version}, which is older than {MIN_OPSET}; convert the model with onnx.version_converter"))
}

/// Operators whose first definition holds in every version up to [`MIN_OPSET`].
const SINCE_FIRST: [&str; 28] = [
    "ArgMax",
    "ArgMin",
    "Constant",
    "Conv",
    "DepthToSpace",
    "Flatten",
    "Gather",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "Identity",
    "LRN",
    "LogSoftmax",
    "MatMul",
    "Not",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSum",
    "Shape",
    "Size",
    "Softmax",
    "Softplus",
    "Softsign",
    "SpaceToDepth",
    "Squeeze",
    "Transpose",
    "Unsqueeze",
];

fn imported(imports: &[OperatorSetIdProto]) -> Result<Option<i64>, String> {
    let mut versions = imports.iter().filter(|o| is_default(&o.domain)).map(|o| o.version);
    match (versions.next(), versions.next()) {
        (None, _) => Ok(None),
        (Some(a), Some(b)) if a != b => Err(format!("it imports versions {a} and {b} of the default operator set")),
        (Some(v), _) if v < 1 => Err(format!("opset {v} does not exist")),
        (Some(v), _) if v > MAX_OPSET => {
            Err(format!("opset {v} is newer than {MAX_OPSET}; export it for an older one"))
        }
        (Some(v), _) => Ok(Some(v)),
    }
}
