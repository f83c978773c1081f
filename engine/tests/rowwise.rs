//! Instructions whose rows go through all of them together, and those that come close: another row is read, something between is read again
//! or returned, rows are of one element, shorter than a register or longer than a tile.

mod onnx_support;

use onnx_support::{agreed, tensors, written};
use rebut_engine::arith::Isa;
use rebut_engine::exec::Options;

fn number(i: usize) -> f32 {
    match (i * 7919) % 1013 {
        0 => f32::NAN,
        1 => f32::NEG_INFINITY,
        2..20 => -0.0,
        20 => 0.0,
        x => (x as f32 - 500.0) / 128.0,
    }
}

/// A program over `%0` of rows of `len`, `%1` of one row and `%2` of a column.
fn agree(rows: usize, len: usize, program: &str) {
    let what = format!("{rows} rows of {len}: {program}");
    let text = format!("%0: f32[{rows},{len}] = input %1: f32[{len}] = input %2: f32[{rows}] = input {program}");
    let package = written(&text, &what);
    // NaNs and infinities at both ends of the input, one in most rows of it at most.
    for seed in [0, 333_333] {
        let input = |dims: &[usize]| {
            tensors::f32s(dims, (0..dims.iter().product()).map(|i| number(i + seed)).collect::<Vec<_>>())
        };
        let inputs = [input(&[rows, len]), input(&[len]), input(&[rows])];
        for (isa, threads) in [(Isa::Auto, 1), (Isa::Avx2, 2), (Isa::Portable, 3)] {
            agreed::values(&package, &inputs, &Options { threads, isa }, &what);
        }
    }
}

/// Rows of which a step folds a whole one, and longer ones.
const SHAPES: [(usize, usize); 7] = [(1, 16), (1, 240), (3, 17), (5, 64), (40, 31), (7, 197), (130, 96)];
const LONG: [(usize, usize); 3] = [(1, 300), (2, 1030), (3, 2100)];

/// Instructions from value 3 on: maxima, differences' exponentials, sums of `parts`, their sums, quotients.
fn softmax(rows: usize, len: usize, parts: usize) -> String {
    let part = len.div_ceil(parts);
    format!(
        "%3: f32[{rows}] = e[{rows}] r[{len}] v0 = %0[{len}*e0+r0] else 0.0 core = max(v0) core
        %4: f32[{rows},{len}] = e[{rows}, {len}] v0 = %0[{len}*e0+e1] else 0.0 v1 = %3[e0] else 0.0 exp(sub(v0, v1))
        %5: f32[{rows},{parts}] = e[{rows}, {parts}] r[{part}]
        v0 = %4[{len}*e0+{part}*e1+r0] if 0 <= {part}*e1+r0 < {len} else -0.0 core = sum(v0) core
        %6: f32[{rows}] = e[{rows}] r[{parts}] v0 = %5[{parts}*e0+r0] else 0.0 core = seq_add(v0) core
        %7: f32[{rows},{len}] = e[{rows}, {len}] v0 = %4[{len}*e0+e1] else 0.0 v1 = %6[e0] else 0.0 div(v0, v1)"
    )
}

#[test]
fn softmax_of_any_size() {
    for (rows, len) in SHAPES {
        for parts in [1, 2, 3].into_iter().filter(|parts| len <= 128 * parts) {
            agree(rows, len, &format!("{} return %7", softmax(rows, len, parts)));
        }
    }
}

