//! Depthwise convolutions and pooling whose vectors run along several axes: where what is reduced follows one another along them, and where
//! guards, weights or lengths forbid it.

mod onnx_support;

use onnx_support::{agreed, tensors, written};
use rebut_engine::arith::Isa;
use rebut_engine::exec::Options;

/// Instructions over `%0`, ten by nine places with channels; `%1`, weights; `%2` and `%3`, of which an epilogue may read.
fn agree(what: &str, channels: usize, instructions: &str) {
    agree_on(what, channels, instructions, |_, i| match (i * 7919) % 1013 {
        0 => f32::NAN,
        1 => f32::INFINITY,
        2 | 3 => -0.0,
        // Products of two are too small for a float: zeros of both signs.
        x if i.is_multiple_of(3) => (x as f32 - 500.0) * 1e-30,
        x => (x as f32 - 500.0) / 256.0,
    });
}

/// The same on numbers by their operand and place.
fn agree_on(what: &str, channels: usize, instructions: &str, number: impl Fn(usize, usize) -> f32) {
    let text = format!(
        "%0: f32[10,9,{channels}] = input %1: f32[{channels},3,2] = input %2: f32[{channels}] = input
        %3: f32[8,8,{channels}] = input\n{instructions}"
    );
    let package = written(&text, what);
    let shapes: [&[usize]; 4] = [&[10, 9, channels], &[channels, 3, 2], &[channels], &[8, 8, channels]];
    let numbers = |(operand, dims): (usize, &&[usize])| {
        tensors::f32s(dims, (0..dims.iter().product()).map(|i| number(operand, i)).collect::<Vec<f32>>())
    };
    let inputs: Vec<_> = shapes.iter().enumerate().map(numbers).collect();
    for (isa, threads) in [(Isa::Auto, 1), (Isa::Avx2, 2), (Isa::Portable, 3)] {
        agreed::values(&package, &inputs, &Options { threads, isa }, what);
    }
}

/// A depthwise convolution over channels in groups of `inner`, `outer` of them, read group after group; `shuffled` writes them in turns.
fn depthwise(outer: usize, inner: usize, shuffled: bool, padded: usize, epilogue: &str) -> String {
    let channels = outer * inner;
    let (extents, read) = if shuffled {
        (format!("{inner}, {outer}"), format!("e2+{inner}*e3"))
    } else {
        (format!("{outer}, {inner}"), format!("{inner}*e2+e3"))
    };
    let (row, place) = (9 * channels, channels);
    let before = padded * (row + place);
    let weights = if shuffled { 4 * outer } else { 4 * inner };
    format!(
        "%4: f32[8,8,{extents}] = e[8, 8, {extents}] r[2, 2]
        v0 = %0[{row}*e0+{place}*e1+{read}+{row}*r0+{place}*r1-{before}] if 0 <= e0+r0-{padded} < 10 if 0 <= e1+r1-{padded} < 9 else 0.0
        v1 = %1[{weights}*e2+4*e3+2*r0+r1] else 0.0
        {epilogue}
        return %4"
    )
}

#[test]
fn channels_in_groups() {
    for (outer, inner) in [(4, 34), (2, 8), (3, 11), (1, 16), (16, 8), (5, 40)] {
        for shuffled in [false, true] {
            for padded in [0, 1] {
                let what = format!("{outer} groups of {inner}, shuffled {shuffled}, padded {padded}");
                let stride = if shuffled { outer } else { inner };
                let channel = format!("{stride}*e2+e3");
                let parameters = format!(
                    "v2 = %2[{channel}] else 0.0 v3 = %2[e3] else 0.0 core = dot(v0, v1) max(add(mul(core, v2), v3), 0.0)"
                );
                let each = format!(
                    "v2 = %3[{}*e0+{}*e1+{channel}] else 0.0 core = dot(v0, v1) add(core, v2)",
                    8 * outer * inner,
                    outer * inner
                );
                for epilogue in ["core = dot(v0, v1) core", parameters.as_str(), each.as_str()] {
                    agree(&what, outer * inner, &depthwise(outer, inner, shuffled, padded, epilogue));
                }
            }
        }
    }
}

/// Nine places in two chunks, of which the second has three that are nothing but zeros.
const CHUNKS: &str = "%4: f32[8,8,34,4,2] = e[8, 8, 34, 4, 2] r[2, 2]
        v0 = %0[1224*e0+136*e1+e2+34*e3+2448*e4+1224*r0+136*r1-1360] if 0 <= e0+2*e4+r0-1 < 10 if 0 <= e1+r1-1 < 9 if 0 <= 2*e4+r0 < 3 else 0.0
        v1 = %1[24*e2+6*e3+4*e4+2*r0+r1] if 0 <= 2*e4+r0 < 3 else 0.0
        core = dot(v0, v1)
        core
    %5: f32[8,8,136] = e[64, 136] r[2]
        v0 = %4[272*e0+2*e1+r0] else 0.0
        v1 = %2[e1] else 0.0
        core = seq_add(v0)
        add(mul(core, v1), v1)
        return %5";

#[test]
fn chunks_of_channels_in_groups() {
    agree("chunks", 136, CHUNKS);
}

#[test]
fn chains_that_end_in_products_of_zeros() {
    // Each product is a zero below zero: what follows it makes +0 of it.
    agree_on("chunks of zeros", 136, CHUNKS, |operand, i| match operand {
        0 => 1e-30,
        1 => -1e-30,
        _ => {
            if i.is_multiple_of(2) {
                1.0
            } else {
                -0.0
            }
        }
    });
}

#[test]
fn pooling_along_several_axes() {
    let pool = |extents: &str, dims: &str, view: &str, reduction: &str, core: &str| {
        format!(
            "%4: f32[{dims}] = e[{extents}] r[{reduction}] v0 = %0[{view}] else 0.0 core = {core}(v0) core return %4"
        )
    };
    for core in ["max", "min", "sum", "sumsq", "seq_add"] {
        // Rows of places follow one another; the whole would be too long.
        agree("places and channels", 8, &pool("8, 9, 8", "8,9,8", "72*e0+8*e1+e2+72*r0", "3", core));
        agree("all of it", 12, &pool("9, 12", "9,12", "12*e0+e1+108*r0", "10", core));
        agree("more than a row has", 136, &pool("9, 136", "9,136", "136*e0+e1+1224*r0", "10", core));
        agree("turned", 16, &pool("16, 8, 9", "16,8,9", "e0+144*e1+16*e2+144*r0", "3", core));
        let guarded = "%4: f32[8,9,8] = e[8, 9, 8] r[3] v0 = %0[72*e0+8*e1+e2+72*r0] if 0 <= e1-1 < 7 else 0.5
            core = max(v0) core return %4";
        agree("a guard on an axis that follows", 8, guarded);
        let channels = "%4: f32[8,9,8] = e[8, 9, 8] r[3] v0 = %0[72*e0+8*e1+e2+72*r0] if 0 <= e2-1 < 5 else 0.5
            core = max(v0) core return %4";
        agree("a guard on the channels", 8, channels);
    }
}

#[test]
fn weights_that_do_not_differ_along_an_axis() {
    let text = "%4: f32[8,9,16] = e[8, 9, 16] r[3]
        v0 = %0[144*e0+16*e1+e2+144*r0] else 0.0
        v1 = %1[6*e2+2*r0] else 0.0
        core = dot(v0, v1) core return %4";
    agree("places that share weights", 16, text);
}
