//! `Resize` and `Upsample`.

use super::*;
use rebut_engine::program::DType;

/// Linear interpolation of one axis.
fn interpolated(xs: &[f64], outputs: usize, at: impl Fn(f64) -> f64) -> Vec<f64> {
    let last = xs.len() as f64 - 1.0;
    let value = |i: f64| xs[i.clamp(0.0, last) as usize];
    (0..outputs)
        .map(|o| {
            let x = at(o as f64);
            let part = x - x.floor();
            value(x.floor()) * (1.0 - part) + value(x.floor() + 1.0) * part
        })
        .collect()
}

#[test]
fn linear_resizing() {
    // Sizes with a period, with one of several outputs, and with none.
    for (input, output) in [(8, 16), (9, 27), (12, 6), (12, 18), (15, 10), (16, 24), (7, 11), (11, 4), (5, 1), (1, 3)] {
        let (size, scale) = ([2, input, 3], output as f64 / input as f64);
        let x = array(&size);
        let xs = elements(&x);
        for mode in ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"] {
            let at = |o: f64| match mode {
                "asymmetric" => o / scale,
                "align_corners" if output == 1 => 0.0,
                "align_corners" => o * (input as f64 - 1.0) / (output as f64 - 1.0),
                "pytorch_half_pixel" if output == 1 => -0.5,
                _ => (o + 0.5) / scale - 0.5,
            };
            let mut expected = vec![0.0; 2 * output * 3];
            for (n, c) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)] {
                let line: Vec<f64> = (0..input).map(|i| xs[(n * input + i) * 3 + c]).collect();
                for (o, y) in interpolated(&line, output, at).into_iter().enumerate() {
                    expected[(n * output + o) * 3 + c] = y;
                }
            }
            let none = |name: &str| header(name, F32, &[0]).bytes(9, []);
            let given = vec![("r", none("r")), ("s", none("s")), ("z", ints("z", &[2, output as i64, 3]))];
            let attributes = vec![attr_string("mode", "linear"), attr_string("coordinate_transformation_mode", mode)];
            let bytes = single("Resize", 13, &[("x", &signed(&size))], given, attributes);
            assert_close(
                &run(bytes, std::slice::from_ref(&x))[0],
                &[2, output, 3],
                &expected,
                &format!("{input} to {output}, {mode}"),
            );
        }
    }
}

/// Which coordinates are taken, of a tensor of another type, along its second axis.
fn chosen(dtype: DType, input: usize, scale: f32, attributes: Vec<Message>) -> Vec<f64> {
    let x = match dtype {
        DType::U8 => u8s(&[1, input], (0..input).map(|i| i as u8)),
        DType::Bool => bools(&[1, input], (0..input).map(|i| i % 3 == 0)),
        _ => tensors::array(&[1, input], |i| i as f32),
    };
    let bytes = Graph {
        nodes: vec![node("Resize", "node", &["x", "", "s"], &["y"], attributes)],
        initializers: vec![floats("s", &[2], &[1.0, scale])],
        inputs: vec![value_of("x", dtype.code().into(), &[1, input])],
        outputs: vec![Message::default().bytes(1, "y")],
    }
    .model(13);
    let y = run(bytes, &[x]).remove(0);
    if dtype == DType::F32 { elements(&y) } else { registers(&y).into_iter().map(|x| x as f64).collect() }
}

#[test]
fn nearest_resizing() {
    let with = |mode: &str, nearest: &str| {
        vec![attr_string("coordinate_transformation_mode", mode), attr_string("nearest_mode", nearest)]
    };
    let scale = 0.7f32;
    for dtype in [DType::F32, DType::U8] {
        // 2 and 3 times: a view, or blocks that begin elsewhere.
        assert_eq!(chosen(dtype, 3, 2.0, vec![]), [0., 0., 1., 1., 2., 2.]);
        let shifted: Vec<f64> = (0..60).map(|o| f64::from((o + 1) / 3).min(19.0)).collect();
        assert_eq!(chosen(dtype, 20, 3.0, with("asymmetric", "round_prefer_floor")), shifted);
        assert_eq!(chosen(dtype, 10, 0.5, with("asymmetric", "floor")), [0., 2., 4., 6., 8.]);
        // No period.
        let expected: Vec<f64> = (0..35).map(|o| (f64::from(o) / f64::from(scale)).ceil().min(49.0)).collect();
        assert_eq!(chosen(dtype, 50, scale, with("asymmetric", "ceil")), expected);
        let expected: Vec<f64> = (0..35).map(|o| ((f64::from(o) + 0.5) / f64::from(scale)).floor()).collect();
        assert_eq!(chosen(dtype, 50, scale, with("half_pixel", "round_prefer_ceil")), expected);
    }
    let thirds: Vec<f64> = (0..35)
        .map(|o| f64::from(u8::from((((f64::from(o) + 0.5) / f64::from(scale)) as u32).is_multiple_of(3))))
        .collect();
    assert_eq!(chosen(DType::Bool, 50, scale, with("half_pixel", "round_prefer_ceil")), thirds);
}

#[test]
fn upsampling_before_resize() {
    let x = array(&[1, 1, 3, 4]);
    let xs = elements(&x);
    let at = |row: usize, column: usize| xs[row / 2 * 4 + column / 3];
    let expected: Vec<f64> = (0..6).flat_map(|r| (0..12).map(move |c| (r, c))).map(|(r, c)| at(r, c)).collect();
    let scales = [1.0, 1.0, 2.0, 3.0];
    let list = scales.iter().fold(Message::default().bytes(1, "scales"), |m, &s| m.float(7, s)).int(20, 6);
    for (op, opset) in [("Upsample", 7), ("Upsample", 9), ("Resize", 10)] {
        let (given, attributes) = match opset {
            7 => (vec![], vec![list.clone()]),
            _ => (vec![("s", floats("s", &[4], &scales))], vec![]),
        };
        let bytes = single(op, opset, &[("x", &[1, 1, 3, 4])], given, attributes);
        assert_close(&run(bytes, std::slice::from_ref(&x))[0], &[1, 1, 6, 12], &expected, op);
    }
}
