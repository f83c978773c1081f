//! A dot and the fold after it are computed in one pass where the fold adds up the dot's chunks, and only there: programs that come close, on
//! every instruction set, and a trace of which only one of the two has to be made again.

mod onnx_support;

use onnx_support::{agreed, tensors, written};
use rebut_engine::arith::Isa;
use rebut_engine::exec::Options;
use rebut_engine::package::Package;
use rebut_engine::tensor::Tensor;
use rebut_engine::trace::{Storage, Trace, TraceView};
use std::sync::Arc;

/// A dot of two inputs and what follows.
fn package(dot: &str, fold: &str) -> Package {
    let text =
        format!("%0: f32[32,512] = input %1: f32[48,512] = input %2: f32[32,48] = input\n{dot}\n{fold}\nreturn %4");
    written(&text, fold)
}

fn inputs() -> Vec<Tensor> {
    let numbers = |n: usize| (0..n).map(|i| ((i * 7919 % 1009) as f32 - 500.0) / 256.0).collect::<Vec<f32>>();
    [[32, 512], [48, 512], [32, 48]].map(|dims| tensors::f32s(&dims, numbers(dims.iter().product()))).to_vec()
}

const WHOLE: &str = "%3: f32[32,48] = e[32, 48] r[128]
    v0 = %0[512*e0+r0] else 0.0
    v1 = %1[512*e1+r0] else 0.0
    core = dot(v0, v1)
    core";
const PARTS_LAST: &str = "%3: f32[32,48,4] = e[32, 48, 4] r[128]
    v0 = %0[512*e0+128*e2+r0] else 0.0
    v1 = %1[512*e1+128*e2+r0] else 0.0
    core = dot(v0, v1)
    core";
const PARTS_FIRST: &str = "%3: f32[4,32,48] = e[4, 32, 48] r[128]
    v0 = %0[128*e0+512*e1+r0] else 0.0
    v1 = %1[128*e0+512*e2+r0] else 0.0
    core = dot(v0, v1)
    core";

fn fold(result: &str, axes: &str, address: &str) -> String {
    format!("%4: f32[{result}] = {axes} v0 = %3[{address}] else 0.0 core = seq_add(v0) core")
}

#[test]
fn every_value_is_that_of_the_reference() {
    let cases = [
        ("nothing is added", WHOLE, fold("32,48", "e[32, 48] r[1]", "48*e0+e1")),
        ("no reduction", WHOLE, fold("32,48", "e[32, 48] r[]", "48*e0+e1")),
        ("an empty fold", WHOLE, fold("32,48", "e[32, 48] r[0]", "48*e0+e1")),
        ("an empty fold over chunks", PARTS_FIRST, fold("32,48", "e[32, 48] r[4, 0]", "48*e0+e1+1536*r0")),
        ("an empty result", PARTS_FIRST, fold("0,32,48", "e[0, 32, 48] r[4]", "48*e1+e2+1536*r0")),
        ("parts behind the elements", PARTS_LAST, fold("32,48", "e[1536] r[4]", "4*e0+r0")),
        ("the other way", PARTS_LAST, fold("32,48", "e[1536] r[4]", "4*e0-r0+3")),
        ("parts before the elements", PARTS_FIRST, fold("32,48", "e[32, 48] r[4]", "48*e0+e1+1536*r0")),
        ("parts in two axes", PARTS_FIRST, fold("32,48", "e[32, 48] r[2, 2]", "48*e0+e1+3072*r0+1536*r1")),
        ("half of the parts", PARTS_FIRST, fold("32,48", "e[32, 48] r[2]", "48*e0+e1+3072*r0")),
    ];
    for (what, dot, fold) in cases {
        let package = package(dot, &fold);
        for (isa, threads) in [(Isa::Auto, 1), (Isa::Avx2, 2), (Isa::Portable, 3)] {
            agreed::values(&package, &inputs(), &Options { threads, isa }, what);
        }
    }
}

#[test]
fn chunks_are_made_again_without_what_their_sum_needs_besides() {
    let fold = "%4: f32[32,48] = e[1536] r[4]
        v0 = %3[4*e0+r0] else 0.0
        v1 = %2[e0] else 0.0
        core = seq_add(v0)
        t0 = add(core, v1);
        select(lt(t0, 0.0), mul(t0, 0.01), t0)";
    let (package, inputs) = (Arc::new(package(PARTS_LAST, fold)), Arc::new(inputs()));
    let options = Options::default();
    let expected = Trace::new(&package, &inputs, &options).expect("a trace");
    let storage = Storage { memory: 0, cache: None };
    let trace = Trace::stored(&package, &inputs, &options, &storage).expect("a trace");
    assert_eq!(trace.root(), expected.root());
    for value in [3, 4, 3] {
        assert_eq!(trace.leaf(value, 0).expect("a leaf"), expected.leaf(value, 0).expect("a leaf"), "value {value}");
    }
}
