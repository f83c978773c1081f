//! Spatial operators against plain loops in f64, where the backend cases do not reach: other operator sets, strides, groups, types, and
//! sizes at which a step would cost too much if it were laid out badly.

mod onnx_support;

use onnx_support::*;
use rebut_engine::exec;
use rebut_engine::lower::gas::STEP_GAS_CEILING;
use rebut_engine::lower::{LowerOptions, Lowered, bill, lower};
use rebut_engine::onnx::model_from_bytes;
use rebut_engine::program::{DType, Source};
use rebut_engine::reference::{Memory, evaluate};
use rebut_engine::tensor::Tensor;

fn lowered(bytes: Vec<u8>) -> Result<Lowered, String> {
    let model = model_from_bytes(bytes, None).map_err(|e| e.to_string())?;
    lower(&model, &LowerOptions::default()).map_err(|e| e.to_string())
}

fn refusal(bytes: Vec<u8>) -> String {
    lowered(bytes).expect_err("it is refused")
}

/// The outputs of a model, which must be the reference interpreter's too; no step of it is above the ceiling.
fn run(bytes: Vec<u8>, inputs: &[Tensor]) -> Vec<Tensor> {
    let l = lowered(bytes).expect("it lowers");
    let worst = bill(&l.program).into_iter().max_by_key(|b| b.gas_worst);
    assert!(worst.is_none_or(|w| w.gas_worst <= STEP_GAS_CEILING), "{worst:?}");
    let outputs = exec::run(&package(&l), inputs, &exec::Options::default()).expect("it runs");
    for (reference, native) in interpreted(&l, inputs).iter().zip(&outputs) {
        assert_eq!(reference.to_be_bytes(), native.to_be_bytes(), "{native:?}, but the reference gives {reference:?}");
    }
    outputs
}

fn interpreted(l: &Lowered, inputs: &[Tensor]) -> Vec<Tensor> {
    struct Values<'v>(Vec<&'v Tensor>);
    impl Memory for Values<'_> {
        fn load(&mut self, operand: u8, index: u64) -> i64 {
            self.0[usize::from(operand)].register(index as usize).expect("an element")
        }
    }
    let mut values: Vec<Tensor> = inputs.iter().chain(&l.constants).cloned().collect();
    for value in &l.program.values[values.len()..] {
        let Source::Instruction(i) = &value.source else { panic!("an instruction") };
        let mut memory = Values(i.operands.iter().map(|o| &values[o.value as usize]).collect());
        let registers = (0..value.ty.elements()).map(|e| evaluate(i, value.ty.dtype, e, &mut memory));
        let bytes: Vec<u8> = registers.flat_map(|r| r.to_le_bytes()[..value.ty.dtype.width()].to_vec()).collect();
        values.push(Tensor::from_le_bytes(&value.ty, &bytes).expect("a tensor"));
    }
    values.split_off(values.len() - l.outputs.len())
}

/// Numbers without a pattern, of both signs.
fn noise(i: usize) -> f32 {
    ((i * 7919 + 13) % 1009) as f32 / 504.5 - 1.0
}

fn array(dims: &[usize]) -> Tensor {
    let values = (0..dims.iter().product()).map(noise).collect();
    Tensor::F32(ndarray::ArrayD::from_shape_vec(dims, values).expect("a shape"))
}

fn elements(tensor: &Tensor) -> Vec<f64> {
    match tensor {
        Tensor::F32(a) => a.iter().map(|&x| x.into()).collect(),
        Tensor::I64(a) => a.iter().map(|&x| x as f64).collect(),
        Tensor::U8(a) | Tensor::Bool(a) => a.iter().map(|&x| x.into()).collect(),
        _ => panic!("not expected here"),
    }
}

fn assert_close(got: &Tensor, dims: &[usize], expected: &[f64], what: &str) {
    assert_eq!(got.shape(), dims, "{what}");
    for (i, (x, y)) in elements(got).into_iter().zip(expected).enumerate() {
        assert!((x - y).abs() <= 1e-5 + 1e-5 * y.abs(), "{what}: element {i} is {x}, expected {y}");
    }
}

fn signed(dims: &[usize]) -> Vec<i64> {
    dims.iter().map(|&d| d as i64).collect()
}

/// All coordinates of a shape in row-major order.
fn coordinates(dims: &[usize]) -> Vec<Vec<usize>> {
    let mut all = vec![vec![]];
    for &d in dims {
        all = all.iter().flat_map(|c: &Vec<usize>| (0..d).map(move |i| [c.clone(), vec![i]].concat())).collect();
    }
    all
}

