//! The command line as people and scripts meet it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

type Arguments<'a> = &'a [&'a dyn AsRef<OsStr>];

/// A file of the digits model's folder.
fn digits(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/digits").join(path)
}

fn rebut(arguments: Arguments<'_>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rebut"));
    command.args(arguments.iter().map(|a| a.as_ref()));
    command.output().expect("the program starts")
}

fn succeeds(arguments: Arguments<'_>) -> String {
    let output = rebut(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Fails as it must: one line that says what is wrong, and no trace of a panic.
fn fails(arguments: Arguments<'_>, saying: &str) {
    let output = rebut(arguments);
    let error = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.starts_with("error: "), "{error}");
    assert!(!error.contains("panicked"), "{error}");
    assert!(error.contains(saying), "{error:?} does not say {saying:?}");
}

/// A file with these bytes in a folder that lives as long as the test.
fn file(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, bytes).expect("a file is written");
    path
}

fn temporary() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// What follows a label at the beginning of a line.
fn line<'a>(output: &'a str, label: &str) -> &'a str {
    let found = output.lines().find_map(|l| l.strip_prefix(label));
    found.unwrap_or_else(|| panic!("no {label:?} in {output}")).trim()
}

/// Everything but the time, which differs from run to run.
fn results(output: &str) -> Vec<&str> {
    output.lines().filter(|l| !l.starts_with("time")).collect()
}

#[test]
fn a_truncated_model_is_refused() {
    let folder = temporary();
    let model = fs::read(digits("model.onnx")).expect("the model");
    for length in [0, 1, 100, model.len() / 2, model.len() - 1] {
        let path = file(&folder, "cut.onnx", &model[..length]);
        for command in ["run", "inspect", "trace"] {
            fails(&[&command, &path], "cut.onnx");
        }
        fails(&[&"compile", &path, &"-o", &folder.path().join("p")], "cut.onnx");
    }
}

#[test]
fn an_unknown_operator_is_refused_by_name() {
    let folder = temporary();
    let mut model = fs::read(digits("model.onnx")).expect("the model");
    let (old, new) = (b"Softmax", b"Softmix");
    let at: Vec<usize> = (0..model.len() - old.len()).filter(|&i| model[i..].starts_with(old)).collect();
    assert!(!at.is_empty());
    at.into_iter().for_each(|i| model[i..i + new.len()].copy_from_slice(new));
    let path = file(&folder, "unknown.onnx", &model);
    fails(&[&"inspect", &path], "Softmix");
    fails(&[&"run", &path, &"--input", &digits("images/digit_1.pb")], "Softmix");
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let model = digits("model.onnx");
    // Ten probabilities are no image.
    fails(&[&"run", &model, &"--input", &digits("expected/digit_1.pb")], "image");
    fails(&[&"trace", &model, &"--input", &digits("expected/digit_1.pb")], "image");
    fails(&[&"run", &model], "takes 1 inputs");
    let image = digits("images/digit_1.pb");
    fails(&[&"run", &model, &"--input", &image, &image], "2 were given");
    fails(&[&"run", &model, &"--input", &digits("labels.json")], "labels.json");
}

#[test]
fn files_that_are_not_there_or_not_packages_are_refused() {
    let folder = temporary();
    fails(&[&"run", &folder.path().join("nowhere.onnx")], "nowhere.onnx");
    fails(&[&"run", &digits("model.onnx"), &"--input", &folder.path().join("nowhere.pb")], "nowhere.pb");
    fails(&[&"inspect", &folder.path()], "");
    fails(&[&"inspect", &file(&folder, "noise", &[0xab; 4096])], "noise");

    let package = folder.path().join("digits.rebut");
    succeeds(&[&"compile", &digits("model.onnx"), &"-o", &package]);
    let bytes = fs::read(&package).expect("the package");
    for length in [8, 9, bytes.len() / 2, bytes.len() - 1] {
        fails(&[&"inspect", &file(&folder, "cut.rebut", &bytes[..length])], "cut.rebut");
    }
    let longer = [&bytes[..], &[0]].concat();
    fails(&[&"inspect", &file(&folder, "longer.rebut", &longer)], "1 bytes too many");
    // A weight that is not the one that the program commits to.
    let mut other = bytes.clone();
    other[bytes.len() / 2] ^= 1;
    fails(&[&"inspect", &file(&folder, "other.rebut", &other)], "constant");
}

