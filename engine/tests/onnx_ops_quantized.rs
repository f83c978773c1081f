//! Quantized operators where ONNX's cases do not reach: granularities, groups, pads, long sums, odd blocks, operator sets.

mod onnx_support;

use onnx_support::one_node::*;
use onnx_support::tensors::*;
use onnx_support::{Message, attr_int, attr_ints};
use rebut_engine::tensor::Tensor;

fn given(t: &Tensor, constant: bool) -> Given {
    if constant { Given::Constant(t.clone()) } else { Given::Data(t.clone()) }
}

fn one(op: &str, opset: i64, attributes: &[Message], inputs: &[Given]) -> Result<Tensor, String> {
    one_node(op, opset, attributes, inputs, 1).map(|mut y| y.remove(0))
}

/// 600 products are more than a step takes; zero points of their own for each row and column.
#[test]
fn integer_matrix_products() {
    let (m, k, n) = (3usize, 600usize, 4usize);
    let a: Vec<u8> = (0..2 * m * k).map(|i| (i * 37 % 256) as u8).collect();
    let b: Vec<i8> = (0..k * n).map(|i| (i * 53 % 256) as u8 as i8).collect();
    let (za, zb): (Vec<u8>, Vec<i8>) = (vec![0, 7, 255, 9, 128, 1], vec![-128, 127, 0, 3]);
    let mut expected = Vec::new();
    for row in 0..2 * m {
        for column in 0..n {
            let products = (0..k).map(|i| {
                (i32::from(a[row * k + i]) - i32::from(za[row]))
                    * (i32::from(b[i * n + column]) - i32::from(zb[column]))
            });
            expected.push(products.sum::<i32>());
        }
    }
    for constant in [false, true] {
        let inputs = [
            Given::Data(u8s(&[2, m, k], &a)),
            given(&i8s(&[k, n], &b), constant),
            given(&u8s(&[2, m, 1], &za), constant),
            given(&i8s(&[n], &zb), constant),
        ];
        let y = one("MatMulInteger", 10, &[], &inputs).expect("it lowers");
        assert_eq!(y, i32s(&[2, m, n], &expected), "constant: {constant}");
    }
    // The greatest products: an odd number of them, more than f32 adds up exactly, and so many that the sum wraps and its parts have parts.
    for k in [771, 70_001] {
        let greatest = [
            Given::Data(u8s(&[1, k], vec![255; k])),
            Given::Data(i8s(&[k, 1], vec![-128; k])),
            Given::Nothing,
            Given::Data(i8s(&[], [127])),
        ];
        let expected = (-255 * 255 * k as i64) as i32;
        assert_eq!(one("MatMulInteger", 10, &[], &greatest), Ok(i32s(&[1, 1], [expected])));
    }
    let vector = [Given::Data(u8s(&[2], [3, 4])), Given::Data(u8s(&[2], [5, 6])), Given::Data(u8s(&[1], [1]))];
    assert_eq!(one("MatMulInteger", 10, &[], &vector), Ok(i32s(&[], [2 * 5 + 3 * 6])));
}

#[test]
fn grouped_and_padded_convolutions() {
    let x: Vec<u8> = (0..2 * 4 * 4).map(|i| (i * 29 % 251) as u8).collect();
    let w: Vec<i8> = (0..4 * 3 * 3).map(|i| (i * 71 % 256) as u8 as i8).collect();
    let (zx, zw, bias) = (131u8, [3i8, -5, 0, 127], [1000i32, -2000, 0, 7]);
    let (sx, sw, sy, zy) = (0.02f32, [0.01f32, 0.03, 0.005, 0.02], 0.5f32, -3i8);
    // [1, 2, 4, 4] with [4, 1, 3, 3] in two groups, pads 1, strides 2.
    let mut sums = Vec::new();
    for map in 0..4usize {
        for (oy, ox) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let mut sum = 0;
            for (ky, kx) in (0..9).map(|i| (i / 3, i % 3)) {
                let (row, column) = (oy * 2 + ky, ox * 2 + kx);
                if (1..5).contains(&row) && (1..5).contains(&column) {
                    let pixel = i32::from(x[(map / 2) * 16 + (row - 1) * 4 + column - 1]) - i32::from(zx);
                    sum += pixel * (i32::from(w[map * 9 + ky * 3 + kx]) - i32::from(zw[map]));
                }
            }
            sums.push(sum);
        }
    }
    let attributes = [attr_int("group", 2), attr_ints("pads", &[1; 4]), attr_ints("strides", &[2, 2])];
    for constant in [false, true] {
        let (xt, wt) = (Given::Data(u8s(&[1, 2, 4, 4], &x)), given(&i8s(&[4, 1, 3, 3], &w), constant));
        let (xz, wz) = (given(&u8s(&[], [zx]), constant), given(&i8s(&[4], zw), constant));
        let inputs = [xt.clone(), wt.clone(), xz.clone(), wz.clone()];
        let y = one("ConvInteger", 10, &attributes, &inputs).expect("it lowers");
        assert_eq!(y, i32s(&[1, 4, 2, 2], &sums), "constant: {constant}");

        let inputs = [
            xt,
            given(&f32s(&[], [sx]), constant),
            xz,
            wt,
            given(&f32s(&[4], sw), constant),
            wz,
            given(&f32s(&[], [sy]), constant),
            given(&i8s(&[], [zy]), constant),
            given(&i32s(&[4], bias), constant),
        ];
        let y = one("QLinearConv", 10, &attributes, &inputs).expect("it lowers");
        let expected: Vec<i8> = (0..16)
            .map(|i| {
                let factor = (sx * sw[i / 4]) / sy;
                let scaled = ((sums[i] + bias[i / 4]) as f32 * factor).round_ties_even();
                (scaled + f32::from(zy)).clamp(-128.0, 127.0) as i8
            })
            .collect();
        assert_eq!(y, i8s(&[1, 4, 2, 2], &expected), "constant: {constant}");
    }
}