fn flat(dims: &[usize], at: &[usize]) -> usize {
    dims.iter().zip(at).fold(0, |n, (&d, &i)| n * d + i)
}

/// A spatial operator's numbers, for 2 axes.
#[derive(Clone, Copy, Debug)]
struct Plane {
    size: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    /// Before and after, of each axis.
    pads: [[usize; 2]; 2],
}

impl Plane {
    fn attributes(&self) -> Vec<Message> {
        let [a, b] = self.pads;
        vec![
            attr_ints("strides", &signed(&self.stride)),
            attr_ints("dilations", &signed(&self.dilation)),
            attr_ints("pads", &signed(&[a[0], b[0], a[1], b[1]])),
        ]
    }
}

const PLANES: [Plane; 5] = [
    Plane { size: [3, 5], kernel: [3, 2], stride: [2, 3], dilation: [1, 1], pads: [[1, 0], [0, 1]] },
    Plane { size: [4, 3], kernel: [2, 3], stride: [3, 2], dilation: [2, 2], pads: [[0, 0], [1, 2]] },
    Plane { size: [5, 4], kernel: [3, 3], stride: [1, 1], dilation: [1, 2], pads: [[1, 1], [2, 2]] },
    Plane { size: [2, 2], kernel: [1, 2], stride: [4, 6], dilation: [1, 4], pads: [[0, 0], [0, 0]] },
    Plane { size: [6, 1], kernel: [4, 1], stride: [2, 1], dilation: [3, 1], pads: [[2, 3], [0, 0]] },
];

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
    let ones = |n: usize| Tensor::F32(ndarray::ArrayD::ones(vec![1, 1, n]));
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
    let tensor =
        |xs: &[f32]| Tensor::F32(ndarray::ArrayD::from_shape_vec(vec![1, 1, xs.len()], xs.to_vec()).expect("a shape"));
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

/// A model of one node whose outputs are all asked for.
fn outputs(op: &str, opset: i64, inputs: Vec<Message>, outputs: &[&str], attributes: Vec<Message>) -> Vec<u8> {
    let names: Vec<String> = (0..inputs.len()).map(|i| format!("i{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Graph {
        nodes: vec![node(op, "node", &names, outputs, attributes)],
        inputs,
        outputs: outputs.iter().map(|name| Message::default().bytes(1, name)).collect(),
        ..Graph::default()
    }
    .model(opset)
}

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
                i => (noise(i) * 2.0).floor(),
            };
            let values: Vec<f32> = (0..xd.iter().product()).map(value).collect();
            let x = Tensor::F32(ndarray::ArrayD::from_shape_vec(&xd[..], values.clone()).expect("a shape"));
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

fn value_of(name: &str, dtype: i64, dims: &[usize]) -> Message {
    value(name, dtype, &signed(dims))
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
    let indices = Tensor::I64(ndarray::ArrayD::from_shape_vec(vec![1, 2, 2], vec![1, 7, 1, 0]).expect("a shape"));
    let x = Tensor::F32(ndarray::ArrayD::from_shape_vec(vec![1, 2, 2], vec![5., -6., -7., 8.]).expect("a shape"));
    let inputs = || vec![value_of("i0", F32, &[1, 2, 2]), value_of("i1", I64, &[1, 2, 2])];
    let attributes = vec![attr_ints("kernel_shape", &[2]), attr_ints("strides", &[2])];
    let bytes = outputs("MaxUnpool", 11, inputs(), &["y"], attributes);
    let expected = [8., -7., 0., 0., 0., 0., 0., -6.];
    assert_close(&run(bytes, &[x, indices])[0], &[1, 2, 4], &expected, "two updates of place 1");
}

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
    let x = Tensor::F32(ndarray::ArrayD::from_shape_vec(vec![4], vec![0., 1., 2., 3.]).expect("a shape"));
    assert_close(&run(cropped, &[x])[0], &[5], &[1., 2., 3., 2., 1.], "what is cropped is not reflected");
    let wrap = single("Pad", 18, &[("x", &[4])], vec![("p", ints("p", &[1, 2]))], vec![attr_string("mode", "wrap")]);
    assert!(refusal(wrap).contains("does not exist in operator set 18"));
}

