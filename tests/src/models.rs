//! The networks that the tests are about.

use rebut_challenger::demo::built_in;
use rebut_challenger::files::{compile, read_tensor};
use rebut_engine::lower::LowerOptions;
use rebut_engine::onnx::{Dim, ValueInfo, read_model};
use rebut_engine::package::{Label, Package};
use rebut_engine::program::{
    Access, Affine, Core, DType, Expr, Guard, Instruction, Node, Op, Operand, Program, Source, TensorType, Value,
    ValueId, View,
};
use rebut_engine::tensor::Tensor;
use std::path::Path;
use std::sync::Arc;

/// Where models that are not in the repository may be.
const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/models");

/// A program and what it runs on.
#[derive(Clone)]
pub struct Subject {
    /// The program.
    pub package: Arc<Package>,
    /// Its inputs.
    pub inputs: Vec<Tensor>,
}

/// The project's own digits network on an image of a zero.
pub fn digits() -> Subject {
    let (_, package, inputs) = built_in().expect("the built-in model compiles");
    Subject { package: Arc::new(package), inputs }
}

/// Sums along the last axis of two rows, then a recurrence down the columns, h = fma(x, h, sum), which is the output.
pub fn scans() -> Subject {
    const DIMS: [u64; 2] = [2, 200];
    let ty = TensorType::new(DType::F32, DIMS);
    let dense = Affine { base: 0, terms: vec![(0, DIMS[1] as i64), (1, 1)] };
    let view = |operand: u8, guards: Vec<Guard>, fill: f32| View {
        fill: fill.to_bits().into(),
        accesses: vec![Access { operand, address: dense.clone(), guards, indirects: vec![] }],
    };
    let never = Guard { limit: 0, affine: Affine::default() };
    let scan = |axis: u8, operands: u64, views: Vec<View>, nodes: Vec<Node>| Value {
        ty: ty.clone(),
        source: Source::Instruction(Instruction {
            extents: DIMS.to_vec(),
            reduction: vec![],
            windowed: false,
            operands: (0..operands)
                .map(|value| Operand { value, dtype: DType::F32, elements: ty.elements() })
                .collect(),
            core: Core::Scan { axis, initial: 0 },
            views,
            epilogue: Expr { nodes },
        }),
    };
    let sums = scan(
        1,
        1,
        vec![view(0, vec![never], -0.0), view(0, vec![], 0.0)],
        vec![Node::Core, Node::Load(1), Node::Apply(Op::Add, [0, 1, 0])],
    );
    let recurrence = scan(
        0,
        2,
        vec![view(0, vec![], 0.0), view(1, vec![], 0.0)],
        vec![Node::Load(0), Node::Core, Node::Load(1), Node::Apply(Op::Fma, [0, 1, 2])],
    );
    let values = vec![Value { ty: ty.clone(), source: Source::Input }, sums, recurrence];
    let program = Program { inputs: 1, outputs: 1, values };
    let labels = vec![Label::default(); program.values.len()];
    let package = Package::new(program, vec![], labels, vec!["h".into()]).expect("a well-formed program");
    let lanes: Vec<u8> = (0..ty.elements()).flat_map(|i| (0.01 * i as f32 - 1.5).to_be_bytes()).collect();
    let input = Tensor::from_be_bytes(&ty, &lanes).expect("as many as the shape says");
    Subject { package: Arc::new(package), inputs: vec![input] }
}

/// Places in the scans of [`scans`], as value and element: at the beginning of an axis, after an element of the same leaf, and after one of an
/// earlier leaf.
pub const IN_SCANS: [(ValueId, u64); 10] =
    [(1, 0), (1, 5), (1, 128), (1, 200), (1, 256), (1, 399), (2, 0), (2, 199), (2, 200), (2, 399)];

/// A model that not every machine has, on its first test input; where it is absent the test says loudly that it proved nothing.
pub fn shared(name: &str) -> Option<Subject> {
    let folder = Path::new(SHARED).join(name);
    let model = folder.join("model.onnx");
    if !model.exists() {
        eprintln!("SKIPPED: the model {name} is not on this machine, so nothing is tested with it");
        return None;
    }
    let input = read_tensor(&folder.join("test_data_set_0/input_0.pb")).expect("the test input reads");
    // Open dimensions are those of the test input.
    let name = read_model(&model).expect("the model reads").inputs[0].name.clone();
    let mut options = LowerOptions::default();
    options.shapes.insert(name, input.ty().dims);
    let package = compile(&model, |_| Ok(options)).expect("the model compiles");
    Some(Subject { package: Arc::new(package), inputs: vec![input] })
}

