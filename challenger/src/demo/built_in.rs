//! The project's own model and one of its test images, so that the demo needs no file.

use crate::files::{FileError, package_from_bytes};
use rebut_engine::onnx::tensor_from_pb;
use rebut_engine::package::Package;
use rebut_engine::tensor::Tensor;

const MODEL: &[u8] = include_bytes!("../../../models/digits/model.onnx");
const IMAGE: &[u8] = include_bytes!("../../../models/digits/images/digit_0.pb");

/// Name, program and input of the built-in model.
///
/// # Errors
/// When the model no longer compiles, which the tests would show.
pub fn built_in() -> Result<(String, Package, Vec<Tensor>), FileError> {
    let package = package_from_bytes(MODEL)?;
    let image = tensor_from_pb(IMAGE).map_err(|e| FileError(format!("the built-in image: {e}")))?;
    Ok(("models/digits/model.onnx".into(), package, vec![image]))
}