#[test]
fn softmax_of_which_more_is_wanted() {
    for (rows, len) in [(3, 17), (7, 197)] {
        let softmax = softmax(rows, len, 2);
        let again = format!("%8: f32[{rows},{len}] = e[{rows}, {len}]");
        let both = format!("v0 = %7[{len}*e0+e1] else 0.0");
        // The exponentials, the maxima, the sums are read once more, or returned.
        agree(
            rows,
            len,
            &format!(
                "{softmax} {again} v0 = %4[{len}*e0+e1] else 0.0 v1 = %7[{len}*e0+e1] else 0.0 add(v1, v0) return %8"
            ),
        );
        agree(
            rows,
            len,
            &format!("{softmax} {again} v0 = %3[e0] else 0.0 v1 = %7[{len}*e0+e1] else 0.0 add(v1, v0) return %8"),
        );
        agree(
            rows,
            len,
            &format!("{softmax} {again} v0 = %6[0] else 0.0 v1 = %7[{len}*e0+e1] else 0.0 add(v1, v0) return %8"),
        );
        agree(rows, len, &format!("{softmax} return %6, %7"));
        agree(rows, len, &format!("{softmax} {again} {both} max(v0, 0.0) return %7, %8"));
        agree(rows, len, &format!("{softmax} {again} {both} max(v0, 0.0) return %8"));
        // Another row's, and a row that is there only now and then.
        agree(
            rows,
            len,
            &format!("{softmax} {again} v0 = %7[{len}*e0+e1-{len}] if 0 <= e0-1 < {rows} else 0.5 tanh(v0) return %8"),
        );
        agree(
            rows,
            len,
            &format!("{softmax} {again} v0 = %7[-{len}*e0-e1+{}] else 0.0 tanh(v0) return %8", rows * len - 1),
        );
    }
}

#[test]
fn normalisations_of_any_size() {
    for (rows, len) in SHAPES.into_iter().chain(LONG) {
        for parts in [1, 2, 3, 10, 21].into_iter().filter(|parts| len % parts == 0 && len <= 128 * parts) {
            let (part, all) = (len / parts, rows * parts);
            let sums = |n: usize, fold: &str, of: usize, end: &str| {
                format!(
                    "%{n}: f32[{rows},{parts}] = e[{all}] r[{part}] v0 = %{of}[{part}*e0+r0] else 0.0 core = {fold}(v0) core
                    %{}: f32[{rows}] = e[{rows}] r[{parts}] v0 = %{n}[{parts}*e0+r0] else 0.0 core = seq_add(v0) {end}",
                    n + 1
                )
            };
            let program = format!(
                "{} %5: f32[{rows},{len}] = e[{rows}, {len}] v0 = %0[{len}*e0+e1] else 0.0 v1 = %4[e0] else 0.0 sub(v0, v1)
                {} %8: f32[{rows},{len}] = e[{rows}, {len}]
                v0 = %5[{len}*e0+e1] else 0.0 v1 = %7[e0] else 0.0 v2 = %1[e1] else 0.0 v3 = %2[e0] else 0.0
                t0 = v0; t1 = v1; t2 = v2; t3 = v3; add(mul(mul(t0, t1), t2), t3)
                return %8",
                sums(3, "sum", 0, &format!("div(core, {len}.0)")),
                sums(6, "sumsq", 5, &format!("rsqrt(add(div(core, {len}.0), 0.00001))")),
            );
            agree(rows, len, &program);
        }
    }
}

#[test]
fn folds_of_other_kinds() {
    for (rows, len) in [(3, 17), (5, 64), (7, 80)] {
        let end = format!(
            "%4: f32[{rows},{len}] = e[{rows}, {len}] v0 = %0[{len}*e0+e1] else 0.0 v1 = %3[e0] else 0.0 mul(v0, v1) return %4"
        );
        for fold in ["sum", "sumsq", "prod", "min", "max", "seq_add", "seq_mul"] {
            let start = format!("%3: f32[{rows}] = e[{rows}] r[{len}]");
            // Whole rows; cut by guards with fills that do and do not matter; every second element; backwards; the same row for all.
            for view in [
                format!("%0[{len}*e0+r0] else 0.0"),
                format!("%0[{len}*e0+r0] if 0 <= r0 < 9 else 0.0"),
                format!("%0[{len}*e0+r0] if 0 <= r0 < 9 else -0.0"),
                format!("%0[{len}*e0+r0] if 0 <= r0 < 9 else -inf"),
                format!("%0[{len}*e0+r0] if 0 <= r0-3 < 9 else -0.0"),
                format!("%0[{len}*e0+r0] if 0 <= e0+r0 < 9 else -0.0"),
                format!("%0[{len}*e0-r0+{}] else 0.0", len - 1),
                "%0[r0] else 0.0".to_owned(),
                "%1[r0] else 0.0".to_owned(),
                "%2[e0] else 0.0".to_owned(),
            ] {
                agree(rows, len, &format!("{start} v0 = {view} core = {fold}(v0) max(core, 0.25) {end}"));
            }
            agree(rows, len, &format!("{start} v0 = %0[{len}*e0+r0] else 0.0 core = {fold}(max(v0, 2.0)) core {end}"));
        }
    }
}