#[test]
fn a_package_runs_like_its_model() {
    let folder = temporary();
    let (model, package) = (digits("model.onnx"), folder.path().join("digits.rebut"));
    let compiled = succeeds(&[&"compile", &model, &"-o", &package]);
    let (image, expected) = (digits("images/digit_7.pb"), digits("expected/digit_7.pb"));
    let runs = [&model, &package].map(|program| {
        let out = folder.path().join("out");
        let output = succeeds(&[&"run", program, &"--input", &image, &"--expect", &expected, &"--out", &out]);
        assert!(line(&output, "expected").starts_with("agrees"), "{output}");
        (output, fs::read(out.join("output_0.pb")).expect("the output"))
    });
    assert_eq!(results(&runs[0].0), results(&runs[1].0));
    assert_eq!(runs[0].1, runs[1].1);
    let inspected = succeeds(&[&"inspect", &package]);
    assert_eq!(inspected, succeeds(&[&"inspect", &model]));
    assert_eq!(line(&inspected, "program "), line(&compiled, "program "));
}

#[test]
fn an_output_that_is_not_the_expected_one_fails() {
    let (image, wrong) = (digits("images/digit_7.pb"), digits("expected/digit_3.pb"));
    fails(&[&"run", &digits("model.onnx"), &"--input", &image, &"--expect", &wrong], "output 0 element");
}

#[test]
fn the_trace_root_depends_on_nothing_but_model_and_input() {
    let (model, image) = (digits("model.onnx"), digits("images/digit_4.pb"));
    let options: [&[&str]; 4] =
        [&["--threads", "1"], &["--threads", "2"], &["--portable"], &["--portable", "--threads", "1"]];
    let mut roots = BTreeSet::new();
    for command in ["run", "trace"] {
        for options in options {
            let mut arguments: Vec<&dyn AsRef<OsStr>> = vec![&command, &model, &"--input", &image];
            options.iter().for_each(|o| arguments.push(o));
            roots.insert(line(&succeeds(&arguments), "trace root").to_string());
        }
    }
    assert_eq!(roots.len(), 1, "{roots:?}");
    let other = succeeds(&[&"run", &model, &"--input", &digits("images/digit_5.pb")]);
    assert!(roots.insert(line(&other, "trace root").to_string()), "another image has another trace");
}

#[test]
fn every_image_gets_its_label() {
    let labels = fs::read(digits("labels.json")).expect("the labels");
    let labels: serde_json::Value = serde_json::from_slice(&labels).expect("JSON");
    let labels = labels.as_object().expect("labels by file");
    assert_eq!(labels.len(), 10);
    for (image, label) in labels {
        let output =
            succeeds(&[&"run", &digits("model.onnx"), &"--input", &digits("images").join(image), &"--no-trace"]);
        // output 0  probabilities: f32[1,10] [0.1 0.2 ...]
        let elements = output.split_once(" [").and_then(|(_, rest)| rest.split_once(']')).expect("the output").0;
        let probabilities: Vec<f32> = elements.split(' ').map(|p| p.parse().expect("a number")).collect();
        assert_eq!(probabilities.len(), 10);
        let best = (0..10).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
        assert_eq!(best.map(|b| b as u64), label.as_u64(), "{image}: {probabilities:?}");
    }
}

