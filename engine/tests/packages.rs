//! Package files: what was written is read back, and whatever was changed in between is refused without a panic.

use rebut_engine::exec::{ExecError, Options, run};
use rebut_engine::lower::{LowerOptions, lower};
use rebut_engine::onnx::{model_from_bytes, tensor_from_pb};
use rebut_engine::package::{Label, Package, PackageError};
use rebut_engine::program::{Core, DType, Expr, Instruction, Node, Op, Program, Source, TensorType, Value};
use rebut_engine::tensor::Tensor;
use rebut_engine::trace::{Trace, TraceView};
use std::collections::BTreeSet;

fn digits() -> (Package, Vec<Tensor>) {
    let model = model_from_bytes(&include_bytes!("../../models/digits/model.onnx")[..], None).expect("a model");
    let lowered = lower(&model, &LowerOptions::default()).expect("it lowers");
    let labels =
        lowered.names.into_iter().zip(lowered.operators).map(|(name, operator)| Label { name, operator }).collect();
    let outputs = lowered.outputs.into_iter().map(|(name, _)| name).collect();
    let package = Package::new(lowered.program, lowered.constants, labels, outputs).expect("a package");
    let image = tensor_from_pb(&include_bytes!("../../models/digits/images/digit_3.pb")[..]).expect("an image");
    (package, vec![image])
}

#[test]
fn a_package_survives_its_file() {
    let (package, _) = digits();
    let bytes = package.to_bytes().expect("bytes");
    let read = Package::from_bytes(&bytes).expect("the same package");
    assert_eq!(read.program(), package.program());
    assert!(read.constants().eq(package.constants()));
    assert_eq!(read.output_names(), package.output_names());
    assert_eq!(read.identity().program_id, package.identity().program_id);
}

#[test]
fn a_package_with_a_step_above_the_ceiling_is_refused() {
    let ty = TensorType::new(DType::F32, vec![1]);
    let package = |nodes: usize| {
        let mut epilogue = vec![Node::Const(DType::F32, 0x3fc0_0000)];
        epilogue.extend(vec![Node::Apply(Op::Erf, [0; 3]); nodes]);
        let instruction = Instruction {
            extents: vec![],
            reduction: vec![],
            windowed: false,
            operands: vec![],
            views: vec![],
            core: Core::None,
            epilogue: Expr { nodes: epilogue },
        };
        let values = vec![Value { ty: ty.clone(), source: Source::Instruction(instruction) }];
        let label = Label { name: "errors".into(), operator: "Erf".into() };
        Package::new(Program { inputs: 0, outputs: 1, values }, vec![], vec![label], vec!["y".into()])
    };
    assert!(package(20).is_ok());
    let error = package(31).expect_err("31 times erf");
    assert!(
        matches!(&error, PackageError::Step { value: 0, name, gas } if name == "errors" && *gas > 500_000),
        "{error}"
    );
}

#[test]
fn a_cut_package_is_refused() {
    let bytes = digits().0.to_bytes().expect("bytes");
    for cut in (0..bytes.len()).step_by(97) {
        assert!(Package::from_bytes(&bytes[..cut]).is_err(), "cut to {cut} bytes");
    }
}

#[test]
fn a_changed_constant_is_refused() {
    let bytes = digits().0.to_bytes().expect("bytes");
    let mut changed = bytes.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    assert!(Package::from_bytes(&changed).is_err());
}

#[test]
fn a_departing_trace_is_that_of_a_run_in_which_the_same_values_change() {
    let (package, inputs) = digits();
    let (options, values) = (Options::default(), package.program().values.len() as u64);
    let honest = Trace::new(&package, &inputs, &options).expect("a trace");
    for changed in (0..values).map(|v| BTreeSet::from([v, values / 2])) {
        let mut lie = |id, tensor: &mut std::borrow::Cow<'_, Tensor>| {
            if changed.contains(&id)
                && let Tensor::F32(a) = tensor.to_mut()
                && let Some(x) = a.iter_mut().last()
            {
                *x += 1.0;
            }
        };
        let departing = honest.departing(&package, &inputs, &options, &changed, &mut lie).expect("a trace");
        let run = Trace::with_hook(&package, &inputs, &options, &mut lie).expect("a trace");
        assert_eq!(departing.root(), run.root(), "{changed:?}");
        assert_ne!(departing.root(), honest.root(), "{changed:?}");
        assert!((0..values).all(|v| departing.tensor(v) == run.tensor(v)), "{changed:?}");
    }
}

#[test]
fn wrong_inputs_are_refused() {
    let (package, inputs) = digits();
    let refusal = |inputs: &[Tensor]| run(&package, inputs, &Options::default()).expect_err("it does not fit");
    for count in [0, 2] {
        let given = vec![inputs[0].clone(); count];
        assert!(matches!(refusal(&given), ExecError::InputCount { expected: 1, got } if got == count));
    }
    let ty = inputs[0].ty();
    let longer = [&ty.dims[..], &[1]].concat();
    for wrong in [TensorType::new(ty.dtype, longer), TensorType::new(DType::I32, ty.dims.clone())] {
        let error = refusal(&[Tensor::zeros(&wrong).expect("a small tensor")]);
        assert!(matches!(&error, ExecError::InputType { index: 0, got, .. } if *got == wrong), "{error}");
    }
    let mut backwards = inputs[0].clone();
    if let Tensor::F32(a) = &mut backwards {
        (0..a.ndim()).for_each(|x| a.invert_axis(ndarray::Axis(x)));
    }
    assert!(!backwards.is_row_major());
    assert!(matches!(refusal(&[backwards]), ExecError::InputOrder { index: 0, .. }));
}
