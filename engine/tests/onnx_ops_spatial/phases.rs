//! Transposed convolutions and `Col2Im`: what the phases of strides make.

use super::*;

#[test]
fn transposed_convolutions() {
    for (which, p) in PLANES.iter().enumerate() {
        let (batch, group, channels, maps) = (2, 1 + which % 2, 2, 3);
        let more = [p.stride[0] - 1, 0];
        let out: Vec<usize> = (0..2)
            .map(|a| {
                let reach = (p.kernel[a] - 1) * p.dilation[a] + 1;
                (p.size[a] - 1) * p.stride[a] + more[a] + reach - p.pads[a][0] - p.pads[a][1]
            })
            .collect();
        let xd = [batch, group * channels, p.size[0], p.size[1]];
        let wd = [group * channels, maps, p.kernel[0], p.kernel[1]];
        let yd = [batch, group * maps, out[0], out[1]];
        let (x, w, bias) = (array(&xd), array(&wd), array(&[group * maps]));
        let (xs, ws, bs) = (elements(&x), elements(&w), elements(&bias));
        let mut expected: Vec<f64> = coordinates(&yd).iter().map(|c| bs[c[1]]).collect();
        for c in coordinates(&xd) {
            for k in coordinates(&wd[1..]) {
                let at = |a: usize| (c[2 + a] * p.stride[a] + k[1 + a] * p.dilation[a]).checked_sub(p.pads[a][0]);
                let (Some(row), Some(column)) = (at(0), at(1)) else { continue };
                if row >= out[0] || column >= out[1] {
                    continue;
                }
                let map = c[1] / channels * maps + k[0];
                let weight = ws[flat(&wd, &[c[1], k[0], k[1], k[2]])];
                expected[flat(&yd, &[c[0], map, row, column])] += xs[flat(&xd, &c)] * weight;
            }
        }
        let mut attributes = p.attributes();
        attributes.extend([attr_int("group", group as i64), attr_ints("output_padding", &signed(&more))]);
        let bytes = single(
            "ConvTranspose",
            11,
            &[("x", &signed(&xd)), ("w", &signed(&wd)), ("b", &[(group * maps) as i64])],
            vec![],
            attributes,
        );
        assert_close(&run(bytes, &[x, w, bias])[0], &yd, &expected, &format!("{p:?}"));
    }
}

/// One axis of ones: which outputs a window of 3 in strides of 3 reaches shows where it starts.
#[test]
fn transposed_convolutions_of_a_given_size() {
    let ones = |n: usize| f32s(&[1, 1, n], vec![1.0; n]);
    let given = |attributes: Vec<Message>| {
        let bytes = single("ConvTranspose", 11, &[("x", &[1, 1, 2]), ("w", &[1, 1, 4])], vec![], attributes);
        elements(&run(bytes, &[ones(2), ones(4)])[0])
    };
    let three = || attr_ints("strides", &[3]);
    let shape = |n: i64| attr_ints("output_shape", &[n]);
    assert_eq!(given(vec![three()]), [1., 1., 1., 2., 1., 1., 1.]);
    assert_eq!(given(vec![three(), shape(6)]), [1., 1., 2., 1., 1., 1.], "the odd pad is at the start");
    assert_eq!(given(vec![three(), shape(6), attr_string("auto_pad", "SAME_UPPER")]), [1., 1., 1., 2., 1., 1.]);
    assert_eq!(given(vec![three(), attr_string("auto_pad", "SAME_LOWER")]), [1., 1., 2., 1., 1., 1.]);
    assert_eq!(given(vec![three(), shape(9)]), [1., 1., 1., 2., 1., 1., 1., 0., 0.]);
    let wide = vec![attr_ints("strides", &[5]), attr_string("auto_pad", "SAME_UPPER")];
    let bytes = single("ConvTranspose", 11, &[("x", &[1, 1, 2]), ("w", &[1, 1, 4])], vec![], wide);
    assert!(refusal(bytes).contains("give pads"));
}

/// Strides of so many phases that they are one instruction, to be cut afterwards.
#[test]
fn transposed_convolutions_with_long_strides() {
    let (kernel, stride, pad) = ([21, 33], [20, 17], 3);
    let (xd, wd) = ([1, 2, 2, 3], [2, 1, kernel[0], kernel[1]]);
    let out = [0, 1].map(|a| (xd[2 + a] - 1) * stride[a] + kernel[a] - 2 * pad);
    let (x, w) = (array(&xd), array(&wd));
    let (xs, ws) = (elements(&x), elements(&w));
    let mut expected = vec![0.0; out[0] * out[1]];
    for c in coordinates(&xd) {
        for k in coordinates(&kernel) {
            let at = |a: usize| (c[2 + a] * stride[a] + k[a]).checked_sub(pad).filter(|&o| o < out[a]);
            if let (Some(row), Some(column)) = (at(0), at(1)) {
                expected[row * out[1] + column] += xs[flat(&xd, &c)] * ws[flat(&wd, &[c[1], 0, k[0], k[1]])];
            }
        }
    }
    let given = vec![("w", floats("w", &signed(&wd), &ws.iter().map(|&w| w as f32).collect::<Vec<_>>()))];
    let attributes = vec![attr_ints("strides", &signed(&stride)), attr_ints("pads", &[pad as i64; 4])];
    let bytes = single("ConvTranspose", 11, &[("x", &signed(&xd))], given, attributes);
    assert_close(&run(bytes, &[x])[0], &[1, 1, out[0], out[1]], &expected, "340 phases");
}

