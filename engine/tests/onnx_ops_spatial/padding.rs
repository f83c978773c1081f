//! Pads of every kind, and centers.

use super::*;

#[test]
fn pads_of_every_kind() {
    let line = |mode: &str, size: i64, before: i64, after: i64| -> Vec<usize> {
        let coordinate = |i: i64| match mode {
            "edge" => i.clamp(0, size - 1),
            "wrap" => i.rem_euclid(size),
            _ => {
                // There and back again, without the ends twice.
                let path: Vec<i64> = (0..size).chain((1..size - 1).rev()).collect();
                path[i.rem_euclid(path.len() as i64) as usize]
            }
        };
        (-before..size + after).map(|i| coordinate(i) as usize).collect()
    };
    for (mode, opset, pads) in [
        ("edge", 2, [2, 3, 0, 1]),
        ("edge", 11, [0, 1, 0, 0]),
        ("reflect", 7, [1, 2, 2, 3]),
        ("reflect", 18, [5, 9, 4, 8]),
        ("wrap", 19, [1, 2, 3, 9]),
    ] {
        let xd = [2, 3, 4];
        let (rows, columns) = (line(mode, 3, pads[0], pads[2]), line(mode, 4, pads[1], pads[3]));
        let x = array(&xd);
        let xs = elements(&x);
        let yd = [2, rows.len(), columns.len()];
        let expected: Vec<f64> =
            coordinates(&yd).iter().map(|c| xs[flat(&xd, &[c[0], rows[c[1]], columns[c[2]]])]).collect();
        let all = [0, pads[0], pads[1], 0, pads[2], pads[3]];
        let mut attributes = vec![attr_string("mode", mode)];
        let mut given = vec![];
        if opset < 11 {
            attributes.push(attr_ints("pads", &all));
        } else {
            given.push(("p", ints("p", &all)));
        }
        let bytes = single("Pad", opset.max(7), &[("x", &[2, 3, 4])], given, attributes);
        assert_close(&run(bytes, &[x])[0], &yd, &expected, &format!("{mode} {pads:?}"));
    }
    let cropped =
        single("Pad", 11, &[("x", &[4])], vec![("p", ints("p", &[-1, 2]))], vec![attr_string("mode", "reflect")]);
    let x = f32s(&[4], [0., 1., 2., 3.]);
    assert_close(&run(cropped, &[x])[0], &[5], &[1., 2., 3., 2., 1.], "what is cropped is not reflected");
    let wrap = single("Pad", 18, &[("x", &[4])], vec![("p", ints("p", &[1, 2]))], vec![attr_string("mode", "wrap")]);
    assert!(refusal(wrap).contains("does not exist in operator set 18"));
}

#[test]
fn centers() {
    let attributes = || vec![attr_ints("axes", &[-1, 0])];
    let shape = vec![("s", ints("s", &[3, 4]))];
    let bytes = single("CenterCropPad", 18, &[("x", &[1, 6])], shape, attributes());
    let x = f32s(&[1, 6], [1., 2., 3., 4., 5., 6.]);
    let expected = [0., 0., 0., 2., 3., 4., 0., 0., 0., 0., 0., 0.];
    assert_close(&run(bytes, &[x])[0], &[4, 3], &expected, "the greater half is at the end");
}
