//! Which cases there are, and where.

use crate::Failure;
use rebut_engine::onnx::read_tensor_pb;
use rebut_engine::tensor::Tensor;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The cases and what is expected of them; made from the tiers that the project has set itself.
const LIST: &str = include_str!("../cases.tsv");
/// Where the cases may be, seen from the repository.
const SHARED: &str = "../shared";
const ARCHIVE: &str = "onnx-conformance/onnx_backend_pure_cases.tar.xz";
const LIGHT: &str = "models/light";

/// A case of the list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Case {
    /// `A`, `B` or `C`.
    pub(crate) tier: String,
    /// `node`, `simple`, `real`, `pytorch-converted` or `pytorch-operator`.
    pub(crate) kind: String,
    pub(crate) name: String,
    /// The operator that a `node` case is about.
    pub(crate) operator: String,
    /// Whether the operator is spelt out by its function's body.
    pub(crate) expanded: bool,
    pub(crate) rtol: f64,
    pub(crate) atol: f64,
}

/// All cases, in the list's order.
pub(crate) fn listed() -> Result<Vec<Case>, Failure> {
    LIST.lines()
        .skip(1)
        .map(|line| match line.split('\t').collect::<Vec<_>>()[..] {
            [tier, kind, name, operator, form, rtol, atol] => Ok(Case {
                tier: tier.into(),
                kind: kind.into(),
                name: name.into(),
                operator: operator.into(),
                expanded: form == "expanded",
                rtol: rtol.parse()?,
                atol: atol.parse()?,
            }),
            _ => Err(format!("cases.tsv: {line:?} has not 7 columns").into()),
        })
        .collect()
}

/// A case's files.
pub(crate) struct Files {
    pub(crate) model: PathBuf,
    /// In the order of the model's inputs; empty where they are to be made up.
    pub(crate) inputs: Vec<Tensor>,
    pub(crate) outputs: Vec<Tensor>,
}

/// Where the cases are; an archive is unpacked for as long as this lives.
pub(crate) struct Folder {
    cases: PathBuf,
    light: PathBuf,
    _unpacked: Option<tempfile::TempDir>,
}

impl Folder {
    /// Opens a folder or archive, or the shared archive beside the repository.
    pub(crate) fn open(given: Option<&Path>) -> Result<Self, Failure> {
        let shared = repository().join(SHARED);
        let source = given.map_or_else(|| shared.join(ARCHIVE), Path::to_path_buf);
        if source.is_dir() {
            let light = source.join("light");
            return Ok(Self { cases: source, light, _unpacked: None });
        }
        if !source.is_file() {
            let hint = "make the cases with tests/conformance/dump_cases.py and name their folder with --cases";
            return Err(format!("{} does not exist: {hint}", source.display()).into());
        }
        let unpacked = tempfile::tempdir()?;
        let status = Command::new("tar").arg("xf").arg(&source).arg("-C").arg(unpacked.path()).status()?;
        if !status.success() {
            return Err(format!("tar cannot unpack {}", source.display()).into());
        }
        Ok(Self { cases: unpacked.path().to_path_buf(), light: shared.join(LIGHT), _unpacked: Some(unpacked) })
    }

    /// Reads the tensors of a case.
    pub(crate) fn files(&self, case: &Case) -> Result<Files, Failure> {
        if case.kind == "real" {
            let stem = self.light.join(format!("light_{}", case.name.trim_start_matches("test_")));
            let at = |end: &str| PathBuf::from(format!("{}{end}", stem.display()));
            let outputs = vec![tensor(&at("_output_0.pb"))?];
            return Ok(Files { model: at(".onnx"), inputs: Vec::new(), outputs });
        }
        let folder = self.cases.join(&case.kind).join(&case.name);
        let data = folder.join("test_data_set_0");
        let all = |what: &str| -> Result<Vec<Tensor>, Failure> {
            let paths = (0..).map(|i| data.join(format!("{what}_{i}.pb"))).take_while(|path| path.exists());
            paths.map(|path| tensor(&path)).collect()
        };
        Ok(Files { model: folder.join("model.onnx"), inputs: all("input")?, outputs: all("output")? })
    }
}

fn tensor(path: &Path) -> Result<Tensor, Failure> {
    read_tensor_pb(path).map_err(|e| format!("{}: {e}", path.display()).into())
}

/// The repository's root.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
