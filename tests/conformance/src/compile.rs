//! From a case's model to a program: what an operator must know when compiling is bound to the case's input.

use crate::cases::Files;
use rebut_engine::lower::{LowerError, LowerOptions, lower};
use rebut_engine::onnx::{Dim, Model, ValueInfo, read_model};
use rebut_engine::package::Package;
use rebut_engine::program::DType;
use rebut_engine::program::TensorType;
use rebut_engine::tensor::Tensor;

/// A program and the inputs that are left to it.
pub(crate) struct Compiled {
    pub(crate) package: Package,
    pub(crate) inputs: Vec<Tensor>,
}

/// Compiles a case, or says why it is refused.
pub(crate) fn compile(files: &Files) -> Result<Compiled, String> {
    let model = read_model(&files.model).map_err(|e| e.to_string())?;
    let inputs = match files.inputs.is_empty() {
        true => model.inputs.iter().map(ramp).collect::<Result<_, _>>()?,
        false => files.inputs.clone(),
    };
    if inputs.len() != model.inputs.len() {
        return Err(format!("the model has {} inputs, the case {}", model.inputs.len(), inputs.len()));
    }
    let mut refusal = String::new();
    for strategy in [Bind::Nothing, Bind::Integers, Bind::AllButTheFirst] {
        let (options, left) = strategy.options(&model, &inputs);
        match lower(&model, &options) {
            Ok(lowered) => {
                let package = Package::try_from(lowered).map_err(|e| e.to_string())?;
                return Ok(Compiled { package, inputs: left });
            }
            Err(error @ LowerError::Node { .. }) => refusal = error.to_string(),
            Err(error) => return Err(error.to_string()),
        }
    }
    Err(refusal)
}

/// What a case's inputs become.
#[derive(Clone, Copy, PartialEq)]
enum Bind {
    Nothing,
    Integers,
    AllButTheFirst,
}

impl Bind {
    fn options(self, model: &Model, inputs: &[Tensor]) -> (LowerOptions, Vec<Tensor>) {
        let mut options = LowerOptions::default();
        let mut left = Vec::new();
        for (i, (info, tensor)) in model.inputs.iter().zip(inputs).enumerate() {
            let bound =
                i > 0 && (self == Self::AllButTheFirst || self == Self::Integers && tensor.dtype() != DType::F32);
            if bound {
                options.bindings.insert(info.name.clone(), tensor.clone());
            } else {
                options.shapes.insert(info.name.clone(), tensor.ty().dims);
                left.push(tensor.clone());
            }
        }
        (options, left)
    }
}

/// What ONNX's own runner gives to models without data: numbers from 0 to below 1, open dimensions being 1.
fn ramp(info: &ValueInfo) -> Result<Tensor, String> {
    let declared = info.dims.as_ref().ok_or_else(|| format!("input `{}` has no shape", info.name))?;
    let dims: Vec<u64> = declared.iter().map(|d| if let Dim::Fixed(n) = d { *n } else { 1 }).collect();
    let n: u64 = dims.iter().product();
    let bytes: Vec<u8> = (0..n).flat_map(|i| ((i as f64 / n as f64) as f32).to_be_bytes()).collect();
    Tensor::from_be_bytes(&TensorType::new(DType::F32, dims), &bytes).map_err(|e| e.to_string())
}
