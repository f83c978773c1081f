//! Options that every command about a model shares.

use super::arguments::{Binding, Shape};
use super::progress;
use crate::files::{FileError, load_package, read_tensor};
use clap::Args;
use rebut_engine::exec::{Isa, Options};
use rebut_engine::lower::LowerOptions;
use rebut_engine::onnx::read_model;
use rebut_engine::package::Package;
use rebut_engine::program::TensorType;
use rebut_engine::tensor::Tensor;
use std::path::{Path, PathBuf};

/// How a model becomes a program.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Lowering {
    /// Shape of an input with open dimensions, as NAME=1x3x224x224
    #[arg(long = "shape", value_name = "NAME=DIMS")]
    shapes: Vec<Shape>,
    /// Makes an input a constant, as NAME=value,value... or NAME=file
    #[arg(long = "bind", value_name = "NAME=VALUE")]
    bindings: Vec<Binding>,
}

impl Lowering {
    /// Loads a package, or compiles a model with these options.
    pub(super) fn load(&self, path: &Path) -> Result<Package, FileError> {
        progress::during(&format!("compiling {}", path.display()), || load_package(path, &self.options(path)?))
    }

    fn options(&self, path: &Path) -> Result<LowerOptions, FileError> {
        let shapes = self.shapes.iter().map(|s| (s.name.clone(), s.dims.clone())).collect();
        let mut options = LowerOptions { shapes, ..LowerOptions::default() };
        if !self.bindings.is_empty() {
            let model = read_model(path).map_err(|e| FileError(format!("{}: {e}", path.display())))?;
            for binding in &self.bindings {
                let ty = model.inputs.iter().find(|i| i.name == binding.name).and_then(|i| binding.shape(i, &options));
                options.bindings.insert(binding.name.clone(), binding.tensor(ty.as_ref())?);
            }
        }
        Ok(options)
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