#[test]
fn centers() {
    let attributes = || vec![attr_ints("axes", &[-1, 0])];
    let shape = vec![("s", ints("s", &[3, 4]))];
    let bytes = single("CenterCropPad", 18, &[("x", &[1, 6])], shape, attributes());
    let x = Tensor::F32(ndarray::ArrayD::from_shape_vec(vec![1, 6], vec![1., 2., 3., 4., 5., 6.]).expect("a shape"));
    let expected = [0., 0., 0., 2., 3., 4., 0., 0., 0., 0., 0., 0.];
    assert_close(&run(bytes, &[x])[0], &[4, 3], &expected, "the greater half is at the end");
}

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
    let (code, x) = match dtype {
        DType::U8 => (2, Tensor::U8(ndarray::ArrayD::from_shape_fn(vec![1, input], |i| i[1] as u8))),
        DType::Bool => (9, Tensor::Bool(ndarray::ArrayD::from_shape_fn(vec![1, input], |i| (i[1] % 3 == 0).into()))),
        _ => (F32, Tensor::F32(ndarray::ArrayD::from_shape_fn(vec![1, input], |i| i[1] as f32))),
    };
    let bytes = Graph {
        nodes: vec![node("Resize", "node", &["x", "", "s"], &["y"], attributes)],
        initializers: vec![floats("s", &[2], &[1.0, scale])],
        inputs: vec![value_of("x", code, &[1, input])],
        outputs: vec![Message::default().bytes(1, "y")],
    }
    .model(13);
    elements(&run(bytes, &[x])[0])
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

/// The transform of a line of complex numbers.
fn transform(line: &[(f64, f64)], length: usize, sign: f64) -> Vec<(f64, f64)> {
    let term = |o: usize, k: usize, (re, im): (f64, f64)| {
        let angle = sign * 2.0 * std::f64::consts::PI * ((o * k) % length) as f64 / length as f64;
        (re * angle.cos() - im * angle.sin(), re * angle.sin() + im * angle.cos())
    };
    let sum = |o: usize| {
        let terms = line.iter().take(length).enumerate().map(|(k, &x)| term(o, k, x));
        terms.fold((0.0, 0.0), |s, t| (s.0 + t.0, s.1 + t.1))
    };
    (0..length).map(sum).collect()
}

#[test]
fn transforms_of_any_length() {
    let size = 7;
    for length in [5, 7, 12, 300] {
        for inverse in [false, true] {
            let xd = [2, size, 2];
            let x = array(&xd);
            let xs = elements(&x);
            let mut expected = Vec::new();
            for n in 0..2 {
                let line: Vec<(f64, f64)> =
                    (0..size).map(|i| (xs[(n * size + i) * 2], xs[(n * size + i) * 2 + 1])).collect();
                let scale = if inverse { 1.0 / length as f64 } else { 1.0 };
                let all = transform(&line, length, if inverse { 1.0 } else { -1.0 });
                expected.extend(all.into_iter().flat_map(|(re, im)| [re * scale, im * scale]));
            }
            let given = vec![("n", ints("n", &[length as i64]))];
            let bytes = single("DFT", 20, &[("x", &signed(&xd))], given, vec![attr_int("inverse", inverse.into())]);
            assert_close(&run(bytes, &[x])[0], &[2, length, 2], &expected, &format!("{length}, inverse {inverse}"));
        }
    }
}

#[test]
fn half_a_spectrum_and_back() {
    for length in [8, 9] {
        let x = array(&[1, length, 1]);
        let given = || vec![("n", ints("n", &[length as i64]))];
        let one = || attr_int("onesided", 1);
        let half = single("DFT", 17, &[("x", &[1, length as i64, 1])], given(), vec![one()]);
        let spectrum = run(half, std::slice::from_ref(&x)).remove(0);
        assert_eq!(spectrum.shape(), [1, length / 2 + 1, 2]);
        let back =
            single("DFT", 20, &[("x", &[1, length as i64 / 2 + 1, 2])], given(), vec![one(), attr_int("inverse", 1)]);
        assert_close(&run(back, &[spectrum])[0], &[1, length, 1], &elements(&x), "back again");
    }
}

#[test]
fn frames_of_a_signal() {
    let (length, step, frame) = (50, 7, 16);
    let (signal, window) = (array(&[2, length, 1]), array(&[frame]));
    let (xs, ws) = (elements(&signal), elements(&window));
    let frames = (length - frame) / step + 1;
    let mut expected = Vec::new();
    for n in 0..2 {
        for f in 0..frames {
            let line: Vec<(f64, f64)> = (0..frame).map(|i| (xs[n * length + f * step + i] * ws[i], 0.0)).collect();
            expected.extend(transform(&line, frame, -1.0)[..frame / 2 + 1].iter().flat_map(|&(re, im)| [re, im]));
        }
    }
    let bytes = Graph {
        nodes: vec![node("STFT", "node", &["x", "step", "w"], &["y"], vec![])],
        initializers: vec![ints("step", &[step as i64])],
        inputs: vec![value_of("x", F32, &[2, length, 1]), value_of("w", F32, &[frame])],
        outputs: vec![Message::default().bytes(1, "y")],
    }
    .model(17);
    assert_close(
        &run(bytes, &[signal, window])[0],
        &[2, frames, frame / 2 + 1, 2],
        &expected,
        "a window that is an input",
    );
}

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

