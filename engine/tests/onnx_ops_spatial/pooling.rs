//! Windows: the places of maxima and the way back, and norms.

use super::*;

#[test]
fn where_the_maximum_is() {
    for p in &PLANES {
        for column_major in [false, true] {
            let size: Vec<usize> = (0..2).map(|a| p.size[a] + (p.kernel[a] - 1) * p.dilation[a]).collect();
            let out: Vec<usize> = (0..2)
                .map(|a| {
                    let reach = (p.kernel[a] - 1) * p.dilation[a] + 1;
                    (size[a] + p.pads[a][0] + p.pads[a][1] - reach) / p.stride[a] + 1
                })
                .collect();
            let (xd, yd) = ([2, 3, size[0], size[1]], [2, 3, out[0], out[1]]);
            // Few values, so that many are equal; one NaN; and -infinity everywhere in the last channel.
            let value = |i: usize| match i {
                4 => f32::NAN,
                i if i >= 5 * size[0] * size[1] => f32::NEG_INFINITY,
                i => (tensors::noise(i) * 2.0).floor(),
            };
            let values: Vec<f32> = (0..xd.iter().product()).map(value).collect();
            let x = f32s(&xd, &values);
            let (mut most, mut places) = (Vec::new(), Vec::new());
            for c in coordinates(&yd) {
                let mut best: Option<(f32, usize)> = None;
                for k in coordinates(&p.kernel) {
                    let at = |a: usize| (c[2 + a] * p.stride[a] + k[a] * p.dilation[a]).checked_sub(p.pads[a][0]);
                    let (Some(row), Some(column)) = (at(0), at(1)) else { continue };
                    if row >= size[0] || column >= size[1] {
                        continue;
                    }
                    let v = values[flat(&xd, &[c[0], c[1], row, column])];
                    if best.is_none_or(|b| v > b.0 || v.is_nan() && !b.0.is_nan()) {
                        let within = if column_major { column * size[0] + row } else { row * size[1] + column };
                        best = Some((v, (c[0] * xd[1] + c[1]) * size[0] * size[1] + within));
                    }
                }
                let best = best.expect("a window has an element");
                most.push(best.0);
                places.push(best.1 as i64);
            }
            let mut attributes = p.attributes();
            attributes.extend([
                attr_ints("kernel_shape", &signed(&p.kernel)),
                attr_int("storage_order", column_major.into()),
            ]);
            let bytes = outputs("MaxPool", 12, vec![value_of("i0", F32, &xd)], &["y", "z"], attributes);
            let got = run(bytes, &[x]);
            let (Tensor::F32(y), Tensor::I64(z)) = (&got[0], &got[1]) else { panic!("f32 and i64") };
            let bits = |x: &f32| if x.is_nan() { u32::MAX } else { x.to_bits() };
            assert!(y.iter().map(bits).eq(most.iter().map(bits)), "{p:?}: {y:?}");
            assert!(z.iter().eq(&places), "{p:?}, column major {column_major}: {z:?}, expected {places:?}");
        }
    }
}

#[test]
fn norms_over_windows() {
    let p = PLANES[2];
    let out = [p.size[0] + 2 - 2, p.size[1] + 4 - 4];
    let (xd, yd) = ([1, 2, p.size[0], p.size[1]], [1, 2, out[0], out[1]]);
    let x = array(&xd);
    let xs = elements(&x);
    for order in [1, 2, 3, 5] {
        let root = |sum: f64| sum.powf(1.0 / f64::from(order));
        let expected: Vec<f64> = coordinates(&yd)
            .iter()
            .map(|c| {
                let mut sum = 0.0;
                for k in coordinates(&p.kernel) {
                    let at = |a: usize| (c[2 + a] + k[a] * p.dilation[a]).checked_sub(p.pads[a][0]);
                    if let (Some(row), Some(column)) = (at(0), at(1))
                        && row < p.size[0]
                        && column < p.size[1]
                    {
                        sum += xs[flat(&xd, &[0, c[1], row, column])].abs().powi(order);
                    }
                }
                root(sum)
            })
            .collect();
        let mut attributes = p.attributes();
        attributes.extend([attr_ints("kernel_shape", &signed(&p.kernel)), attr_int("p", order.into())]);
        let bytes = single("LpPool", 18, &[("x", &signed(&xd))], vec![], attributes);
        assert_close(&run(bytes, std::slice::from_ref(&x))[0], &yd, &expected, &format!("p = {order}"));

        let whole: Vec<f64> =
            xs.chunks(xs.len() / 2).map(|c| root(c.iter().map(|x| x.abs().powi(order)).sum())).collect();
        let bytes = single("GlobalLpPool", 7, &[("x", &signed(&xd))], vec![], vec![attr_int("p", order.into())]);
        assert_close(&run(bytes, std::slice::from_ref(&x))[0], &[1, 2, 1, 1], &whole, &format!("p = {order}, global"));
    }
}

#[test]
fn the_last_update_counts() {
    let indices = i64s(&[1, 2, 2], [1, 7, 1, 0]);
    let x = f32s(&[1, 2, 2], [5., -6., -7., 8.]);
    let inputs = || vec![value_of("i0", F32, &[1, 2, 2]), value_of("i1", I64, &[1, 2, 2])];
    let attributes = vec![attr_ints("kernel_shape", &[2]), attr_ints("strides", &[2])];
    let bytes = outputs("MaxUnpool", 11, inputs(), &["y"], attributes);
    let expected = [8., -7., 0., 0., 0., 0., 0., -6.];
    assert_close(&run(bytes, &[x, indices])[0], &[1, 2, 4], &expected, "two updates of place 1");
}
