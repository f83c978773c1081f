//! rten: a pool of threads that every run is given. It holds i64 tensors as i32.

use crate::{Refusal, Run};
use rebut_engine::tensor::Tensor;
use rten::{ModelOptions, RunOptions, ThreadPool, Value, ValueOrView};
use std::path::Path;
use std::sync::Arc;

pub(crate) fn prepare(model: &Path, threads: usize, inputs: &[Tensor]) -> Result<Run, Refusal> {
    // What its manual advises for models that are run often.
    let model = ModelOptions::with_all_ops().prepack_weights(true).load_file(model)?;
    let (ids, outputs) = (model.input_ids().to_vec(), model.output_ids().to_vec());
    if ids.len() != inputs.len() {
        return Err(format!("it takes {} inputs, {} were given", ids.len(), inputs.len()).into());
    }
    let inputs = inputs.iter().map(value).collect::<Result<Vec<Value>, Refusal>>()?;
    let pool = Arc::new(ThreadPool::with_num_threads(threads));
    Ok(Box::new(move || {
        let options = RunOptions::default().with_thread_pool(Some(pool.clone()));
        let inputs = ids.iter().copied().zip(inputs.iter().map(ValueOrView::from)).collect();
        model.run(inputs, &outputs, Some(options))?;
        Ok(())
    }))
}

fn value(tensor: &Tensor) -> Result<Value, Refusal> {
    let shape = tensor.shape();
    match tensor {
        Tensor::F32(a) => shaped(Value::from_shape(shape, a.iter().copied().collect::<Vec<f32>>())),
        Tensor::I32(a) => shaped(Value::from_shape(shape, a.iter().copied().collect::<Vec<i32>>())),
        Tensor::I64(a) => {
            let narrow = a.iter().map(|&x| i32::try_from(x)).collect::<Result<Vec<i32>, _>>()?;
            shaped(Value::from_shape(shape, narrow))
        }
        other => Err(format!("inputs of {} are not passed on", other.dtype()).into()),
    }
}

fn shaped(value: Result<Value, impl std::error::Error>) -> Result<Value, Refusal> {
    value.map_err(|e| e.to_string().into())
}