#[test]
fn windows_of_any_size() {
    let cosine = |i: usize, n: usize| (2.0 * std::f64::consts::PI * i as f64 / n as f64).cos();
    type Of = fn(f64, f64) -> f64;
    let kinds: [(&str, Of); 3] = [
        ("HannWindow", |c, _| 0.5 - 0.5 * c),
        ("HammingWindow", |c, _| (25.0 - 21.0 * c) / 46.0),
        ("BlackmanWindow", |c, twice| 0.42 - 0.5 * c + 0.08 * twice),
    ];
    for (op, of) in kinds {
        for (size, periodic) in [(0usize, 1), (1, 1), (2, 0), (11, 0), (400, 1), (513, 0)] {
            let graph = Graph {
                nodes: vec![node(op, "node", &["n"], &["y"], vec![attr_int("periodic", periodic)])],
                initializers: vec![header("n", I64, &[]).bytes(9, (size as i64).to_le_bytes())],
                outputs: vec![Message::default().bytes(1, "y")],
                ..Graph::default()
            };
            let n = if periodic == 1 { size } else { size.saturating_sub(1) };
            let expected: Vec<f64> = (0..size).map(|i| of(cosine(i, n), cosine(2 * i, n))).collect();
            let got = run(graph.model(17), &[]).remove(0);
            assert_eq!(got.shape(), [size]);
            for (x, y) in elements(&got).iter().zip(&expected) {
                assert!((x - y).abs() <= 3.1e-8, "{op} of {size}: {x}, expected {y}");
            }
        }
    }
}

#[test]
fn mel_triangles() {
    let scalar = |name: &str, x: i64| header(name, I64, &[]).bytes(9, x.to_le_bytes());
    let hertz = |name: &str, x: f32| header(name, F32, &[]).bytes(9, x.to_le_bytes());
    let model = |lower: f32, upper: f32| {
        Graph {
            nodes: vec![node("MelWeightMatrix", "node", &["bins", "n", "rate", "from", "to"], &["y"], vec![])],
            initializers: vec![
                scalar("bins", 6),
                scalar("n", 256),
                scalar("rate", 16000),
                hertz("from", lower),
                hertz("to", upper),
            ],
            outputs: vec![Message::default().bytes(1, "y")],
            ..Graph::default()
        }
        .model(17)
    };
    let (lower, upper) = (123.0f32, 7600.0f32);
    let mel = |f: f64| 2595.0 * (1.0 + f / 700.0).log10();
    let (low, high) = (mel(lower.into()), mel(upper.into()));
    let point = |i: usize| {
        let f = 700.0 * (10f64.powf((low + (high - low) / 8.0 * i as f64) / 2595.0) - 1.0);
        (257.0 * f / 16000.0).floor()
    };
    let height = |row: usize, column: usize| {
        let (j, left, top, right) = (row as f64, point(column), point(column + 1), point(column + 2));
        let (up, down) = ((j - left) / (top - left), (right - j) / (right - top));
        if j == top { 1.0 } else { up.min(down).max(0.0) }
    };
    let expected: Vec<f64> = (0..129).flat_map(|r| (0..6).map(move |c| (r, c))).map(|(r, c)| height(r, c)).collect();
    assert_close(&run(model(lower, upper), &[])[0], &[129, 6], &expected, "six triangles");
    assert!(refusal(model(0.0, 16000.0)).contains("beyond the 129 bins"));
}

#[test]
fn normalisation_with_any_exponent() {
    let xd = [2, 5, 3];
    let x = array(&xd);
    let xs = elements(&x);
    let (alpha, beta, bias) = (0.3, 0.6, 2.0);
    let value = |c: &Vec<usize>| {
        let near = (c[1].saturating_sub(1)..(c[1] + 3).min(5)).map(|k| xs[flat(&xd, &[c[0], k, c[2]])].powi(2));
        xs[flat(&xd, c)] / (bias + alpha / 4.0 * near.sum::<f64>()).powf(beta)
    };
    let expected: Vec<f64> = coordinates(&xd).iter().map(value).collect();
    let attributes = vec![
        attr_int("size", 4),
        attr_float("alpha", alpha as f32),
        attr_float("beta", beta as f32),
        attr_float("bias", bias as f32),
    ];
    let bytes = single("LRN", 13, &[("x", &signed(&xd))], vec![], attributes);
    assert_close(&run(bytes, &[x])[0], &xd, &expected, "four channels");
}

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