#[test]
fn the_demo_tells_machines_everything() {
    let output = succeeds(&[&"demo", &"--json", &"--lie", &"13:5"]);
    let report: serde_json::Value = serde_json::from_str(&output).expect("one JSON object");
    let keys = ["model", "values", "transactions", "gas_total", "gas_step", "gas_by_move", "disputed_operator"];
    for key in keys.into_iter().chain(["disputed_element", "verdict", "honest_claim"]) {
        assert!(!report[key].is_null(), "{key} is missing in {output}");
    }
    assert_eq!(report["verdict"], "refuted");
    assert_eq!(report["disputed_operator"], "Gemm");
    assert_eq!(report["disputed_element"], 5);
    assert_eq!(report["honest_claim"]["phase"], "final");
    assert_eq!(report["honest_claim"]["consumer_label"], 0);
    let number = |key: &str| report[key].as_u64().expect("a number");
    assert!(
        number("transactions") <= 14 && number("gas_total") <= 2_000_000 && number("gas_step") <= 500_000,
        "{output}"
    );
    let by_move = report["gas_by_move"].as_object().expect("gas by function");
    assert_eq!(by_move.values().filter_map(serde_json::Value::as_u64).sum::<u64>(), number("gas_total"));
}

#[test]
fn a_report_tells_what_a_program_takes() {
    let report = succeeds(&[&"report", &digits("model.onnx"), &"--json"]);
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert!(report["worst_step_gas"].as_u64().unwrap() <= 500_000);
    assert_eq!(report["most_transactions"].as_u64().unwrap(), report["most_turns"].as_u64().unwrap() + 5);
    assert!(report["least_executor_bond"].as_str().unwrap().parse::<u128>().unwrap() > 0);
}

#[test]
fn a_lie_about_nothing_is_refused() {
    for lie in ["99:0", "13:256", "0:64"] {
        fails(&[&"demo", &"--lie", &lie], lie);
    }
}

#[test]
fn a_program_is_shown_by_node_as_text_and_as_a_picture() {
    let folder = temporary();
    let (model, dot) = (digits("model.onnx"), folder.path().join("digits.dot"));
    let shown = succeeds(&[&"inspect", &model]);
    assert!(line(&shown, "trace ").contains("leaves"), "{shown}");
    let at = |what: &str| shown.find(what).unwrap_or_else(|| panic!("no {what:?} in {shown}"));
    assert!(at("\ninputs\n") < at("\nconstants\n") && at("\nconstants\n") < at(" Gemm: f32["), "{shown}");
    assert!(shown.lines().any(|l| l.contains("dot of ") && l.contains("step at most")), "{shown}");
    assert!(shown.trim_end().ends_with("gas, an output"), "{shown}");

    // The text is the program: it is read back to one with the same id.
    let text = succeeds(&[&"inspect", &model, &"--text", &"--dot", &dot]);
    let program = rebut_engine::program::parse_program(&text).expect("a program");
    let id = rebut_engine::program::Identity::of(&program).expect("an identity").program_id;
    assert_eq!(line(&shown, "program "), id.to_string());

    let picture = fs::read_to_string(&dot).expect("the picture");
    assert!(picture.starts_with("digraph program {") && picture.ends_with("}\n"), "{picture}");
    let nodes = picture.lines().filter(|l| l.contains(" [label=")).count();
    assert_eq!(nodes, program.values.len());
    let operands = |v: &rebut_engine::program::Value| match &v.source {
        rebut_engine::program::Source::Instruction(i) => i.operands.len(),
        _ => 0,
    };
    assert_eq!(picture.matches(" -> ").count(), program.values.iter().map(operands).sum::<usize>());
    assert!(picture.contains("Gemm") && picture.contains("peripheries=2"), "{picture}");
    fails(&[&"inspect", &model, &"--dot", &folder.path().join("nowhere/digits.dot")], "nowhere");
}

/// A model: `Reshape` of `x`, f32 of shape [N, 3], to `s`, an i64 input of two elements.
fn reshape() -> Vec<u8> {
    fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
        [&[tag << 3 | 2, u8::try_from(bytes.len()).expect("short")], bytes].concat()
    }
    fn input(name: &str, dtype: u8, dims: &[Vec<u8>]) -> Vec<u8> {
        let shape: Vec<u8> = dims.iter().flat_map(|d| field(1, d)).collect();
        let ty = field(1, &[&[8, dtype], &field(2, &shape)[..]].concat());
        field(11, &[field(1, name.as_bytes()), field(2, &ty)].concat())
    }
    let node = [field(1, b"x"), field(1, b"s"), field(2, b"y"), field(3, b"r"), field(4, b"Reshape")].concat();
    let x = input("x", 1, &[field(2, b"N"), vec![8, 3]]);
    let s = input("s", 7, &[vec![8, 2]]);
    let graph = [field(1, &node), x, s, field(12, &field(1, b"y"))].concat();
    // IR version 8, operator set 13.
    [vec![8, 8], field(8, &[16, 13]), field(7, &graph)].concat()
}

