//! Convolutions whose windows reach beyond the borders of what they read: strides, dilations, several axes, fills that are not zero, guards that
//! have nothing to do with a border, and addresses that are no box.

mod onnx_support;

use onnx_support::{agreed, tensors, written};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rebut_engine::arith::Isa;
use rebut_engine::exec::Options;

/// An instruction over `%0` and the weights `%1`.
fn agree(what: &str, [read, weights]: [&[usize]; 2], instruction: &str) {
    let dims = |dims: &[usize]| dims.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
    let text = format!(
        "%0: f32[{}] = input %1: f32[{}] = input\n{instruction}\nreturn %{}",
        dims(read),
        dims(weights),
        if instruction.contains("%3:") { 3 } else { 2 }
    );
    let package = written(&text, what);
    let numbers = |n: usize, special: bool| -> Vec<f32> {
        let number = |i: usize| match (i * 7919) % 1013 {
            0 if special => f32::from_bits(0xffc1_2345),
            1 if special => f32::NEG_INFINITY,
            2 | 3 => -0.0,
            x => (x as f32 - 500.0) / 256.0,
        };
        (0..n).map(number).collect()
    };
    let inputs = [read, weights].map(|dims| tensors::f32s(dims, numbers(dims.iter().product(), dims == read)));
    for (isa, threads) in [(Isa::Auto, 1), (Isa::Avx2, 2), (Isa::Portable, 3)] {
        agreed::values(&package, &inputs, &Options { threads, isa }, what);
    }
}

#[test]
fn windows_of_two_axes() {
    const OUT: usize = 9;
    let shapes = [
        [7, 9, 1, 3, 1, 1, 1],
        [7, 9, 1, 5, 1, 1, 2],
        [12, 5, 1, 3, 2, 1, 1],
        [12, 5, 1, 3, 1, 2, 3],
        [6, 6, 3, 2, 3, 1, 4],
        [6, 6, 3, 2, 1, 1, 1],
        [6, 6, 5, 1, 1, 1, 2],
        [6, 7, 4, 2, 1, 2, 2],
    ];
    for [height, width, channels, kernel, stride, dilation, before] in shapes {
        for fill in ["0.0", "0.5"] {
            let size = |n: usize| (n + 2 * before - dilation * (kernel - 1) - 1) / stride + 1;
            let (rows, columns) = (size(height), size(width));
            let (row, taps) = (width * channels, kernel * channels);
            let instruction = format!(
                "%2: f32[{rows},{columns},{OUT}] = e[{rows}, {columns}, {OUT}] r[{kernel}, {kernel}, {channels}]
                    v0 = %0[{}*e0+{}*e1+{}*r0+{}*r1+r2-{}] if 0 <= {stride}*e0+{dilation}*r0-{before} < {height}
                        if 0 <= {stride}*e1+{dilation}*r1-{before} < {width} else {fill}
                    v1 = %1[{}*e2+{taps}*r0+{channels}*r1+r2] else 0.0
                    core = dot(v0, v1)
                    max(core, 0.25)",
                stride * row,
                stride * channels,
                dilation * row,
                dilation * channels,
                before * (row + channels),
                kernel * taps,
            );
            let what = format!("{height} x {width} x {channels}, {kernel} / {stride} / {dilation}, fill {fill}");
            agree(&what, [&[height, width, channels], &[OUT, kernel, kernel, channels]], &instruction);
        }
    }
}

