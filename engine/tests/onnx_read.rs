//! Reading ONNX files that are fine, damaged or hostile.

mod onnx_support;

use onnx_support::*;
use proptest::prelude::*;
use rebut_engine::onnx::*;
use rebut_engine::program::DType;
use rebut_engine::tensor::Tensor;
use std::path::Path;

fn read(bytes: Vec<u8>) -> Result<Model, OnnxError> {
    model_from_bytes(bytes, None)
}

fn refused(bytes: Vec<u8>, words: &[&str]) {
    let error = read(bytes).expect_err("it must be refused").to_string();
    for word in words {
        assert!(error.contains(word), "`{error}` does not say `{word}`");
    }
}

fn small() -> Graph {
    Graph {
        nodes: vec![
            node("MatMul", "product", &["x", "w"], &["xw"], vec![]),
            node("Softmax", "", &["xw"], &["y"], vec![attr_int("axis", -1)]),
        ],
        initializers: vec![floats("w", &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])],
        inputs: vec![value("x", F32, &[1, 2]), value("w", F32, &[2, 3])],
        outputs: vec![value("y", F32, &[1, 3])],
    }
}

#[test]
fn a_small_model() {
    let model = read(small().model(13)).unwrap();
    assert_eq!(model.opset, 13);
    let names: Vec<&str> = model.inputs.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["x"], "an input with an initializer is no input");
    assert_eq!(model.inputs[0].dtype, Some(DType::F32));
    assert_eq!(model.inputs[0].dims, Some(vec![Dim::Fixed(1), Dim::Fixed(2)]));
    assert_eq!(model.nodes[1].name, "y", "a node without a name goes by its first output");
    assert_eq!(model.initializers["w"].shape(), [2, 3]);
}

#[test]
fn nodes_are_sorted() {
    let mut graph = small();
    graph.nodes.reverse();
    let operators: Vec<String> = read(graph.model(13)).unwrap().nodes.into_iter().map(|n| n.operator).collect();
    assert_eq!(operators, ["MatMul", "Softmax"]);
}

