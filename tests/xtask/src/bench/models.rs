//! The models, and what they are given.

use super::python::{TRANSFORMERS, python};
use super::quietly;
use crate::demos::SHARED_FOLDER;
use crate::failure::{Outcome, check};
use crate::process::{Cmd, root, shown};
use std::path::{Path, PathBuf};

/// Scripts, and inputs and outputs of the large models.
pub(super) const BENCH_FOLDER: &str = "../shared/bench";

/// One model to be run.
pub(super) struct Model {
    pub(super) name: &'static str,
    pub(super) file: PathBuf,
    /// A folder with `input_K.pb`, where there is one.
    pub(super) inputs: Option<PathBuf>,
    origin: Origin,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// A folder of the shared models.
    Shared,
    /// Made by the script, of the onnx package's graphs, ...
    Light,
    /// ... or with torch and transformers.
    Transformer,
}

/// Name, and the file's or folder's name.
const MODELS: [(&str, &str, Origin); 9] = [
    ("squeezenet", "squeezenet_trained_f32", Origin::Shared),
    ("resnet50_rand", "resnet50_rand", Origin::Light),
    ("densenet121_rand", "densenet121_rand", Origin::Light),
    ("shufflenet_rand", "shufflenet_rand", Origin::Light),
    ("superres_core", "superres_core", Origin::Shared),
    ("vit_tiny2", "vit_tiny2_ts17", Origin::Shared),
    ("minilm_t128", "minilm_t128_ts17", Origin::Transformer),
    ("gpt2ish_768x4", "gpt2ish_768x4_ts17", Origin::Transformer),
    ("mnist", "mnist_ort_ex", Origin::Shared),
];

/// All models, with the large ones in folder `made`.
pub(super) fn all(made: &Path) -> Vec<Model> {
    let model = |(name, stored, origin)| {
        let shared = root().join(SHARED_FOLDER).join(stored);
        let io = root().join(BENCH_FOLDER).join("io").join(stored);
        let (file, folder) = match origin {
            Origin::Shared => (shared.join("model.onnx"), shared),
            Origin::Light | Origin::Transformer => (made.join(format!("{stored}.onnx")), io),
        };
        let inputs = Some(folder.join("test_data_set_0")).filter(|folder| folder.is_dir());
        Model { name, file, inputs, origin }
    };
    MODELS.into_iter().map(model).collect()
}

/// Makes the large models that are not there.
pub(super) fn make_missing(models: &[Model], folder: &Path) -> Outcome {
    let missing = |model: &&Model| !model.file.is_file();
    if let Some(model) = models.iter().filter(missing).find(|m| m.origin == Origin::Shared) {
        return check(format!(
            "{} is not there: {SHARED_FOLDER} is a folder beside the repository",
            shown(&model.file)
        ));
    }
    for origin in [Origin::Light, Origin::Transformer] {
        let names = models.iter().filter(missing).filter(|m| m.origin == origin);
        let names: Vec<&str> = names.filter_map(|m| m.file.file_stem()?.to_str()).collect();
        if names.is_empty() {
            continue;
        }
        let script = root().join(BENCH_FOLDER).join("make_models.py");
        if !script.is_file() {
            return check(format!("{} is not there: it makes {}", shown(&script), names.join(", ")));
        }
        let needed = if origin == Origin::Transformer { TRANSFORMERS } else { &[] };
        quietly(Cmd::new(python(needed)?).arg(script).arg(folder).args(names))?;
    }
    Ok(())
}

/// The inputs' files in a folder, in their order.
pub(super) fn input_files(folder: &Path) -> Vec<PathBuf> {
    (0..).map(|k| folder.join(format!("input_{k}.pb"))).take_while(|file| file.is_file()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shared_models_are_where_they_are_looked_for() {
        if !root().join(SHARED_FOLDER).is_dir() {
            println!("{SHARED_FOLDER} is not there: its models are not checked");
            return;
        }
        for model in all(Path::new("made")) {
            if model.origin == Origin::Shared {
                assert!(model.file.is_file(), "{}", model.name);
                let inputs = model.inputs.unwrap_or_else(|| panic!("{} has inputs", model.name));
                assert!(!input_files(&inputs).is_empty(), "{}", model.name);
            } else {
                assert_eq!(model.file.parent(), Some(Path::new("made")), "{}", model.name);
            }
        }
    }
}
