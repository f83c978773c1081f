//! ONNX files.

use super::{package, run};
use rebut_engine::hash::{Hash, keccak};
use rebut_engine::lower::{LowerError, LowerOptions, lower};
use rebut_engine::onnx::{Dim, Model, ValueInfo, model_from_bytes};
use rebut_engine::package::Package;
use rebut_engine::program::TensorType;

/// Sizes that open dimensions get.
const SIZES: [u64; 16] = [0, 1, 1, 2, 2, 3, 3, 4, 5, 7, 16, 17, 256, 257, 1 << 20, 1 << 39];
/// Greatest number of elements of an input that is bound to a constant.
const BOUND: u64 = 4096;

/// A file is refused, or becomes a package that survives its file and runs as the reference interpreter says.
pub fn check(bytes: &[u8]) {
    if let Some(package) = compile(bytes) {
        package::survives(&package);
        run::agrees(&package, &keccak(bytes));
    }
}

/// The package of a model, whose open shapes and bound inputs are taken from the hash of the file.
pub fn compile(bytes: &[u8]) -> Option<Package> {
    let refused = |error: &dyn std::error::Error| drop(error.to_string());
    let model = model_from_bytes(bytes.to_vec(), None).map_err(|e| refused(&e)).ok()?;
    let mut options = closed(&model, &keccak(bytes));
    let lowered = loop {
        match lower(&model, &options) {
            Ok(lowered) => break lowered,
            Err(LowerError::Unbound { inputs, .. }) => bind(&mut options, &model, &inputs, &keccak(bytes))?,
            Err(error) => {
                refused(&error);
                return None;
            }
        }
    };
    Some(Package::try_from(lowered).expect("what is lowered is a package"))
}

/// Numbers for the dimensions that the model leaves open.
fn closed(model: &Model, hash: &Hash) -> LowerOptions {
    let mut options = LowerOptions::default();
    let mut sizes = hash.0.iter().map(|b| SIZES[usize::from(b % 16)]).cycle();
    let mut size = || sizes.next().unwrap_or(1);
    for info in &model.inputs {
        let Some(dims) = &info.dims else {
            let dims = (0..size() % 5).map(|_| size()).collect();
            options.shapes.insert(info.name.clone(), dims);
            continue;
        };
        for dim in dims {
            if let Dim::Named(name) = dim {
                options.dims.entry(name.clone()).or_insert_with(&mut size);
            }
        }
        if dims.contains(&Dim::Unknown) {
            let dims = dims.iter().map(|dim| match dim {
                Dim::Fixed(n) => *n,
                Dim::Named(name) => options.dims.get(name).copied().unwrap_or(1),
                Dim::Unknown => size(),
            });
            options.shapes.insert(info.name.clone(), dims.collect());
        }
    }
    options
}

/// Binds small inputs to tensors; `None` where there is nothing new to bind.
fn bind(options: &mut LowerOptions, model: &Model, inputs: &[String], hash: &Hash) -> Option<()> {
    let before = options.bindings.len();
    for info in model.inputs.iter().filter(|i| inputs.contains(&i.name)) {
        let ty = input_type(info, options)?;
        if ty.dims.len() <= 8 && ty.elements() <= BOUND {
            options.shapes.remove(&info.name);
            options.bindings.insert(info.name.clone(), run::small_numbers(&ty, hash));
        }
    }
    (options.bindings.len() > before).then_some(())
}

fn input_type(info: &ValueInfo, options: &LowerOptions) -> Option<TensorType> {
    let dims = match options.shapes.get(&info.name) {
        Some(shape) => shape.clone(),
        None => {
            let size = |dim: &Dim| match dim {
                Dim::Fixed(n) => Some(*n),
                Dim::Named(name) => options.dims.get(name).copied(),
                Dim::Unknown => None,
            };
            info.dims.as_ref()?.iter().map(size).collect::<Option<_>>()?
        }
    };
    Some(TensorType { dtype: info.dtype?, dims })
}
