//! ONNX's own backend cases, where the shared folder is beside the repository: whatever is lowered must give the expected result, and what is
//! small enough the reference interpreter's. With `REBUT_CASES=text` only cases with that in their names run, and what came of each is
//! printed.

mod onnx_support;

use onnx_support::{agreed::by_reference, package, shared};
use rebut_engine::exec;
use rebut_engine::lower::{LowerError, LowerOptions, Lowered, lower};
use rebut_engine::onnx::{read_model, read_tensor_pb};
use rebut_engine::program::{DType, Source, Value};
use rebut_engine::tensor::Tensor;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Cases that passed when this was written; more are welcome.
const PASSING: usize = 1150;

/// Elements that the reference interpreter reduces for one case.
const REFERENCE_WORK: u64 = 1 << 14;

/// Reduced elements of all values.
fn work(lowered: &Lowered) -> u64 {
    let values = lowered.program.values.iter();
    let one = |v: &Value| match &v.source {
        Source::Instruction(i) => v.ty.elements().saturating_mul(i.reduction.iter().product::<u64>().max(1)),
        _ => 0,
    };
    values.map(one).fold(0, u64::saturating_add)
}

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

/// What came of a case.
enum Outcome {
    Passed,
    /// Not lowered, and why.
    Refused(String),
    /// What differs.
    Wrong(String),
}

/// The case with its inputs given or, if it is refused so, some of them bound to constants: all that are not f32 or all but the first, or
/// all of them.
fn check(case: &Path) -> Outcome {
    let model = match read_model(&case.join("model.onnx")) {
        Ok(model) => model,
        Err(e) => return Outcome::Refused(e.to_string()),
    };
    let data = case.join("test_data_set_0");
    let tensor = |name: String| read_tensor_pb(&data.join(name)).map_err(|e| e.to_string());
    let inputs = (0..model.inputs.len()).map(|i| tensor(format!("input_{i}.pb"))).collect::<Result<Vec<_>, _>>();
    let inputs = match inputs {
        Ok(inputs) => inputs,
        Err(e) => return Outcome::Refused(e),
    };
    let mut reason = String::new();
    for bound in 0..4 {
        let mut options = LowerOptions::default();
        let mut given = Vec::new();
        for (i, (info, t)) in model.inputs.iter().zip(&inputs).enumerate() {
            let other = i > 0 && (bound == 2 || bound == 1 && t.dtype() != DType::F32);
            if other || bound == 3 {
                options.bindings.insert(info.name.clone(), t.clone());
            } else {
                options.shapes.insert(info.name.clone(), t.ty().dims);
                given.push(t.clone());
            }
        }
        let lowered = match lower(&model, &options) {
            Ok(lowered) => lowered,
            Err(e) => {
                reason = e.to_string();
                if matches!(e, LowerError::Node { .. }) {
                    continue;
                }
                break;
            }
        };
        let outputs = exec::run(&package(&lowered), &given, &exec::Options::default()).expect("a lowered program runs");
        if work(&lowered) <= REFERENCE_WORK {
            let values = by_reference(&lowered, &given);
            let expected = &values[values.len() - outputs.len()..];
            if outputs.iter().zip(expected).any(|(a, b)| a.to_be_bytes() != b.to_be_bytes()) {
                return Outcome::Wrong("the native run and the reference differ".into());
            }
        }
        for (i, got) in outputs.iter().enumerate() {
            let expected = match tensor(format!("output_{i}.pb")) {
                Ok(expected) => expected,
                Err(e) => return Outcome::Refused(e),
            };
            if got.ty() != expected.ty() {
                return Outcome::Wrong(format!("output {i} is {:?}, expected {:?}", got.ty(), expected.ty()));
            }
            if !close(got, &expected) {
                return Outcome::Wrong(format!("output {i} is {got:?}, expected {expected:?}"));
            }
        }
        return Outcome::Passed;
    }
    Outcome::Refused(reason)
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
    let filter = std::env::var("REBUT_CASES").ok();
    let (mut passed, mut refused, mut wrong) = (0, 0, Vec::new());
    for case in folders(unpacked.path()) {
        let name = case.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if filter.as_ref().is_some_and(|part| !name.contains(part.as_str())) {
            continue;
        }
        let text = match check(&case) {
            Outcome::Passed => {
                passed += 1;
                "passed".into()
            }
            Outcome::Refused(reason) => {
                refused += 1;
                format!("refused: {reason}")
            }
            Outcome::Wrong(what) => {
                wrong.push(format!("{name}: {what}"));
                format!("WRONG: {what}")
            }
        };
        if filter.is_some() {
            eprintln!("{name}: {text}");
        }
    }
    eprintln!("backend cases: {passed} passed, {refused} refused");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(filter.is_some() || passed >= PASSING, "{passed} passed, {PASSING} did before");
}
