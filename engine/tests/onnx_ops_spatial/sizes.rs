//! What real models ask for fits a step.

use super::*;

/// Costliest step and the number of values of a model that is too large to run here.
fn measured(what: &str, bytes: Vec<u8>) {
    let l = lowered(bytes).unwrap_or_else(|e| panic!("{what}: {e}"));
    let worst = bill(&l.program).into_iter().map(|b| b.gas_worst).max().unwrap_or(0);
    eprintln!("{what}: {} values, worst step {worst} gas", l.program.values.len());
    assert!(worst <= STEP_GAS_CEILING, "{what}: {worst}");
}

#[test]
fn sizes_of_real_models() {
    let sizes =
        |dims: &[i64]| vec![("r", floats("r", &[0], &[])), ("s", floats("s", &[0], &[])), ("z", ints("z", dims))];
    let mode = |m: &str| vec![attr_string("mode", m)];
    let two = || vec![attr_ints("strides", &[2, 2]), attr_ints("pads", &[1, 1, 1, 1])];
    let upconvolution: &[(&str, &[i64])] = &[("x", &[1, 256, 32, 32]), ("w", &[256, 128, 4, 4])];
    measured("ConvTranspose 256 to 128, 32 x 32 by 2", single("ConvTranspose", 11, upconvolution, vec![], two()));
    let halves = vec![attr_ints("strides", &[2, 2])];
    let side_by_side: &[(&str, &[i64])] = &[("x", &[1, 256, 32, 32]), ("w", &[256, 128, 2, 2])];
    measured("ConvTranspose in one instruction", single("ConvTranspose", 11, side_by_side, vec![], halves));
    let given = vec![("w", floats("w", &[21, 21, 64, 64], &vec![0.5; 21 * 21 * 64 * 64]))];
    let strides = vec![attr_ints("strides", &[32, 32])];
    measured("ConvTranspose by 32", single("ConvTranspose", 11, &[("x", &[1, 21, 16, 16])], given, strides));
    let features: &[(&str, &[i64])] = &[("x", &[1, 64, 56, 56])];
    for (what, dims) in [("by 2", [1, 64, 112, 112]), ("by half", [1, 64, 28, 28]), ("to 75", [1, 64, 75, 75])] {
        for m in ["nearest", "linear", "cubic"] {
            measured(&format!("Resize {m} 64 x 56 x 56 {what}"), single("Resize", 19, features, sizes(&dims), mode(m)));
        }
    }
    let mut pooled = vec![attr_ints("kernel_shape", &[2, 2]), attr_ints("strides", &[2, 2])];
    measured(
        "MaxPool with indices",
        outputs("MaxPool", 12, vec![value_of("i0", F32, &[1, 64, 56, 56])], &["y", "z"], pooled.clone()),
    );
    pooled.push(attr_int("p", 3));
    measured("LpPool of order 3", single("LpPool", 11, features, vec![], pooled));
    let given = vec![("p", ints("p", &[0, 0, 3, 3, 0, 0, 3, 3]))];
    measured("Pad reflect", single("Pad", 13, features, given, mode("reflect")));
    let given = vec![("step", ints("step", &[160])), ("w", floats("w", &[400], &[0.5; 400]))];
    measured("STFT of a second, frames of 400", single("STFT", 17, &[("x", &[1, 16000, 1])], given, vec![]));
    measured("DFT of 512 along an outer axis", single("DFT", 17, &[("x", &[1, 512, 64, 2])], vec![], vec![]));
}