#[test]
fn shapes_dimensions_and_bindings() {
    let folder = temporary();
    let model = file(&folder, "reshape.onnx", &reshape());
    fails(&[&"inspect", &model], "dimension `N` is open");
    fails(&[&"inspect", &model, &"--dim", &"N=2"], "bind input `s` to a constant (--bind s=VALUE)");
    fails(&[&"inspect", &model, &"--dim", &"M=2"], "dimension named `M`");
    fails(&[&"inspect", &model, &"--dim", &"N=2", &"--bind", &"s=3,x"], "\"x\" is no i64");
    let by_dimension = succeeds(&[&"inspect", &model, &"--dim", &"N=2", &"--bind", &"s=3,2"]);
    assert_eq!(line(&by_dimension, "output "), "y: f32[3,2]");
    for shape in ["x=2,3", "x=2x3"] {
        assert_eq!(succeeds(&[&"inspect", &model, &"--shape", &shape, &"--bind", &"s=3,2"]), by_dimension);
    }
    // The same from a file, and in the other commands that compile.
    let shape = folder.path().join("s.pb");
    rebut_engine::onnx::write_tensor_pb(
        &shape,
        "s",
        &rebut_engine::tensor::Tensor::I64(ndarray::arr1(&[3, 2]).into_dyn()),
    )
    .expect("a tensor");
    let bound = format!("s={}", shape.display());
    assert_eq!(succeeds(&[&"inspect", &model, &"--dim", &"N=2", &"--bind", &bound]), by_dimension);
    for command in ["report", "compile"] {
        let output = folder.path().join("p");
        let mut arguments: Vec<&dyn AsRef<OsStr>> = vec![&command, &model, &"--dim", &"N=2", &"--bind", &bound];
        if command == "compile" {
            arguments.extend([&"-o" as &dyn AsRef<OsStr>, &output]);
        }
        assert!(succeeds(&arguments).contains(line(&by_dimension, "program ")));
    }
}

#[test]
fn a_bench_prints_a_row_or_an_object_for_each_model() {
    let folder = temporary();
    let (model, package) = (digits("model.onnx"), folder.path().join("digits.rebut"));
    succeeds(&[&"compile", &model, &"-o", &package]);
    let table = succeeds(&[&"bench", &model, &package, &"--repeat", &"2"]);
    let ends: Vec<bool> = table.lines().map(|l| l.ends_with("model.onnx") || l.ends_with("digits.rebut")).collect();
    assert_eq!(ends, [false, true, true], "{table}");

    let image = digits("images/digit_7.pb");
    let json = succeeds(&[&"bench", &package, &"--input", &image, &"--repeat", &"3", &"--trace", &"--json"]);
    let figures: serde_json::Value = serde_json::from_str(&json).expect("one object");
    assert_eq!(figures["runs"], 3);
    assert_eq!(figures["trace"]["runs"], 3);
    let traced = succeeds(&[&"trace", &package, &"--input", &image]);
    assert_eq!(figures["elements"].to_string(), line(&traced, "elements"));
    for time in ["median_ms", "min_ms", "cpu_median_ms"] {
        assert!(figures[time].as_f64().is_some_and(|t| t >= 0.0), "{figures}");
    }
    fails(&[&"bench", &model, &package, &"--input", &image], "--input");

    let inputs = folder.path().join("inputs");
    fails(&[&"bench", &model, &package, &"--write-inputs", &inputs], "--write-inputs");
    succeeds(&[&"bench", &package, &"--repeat", &"1", &"--write-inputs", &inputs]);
    succeeds(&[&"run", &package, &"--input", &inputs.join("input_0.pb")]);
    fails(&[&"bench", &model, &"--input", &digits("expected/digit_7.pb")], "image");
}