/// What ONNX's own runner gives to models without data: numbers from 0 to below 1, open dimensions being 1.
///
/// # Errors
/// When the model does not say the input's number of dimensions.
pub fn made_up(info: &ValueInfo) -> Result<Tensor, String> {
    let declared = info.dims.as_ref().ok_or_else(|| format!("input `{}` has no shape", info.name))?;
    let dims: Vec<u64> = declared.iter().map(|d| if let Dim::Fixed(n) = d { *n } else { 1 }).collect();
    let n: u64 = dims.iter().product();
    let bytes: Vec<u8> = (0..n).flat_map(|i| ((i as f64 / n as f64) as f32).to_be_bytes()).collect();
    Tensor::from_be_bytes(&TensorType::new(DType::F32, dims), &bytes).map_err(|e| e.to_string())
}

/// A program of one instruction: 10 sums `x + x` of the first of 16 numbers, so 64 bytes of input and 40 of output.
pub fn doubling() -> Subject {
    let input = TensorType::new(DType::F32, [16]);
    let access =
        Access { operand: 0, address: Affine { base: 0, terms: vec![(0, 1)] }, guards: vec![], indirects: vec![] };
    let sums = Instruction {
        extents: vec![10],
        reduction: vec![],
        windowed: false,
        operands: vec![Operand { value: 0, dtype: DType::F32, elements: 16 }],
        views: vec![View { fill: 0, accesses: vec![access] }],
        core: Core::None,
        epilogue: Expr { nodes: vec![Node::Load(0), Node::Apply(Op::Add, [0, 0, 0])] },
    };
    let values = vec![
        Value { ty: input.clone(), source: Source::Input },
        Value { ty: TensorType::new(DType::F32, [10]), source: Source::Instruction(sums) },
    ];
    let program = Program { inputs: 1, outputs: 1, values };
    let labels = vec![Label::default(); program.values.len()];
    let package = Package::new(program, vec![], labels, vec!["doubled".into()]).expect("a well-formed program");
    let lanes: Vec<u8> = (0..16u8).flat_map(|i| (f32::from(i) + 0.1).to_be_bytes()).collect();
    let input = Tensor::from_be_bytes(&input, &lanes).expect("as many as the shape says");
    Subject { package: Arc::new(package), inputs: vec![input] }
}

/// A program of `values` values of `elements` numbers: an input, and from then on each the square of the one before. The last is the output.
pub fn squares(values: u64, elements: u64) -> Subject {
    let ty = TensorType::new(DType::F32, [elements]);
    let square = |value: ValueId| Value {
        ty: ty.clone(),
        source: Source::Instruction(Instruction {
            extents: vec![elements],
            reduction: vec![],
            windowed: false,
            operands: vec![Operand { value, dtype: DType::F32, elements }],
            views: vec![View {
                fill: 0,
                accesses: vec![Access {
                    operand: 0,
                    address: Affine { base: 0, terms: vec![(0, 1)] },
                    guards: vec![],
                    indirects: vec![],
                }],
            }],
            core: Core::None,
            epilogue: Expr { nodes: vec![Node::Load(0), Node::Apply(Op::Mul, [0, 0, 0])] },
        }),
    };
    let input = Value { ty: ty.clone(), source: Source::Input };
    let values: Vec<Value> = std::iter::once(input).chain((1..values).map(|v| square(v - 1))).collect();
    let labels = vec![Label::default(); values.len()];
    let program = Program { inputs: 1, outputs: 1, values };
    let package = Package::new(program, vec![], labels, vec!["y".into()]).expect("a well-formed program");
    let lanes: Vec<u8> = (0..elements).flat_map(|i| (0.001 * i as f32 + 0.5).to_be_bytes()).collect();
    let input = Tensor::from_be_bytes(&ty, &lanes).expect("as many as the shape says");
    Subject { package: Arc::new(package), inputs: vec![input] }
}
