//! Traces in bounded memory: with a file or without one, they are the trace that is all in memory.

use rebut_engine::dispute::{evaluate, witness};
use rebut_engine::exec::Options;
use rebut_engine::lower::{LowerOptions, lower};
use rebut_engine::onnx::{model_from_bytes, tensor_from_pb};
use rebut_engine::package::Package;
use rebut_engine::program::Source;
use rebut_engine::tensor::Tensor;
use rebut_engine::trace::{CacheError, Storage, Trace, TraceError, TraceView};
use rebut_engine::tree::{leaf_count, tensor_depth};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const OPTIONS: Options = Options { threads: 1, isa: rebut_engine::exec::Isa::Auto };

/// The digits network on an image.
fn digits(image: &'static [u8]) -> (Arc<Package>, Arc<Vec<Tensor>>) {
    let model = model_from_bytes(&include_bytes!("../../models/digits/model.onnx")[..], None).expect("a model");
    let lowered = lower(&model, &LowerOptions::default()).expect("it lowers");
    let image = tensor_from_pb(image).expect("an image");
    (Arc::new(Package::try_from(lowered).expect("a package")), Arc::new(vec![image]))
}

fn three() -> (Arc<Package>, Arc<Vec<Tensor>>) {
    digits(include_bytes!("../../models/digits/images/digit_3.pb"))
}

fn stored(subject: &(Arc<Package>, Arc<Vec<Tensor>>), memory: u64, cache: Option<&Path>) -> Result<Trace, TraceError> {
    let storage = Storage { memory, cache: cache.map(PathBuf::from) };
    Trace::stored(&subject.0, &subject.1, &OPTIONS, &storage)
}

/// Every node and leaf of both, padding too, and witnesses of some elements.
fn assert_same(package: &Package, trace: &Trace, expected: &Trace) {
    assert_eq!(trace.root(), expected.root());
    assert_eq!(trace.elements(), expected.elements());
    for (id, value) in (0..).zip(&package.program().values) {
        let depth = tensor_depth(&value.ty);
        for level in 0..=depth {
            // All of the upper levels, and the first and last nodes of the others.
            let nodes = 1u64 << (depth - level);
            for index in (0..nodes).filter(|i| nodes <= 64 || *i < 20 || i + 3 > nodes) {
                let node = |trace: &Trace| trace.tensor_node(id, level, index).expect("a node");
                assert_eq!(node(trace), node(expected), "value {id} level {level} node {index}");
            }
        }
        for leaf in 0..=leaf_count(value.ty.dtype, value.ty.elements()).min(70) {
            let leaf = |trace: &Trace| trace.leaf(id, leaf).expect("a leaf");
            assert_eq!(leaf(trace), leaf(expected), "value {id}");
        }
        if matches!(value.source, Source::Instruction(_)) {
            let element = value.ty.elements() / 2;
            let of = |trace: &Trace| witness(package, trace, id, element).expect("a witness");
            assert_eq!(of(trace), of(expected), "value {id}");
        }
    }
}

/// Where results begin in a trace file, and where the last ends.
fn places(package: &Package) -> Vec<u64> {
    let results = package.program().values.iter().filter(|v| matches!(v.source, Source::Instruction(_)));
    let sizes = results.map(|v| leaf_count(v.ty.dtype, v.ty.elements()) * 512 + 32);
    let mut places = vec![72];
    sizes.for_each(|size| places.push(places[places.len() - 1] + size));
    places
}

#[test]
fn what_is_not_in_memory_is_computed_again() {
    let subject = three();
    let expected = Trace::new(&subject.0, &subject.1, &OPTIONS).expect("a trace");
    for memory in [0, 3000, 40_000, u64::MAX] {
        let trace = stored(&subject, memory, None).expect("a trace");
        let held = |id: &u64| trace.tensor(*id).is_some();
        let results = (0..trace.len() as u64)
            .filter(|&id| matches!(subject.0.program().values[id as usize].source, Source::Instruction(_)));
        let bytes: u64 = results.filter(held).map(|id| expected.tensor(id).unwrap().to_be_bytes().len() as u64).sum();
        assert!(bytes <= memory, "{bytes} bytes are held, {memory} are allowed");
        assert_same(&subject.0, &trace, &expected);
    }
}

#[test]
fn weights_are_shared_not_copied() {
    let subject = three();
    let traces = [Trace::new(&subject.0, &subject.1, &OPTIONS).expect("a trace"), stored(&subject, 0, None).unwrap()];
    for (id, value) in (0..).zip(&subject.0.program().values) {
        if matches!(value.source, Source::Constant { .. }) {
            let same = |trace: &Trace| std::ptr::eq(trace.tensor(id).expect("a constant"), subject.0.constant(id));
            assert!(traces.iter().all(same), "constant {id}");
        }
    }
}

