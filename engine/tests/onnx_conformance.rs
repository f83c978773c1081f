//! ONNX's own backend cases, where the shared folder is beside the repository: whatever is lowered must give the expected result.

mod onnx_support;

use onnx_support::{package, shared};
use rebut_engine::exec;
use rebut_engine::lower::{LowerError, LowerOptions, lower};
use rebut_engine::onnx::{read_model, read_tensor_pb};
use rebut_engine::program::DType;
use rebut_engine::tensor::Tensor;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Cases that passed when this was written; more are welcome.
const PASSING: usize = 876;

/// The tolerance of the backend tests, but for cases whose expected zeros carry the noise of their making.
fn close(case: &str, a: &Tensor, b: &Tensor) -> bool {
    let absolute = if case.starts_with("test_dft_inverse") { 1e-6 } else { 1e-7 };
    match (a, b) {
        (Tensor::F32(a), Tensor::F32(b)) => a
            .iter()
            .zip(b)
            .all(|(x, y)| x == y || x.is_nan() && y.is_nan() || (x - y).abs() <= absolute + 1e-3 * y.abs()),
        _ => a.to_be_bytes() == b.to_be_bytes(),
    }
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let inside = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).map(|d| d.flatten().map(|e| e.path()).collect()).unwrap_or_default()
    };
    let mut cases: Vec<PathBuf> =
        inside(root).iter().flat_map(|kind| inside(kind)).filter(|case| case.join("model.onnx").exists()).collect();
    cases.sort();
    cases
}

/// Why the case was not passed.
enum Failure {
    /// It is refused, with or without inputs bound to constants.
    Refused(String),
    /// Its result differs.
    Wrong(String),
}

use Failure::{Refused, Wrong};

fn name_of(case: &Path) -> String {
    case.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn check(case: &Path) -> Result<(), Failure> {
    let refused = |e: &dyn std::fmt::Display| Refused(e.to_string());
    let model = read_model(&case.join("model.onnx")).map_err(|e| refused(&e))?;
    let data = case.join("test_data_set_0");
    let tensor = |name: String| read_tensor_pb(&data.join(name)).map_err(|e| refused(&e));
    let inputs = (0..model.inputs.len()).map(|i| tensor(format!("input_{i}.pb"))).collect::<Result<Vec<_>, _>>()?;
    let mut reason = String::new();
    for bound in 0..4 {
        let mut options = LowerOptions::default();
        let mut given = Vec::new();
        for (i, (info, t)) in model.inputs.iter().zip(&inputs).enumerate() {
            // The first input is data, unless it is a size or a shape.
            let size = t.ty().dims.is_empty() || t.dtype() != DType::F32 && t.ty().dims.len() == 1;
            if bound == 3 && size || i > 0 && (bound >= 2 || bound == 1 && t.dtype() != DType::F32) {
                options.bindings.insert(info.name.clone(), t.clone());
            } else {
                options.shapes.insert(info.name.clone(), t.ty().dims);
                given.push(t.clone());
            }
        }
        let lowered = match lower(&model, &options) {
            Ok(lowered) => lowered,
            Err(e @ LowerError::Node { .. }) => {
                reason = e.to_string();
                continue;
            }
            Err(e) => return Err(refused(&e)),
        };
        let outputs = exec::run(&package(&lowered), &given, &exec::Options::default()).expect("a lowered program runs");
        for (i, got) in outputs.iter().enumerate() {
            let expected = tensor(format!("output_{i}.pb"))?;
            if got.ty() != expected.ty() {
                return Err(Wrong(format!("output {i} is {:?}, expected {:?}", got.ty(), expected.ty())));
            }
            if !close(&name_of(case), got, &expected) {
                return Err(Wrong(format!("output {i} is {got:?}, expected {expected:?}")));
            }
        }
        return Ok(());
    }
    Err(Refused(reason))
}

#[test]
fn backend_cases() {
    let Some(shared) = shared() else { return };
    let unpacked = tempfile::tempdir().expect("a temporary folder");
    let archive = shared.join("onnx-conformance/onnx_backend_pure_cases.tar.xz");
    let status = Command::new("tar").arg("xf").arg(&archive).arg("-C").arg(unpacked.path()).status();
    if !status.is_ok_and(|s| s.success()) {
        eprintln!("\n*** {} cannot be unpacked: the backend cases DID NOT RUN ***\n", archive.display());
        return;
    }
    // With REBUT_CASES=PART only the cases whose name has this part, each with its outcome.
    let part = std::env::var("REBUT_CASES").ok();
    let (mut passed, mut refused, mut wrong) = (0, 0, Vec::new());
    for case in folders(unpacked.path()) {
        let name = name_of(&case);
        if part.as_ref().is_some_and(|part| !name.contains(part)) {
            continue;
        }
        let outcome = check(&case);
        if part.is_some() {
            let (what, reason) = match &outcome {
                Ok(()) => ("passed", ""),
                Err(Refused(reason)) => ("refused", reason.as_str()),
                Err(Wrong(reason)) => ("wrong", reason.as_str()),
            };
            eprintln!("{what} {name} {reason}");
        }
        match outcome {
            Ok(()) => passed += 1,
            Err(Refused(_)) => refused += 1,
            Err(Wrong(what)) => wrong.push(format!("{}: {what}", case.display())),
        }
    }
    eprintln!("backend cases: {passed} passed, {refused} refused");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let passed = if part.is_some() { PASSING } else { passed };
    assert!(passed >= PASSING, "{passed} passed, {PASSING} did before");
}