#[test]
fn every_truncation_is_an_error_or_a_model() {
    let whole = small().model(13);
    for end in 0..whole.len() {
        let _ = read(whole[..end].to_vec());
    }
    let tensor = floats("t", &[2, 2], &[1.0; 4]).0;
    for end in 0..tensor.len() {
        let _ = tensor_from_pb(tensor[..end].to_vec());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_changed_byte_is_an_error_or_a_model(at in 0usize..400, byte: u8) {
        let mut bytes = small().model(13);
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = read(bytes);
    }
}

#[test]
fn names() {
    let mut cycle = small();
    cycle.nodes[0] = node("MatMul", "product", &["y", "w"], &["xw"], vec![]);
    refused(cycle.model(13), &["MatMul", "product", "cycle"]);

    let mut twice = small();
    twice.nodes[1] = node("Softmax", "second", &["xw"], &["xw"], vec![]);
    refused(twice.model(13), &["second", "`xw`", "already"]);

    let mut over_input = small();
    over_input.nodes[1] = node("Softmax", "second", &["xw"], &["x"], vec![]);
    refused(over_input.model(13), &["second", "`x`", "already"]);

    let mut missing = small();
    missing.nodes[0] = node("MatMul", "product", &["x", "nowhere"], &["xw"], vec![]);
    refused(missing.model(13), &["product", "`nowhere`"]);

    let mut no_output = small();
    no_output.outputs = vec![value("nothing", F32, &[1])];
    refused(no_output.model(13), &["`nothing`"]);
    no_output.outputs.clear();
    refused(no_output.model(13), &["no output"]);

    let mut inputs = small();
    inputs.inputs.push(value("x", F32, &[1]));
    refused(inputs.model(13), &["`x`"]);

    let mut initializers = small();
    initializers.initializers.push(floats("w", &[1], &[1.0]));
    refused(initializers.model(13), &["two initializers", "`w`"]);

    let mut attributes = small();
    attributes.nodes[1] = node("Softmax", "s", &["xw"], &["y"], vec![attr_int("axis", 1), attr_int("axis", 1)]);
    refused(attributes.model(13), &["Softmax", "`axis`", "twice"]);
}

#[test]
fn versions_and_domains() {
    refused(small().model(0), &["opset 0"]);
    // Older sets are read where no operator has changed since.
    assert_eq!(read(small().model(1)).unwrap().opset, 1);
    let mut changed = small();
    changed.nodes[1] = node("Sigmoid", "s", &["xw"], &["y"], vec![]);
    refused(changed.model(5), &["node `s`", "opset 5", "older"]);
    assert_eq!(read(changed.model(6)).unwrap().opset, 6);
    refused(small().model(99), &["opset 99", "newer"]);
    refused(model(small().message(), &[("com.example", 1)]), &["default operator set"]);
    refused(model(small().message(), &[("", 13), ("ai.onnx", 14)]), &["13 and 14"]);
    refused(Message::default().int(1, 1000).0, &["IR version 1000"]);
    refused(Message::default().int(1, 8).message(8, Message::default().int(2, 13)).0, &["no graph"]);

    let mut other = small();
    other.nodes[1] = node("Softmax", "s", &["xw"], &["y"], vec![]).bytes(7, "com.microsoft");
    refused(other.model(13), &["node `s`", "com.microsoft"]);
}

#[test]
fn tensors() {
    let with = |tensor: Message| {
        let mut graph = small();
        graph.initializers[0] = tensor;
        graph.model(13)
    };
    refused(with(floats("w", &[2, 3], &[1.0])), &["`w`", "24 bytes", "4"]);
    refused(with(header("w", F32, &[2, 3])), &["`w`", "6 elements", "0"]);
    refused(with(floats("w", &[-2, 3], &[1.0])), &["`w`", "negative"]);
    refused(with(floats("w", &[1 << 39, 1 << 39], &[1.0])), &["`w`", "2^40"]);
    refused(with(floats("w", &[i64::MAX, i64::MAX, i64::MAX], &[])), &["`w`", "2^40"]);
    // A shape that would take half a terabyte is refused before any memory is taken for it.
    refused(with(floats("w", &[1 << 37], &[1.0])), &["`w`", "bytes"]);
    refused(with(floats("w", &[1; 9], &[1.0])), &["`w`", "dimensions"]);
    refused(with(header("w", 11, &[1]).bytes(9, [0; 8])), &["`w`", "float64", "not supported"]);
    refused(with(header("w", -7, &[1])), &["`w`", "unknown"]);
    refused(with(header("w", 2, &[1]).int(5, 300)), &["`w`", "300", "u8"]);
    refused(with(floats("w", &[1], &[1.0]).message(3, Message::default())), &["`w`", "segments"]);

    let sparse = Message::default().message(1, floats("holes", &[1], &[1.0]));
    let bytes = model(small().message().message(15, sparse), &[("", 13)]);
    refused(bytes, &["holes", "sparse"]);

    // Zero-size tensors and typed fields are fine.
    let typed = header("t", 3, &[3]).int(5, 1).int(5, -2).int(5, 127);
    assert_eq!(tensor_from_pb(typed.0).unwrap(), Tensor::I8(ndarray::arr1(&[1i8, -2, 127]).into_dyn()));
    let typed = |code, x: i64| tensor_from_pb(header("t", code, &[1]).int(5, x).0);
    assert_eq!(typed(4, 65_535).unwrap(), Tensor::U16(ndarray::arr1(&[65_535u16]).into_dyn()));
    assert_eq!(typed(5, -32_768).unwrap(), Tensor::I16(ndarray::arr1(&[-32_768i16]).into_dyn()));
    assert!(typed(4, -1).is_err() && typed(4, 65_536).is_err() && typed(5, 32_768).is_err());
    assert_eq!(tensor_from_pb(header("t", F32, &[0, 5]).0).unwrap().shape(), [0, 5]);
    let packed = header("t", I64, &[2]).bytes(7, [5, 0x80, 1]);
    assert_eq!(tensor_from_pb(packed.0).unwrap(), Tensor::I64(ndarray::arr1(&[5i64, 128]).into_dyn()));
}

#[test]
fn graph_values() {
    let mut half = small();
    half.inputs[0] = value("x", 11, &[1, 2]);
    refused(half.model(13), &["`x`", "float64"]);
    half.inputs[0] = Message::default().bytes(1, "x");
    refused(half.model(13), &["`x`", "element type"]);
    half.inputs[0] = Message::default().bytes(1, "x").message(2, Message::default().message(4, Message::default()));
    refused(half.model(13), &["`x`", "only tensors"]);
}

#[test]
fn tensor_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.pb");
    let tensors = [
        Tensor::F32(ndarray::arr2(&[[1.5, f32::NAN], [-0.0, f32::INFINITY]]).into_dyn()),
        Tensor::I64(ndarray::arr1(&[i64::MIN, -1, i64::MAX]).into_dyn()),
        Tensor::Bool(ndarray::arr1(&[0u8, 1]).into_dyn()),
        Tensor::U8(ndarray::ArrayD::zeros(ndarray::IxDyn(&[0, 3]))),
        Tensor::U16(ndarray::arr1(&[0u16, 258, 65_535]).into_dyn()),
        Tensor::I16(ndarray::arr1(&[i16::MIN, -2, i16::MAX]).into_dyn()),
    ];
    for tensor in tensors {
        write_tensor_pb(&path, "t", &tensor).unwrap();
        let back = read_tensor_pb(&path).unwrap();
        assert_eq!((back.ty(), back.to_be_bytes()), (tensor.ty(), tensor.to_be_bytes()));
    }
    let missing = read_tensor_pb(&folder.path().join("none.pb")).unwrap_err();
    assert!(missing.to_string().contains("none.pb"));
}

