//! Models on disk with the inputs and outputs that are recorded beside them.

use crate::Failure;
use rebut_challenger::files::{compile, read_package, read_tensor};
use rebut_engine::lower::LowerOptions;
use rebut_engine::onnx::read_model;
use rebut_engine::package::Package;
use rebut_engine::tensor::Tensor;
use rebut_tests::models::made_up;
use std::path::{Path, PathBuf};

/// Where another implementation's inputs and outputs of a model are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    /// A folder of input_K.pb and output_K.pb.
    Folder(PathBuf),
    /// The only output, of what ONNX's own runner gives to models without data.
    Output(PathBuf),
    /// Nowhere.
    Missing,
}

/// A model on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) name: String,
    pub(crate) model: PathBuf,
    pub(crate) data: Data,
}

/// Reads input_K.pb or output_K.pb, as many as there are.
pub(crate) fn tensors(folder: &Path, what: &str) -> Result<Vec<Tensor>, Failure> {
    let files = (0..).map(|k| folder.join(format!("{what}_{k}.pb"))).take_while(|file| file.exists());
    files.map(|file| Ok(read_tensor(&file)?)).collect()
}

/// Reads a package, or compiles a model: its open dimensions are those of the inputs.
pub(crate) fn program(path: &Path, inputs: &[Tensor]) -> Result<Package, Failure> {
    if let Some(package) = read_package(path)? {
        return Ok(package);
    }
    Ok(compile(path, |model| {
        let shapes = model.inputs.iter().zip(inputs).map(|(i, t)| (i.name.clone(), t.ty().dims)).collect();
        Ok(LowerOptions { shapes, ..LowerOptions::default() })
    })?)
}

impl Recorded {
    /// The models of a folder and of the folders in it, by name. Data of NAME.onnx is in NAME/test_data_set_0 of one of `records`.
    pub(crate) fn all(folder: &Path, records: &[PathBuf]) -> Result<Vec<Self>, Failure> {
        let mut found = Self::in_folder(folder, records)?;
        for entry in list(folder)?.iter().filter(|entry| entry.is_dir()) {
            found.extend(Self::in_folder(entry, records)?);
        }
        Ok(found)
    }

    fn in_folder(folder: &Path, records: &[PathBuf]) -> Result<Vec<Self>, Failure> {
        let files = list(folder)?.into_iter().filter(|file| file.extension().is_some_and(|e| e == "onnx"));
        Ok(files.map(|model| Self::new(model, records)).collect())
    }

    fn new(model: PathBuf, records: &[PathBuf]) -> Self {
        let text = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let mut name = text(model.file_stem());
        let beside = model.with_file_name("test_data_set_0");
        let output = model.with_file_name(format!("{name}_output_0.pb"));
        if name == "model" {
            name = text(model.parent().and_then(Path::file_name));
        }
        let recorded = records.iter().map(|records| records.join(&name).join("test_data_set_0"));
        let data = if let Some(folder) = recorded.chain([beside]).find(|folder| folder.is_dir()) {
            Data::Folder(folder)
        } else if output.is_file() {
            Data::Output(output)
        } else {
            Data::Missing
        };
        Self { name, model, data }
    }

    /// The model's inputs and recorded outputs.
    pub(crate) fn data(&self) -> Result<(Vec<Tensor>, Vec<Tensor>), Failure> {
        match &self.data {
            Data::Folder(folder) => {
                let (inputs, outputs) = (tensors(folder, "input")?, tensors(folder, "output")?);
                if outputs.is_empty() {
                    return Err(format!("{} holds no output_0.pb", folder.display()).into());
                }
                Ok((inputs, outputs))
            }
            Data::Output(output) => {
                let inputs = read_model(&self.model)?.inputs.iter().map(made_up).collect::<Result<_, _>>()?;
                Ok((inputs, vec![read_tensor(output)?]))
            }
            Data::Missing => {
                let hint = "make them with tests/campaigns/record.py";
                Err(format!("{} has no recorded inputs and outputs: {hint}", self.model.display()).into())
            }
        }
    }
}

/// What is in a folder, in the order of names.
fn list(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let at = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = std::fs::read_dir(folder).map_err(at)?.map(|entry| Ok(entry.map_err(at)?.path()));
    let mut entries = entries.collect::<Result<Vec<PathBuf>, Failure>>()?;
    entries.sort_unstable();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn data_is_found_beside_a_model_and_among_records() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for made in ["a/test_data_set_0", "light", "io/c/test_data_set_0"] {
            fs::create_dir_all(root.join(made)).unwrap();
        }
        for file in ["a/model.onnx", "light/b.onnx", "light/b_output_0.pb", "c.onnx", "d.onnx", "notes.txt"] {
            fs::write(root.join(file), []).unwrap();
        }
        let found = Recorded::all(root, &[root.join("io")]).unwrap();
        let data: Vec<(&str, &Data)> = found.iter().map(|r| (r.name.as_str(), &r.data)).collect();
        let expected = [
            ("c", Data::Folder(root.join("io/c/test_data_set_0"))),
            ("d", Data::Missing),
            ("a", Data::Folder(root.join("a/test_data_set_0"))),
            ("b", Data::Output(root.join("light/b_output_0.pb"))),
        ];
        assert_eq!(data, expected.iter().map(|(name, data)| (*name, data)).collect::<Vec<_>>());
        let missing = found[1].data().map(|_| ()).unwrap_err().to_string();
        assert!(missing.contains("record.py"), "{missing}");
        assert!(Recorded::all(&root.join("nowhere"), &[]).is_err());
    }
}
