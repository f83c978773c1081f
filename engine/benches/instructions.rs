//! Small fixed pieces of work, each done as many times as is said, so that their instructions can be counted: `cargo xtask instructions`
//! runs `instructions CASE auto|portable TIMES`. Without arguments it prints the cases' names.

mod support;

use rebut_engine::exec::{Isa, Options};
use rebut_engine::lower::{LowerOptions, lower};
use rebut_engine::onnx::{read_model, read_tensor_pb};
use rebut_engine::package::Package;
use rebut_engine::trace::Trace;
use std::hint::black_box;
use support::onnx_support::{attr_int, attr_ints, repository};
use support::{Work, floats, product};

/// Prepares a case; what it gives is done again and again.
type Case = fn(Options) -> Box<dyn Fn()>;

const CASES: [(&str, Case); 13] = [
    ("matmul", |o| run(product(64, 256, 128), o)),
    ("matmul-long", |o| run(product(16, 768, 64), o)),
    ("matmul-vector", |o| run(product(1, 256, 256), o)),
    ("conv", |o| run(convolution(32, 16, 1, 3), o)),
    ("conv-pointwise", |o| run(convolution(32, 16, 1, 1), o)),
    ("conv-depthwise", |o| run(convolution(16, 1, 16, 3), o)),
    ("maxpool", |o| {
        let attributes = vec![attr_ints("kernel_shape", &[3, 3]), attr_ints("strides", &[2, 2])];
        run(Work::node("MaxPool", vec![floats(&[1, 16, 25, 25])], 1, attributes), o)
    }),
    ("softmax", |o| run(Work::node("Softmax", vec![floats(&[64, 128])], 1, vec![attr_int("axis", -1)]), o)),
    ("layer-norm", |o| {
        let tensors = vec![floats(&[32, 256]), floats(&[256]), floats(&[256])];
        run(Work::node("LayerNormalization", tensors, 1, vec![attr_int("axis", -1)]), o)
    }),
    ("gelu", |o| run(Work::node("Gelu", vec![floats(&[64, 256])], 1, vec![]), o)),
    ("transpose", |o| {
        run(Work::node("Transpose", vec![floats(&[32, 32, 32])], 1, vec![attr_ints("perm", &[2, 0, 1])]), o)
    }),
    ("digits", |o| run(digits(), o)),
    ("digits-trace", |o| {
        let Work { package, inputs } = digits();
        Box::new(move || drop(black_box(Trace::new(&package, &inputs, &o).expect("it runs"))))
    }),
];

fn main() {
    // cargo bench adds an option of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [case, isa, times] = &arguments[..] else {
        CASES.iter().for_each(|(name, _)| println!("{name}"));
        return;
    };
    let isa = if isa == "portable" { Isa::Portable } else { Isa::Auto };
    let (_, prepare) = CASES.iter().find(|(name, _)| name == case).expect("a case's name");
    let work = prepare(Options { threads: 1, isa });
    for _ in 0..times.parse::<u32>().expect("a number of times") {
        work();
    }
}

fn run(work: Work, options: Options) -> Box<dyn Fn()> {
    Box::new(move || drop(black_box(work.run(&options))))
}

/// A square kernel over 24 x 24 elements a channel, with as large an output; `inputs` are those of each group.
fn convolution(outputs: u64, inputs: u64, groups: u64, size: u64) -> Work {
    let border = (size / 2) as i64;
    let tensors =
        vec![floats(&[1, inputs * groups, 24, 24]), floats(&[outputs, inputs, size, size]), floats(&[outputs])];
    Work::node("Conv", tensors, 1, vec![attr_int("group", groups as i64), attr_ints("pads", &[border; 4])])
}

/// The network of `models/digits` and one of its images.
fn digits() -> Work {
    let folder = repository().join("models/digits");
    let model = read_model(&folder.join("model.onnx")).expect("a model");
    let lowered = lower(&model, &LowerOptions::default()).expect("it lowers");
    let image = read_tensor_pb(&folder.join("images/digit_7.pb")).expect("a tensor");
    Work { package: Package::try_from(lowered).expect("a package"), inputs: vec![image] }
}