#[test]
fn a_file_holds_what_is_not_in_memory() {
    let (subject, folder) = (three(), tempfile::tempdir().expect("a folder"));
    let expected = Trace::new(&subject.0, &subject.1, &OPTIONS).expect("a trace");
    let path = folder.path().join("trace");
    for memory in [0, 3000, u64::MAX] {
        // The first run writes the file, the others read it.
        let trace = stored(&subject, memory, Some(&path)).expect("a trace");
        assert_same(&subject.0, &trace, &expected);
        assert!(matches!(stored(&subject, memory, Some(&path)), Err(TraceError::Cache(CacheError::Busy))));
    }
    assert_eq!(fs::metadata(&path).unwrap().len(), *places(&subject.0).last().unwrap());
}

#[test]
fn an_interrupted_or_damaged_file_is_continued() {
    let (subject, folder) = (three(), tempfile::tempdir().expect("a folder"));
    let path = folder.path().join("trace");
    let root = stored(&subject, 0, Some(&path)).expect("a trace").root();
    let whole = fs::read(&path).unwrap();
    let places = places(&subject.0);
    let cuts: BTreeSet<usize> = places
        .iter()
        .flat_map(|&p| [p - 33, p - 1, p, p + 1, p + 600])
        .map(|p| (p as usize).min(whole.len()))
        .collect();
    for cut in cuts.into_iter().chain([0, 1, 8, 40]) {
        fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(stored(&subject, 0, Some(&path)).expect("a trace").root(), root, "cut to {cut} bytes");
        assert!(fs::read(&path).unwrap() == whole, "cut to {cut} bytes");
    }
    for at in (places[0] as usize..whole.len()).step_by(whole.len() / 60) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x40;
        damaged.extend([7; 5]);
        fs::write(&path, &damaged).unwrap();
        assert_eq!(stored(&subject, 0, Some(&path)).expect("a trace").root(), root, "byte {at} changed");
        assert!(fs::read(&path).unwrap() == whole, "byte {at} changed");
    }
}

#[test]
fn a_file_of_something_else_is_refused_and_kept() {
    let (subject, folder) = (three(), tempfile::tempdir().expect("a folder"));
    let path = folder.path().join("trace");
    stored(&subject, 0, Some(&path)).expect("a trace");
    let whole = fs::read(&path).unwrap();
    let other = digits(include_bytes!("../../models/digits/images/digit_4.pb"));
    assert!(matches!(stored(&other, 0, Some(&path)), Err(TraceError::Cache(CacheError::Other("input")))));
    for (at, program) in [(0, false), (7, false), (8, true), (39, true)] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&path, &changed).unwrap();
        match stored(&subject, 0, Some(&path)) {
            Err(TraceError::Cache(CacheError::Other("program"))) => assert!(program, "byte {at}"),
            Err(TraceError::Cache(CacheError::Magic)) => assert!(!program, "byte {at}"),
            other => panic!("byte {at}: {:?}", other.map(|t| t.root())),
        }
        assert!(fs::read(&path).unwrap() == changed);
    }
}

#[test]
fn a_file_with_a_lie_at_a_sampled_element_is_refused() {
    let (subject, folder) = (three(), tempfile::tempdir().expect("a folder"));
    let path = folder.path().join("trace");
    let last = subject.0.program().values.len() as u64 - 1;
    stored(&subject, 0, Some(&path)).expect("a trace");
    let lie = &mut |id, tensor: &mut std::borrow::Cow<'_, Tensor>| {
        if id == last
            && let Tensor::F32(a) = tensor.to_mut()
        {
            a[[0, 0]] += 1.0;
        }
    };
    let lying = Trace::with_hook(&subject.0, &subject.1, &OPTIONS, lie).expect("a trace");
    let mut file = fs::read(&path).unwrap();
    let place = places(&subject.0)[places(&subject.0).len() - 2] as usize;
    let leaf = lying.leaf(last, 0).unwrap();
    file[place..place + 512].copy_from_slice(&leaf);
    file[place + 512..place + 544].copy_from_slice(&lying.tensor_root(last).0);
    fs::write(&path, file).unwrap();
    let refused = stored(&subject, 0, Some(&path)).map(|t| t.root());
    assert!(matches!(refused, Err(TraceError::Cache(CacheError::Wrong { element: 0, .. }))), "{refused:?}");
}

#[test]
fn a_file_that_is_damaged_while_it_is_used_is_as_good_as_none() {
    let (subject, folder) = (three(), tempfile::tempdir().expect("a folder"));
    let path = folder.path().join("trace");
    let expected = Trace::new(&subject.0, &subject.1, &OPTIONS).expect("a trace");
    let trace = stored(&subject, 0, Some(&path)).expect("a trace");
    fs::write(&path, vec![0x55; 100_000]).unwrap();
    assert_same(&subject.0, &trace, &expected);
    let last = trace.len() as u64 - 1;
    let element = |trace: &Trace| evaluate(&subject.0, trace, last, 3).expect("an element").0;
    assert_eq!(element(&trace), element(&expected));
}