/// Per row and per column; a tie is rounded before the odd zero point is added.
#[test]
fn requantised_matrix_products() {
    let inputs = [
        Given::Data(u8s(&[2, 1], [1, 5])),
        Given::Data(f32s(&[2], [0.5, 1.0])),
        Given::Data(u8s(&[2], [0, 2])),
        Given::Data(u8s(&[1, 2], [5, 255])),
        Given::Data(f32s(&[2], [1.0, 2.0])),
        Given::Data(u8s(&[2], [0, 0])),
        Given::Data(f32s(&[1], [1.0])),
        Given::Data(u8s(&[1], [7])),
    ];
    let y = one("QLinearMatMul", 21, &[], &inputs).expect("it lowers");
    // 5 * 0.5 = 2.5 rounds to 2; 3 * 5 = 15; the others saturate.
    assert_eq!(y, u8s(&[2, 2], [2 + 7, 255, 15 + 7, 255]));
}

#[test]
fn quantizing() {
    let x = f32s(&[8], [0.5, 1.5, 2.5, -0.5, 1e9, -1e9, f32::NAN, f32::INFINITY]);
    for opset in [10, 13, 19, 21, 23] {
        let inputs = [Given::Data(x.clone()), Given::Constant(f32s(&[], [1.0])), Given::Constant(u8s(&[], [3]))];
        let y = one("QuantizeLinear", opset, &[], &inputs).expect("it lowers");
        assert_eq!(y, u8s(&[8], [3, 5, 5, 3, 255, 0, 0, 255]), "operator set {opset}");
    }
    let rows = f32s(&[2, 2], [1.0, 2.0, 3.0, 4.0]);
    let scales = Given::Data(f32s(&[2], [1.0, 0.5]));
    let by_rows = one("QuantizeLinear", 13, &[attr_int("axis", -2)], &[Given::Data(rows.clone()), scales.clone()]);
    assert_eq!(by_rows, Ok(u8s(&[2, 2], [1, 2, 6, 8])));
    let signed = [attr_int("output_dtype", 3), attr_int("axis", 1)];
    let by_columns = one("QuantizeLinear", 21, &signed, &[Given::Data(rows.clone()), scales.clone()]);
    assert_eq!(by_columns, Ok(i8s(&[2, 2], [1, 4, 3, 8])));

    let refused = one("QuantizeLinear", 21, &[attr_int("output_dtype", 6)], &[Given::Data(rows.clone()), scales]);
    assert!(refused.is_err_and(|e| e.contains("i32")));
    let three = Given::Data(f32s(&[3], [1.0; 3]));
    let refused = one("QuantizeLinear", 13, &[], &[Given::Data(rows), three]);
    assert!(refused.is_err_and(|e| e.contains("[3]")));
}