/// Random chains over rows in which each instruction reads some of those before it, at the same row.
#[test]
fn chains_at_random() {
    let mut seed = 0x1234_5678_u32;
    let mut below = |n: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        seed as usize % n
    };
    for _ in 0..120 {
        let (rows, len) = [(1, 16), (3, 17), (5, 64), (40, 31), (130, 96)][below(5)];
        // Value and elements of a row, which are 1 or all.
        let mut made = vec![(0, len), (2, 1)];
        let mut program = String::new();
        let count = 2 + below(6);
        for n in 3..3 + count {
            let (of, width) = made[if below(3) == 0 { below(made.len()) } else { made.len() - 1 }];
            let (wide, end) = (below(2) == 0 || n + 1 == 3 + count, ["core", "add(core, 1.5)", "sqrt(core)"][below(3)]);
            if !wide && width > 1 {
                let fold = ["sum", "sumsq", "max", "min"][below(4)];
                program += &format!(
                    "%{n}: f32[{rows}] = e[{rows}] r[{len}] v0 = %{of}[{len}*e0+r0] else 0.0 core = {fold}(v0) {end} "
                );
                made.push((n, 1));
                continue;
            }
            let (other, apart) = made[below(made.len())];
            let view = |(value, width): (usize, usize)| {
                if width == 1 { format!("%{value}[e0] else 0.0") } else { format!("%{value}[{len}*e0+e1] else 0.0") }
            };
            // Operands are named in the order of values, and each once.
            let (a, b) = ((of, width).min((other, apart)), (of, width).max((other, apart)));
            let op = ["add", "sub", "mul", "div", "max", "min"][below(6)];
            let (views, x, y) = if a == b {
                (format!("v0 = {}", view(a)), "v0", "0.75")
            } else {
                (format!("v0 = {} v1 = {}", view(a), view(b)), "v0", "v1")
            };
            let end = match below(4) {
                0 => format!("exp({op}({x}, {y}))"),
                1 => format!("mul(tanh({op}({y}, {x})), 0.5)"),
                2 => format!("{op}({op}({x}, 0.3), {y})"),
                _ => format!("{op}({y}, {x})"),
            };
            program += &format!("%{n}: f32[{rows},{len}] = e[{rows}, {len}] {views} {end} ");
            made.push((n, len));
        }
        program += &format!("return %{}", 2 + count);
        agree(rows, len, &program);
    }
}

