//! What is refused, and why.

use super::*;

#[test]
fn refusals() {
    let x: (&str, &[i64]) = ("x", &[1, 2, 6]);
    let mode = |m: &str| attr_string("mode", m);
    let how = |m: &str| attr_string("coordinate_transformation_mode", m);
    let scales = || vec![("r", floats("r", &[0], &[])), ("s", floats("s", &[3], &[1., 1., 2.]))];
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (single("Resize", 13, &[x], scales(), vec![how("half_pixel_symmetric")]), "does not exist in operator set 13"),
        (single("Resize", 13, &[x], scales(), vec![how("tf_half_pixel_for_nn")]), "does not exist in operator set 13"),
        (single("Resize", 18, &[x], scales(), vec![attr_int("antialias", 1)]), "antialias needs mode"),
        (single("Resize", 13, &[x], scales(), vec![how("tf_crop_and_resize")]), "roi [] does not fit 3 axes"),
        (
            single("Resize", 13, &[x, ("r", &[0]), ("s", &[3])], vec![], vec![]),
            "its scales is not known when compiling",
        ),
        (single("Upsample", 9, &[x], vec![("s", floats("s", &[2], &[1., 2.]))], vec![]), "do not fit 3 axes"),
        (
            single("Resize", 10, &[x], vec![("s", floats("s", &[3], &[1., 1., 2.]))], vec![mode("cubic")]),
            "mode `cubic`",
        ),
        (single("DFT", 20, &[("x", &[1, 4, 3])], vec![], vec![]), "only f32 [.., 1 or 2]"),
        (single("DFT", 17, &[("x", &[1, 4, 2])], vec![], vec![attr_int("axis", 2)]), "real and imaginary parts"),
        (
            single("LpPool", 11, &[x], vec![], vec![attr_ints("kernel_shape", &[2]), attr_int("p", 0)]),
            "a norm of order 0",
        ),
        (single("ConvTranspose", 11, &[x, ("w", &[3, 1, 2])], vec![], vec![]), "do not fit input"),
        (
            single("Pad", 13, &[("x", &[0])], vec![("p", ints("p", &[1, 1]))], vec![mode("edge")]),
            "nothing to pad it with",
        ),
        (outputs("Split", 13, vec![value_of("i0", F32, &[4])], &["a", "b", "c"], vec![]), "not in 3 equal parts"),
        (single("Col2Im", 18, &[x], vec![("i", ints("i", &[5])), ("k", ints("k", &[2]))], vec![]), "is not blocks"),
    ];
    for (bytes, what) in cases {
        let got = refusal(bytes);
        assert!(got.contains(what), "{got}, expected {what}");
    }
}