#[test]
fn windows_of_other_shapes() {
    // Channels first: what is within a step of a place is not all of a place.
    let first = "%2: f32[6,7,9] = e[6, 7, 9] r[4, 2, 2]
        v0 = %0[7*e0+e1+42*r0+7*r1+r2-8] if 0 <= e0+r1-1 < 6 if 0 <= e1+r2-1 < 7 else 0.0
        v1 = %1[16*e2+4*r0+2*r1+r2] else 0.0
        core = dot(v0, v1) core";
    agree("channels first", [&[4, 6, 7], &[9, 4, 2, 2]], first);
    let groups = "%2: f32[3,6,7,8] = e[3, 6, 7, 8] r[2, 2, 4]
        v0 = %0[4*e0+84*e1+12*e2+84*r0+12*r1+r2-96] if 0 <= e1+r0-1 < 6 if 0 <= e2+r1-1 < 7 else 0.0
        v1 = %1[128*e0+16*e3+8*r0+4*r1+r2] else 0.0
        core = dot(v0, v1) core";
    agree("groups", [&[6, 7, 12], &[3, 8, 2, 2, 4]], groups);
    let images = "%2: f32[2,6,7,8] = e[2, 6, 7, 8] r[2, 2, 4]
        v0 = %0[168*e0+28*e1+4*e2+28*r0+4*r1+r2-32] if 0 <= e1+r0-1 < 6 if 0 <= e2+r1-1 < 7 else 0.0
        v1 = %1[16*e3+8*r0+4*r1+r2] else 0.0
        core = dot(v0, v1) core";
    agree("two images", [&[2, 6, 7, 4], &[8, 2, 2, 4]], images);
    let line = "%2: f32[21,8] = e[21, 8] r[5, 3]
        v0 = %0[3*e0+3*r0+r1-6] if 0 <= e0+r0-2 < 21 else 1.5
        v1 = %1[15*e1+3*r0+r1] else 0.0
        core = dot(v0, v1) core";
    agree("a line", [&[21, 3], &[8, 5, 3]], line);
    let volume = "%2: f32[4,5,6,8] = e[4, 5, 6, 8] r[2, 2, 2, 2]
        v0 = %0[60*e0+12*e1+2*e2+60*r0+12*r1+2*r2+r3-74] if 0 <= e0+r0-1 < 4 if 0 <= e1+r1-1 < 5 if 0 <= e2+r2-1 < 6 else 0.0
        v1 = %1[16*e3+8*r0+4*r1+2*r2+r3] else 0.0
        core = dot(v0, v1) core";
    agree("a volume", [&[4, 5, 6, 2], &[8, 2, 2, 2, 2]], volume);
    let turned = "%2: f32[7,6,9] = e[7, 6, 9] r[2, 2, 3]
        v0 = %0[-15*e0+3*e1+15*r0+3*r1+r2+72] if 0 <= -e0+r0+5 < 5 if 0 <= e1+r1-1 < 5 else 0.0
        v1 = %1[12*e2+6*r0+3*r1+r2] else 0.0
        core = dot(v0, v1) core";
    agree("backwards", [&[5, 5, 3], &[9, 2, 2, 3]], turned);
    let chunks = "%2: f32[6,7,8,2] = e[6, 7, 8, 2] r[2, 2, 2]
        v0 = %0[14*e0+2*e1+28*e3+14*r0+2*r1+r2-16] if 0 <= e0+2*e3+r0-1 < 6 if 0 <= e1+r1-1 < 7 if 0 <= 2*e3+r0 < 3 else 0.0
        v1 = %1[12*e2+8*e3+4*r0+2*r1+r2] if 0 <= 2*e3+r0 < 3 else 0.0
        core = dot(v0, v1) core
        %3: f32[42,8] = e[42, 8] r[2]
        v0 = %2[16*e0+2*e1+r0] else 0.0
        core = seq_add(v0)
        core";
    agree("a guard that is no border", [&[6, 7, 2], &[8, 3, 2, 2]], chunks);
    let holes = "%2: f32[11,8] = e[11, 8] r[3, 4]
        v0 = %0[8*e0+8*r0+r1-8] if 0 <= 2*e0+2*r0-2 < 11 else 0.0
        v1 = %1[12*e1+4*r0+r1] else 0.0
        core = dot(v0, v1) core";
    agree("coordinates with holes", [&[6, 8], &[8, 3, 4]], holes);
    let narrow = "%2: f32[6,7,8] = e[6, 7, 8] r[2, 2, 4]
        v0 = %0[28*e0+4*e1+28*r0+4*r1+r2-32] if 0 <= e0+r0-1 < 5 if 0 <= e1+r1-1 < 3 else 0.0
        v1 = %1[16*e2+8*r0+4*r1+r2] else 0.0
        core = dot(v0, v1) core";
    agree("borders within the operand", [&[6, 7, 4], &[8, 2, 2, 4]], narrow);
}

