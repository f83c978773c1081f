//! The networks that the tests are about.

use rebut_challenger::demo::built_in;
use rebut_challenger::files::{compile, read_tensor};
use rebut_engine::lower::LowerOptions;
use rebut_engine::onnx::read_model;
use rebut_engine::package::Package;
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
