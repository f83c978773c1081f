//! Models of any size: layers `x + relu(x W + b)` over a few rows, as a transformer's projections over its tokens.

use crate::Failure;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rebut_engine::dispute::turns;
use rebut_engine::lower::{LowerOptions, lower};
use rebut_engine::onnx::{Attributes, Dim, Model, Node, ValueInfo};
use rebut_engine::package::Package;
use rebut_engine::program::{DType, TensorType};
use rebut_engine::tensor::Tensor;
use rebut_engine::tree::{depth, tensor_depth};
use std::collections::BTreeMap;

/// Rows of the input.
pub(super) const ROWS: u64 = 16;
/// Version of the operator set.
const OPSET: i64 = 17;
/// Longest part of a product that a step can pay for, by a row's elements: the larger the tensors, the deeper their trees. Of rows
/// longer than have been measured, less than what it will be, so that their traces are not larger than said.
const PARTS: [(u64, u64); 2] = [(8192, 256), (u64::MAX, 192)];
/// Shortest row whose product is a value of its own: with a shorter one a step can pay for bias, maximum and sum, too.
const APART: u64 = 256;

/// How large a model is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Size {
    /// Elements of a row.
    pub(super) width: u64,
    pub(super) layers: u64,
}

impl Size {
    /// One for each power of ten, and one with a GiB of weights.
    pub(super) const ALL: [Self; 7] = [
        Self { width: 32, layers: 10 },
        Self { width: 64, layers: 24 },
        Self { width: 256, layers: 15 },
        Self { width: 1024, layers: 10 },
        Self { width: 2048, layers: 24 },
        Self { width: 4096, layers: 16 },
        Self { width: 8192, layers: 15 },
    ];

    /// Larger ones, of which only the formula tells.
    pub(super) const BEYOND: [Self; 3] =
        [Self { width: 16_384, layers: 37 }, Self { width: 32_768, layers: 93 }, Self { width: 131_072, layers: 58 }];

    pub(super) fn parameters(self) -> u64 {
        self.layers * self.width * (self.width + 1)
    }

    /// Parts that a row's product with a column is cut into.
    fn parts(self) -> u64 {
        let part = PARTS.iter().find(|(most, _)| self.width <= *most).map_or(1, |(_, part)| *part);
        self.width.div_ceil(part)
    }

    /// Values of the program: the input, weights and biases, and for each layer a result, and before it the product or its parts.
    pub(super) fn values(self) -> u64 {
        1 + self.layers * if self.width < APART { 3 } else { 4 }
    }

    /// Bytes of all results.
    pub(super) fn trace_bytes(self) -> u64 {
        let parts = if self.width < APART { 0 } else { self.parts() };
        4 * self.layers * ROWS * self.width * (parts + 1)
    }

    /// Most turns of a dispute.
    pub(super) fn turns(self) -> u32 {
        let largest = TensorType::new(DType::F32, [ROWS, self.width, self.parts()]);
        turns(depth(self.values()), tensor_depth(&largest))
    }

    /// The model with weights that keep numbers as large as they are.
    pub(super) fn model(self, seed: u64) -> Result<Model, Failure> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let bound = 1.0 / (self.width as f32).sqrt();
        let mut initializers = BTreeMap::new();
        let mut nodes = Vec::new();
        let mut node = |operator: &str, inputs: [&str; 2], output: &str| {
            nodes.push(Node {
                name: output.into(),
                operator: operator.into(),
                opset: OPSET,
                inputs: inputs.iter().filter(|i| !i.is_empty()).map(ToString::to_string).collect(),
                outputs: vec![output.into()],
                attributes: Attributes::default(),
            });
        };
        for layer in 0..self.layers {
            let named = |what: &str| format!("{what}{layer}");
            let [x, w, b, m, a, r] = ["x", "w", "b", "m", "a", "r"].map(named);
            let next = if layer + 1 == self.layers { "y".into() } else { format!("x{}", layer + 1) };
            node("MatMul", [&x, &w], &m);
            node("Add", [&m, &b], &a);
            node("Relu", [&a, ""], &r);
            node("Add", [&r, &x], &next);
            initializers.insert(w, random(&mut rng, vec![self.width, self.width], bound)?);
            initializers.insert(b, random(&mut rng, vec![self.width], bound)?);
        }
        let info = |name: &str| ValueInfo {
            name: name.into(),
            dtype: Some(DType::F32),
            dims: Some(vec![Dim::Fixed(ROWS), Dim::Fixed(self.width)]),
        };
        Ok(Model {
            opset: OPSET,
            inputs: vec![info("x0")],
            outputs: vec![info("y")],
            initializers,
            nodes,
            value_infos: Vec::new(),
        })
    }

    pub(super) fn package(self, seed: u64) -> Result<Package, Failure> {
        let lowered = lower(&self.model(seed)?, &LowerOptions::default())?;
        Ok(Package::try_from(lowered)?)
    }

    pub(super) fn input(self, seed: u64) -> Result<Tensor, Failure> {
        random(&mut ChaCha8Rng::seed_from_u64(!seed), vec![ROWS, self.width], 1.0)
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} x {}²", self.layers, self.width)
    }
}

fn random(rng: &mut ChaCha8Rng, dims: Vec<u64>, bound: f32) -> Result<Tensor, Failure> {
    let ty = TensorType::new(DType::F32, dims);
    let mut bytes = Vec::with_capacity(usize::try_from(4 * ty.elements())?);
    (0..ty.elements()).for_each(|_| bytes.extend(rng.random_range(-bound..bound).to_le_bytes()));
    Ok(Tensor::from_le_bytes(&ty, &bytes)?)
}
