//! ONNX's own backend cases, where the shared folder is beside the repository: whatever is lowered must give the expected result.

mod onnx_support;

use onnx_support::{package, shared};
use rebut_engine::exec;
use rebut_engine::lower::{LowerError, LowerOptions, lower};
use rebut_engine::onnx::{Model, read_model, read_tensor_pb};
use rebut_engine::program::DType;
use rebut_engine::tensor::Tensor;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Cases that passed when this was written; more are welcome.
const PASSING: usize = 791;

/// The tolerance of the backend tests.
fn close(a: &Tensor, b: &Tensor) -> bool {
    match (a, b) {
        (Tensor::F32(a), Tensor::F32(b)) => {
            a.iter().zip(b).all(|(x, y)| x == y || x.is_nan() && y.is_nan() || (x - y).abs() <= 1e-7 + 1e-3 * y.abs())
        }
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

/// `None` where the case is refused, with or without inputs bound to constants; else what differs.
fn check(model: &Model, case: &Path) -> Option<Result<(), String>> {
    let data = case.join("test_data_set_0");
    let tensor = |name: String| read_tensor_pb(&data.join(name)).ok();
    let inputs = (0..model.inputs.len()).map(|i| tensor(format!("input_{i}.pb"))).collect::<Option<Vec<_>>>()?;
    for bound in 0..3 {
        let mut options = LowerOptions::default();
        let mut given = Vec::new();
        for (i, (info, t)) in model.inputs.iter().zip(&inputs).enumerate() {
            if i > 0 && (bound == 2 || bound == 1 && t.dtype() != DType::F32) {
                options.bindings.insert(info.name.clone(), t.clone());
            } else {
                options.shapes.insert(info.name.clone(), t.ty().dims);
                given.push(t.clone());
            }
        }
        let lowered = match lower(model, &options) {
            Ok(lowered) => lowered,
            Err(LowerError::Node { .. }) => continue,
            Err(_) => return None,
        };
        let outputs = exec::run(&package(&lowered), &given, &exec::Options::default()).expect("a lowered program runs");
        for (i, got) in outputs.iter().enumerate() {
            let expected = tensor(format!("output_{i}.pb"))?;
            if got.ty() != expected.ty() {
                return Some(Err(format!("output {i} is {:?}, expected {:?}", got.ty(), expected.ty())));
            }
            if !close(got, &expected) {
                return Some(Err(format!("output {i} is {got:?}, expected {expected:?}")));
            }
        }
        return Some(Ok(()));
    }
    None
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
    let (mut passed, mut refused, mut wrong) = (0, 0, Vec::new());
    for case in folders(unpacked.path()) {
        match read_model(&case.join("model.onnx")).ok().and_then(|model| check(&model, &case)) {
            None => refused += 1,
            Some(Ok(())) => passed += 1,
            Some(Err(what)) => wrong.push(format!("{}: {what}", case.display())),
        }
    }
    eprintln!("backend cases: {passed} passed, {refused} refused");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(passed >= PASSING, "{passed} passed, {PASSING} did before");
}