/// Instructions between a fold of rows and its use that are nearly like those of a normalisation.
#[test]
fn views_that_come_close() {
    for (rows, len) in [(1, 16), (3, 17), (5, 64), (40, 31), (7, 120)] {
        let end = |n: usize, last: usize| {
            format!(
                "%{n}: f32[{rows},{len}] = e[{rows}, {len}] v0 = %0[{len}*e0+e1] else 0.0 v1 = %{last}[e0] else 0.0 mul(v0, v1) return %{n}"
            )
        };
        let fold =
            |view: &str, end: &str| format!("%3: f32[{rows}] = e[{rows}] r[{len}] v0 = {view} core = sum(v0) {end}");
        let whole = fold(&format!("%0[{len}*e0+r0] else 0.0"), "core");
        // Several guards, the strictest in any place; a view that runs past the operand's end, which then is its fill.
        for view in [
            format!("%0[{len}*e0+r0] if 0 <= r0 < 5 if 0 <= r0 < 9 else -0.0"),
            format!("%0[{len}*e0+r0] if 0 <= r0 < 9 if 0 <= r0 < 5 else -0.0"),
            format!("%0[{len}*e0+r0] if 0 <= r0 < 9 if 0 <= r0-2 < 5 else -0.0"),
            format!("%0[{len}*e0+r0+3] else -0.0"),
            format!("%0[{len}*e0+r0+3] else 0.5"),
        ] {
            agree(rows, len, &format!("{} {}", fold(&view, "core"), end(4, 3)));
        }
        // Operations that nothing reads, before the result.
        for dead in ["t0 = core; t1 = 1.0; t2 = add(t0, t1); core", "t0 = core; t1 = exp(t0); core"] {
            agree(rows, len, &format!("{} {}", fold(&format!("%0[{len}*e0+r0] else 0.0"), dead), end(4, 3)));
            let exp = format!("%3: f32[{rows},{len}] = e[{rows}, {len}] v0 = %0[{len}*e0+e1] else 0.0 exp(v0)");
            let sum =
                format!("%4: f32[{rows}] = e[{rows}] r[{len}] v0 = %3[{len}*e0+r0] else 0.0 core = sum(v0) {dead}");
            agree(rows, len, &format!("{exp} {sum} return %4"));
        }
        // Elements with guards, past the end, of one column; of one column of what is made on the way.
        for view in [
            format!("%0[{len}*e0+e1] if 0 <= e1 < {} else 0.5", len - 3),
            format!("%0[{len}*e0+e1+3] else 0.5"),
            format!("%0[{len}*e0+3] else 0.5"),
            format!("%0[{len}*e0+{}] else 0.5", 2 * len - 2),
        ] {
            let last = format!(
                "%4: f32[{rows},{len}] = e[{rows}, {len}] v0 = {view} v1 = %3[e0] else 0.0 sub(v0, v1) return %4"
            );
            agree(rows, len, &format!("{whole} {last}"));
        }
        let half = format!("%3: f32[{rows},{len}] = e[{rows}, {len}] v0 = %0[{len}*e0+e1] else 0.0 mul(v0, 0.5)");
        for value in [0, 3] {
            let sum = format!(
                "%4: f32[{rows}] = e[{rows}] r[{len}] v0 = %{value}[{len}*e0+3] else 0.0 v1 = %3[{len}*e0+r0] else 0.0
                core = sum(v1) add(core, v0)"
            );
            agree(rows, len, &format!("{half} {sum} {}", end(5, 4)));
        }
        // Several sums in strict order to a row.
        if len % 4 == 0 {
            let (all, part) = (4 * rows, len / 4);
            let sums = format!(
                "%3: f32[{rows},4] = e[{rows}, 4] r[{part}] v0 = %0[{len}*e0+{part}*e1+r0] else 0.0 core = seq_add(v0) core
                %4: f32[{rows}] = e[{rows}] r[4] v0 = %3[4*e0+r0] else 0.0 core = max(v0) core"
            );
            agree(rows, len, &format!("{sums} {}", end(5, 4)));
            let merged = format!("e[{all}] r[{part}] v0 = %0[{part}*e0+r0]");
            let sums = sums.replacen(&format!("e[{rows}, 4] r[{part}] v0 = %0[{len}*e0+{part}*e1+r0]"), &merged, 1);
            agree(rows, len, &format!("{sums} {}", end(5, 4)));
        }
    }
}

/// Rows that are longer than a tile, the last operation one on two floats or not.
#[test]
fn rows_of_several_tiles() {
    let (rows, len, parts) = (3, 2100, 21);
    let sums = format!(
        "%3: f32[{rows},{parts}] = e[{rows}, {parts}] r[100] v0 = %0[{len}*e0+100*e1+r0] else 0.0 core = max(v0) core
        %4: f32[{rows}] = e[{rows}] r[{parts}] v0 = %3[{parts}*e0+r0] else 0.0 core = max(v0) core"
    );
    for end in ["sub(v0, v1)", "tanh(sub(v0, v1))", "mul(sub(v0, v1), v2)"] {
        let own = if end.contains("v2") { "v2 = %4[e0] else 0.0" } else { "" };
        let (a, b) = (format!("v0 = %0[{len}*e0+e1] else 0.0"), "v1 = %1[e1] else 0.0".to_owned());
        agree(rows, len, &format!("{sums} %5: f32[{rows},{len}] = e[{rows}, {len}] {a} {b} {own} {end} return %5"));
        let (b, end) = (String::from("v1 = %4[e0] else 0.0"), end.replace("v2", "0.5"));
        agree(rows, len, &format!("{sums} %5: f32[{rows},{len}] = e[{rows}, {len}] {a} {b} {end} return %5"));
    }
}