/// Windows side by side are one dot, and an infinity stays where there is a weight for it.
#[test]
fn transposed_convolutions_in_one_instruction() {
    let inputs: &[(&str, &[i64])] = &[("x", &[1, 1, 3]), ("w", &[1, 1, 2])];
    let bytes = single("ConvTranspose", 11, inputs, vec![], vec![attr_ints("strides", &[2])]);
    let l = lowered(bytes.clone()).expect("it lowers");
    assert_eq!(l.program.values.len(), 3, "two inputs and the result");
    let bytes_of_three = single(
        "ConvTranspose",
        11,
        inputs,
        vec![],
        vec![attr_ints("strides", &[3]), attr_ints("output_padding", &[1])],
    );
    let tensor = |xs: &[f32]| f32s(&[1, 1, xs.len()], xs);
    let given = [tensor(&[1.0, f32::INFINITY, 3.0]), tensor(&[4.0, 5.0])];
    let infinity = f64::INFINITY;
    assert_eq!(elements(&run(bytes, &given)[0]), [4., 5., infinity, infinity, 12., 15.]);
    assert_eq!(elements(&run(bytes_of_three, &given)[0]), [4., 5., 0., infinity, infinity, 0., 12., 15., 0.]);
}

/// Windows side by side: every output has one tap.
#[test]
fn transposed_convolutions_of_volumes() {
    let (xd, wd, yd) = ([1, 1, 2, 3, 2], [1, 2, 2, 2, 2], [1, 2, 4, 6, 4]);
    let (x, w) = (array(&xd), array(&wd));
    let (xs, ws) = (elements(&x), elements(&w));
    let at = |c: &Vec<usize>| {
        let of = flat(&xd, &[0, 0, c[2] / 2, c[3] / 2, c[4] / 2]);
        xs[of] * ws[flat(&wd, &[0, c[1], c[2] % 2, c[3] % 2, c[4] % 2])]
    };
    let expected: Vec<f64> = coordinates(&yd).iter().map(at).collect();
    let inputs = [("x", &signed(&xd)[..]), ("w", &signed(&wd)[..])];
    let bytes = single("ConvTranspose", 11, &inputs, vec![], vec![attr_ints("strides", &[2, 2, 2])]);
    assert_close(&run(bytes, &[x, w])[0], &yd, &expected, "2 x 2 x 2 in strides of 2");
}

#[test]
fn blocks_become_images() {
    for p in &PLANES {
        // The plane's size is that of the image.
        let image: Vec<usize> = (0..2).map(|a| p.size[a] + (p.kernel[a] - 1) * p.dilation[a]).collect();
        let blocks: Vec<usize> = (0..2)
            .map(|a| {
                let reach = (p.kernel[a] - 1) * p.dilation[a] + 1;
                (image[a] + p.pads[a][0] + p.pads[a][1] - reach) / p.stride[a] + 1
            })
            .collect();
        let full = [2, 3, p.kernel[0], p.kernel[1], blocks[0], blocks[1]];
        let xd = [2, 3 * p.kernel[0] * p.kernel[1], blocks[0] * blocks[1]];
        let yd = [2, 3, image[0], image[1]];
        let x = array(&xd);
        let xs = elements(&x);
        let mut expected = vec![0.0; yd.iter().product()];
        for c in coordinates(&full) {
            let at = |a: usize| (c[4 + a] * p.stride[a] + c[2 + a] * p.dilation[a]).checked_sub(p.pads[a][0]);
            if let (Some(row), Some(column)) = (at(0), at(1))
                && row < image[0]
                && column < image[1]
            {
                expected[flat(&yd, &[c[0], c[1], row, column])] += xs[flat(&full, &c)];
            }
        }
        let shapes = vec![("i", ints("i", &signed(&image))), ("k", ints("k", &signed(&p.kernel)))];
        let bytes = single("Col2Im", 18, &[("x", &signed(&xd))], shapes, p.attributes());
        assert_close(&run(bytes, &[x])[0], &yd, &expected, &format!("{p:?}"));
    }
}
