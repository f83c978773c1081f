//! Options that every command about a model shares.

use super::arguments::{Binding, Dimension, Shape};
use super::progress;
use crate::files::{FileError, compile, read_package, read_tensor};
use clap::Args;
use rebut_engine::exec::{Isa, Options};
use rebut_engine::lower::LowerOptions;
use rebut_engine::onnx::{Dim, Model};
use rebut_engine::package::Package;
use rebut_engine::program::TensorType;
use rebut_engine::tensor::Tensor;
use std::path::{Path, PathBuf};

/// How a model becomes a program.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Lowering {
    /// Shape of an input with open dimensions, as NAME=1,3,224,224
    #[arg(long = "shape", value_name = "NAME=DIMS")]
    shapes: Vec<Shape>,
    /// A dimension that the model names, as NAME=1
    #[arg(long = "dim", value_name = "NAME=SIZE")]
    dims: Vec<Dimension>,
    /// Makes an input a constant, as NAME=value,value... or NAME=file (.pb or .npy)
    #[arg(long = "bind", value_name = "NAME=VALUE")]
    bindings: Vec<Binding>,
}

impl Lowering {
    /// Loads a package, or compiles a model with these options. Open dimensions that no option fixes are those of `inputs`, where
    /// there are any.
    pub(super) fn load(&self, path: &Path, inputs: &[Tensor]) -> Result<Package, FileError> {
        progress::during(&format!("compiling {}", path.display()), || match read_package(path)? {
            Some(package) => Ok(package),
            None => compile(path, |model| self.options(model, inputs)),
        })
    }

    /// As [`load`](Self::load) where there are no inputs: open dimensions that no option fixes are 1.
    pub(super) fn load_closed(&self, path: &Path) -> Result<Package, FileError> {
        progress::during(&format!("compiling {}", path.display()), || match read_package(path)? {
            Some(package) => Ok(package),
            None => compile(path, |model| {
                let mut options = self.options(model, &[])?;
                close(model, &mut options);
                Ok(options)
            }),
        })
    }

    fn options(&self, model: &Model, inputs: &[Tensor]) -> Result<LowerOptions, FileError> {
        let shapes = self.shapes.iter().map(|s| (s.name.clone(), s.dims.clone())).collect();
        let dims = self.dims.iter().map(|d| (d.name.clone(), d.size)).collect();
        let mut options = LowerOptions { shapes, dims, ..LowerOptions::default() };
        for binding in &self.bindings {
            let input = model.inputs.iter().find(|i| i.name == binding.name);
            let ty = input.and_then(|i| binding.shape(i, &options));
            options.bindings.insert(binding.name.clone(), binding.tensor(ty.as_ref())?);
        }
        let free = model.inputs.iter().filter(|i| !options.bindings.contains_key(&i.name));
        for (input, tensor) in free.zip(inputs) {
            let declared = input.dims.as_deref().unwrap_or_default();
            // Only a shape that fits the declared one closes it; any other is told to the user when the program runs.
            let fits = declared.len() == tensor.shape().len()
                && declared.iter().zip(tensor.shape()).all(|(d, &n)| !matches!(d, Dim::Fixed(m) if *m != n as u64));
            if fits && declared.iter().any(|d| !matches!(d, Dim::Fixed(_))) {
                options.shapes.entry(input.name.clone()).or_insert_with(|| tensor.ty().dims);
            }
        }
        Ok(options)
    }
}

/// Makes dimensions 1 that neither the model nor the options fix.
fn close(model: &Model, options: &mut LowerOptions) {
    let free = model.inputs.iter().filter(|i| !options.bindings.contains_key(&i.name));
    for (input, dims) in free.filter_map(|i| Some((i, i.dims.as_ref()?))) {
        let size = |d: &Dim| match d {
            Dim::Fixed(n) => *n,
            Dim::Named(name) => options.dims.get(name).copied().unwrap_or(1),
            Dim::Unknown => 1,
        };
        options.shapes.entry(input.name.clone()).or_insert_with(|| dims.iter().map(size).collect());
    }
}

/// Where inputs come from and how to compute.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Execution {
    /// An input tensor (.pb or .npy), once an input, in the model's order
    #[arg(long = "input", short = 'i', value_name = "FILE", num_args = 1..)]
    inputs: Vec<PathBuf>,
    /// Threads (0: one a core)
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Use no instructions beyond the compilation target's: the same bits, slower
    #[arg(long)]
    portable: bool,
}

impl Execution {
    /// Reads the inputs.
    pub(super) fn inputs(&self) -> Result<Vec<Tensor>, FileError> {
        self.inputs.iter().map(|path| read_tensor(path)).collect()
    }

    /// Whether any input was given.
    pub(super) fn has_inputs(&self) -> bool {
        !self.inputs.is_empty()
    }

    /// How to run.
    pub(super) fn options(&self) -> Options {
        Options { threads: self.threads, isa: if self.portable { Isa::Portable } else { Isa::Auto } }
    }
}

/// A type as people write it.
pub(super) fn named(name: &str, ty: &TensorType) -> String {
    format!("{name}: {ty}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rebut_engine::onnx::ValueInfo;
    use rebut_engine::program::DType;
    use std::collections::BTreeMap;

    #[test]
    fn only_what_nothing_fixes_becomes_one() {
        let input = |name: &str, dims: Vec<Dim>| ValueInfo {
            name: name.to_string(),
            dtype: Some(DType::F32),
            dims: Some(dims),
        };
        let named = |name: &str| Dim::Named(name.to_string());
        let inputs = vec![
            input("fixed", vec![Dim::Fixed(3)]),
            input("open", vec![named("batch"), named("length"), Dim::Unknown, Dim::Fixed(4)]),
            input("given", vec![Dim::Unknown]),
            input("bound", vec![Dim::Unknown]),
        ];
        let model = Model {
            opset: 17,
            inputs,
            outputs: vec![],
            initializers: BTreeMap::new(),
            nodes: vec![],
            value_infos: vec![],
        };
        let mut options = LowerOptions::default();
        options.dims.insert("length".into(), 7);
        options.shapes.insert("given".into(), vec![5]);
        options
            .bindings
            .insert("bound".into(), Tensor::zeros(&TensorType::new(DType::F32, [2])).expect("two elements"));
        close(&model, &mut options);
        let shapes = [("fixed", vec![3]), ("given", vec![5]), ("open", vec![1, 7, 1, 4])];
        assert_eq!(options.shapes, shapes.map(|(name, dims)| (name.to_string(), dims)).into());
    }
}