#[test]
fn quantizing_to_16_bits() {
    let x = f32s(&[6], [0.5, 1.5, -2.5, 1e9, -1e9, f32::NAN]);
    let to = |zero: Tensor| {
        let inputs = [Given::Data(x.clone()), Given::Constant(f32s(&[], [0.5])), Given::Data(zero)];
        one("QuantizeLinear", 21, &[], &inputs)
    };
    assert_eq!(to(u16s(&[], [32_767])), Ok(u16s(&[6], [32_768, 32_770, 32_762, u16::MAX, 0, 0])));
    assert_eq!(to(i16s(&[], [-7])), Ok(i16s(&[6], [-6, -4, -12, i16::MAX, i16::MIN, 0])));

    let back = |y: Tensor, zero: Tensor| {
        one("DequantizeLinear", 21, &[], &[Given::Data(y), Given::Data(f32s(&[], [0.5])), Given::Data(zero)])
    };
    assert_eq!(back(u16s(&[2], [0, u16::MAX]), u16s(&[], [1])), Ok(f32s(&[2], [-0.5, 32_767.0])));
    assert_eq!(back(i16s(&[2], [i16::MIN, -1]), i16s(&[], [1])), Ok(f32s(&[2], [-16_384.5, -1.0])));
}

#[test]
fn products_and_other_operators_of_16_bits() {
    let x = Given::Data(u16s(&[1, 1], [1]));
    let refused = one("MatMulInteger", 10, &[], &[x.clone(), x]);
    assert!(refused.is_err_and(|e| e.contains("u16")));

    let (a, b) = (Given::Data(u16s(&[2], [65_535, 3])), Given::Data(u16s(&[2], [2, 5])));
    assert_eq!(one("Mul", 14, &[], &[a.clone(), b.clone()]), Ok(u16s(&[2], [65_534, 15])));
    assert_eq!(one("Sub", 14, &[], &[b, a.clone()]), Ok(u16s(&[2], [3, 2])));
    assert_eq!(one("Sign", 13, &[], std::slice::from_ref(&a)), Ok(u16s(&[2], [1, 1])));
    assert_eq!(one("BitCast", 26, &[attr_int("to", 5)], std::slice::from_ref(&a)), Ok(i16s(&[2], [-1, 3])));
    let picked = one("Gather", 13, &[], &[Given::Constant(u16s(&[3], [7, 8, 9])), Given::Constant(i64s(&[2], [2, 0]))]);
    assert_eq!(picked, Ok(u16s(&[2], [9, 7])));
    let powers = one("Pow", 15, &[], &[Given::Data(i16s(&[2], [-3, 2])), a]);
    assert_eq!(powers, Ok(i16s(&[2], [(-3i16).wrapping_pow(65_535), 8])));
}

#[test]
fn dequantizing() {
    // The last block has one column.
    let x = Given::Data(i8s(&[2, 5], [1, 2, 3, 4, 5, -6, -7, -8, -9, -128]));
    let scales = Given::Data(f32s(&[2, 3], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    let zeros = Given::Data(i8s(&[2, 3], [0, 1, 2, 3, 4, 5]));
    let blocks = [attr_int("axis", -1), attr_int("block_size", 2)];
    let y = one("DequantizeLinear", 21, &blocks, &[x.clone(), scales.clone(), zeros]).expect("it lowers");
    let expected = [1.0, 2.0, 4.0, 6.0, 9.0, -36.0, -40.0, -60.0, -65.0, -798.0];
    assert_eq!(y, f32s(&[2, 5], expected));
    let wrong = one("DequantizeLinear", 21, &[attr_int("axis", -1), attr_int("block_size", 3)], &[x, scales]);
    assert!(wrong.is_err_and(|e| e.contains("[2, 3]")));

    let sums = Given::Data(i32s(&[3], [1 << 30, -7, 0]));
    let y = one("DequantizeLinear", 10, &[], &[sums, Given::Data(f32s(&[], [0.5]))]);
    assert_eq!(y, Ok(f32s(&[3], [f32::from(1u8) * 536_870_912.0, -3.5, 0.0])));
}

#[test]
fn dynamic_quantizing_of_nothing_but_zeros() {
    let y = one_node("DynamicQuantizeLinear", 11, &[], &[Given::Data(f32s(&[2, 2], [0.0; 4]))], 3).expect("it lowers");
    assert_eq!(y, [u8s(&[2, 2], [0; 4]), f32s(&[], [1.0 / 255.0]), u8s(&[], [0])]);
    // All positive: the range begins at 0.
    let y = one_node("DynamicQuantizeLinear", 11, &[], &[Given::Data(f32s(&[2], [127.5, 255.0]))], 3);
    assert_eq!(y, Ok(vec![u8s(&[2], [128, 255]), f32s(&[], [1.0]), u8s(&[], [0])]));
}
