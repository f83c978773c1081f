//! Trace files.

use rebut_engine::exec::Options;
use rebut_engine::package::{Label, Package};
use rebut_engine::program::{DType, TensorType, parse_program};
use rebut_engine::tensor::Tensor;
use rebut_engine::trace::{Storage, Trace, TraceError, TraceView};
use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// A program whose values are of several types and sizes, one of them empty.
const PROGRAM: &str = "\
%0: f32[2,70] = input
%1: i8[3] = input
%2: f32[2,1] = e[2, 1] r[70] windowed
    v0 = %0[70*e0+r0] else 0.0
    core = sum(v0)
    core
%3: f32[2,70] = e[2, 70]
    v0 = %2[e0] else 0.0
    v1 = %0[70*e0+e1] else 0.0
    core = scan(e1 from v0)
    add(core, v1)
%4: bool[3] = e[3]
    v0 = %1[e0] else 0
    lt(v0, 0:i8)
%5: i64[0] = e[0]
    e0
return %5
";

/// Bytes are refused, or become the file of a trace.
pub fn check(bytes: &[u8]) {
    let (package, inputs) = subject();
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), bytes).expect("it is written");
    match stored(package, inputs, Some(file.path())) {
        Ok(trace) => {
            let root = trace.root();
            drop(trace);
            let again = stored(package, inputs, Some(file.path())).expect("its file is a trace");
            assert_eq!(again.root(), root);
        }
        Err(error) => drop(error.to_string()),
    }
}

/// A trace without any result in memory.
pub(super) fn stored(
    package: &Arc<Package>,
    inputs: &Arc<Vec<Tensor>>,
    cache: Option<&Path>,
) -> Result<Trace, TraceError> {
    let storage = Storage { memory: 0, cache: cache.map(Into::into) };
    Trace::stored(package, inputs, &Options { threads: 1, ..Options::default() }, &storage)
}

/// A program and its inputs.
pub type Subject = (Arc<Package>, Arc<Vec<Tensor>>);

/// The program that the traces are of, and its inputs.
pub fn subject() -> &'static Subject {
    static SUBJECT: OnceLock<Subject> = OnceLock::new();
    SUBJECT.get_or_init(|| {
        let program = parse_program(PROGRAM).expect("a program");
        let labels = vec![Label::default(); program.values.len()];
        let package = Package::new(program, vec![], labels, vec!["y".into()]).expect("a package");
        let floats: Vec<u8> = (0..140u8).flat_map(|i| (f32::from(i) * 0.1 - 7.0).to_be_bytes()).collect();
        let floats = Tensor::from_be_bytes(&TensorType::new(DType::F32, [2, 70]), &floats).expect("140 floats");
        let bytes = Tensor::from_be_bytes(&TensorType::new(DType::I8, [3]), &[0x80, 0, 0x7f]).expect("3 bytes");
        (Arc::new(package), Arc::new(vec![floats, bytes]))
    })
}

/// The file of its true trace.
pub fn honest() -> Vec<u8> {
    let (package, inputs) = subject();
    let file = tempfile::NamedTempFile::new().expect("a file");
    stored(package, inputs, Some(file.path())).expect("it runs");
    fs::read(file.path()).expect("it reads")
}
