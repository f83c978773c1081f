//! Folds whose operands lie along the reduction, with guards that cut it: over its last axis, over others, over several, and over the points.

mod onnx_support;

use onnx_support::{agreed, tensors, written};
use rebut_engine::arith::Isa;
use rebut_engine::exec::Options;

/// A fold of 32 floats for each of 32 points.
fn agree(reduction: &str, body: &str) {
    let text = format!(
        "%0: f32[1024] = input %1: f32[1024] = input
        %2: f32[32] = e[32] r[{reduction}]
        {body}
        core
        return %2"
    );
    let package = written(&text, body);
    let number = |i: usize| match (i * 7919) % 101 {
        0 => -0.0,
        x => x as f32 / 8.0 - 6.0,
    };
    let input = |seed: usize| tensors::f32s(&[1024], (0..1024).map(|i| number(i + seed)).collect::<Vec<f32>>());
    for (isa, threads) in [(Isa::Auto, 1), (Isa::Avx2, 2), (Isa::Portable, 3)] {
        agreed::values(&package, &[input(0), input(500)], &Options { threads, isa }, body);
    }
}

#[test]
fn guards_of_several_axes() {
    let guards = [
        "0 <= r1 < 10",
        "0 <= r1-3 < 30",
        "0 <= e0+r0-5 < 1",
        "0 <= 16*r0+r1 < 19",
        "0 <= 16*r0+r1-9 < 19",
        "0 <= 32*e0+16*r0+r1-100 < 500",
        "0 <= r0+r1 < 8",
        "0 <= r0-r1 < 2",
        "0 <= e0-3 < 20",
    ];
    for guard in guards {
        for fold in ["sum", "sumsq", "min", "max", "prod"] {
            agree("2, 16", &format!("v0 = %0[32*e0+16*r0+r1] if {guard} else 0.5 core = {fold}(v0)"));
        }
        let other = "v1 = %1[32*e0+16*r0+r1] else 0.0";
        agree("2, 16", &format!("v0 = %0[32*e0+16*r0+r1] if {guard} else -inf {other} core = sum(max(v0, v1))"));
        agree("2, 16", &format!("v0 = %0[32*e0+16*r0+r1] if {guard} else %1[32*e0+16*r0+r1] else 1.0 core = sum(v0)"));
    }
}

#[test]
fn guards_of_one_axis() {
    for guard in ["0 <= r0 < 20", "0 <= r0-7 < 40", "0 <= 32*e0+r0-40 < 900", "0 <= e0-r0 < 9", "0 <= r0-40 < 9"] {
        for fold in ["sum", "max"] {
            agree("32", &format!("v0 = %0[32*e0+r0] if {guard} else -0.0 core = {fold}(v0)"));
        }
    }
}
