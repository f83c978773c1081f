//! What benches share: packages of one ONNX node, as models have it.
#![allow(dead_code, unreachable_pub)]

#[path = "../../tests/onnx_support/mod.rs"]
pub mod onnx_support;

use onnx_support::Message;
use onnx_support::one_node::{Given, One};
use rebut_engine::exec::{self, Options};
use rebut_engine::package::Package;
use rebut_engine::program::{DType, TensorType};
use rebut_engine::tensor::Tensor;

/// Something to run: a package and its inputs.
pub struct Work {
    pub package: Package,
    pub inputs: Vec<Tensor>,
}

impl Work {
    /// One node over these tensors; those behind the first `data` are constants of the model.
    pub fn node(operator: &str, tensors: Vec<Tensor>, data: usize, attributes: Vec<Message>) -> Self {
        let given = |(i, t)| if i < data { Given::Data(t) } else { Given::Constant(t) };
        let inputs = tensors.into_iter().enumerate().map(given).collect();
        let node = One { operator, opset: 20, inputs, attributes, outputs: 1 };
        let (lowered, inputs) = node.lowered().expect("it lowers");
        Self { package: onnx_support::package(&lowered), inputs }
    }

    pub fn run(&self, options: &Options) -> Vec<Tensor> {
        exec::run(&self.package, &self.inputs, options).expect("it runs")
    }
}

/// A tensor of numbers between -1 and 1, in no order.
pub fn floats(dims: &[u64]) -> Tensor {
    let mut tensor = Tensor::zeros(&TensorType::new(DType::F32, dims)).expect("it fits in memory");
    if let Tensor::F32(elements) = &mut tensor {
        let mut state = 1u32;
        elements.mapv_inplace(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        });
    }
    tensor
}

/// The product of an m x k input and a constant of k x n.
pub fn product(m: u64, k: u64, n: u64) -> Work {
    Work::node("MatMul", vec![floats(&[m, k]), floats(&[k, n])], 1, vec![])
}
