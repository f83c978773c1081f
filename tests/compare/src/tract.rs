//! tract: one thread unless its kernels are given an executor with more.

use crate::{Refusal, Run};
use rebut_engine::tensor::Tensor;
use std::path::Path;
use tract_linalg::multithread::{Executor, set_default_executor};
use tract_onnx::prelude::*;

pub(crate) fn prepare(model: &Path, threads: usize, inputs: &[Tensor]) -> Result<Run, Refusal> {
    if threads > 1 {
        set_default_executor(Executor::multithread(threads));
    }
    let inputs: TVec<TValue> = inputs.iter().map(|t| Ok(value(t)?.into_tvalue())).collect::<Result<_, Refusal>>()?;
    let mut model = tract_onnx::onnx().model_for_path(model)?;
    if model.inputs.len() != inputs.len() {
        return Err(format!("it takes {} inputs, {} were given", model.inputs.len(), inputs.len()).into());
    }
    for (index, input) in inputs.iter().enumerate() {
        model.set_input_fact(index, InferenceFact::dt_shape(input.datum_type(), input.shape()))?;
    }
    let mut state = model.into_optimized()?.into_runnable()?.spawn()?;
    Ok(Box::new(move || {
        state.run(inputs.clone())?;
        Ok(())
    }))
}

fn value(tensor: &Tensor) -> Result<tract_onnx::prelude::Tensor, Refusal> {
    use tract_onnx::prelude::Tensor as Its;
    let shape = tensor.shape();
    let made = match tensor {
        Tensor::F32(a) => a.as_slice().map(|a| Its::from_shape(shape, a)),
        Tensor::I64(a) => a.as_slice().map(|a| Its::from_shape(shape, a)),
        Tensor::I32(a) => a.as_slice().map(|a| Its::from_shape(shape, a)),
        other => return Err(format!("inputs of {} are not passed on", other.dtype()).into()),
    };
    Ok(made.ok_or("an input that is not in row-major order")??)
}