fn with_external(folder: &Path, entries: &[(&str, &str)]) -> Result<Model, OnnxError> {
    let mut graph = small();
    graph.initializers[0] = external("w", &[2, 3], entries);
    let path = folder.join("model.onnx");
    std::fs::write(&path, graph.model(13)).unwrap();
    read_model(&path)
}

#[test]
fn external_data_stays_inside() {
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("model");
    std::fs::create_dir(&folder).unwrap();
    let data: Vec<u8> = (0..8).flat_map(|i| (i as f32).to_le_bytes()).collect();
    std::fs::write(folder.join("weights.bin"), &data).unwrap();
    std::fs::write(outside.path().join("secret.bin"), &data).unwrap();

    let model = with_external(&folder, &[("location", "weights.bin"), ("offset", "8"), ("length", "24")]).unwrap();
    let expected = ndarray::arr2(&[[2f32, 3.0, 4.0], [5.0, 6.0, 7.0]]).into_dyn();
    assert_eq!(model.initializers["w"], Tensor::F32(expected));

    let secret = outside.path().join("secret.bin");
    let refusals: [(&[(&str, &str)], &str); 10] = [
        (&[("location", "../secret.bin")], "outside"),
        (&[("location", "a/../../secret.bin")], "outside"),
        (&[("location", secret.to_str().unwrap())], "outside"),
        (&[("location", "none.bin")], "none.bin"),
        (&[("location", ".")], "no 24 bytes"),
        (&[("offset", "0")], "no location"),
        (&[("location", "weights.bin"), ("offset", "9")], "no 24 bytes at 9"),
        (&[("location", "weights.bin"), ("offset", "18446744073709551615")], "no 24 bytes"),
        (&[("location", "weights.bin"), ("length", "23")], "23"),
        (&[("location", "weights.bin"), ("offset", "-1")], "no number"),
    ];
    for (entries, word) in refusals {
        let error = with_external(&folder, entries).expect_err("it must be refused").to_string();
        assert!(error.contains(word), "`{error}` does not say `{word}`");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&secret, folder.join("link.bin")).unwrap();
        let error = with_external(&folder, &[("location", "link.bin")]).unwrap_err().to_string();
        assert!(error.contains("outside"), "{error}");
    }
    let mut graph = small();
    graph.initializers[0] = external("w", &[2, 3], &[("location", "weights.bin")]);
    refused(graph.model(13), &["`w`", "another file"]);
}
