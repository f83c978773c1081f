//! Copies in which runs become neighbours, and what comes close: runs that overlap, are short, go backwards, end outside or are more than copied.

mod onnx_support;

use onnx_support::{agreed, tensors, written};
use rebut_engine::arith::Isa;
use rebut_engine::exec::Options;

/// A value of these extents read from `elements` floats at `address`.
fn agree(elements: usize, extents: &[usize], address: &str, expression: &str) {
    let what = format!("{extents:?} of {elements} at {address}: {expression}");
    let list = |numbers: &[usize]| numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let text = format!(
        "%0: f32[{elements}] = input
        %1: f32[{extents}] = e[{extents}]
        v0 = %0[{address}] else 0.5
        {expression}
        return %1",
        extents = list(extents),
    );
    let package = written(&text, &what);
    let number = |i: usize| match (i * 7919) % 101 {
        0 => f32::from_bits(0xffc0_1234),
        1 => -0.0,
        x => x as f32 - 50.0,
    };
    let input = tensors::f32s(&[elements], (0..elements).map(number).collect::<Vec<f32>>());
    for (isa, threads) in [(Isa::Auto, 1), (Isa::Avx2, 2), (Isa::Portable, 3)] {
        agreed::values(&package, std::slice::from_ref(&input), &Options { threads, isa }, &what);
    }
}

#[test]
fn runs_become_neighbours() {
    for runs in 2..=17 {
        for len in [15, 16, 17, 100, 3000] {
            agree(runs * len, &[len, runs], &format!("e0+{len}*e1"), "v0");
        }
    }
    // With points of their own, which may be in another order.
    agree(2 * 5 * 3 * 40, &[2, 5, 40, 3], "600*e0+120*e1+e2+40*e3", "v0");
    agree(2 * 5 * 3 * 40, &[5, 2, 40, 3], "120*e0+600*e1+e2+40*e3", "v0");
    // A part of what is read, and runs that overlap or are the same.
    agree(1000, &[4, 20, 5], "200*e0+e1+30*e2+60", "v0");
    agree(1000, &[4, 20, 5], "200*e0+e1+3*e2+1", "v0");
    agree(1000, &[4, 20, 5], "200*e0+e1", "v0");
}

#[test]
fn what_comes_close() {
    agree(1000, &[4, 20, 5], "200*e0+e1-30*e2+130", "v0");
    agree(1000, &[4, 20, 5], "190*e0-e1+30*e2+130", "v0");
    agree(1000, &[4, 20, 5], "200*e0+2*e1+30*e2", "v0");
    // Before the first and behind the last.
    agree(1000, &[4, 20, 5], "200*e0+e1+30*e2-1", "v0");
    agree(738, &[4, 20, 5], "200*e0+e1+30*e2", "v0");
    agree(739, &[4, 20, 5], "200*e0+e1+30*e2", "v0");
    agree(740, &[4, 20, 5], "200*e0+e1+30*e2", "v0");
    agree(1000, &[4, 20, 5], "200*e0+e1+30*e2", "add(v0, 1.0)");
    agree(1000, &[4, 20, 5], "200*e0+e1+30*e2] if 0 <= e1-3 < 9 else 0.25 v1 = %0[e0", "add(v0, v1)");
}