#[test]
fn steps_that_cancel_each_other() {
    // Forms within 2^62 whose parts alone are not.
    let twice = "%2: f32[40,8,8] = e[1, 1, 40, 8, 8] r[3, 4]
        v0 = %0[1152921504606846976*e0+1152921504606846976*e1+4*e2+4*r0+r1] if 0 <= e0+7*e3 < 8 if 0 <= e1+7*e3 < 8
            if 0 <= e2+r0-20 < 4 else 0.0
        v1 = %1[12*e4+4*r0+r1] else 0.0
        core = dot(v0, v1) core";
    agree("two coordinates of one axis", [&[700], &[1600]], twice);
    let against = "%2: f32[40,8,8] = e[1, 1, 40, 8, 8] r[3, 4]
        v0 = %0[1152921504606846976*e0+1152921504606846976*e1+e2+5*r0+r1+1152921504606846956] if 0 <= e0+e3 < 8
            if 0 <= e1-e3 < 8 if 0 <= e2+5*r0+r1-20 < 40 else 0.0
        v1 = %1[12*e4+4*r0+r1] else 0.0
        core = dot(v0, v1) core";
    agree("coordinates that go against each other", [&[700], &[1600]], against);
}

#[test]
fn windows_that_lie_outside() {
    // By the guard, and by the address.
    for guard in ["0 <= e0+r0-200 < 21", "0 <= e0+r0-2 < 21"] {
        let instruction = format!(
            "%2: f32[21,8] = e[21, 8] r[5, 3]
                v0 = %0[3*e0+3*r0+r1-600] if {guard} else 1.5
                v1 = %1[15*e1+3*r0+r1] else 0.0
                core = dot(v0, v1) core"
        );
        agree(guard, [&[63], &[120]], &instruction);
    }
}

/// Instructions that only copy, with borders: one to three axes in any order of guards, steps and directions, operands that are too short, and NaNs
/// whose bits are not the canonical ones.
#[test]
fn copies_with_borders() {
    let mut random = ChaCha8Rng::seed_from_u64(6);
    for round in 0..600 {
        let axes = random.random_range(1..=3);
        let extents: Vec<i64> = (0..axes).map(|_| random.random_range(1..24)).collect();
        let dims: Vec<i64> = extents.iter().map(|&n| (n - random.random_range(-1..4)).max(1)).collect();
        let (mut address, mut guards, mut base, mut stride) = (Vec::new(), Vec::new(), 0, 1);
        for x in (0..axes).rev() {
            let step = [1, 1, 1, 1, 1, 2, -1][random.random_range(0..7)];
            let before = random.random_range(-1..4) - if step < 0 { extents[x] - 1 } else { 0 };
            address.insert(0, format!("{}*e{x}", step * stride));
            base -= before * stride;
            if random.random_range(0..5) > 0 {
                let limit = dims[x] + [0, 0, 0, 0, 1, -1, 40][random.random_range(0..7)];
                guards.insert(
                    random.random_range(0..=guards.len()),
                    format!("if 0 <= {step}*e{x}+{} < {}", -before, limit.max(0)),
                );
            }
            stride *= dims[x];
        }
        let read = [stride, stride, stride, stride + 5, (stride / 2).max(1)][random.random_range(0..5)];
        let list = extents.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
        let fill = ["0.0", "-0.0", "-inf"][random.random_range(0..3)];
        let text = format!(
            "%0: f32[{read}] = input\n%1: f32[{list}] = e[{list}] v0 = %0[{}+{base}] {} else {fill} v0\nreturn %1",
            address.join("+"),
            guards.join(" ")
        )
        .replace("+-", "-");
        let what = format!("copy {round}: {text}");
        let package = written(&text, &what);
        let number = |n: i64| if n % 11 == 3 { f32::from_bits(0xffc1_2345) } else { n as f32 - 20.0 };
        let input = tensors::f32s(&[read as usize], (0..read).map(number).collect::<Vec<f32>>());
        for (isa, threads) in [(Isa::Auto, 1), (Isa::Avx2, 2), (Isa::Portable, 3)] {
            agreed::values(&package, std::slice::from_ref(&input), &Options { threads, isa }, &what);
        }
    }
}
