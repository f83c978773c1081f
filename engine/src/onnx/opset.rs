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

fn imported(imports: &[OperatorSetIdProto]) -> Result<Option<i64>, String> {
    let mut versions = imports.iter().filter(|o| is_default(&o.domain)).map(|o| o.version);
    match (versions.next(), versions.next()) {
        (None, _) => Ok(None),
        (Some(a), Some(b)) if a != b => Err(format!("it imports versions {a} and {b} of the default operator set")),
        (Some(v), _) if v < MIN_OPSET => {
            Err(format!("opset {v} is older than {MIN_OPSET}; convert it with onnx.version_converter"))
        }
        (Some(v), _) if v > MAX_OPSET => {
            Err(format!("opset {v} is newer than {MAX_OPSET}; export it for an older one"))
        }
        (Some(v), _) => Ok(Some(v)),
    }
}
