//! Elements whose rows go through a chain of operations one by one, and chains that come close: what they begin with is read again, others differ
//! from row to row, rows are short or longer than a block.

mod onnx_support;

use onnx_support::{agreed, tensors, written};
use rebut_engine::arith::Isa;
use rebut_engine::exec::Options;

/// An expression over `x`, which has rows of `len`; `row` and `column`, which are the same for each row and along each; `other`, as large as `x`.
fn agree(rows: usize, len: usize, expression: &str) {
    let what = format!("{rows} rows of {len}: {expression}");
    let views = [
        ("v1", "%1[e1] else 0.0".to_owned()),
        ("v2", "%2[e0] else 0.0".to_owned()),
        ("v3", format!("%3[e0+{rows}*e1] else 0.0")),
        ("v4", format!("%0[{len}*e0+e1-3] if 0 <= e1-3 < {len} else 0.5")),
    ];
    // An instruction has no views that it does not read.
    let (mut read, mut evaluated) = (format!("v0 = %0[{len}*e0+e1] else 0.0"), expression.to_owned());
    for (n, (name, view)) in views.iter().filter(|(name, _)| expression.contains(name)).enumerate() {
        read += &format!("\nv{} = {view}", n + 1);
        evaluated = evaluated.replace(name, &format!("v{}", n + 1));
    }
    let text = format!(
        "%0: f32[{rows},{len}] = input %1: f32[{len}] = input %2: f32[{rows}] = input %3: f32[{len},{rows}] = input
        %4: f32[{rows},{len}] = e[{rows}, {len}]
        {read}
        t0 = v0;
        {evaluated}
        return %4"
    );
    let package = written(&text, &what);
    let number = |i: usize| match (i * 7919) % 1013 {
        0 => f32::NAN,
        1 => f32::NEG_INFINITY,
        2..20 => -0.0,
        x => (x as f32 - 500.0) / 256.0,
    };
    let input = |dims: &[usize]| tensors::f32s(dims, (0..dims.iter().product()).map(number).collect::<Vec<f32>>());
    let inputs = [input(&[rows, len]), input(&[len]), input(&[rows]), input(&[len, rows])];
    for (isa, threads) in [(Isa::Auto, 1), (Isa::Avx2, 2), (Isa::Portable, 3)] {
        agreed::values(&package, &inputs, &Options { threads, isa }, &what);
    }
}

#[test]
fn chains_and_what_comes_close() {
    let expressions = [
        "t0",
        "max(add(mul(add(mul(t0, v1), v1), 2.0), v1), 0.0)",
        "min(0.5, t0)",
        // What it begins with again.
        "max(add(t0, 1.0), t0)",
        "mul(t0, max(0.0, min(1.0, add(mul(t0, 0.16666667), 0.5))))",
        "add(t0, t0)",
        "add(mul(t0, v1), mul(t0, v1))",
        // Others by row.
        "add(mul(t0, v1), v2)",
        "add(t0, v3)",
        "max(add(mul(t0, 0.5), v1), v4)",
        "sub(t0, v1)",
        "add(v4, v1)",
        "mul(v2, v1)",
    ];
    for expression in expressions {
        for (rows, len) in [(3, 1), (7, 15), (5, 95), (5, 96), (9, 128), (2, 1500), (2, 17_000)] {
            agree(rows, len, expression);
        }
    }
}
