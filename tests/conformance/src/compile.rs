//! From a case's model to a program: what an operator must know when compiling is bound to the case's input.

use crate::cases::Files;
use rebut_engine::lower::{LowerError, LowerOptions, lower};
use rebut_engine::onnx::read_model;
use rebut_engine::package::Package;
use rebut_engine::program::{parse_program, program_text};
use rebut_engine::tensor::Tensor;
use rebut_tests::models::made_up;

/// A program and the inputs that are left to it.
pub(crate) struct Compiled {
    pub(crate) package: Package,
    pub(crate) inputs: Vec<Tensor>,
}

/// Compiles a case, or says why it is refused.
pub(crate) fn compile(files: &Files) -> Result<Compiled, String> {
    let model = read_model(&files.model).map_err(|e| e.to_string())?;
    let inputs = match files.inputs.is_empty() {
        true => model.inputs.iter().map(made_up).collect::<Result<_, _>>()?,
        false => files.inputs.clone(),
    };
    if inputs.len() != model.inputs.len() {
        return Err(format!("the model has {} inputs, the case {}", model.inputs.len(), inputs.len()));
    }
    let tensors = || model.inputs.iter().map(|info| &info.name).zip(&inputs);
    let shapes = tensors().map(|(name, tensor)| (name.clone(), tensor.ty().dims)).collect();
    let mut options = LowerOptions { shapes, ..LowerOptions::default() };
    let lowered = loop {
        match lower(&model, &options) {
            Ok(lowered) => break lowered,
            Err(error) => bind(&mut options, &error, tensors()).ok_or_else(|| error.to_string())?,
        }
    };
    let text = program_text(&lowered.program);
    if parse_program(&text).as_ref() != Ok(&lowered.program) {
        return Err(format!("its text is another program's: {text}"));
    }
    let left = tensors().filter(|(name, _)| !options.bindings.contains_key(*name)).map(|(_, tensor)| tensor.clone());
    let package = Package::try_from(lowered).map_err(|e| e.to_string())?;
    Ok(Compiled { package, inputs: left.collect() })
}

/// Binds the inputs that an error asks for; `None` where it asks for no other than before.
fn bind<'t>(
    options: &mut LowerOptions,
    error: &LowerError,
    tensors: impl Iterator<Item = (&'t String, &'t Tensor)>,
) -> Option<()> {
    let LowerError::Unbound { inputs, .. } = error else { return None };
    let before = options.bindings.len();
    options.bindings.extend(tensors.filter(|(name, _)| inputs.contains(name)).map(|(n, t)| (n.clone(), t.clone())));
    (options.bindings.len() > before).then_some(())
}
