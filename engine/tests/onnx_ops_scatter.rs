//! Scattering, orders and selections where ONNX's cases do not reach: duplicates, signs of zeros, NaN, long rows, other types, empty tensors.

mod onnx_support;

use onnx_support::one_node::*;
use onnx_support::tensors::*;
use onnx_support::{Message, attr_int, attr_string};
use rebut_engine::tensor::Tensor;

fn one(op: &str, opset: i64, attributes: &[Message], inputs: &[Tensor]) -> Result<Tensor, String> {
    let inputs: Vec<Given> = inputs.iter().cloned().map(Given::Data).collect();
    one_node(op, opset, attributes, &inputs, 1).map(|mut y| y.remove(0))
}

/// The last update counts, whatever its bits; what the indices do not reach stays.
#[test]
fn the_last_update_counts() {
    let data = f32s(&[2, 3], [1.0, 2.0, 3.0, 4.0, 5.0, -0.0]);
    let indices = i64s(&[1, 4], [0, 0, -1, 1]);
    let updates = f32s(&[1, 4], [7.0, -0.0, f32::NAN, f32::NEG_INFINITY]);
    for (op, opset) in [("Scatter", 9), ("ScatterElements", 11), ("ScatterElements", 18)] {
        let inputs = [data.clone(), indices.clone(), updates.clone()];
        let y = one(op, opset, &[attr_int("axis", 1)], &inputs).expect("it lowers");
        let bits: Vec<u32> = floats_of(&y).into_iter().map(f32::to_bits).collect();
        let expected = [-0.0, f32::NEG_INFINITY, f32::NAN, 4.0, 5.0, -0.0];
        assert_eq!(bits, expected.map(f32::to_bits), "{op} {opset}");
    }
    // 300 updates of one element, and one index outside the axis.
    let many: Vec<f32> = (0..300).map(|i| i as f32).collect();
    let mut places = vec![1i32; 300];
    places[299] = 2;
    let inputs = [f32s(&[2], [-1.0, -2.0]), i32s(&[300], &places), f32s(&[300], &many)];
    assert_eq!(one("ScatterElements", 13, &[], &inputs), Ok(f32s(&[2], [-1.0, 298.0])));
}

#[test]
fn other_types_scatter() {
    let truth = |values: &[u8]| Tensor::Bool(ndarray::arr1(values).into_dyn());
    let half = |values: &[u16]| Tensor::F16(ndarray::arr1(values).into_dyn());
    let indices = i64s(&[3], [2, 0, 2]);
    let bools = one("ScatterElements", 13, &[], &[truth(&[1, 1, 0]), indices.clone(), truth(&[0, 0, 1])]);
    assert_eq!(bools, Ok(truth(&[0, 1, 1])));
    let halves = one("ScatterElements", 13, &[], &[half(&[1, 2, 3]), indices.clone(), half(&[4, 0x8000, 0x7c00])]);
    assert_eq!(halves, Ok(half(&[0x8000, 2, 0x7c00])));
    let wide = [i64s(&[3], [1, 2, 3]), indices, i64s(&[3], [i64::MIN, i64::MAX, -1])];
    assert_eq!(one("ScatterElements", 13, &[], &wide), Ok(i64s(&[3], [i64::MAX, 2, -1])));
    let sums = one("ScatterElements", 16, &[attr_string("reduction", "add")], &wide);
    assert_eq!(sums, Ok(i64s(&[3], [i64::MIN, 2, i64::MIN + 2])));
}

#[test]
fn reductions_join_the_element() {
    let reduced = |name: &str, updates: &[f32], expected: &[f32]| {
        let n = updates.len();
        let inputs = [f32s(&[2], [10.0, -0.0]), i64s(&[n], vec![0; n]), f32s(&[n], updates)];
        let y = one("ScatterElements", 18, &[attr_string("reduction", name)], &inputs).expect("it lowers");
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&floats_of(&y)), bits(expected), "{name}");
    };
    reduced("add", &[1.0; 300], &[310.0, -0.0]);
    reduced("mul", &[2.0, -3.0], &[-60.0, -0.0]);
    reduced("max", &[3.0, 11.0], &[11.0, -0.0]);
    reduced("min", &[3.0, f32::NAN], &[f32::NAN, -0.0]);
    let inputs = [f32s(&[1], [0.0]), i64s(&[1], [0]), f32s(&[1], [1.0])];
    let early = one("ScatterElements", 16, &[attr_string("reduction", "max")], &inputs);
    assert!(early.is_err_and(|e| e.contains("`max`")));
}

#[test]
fn scattered_slices() {
    // Two coordinates of three; the second tuple is outside and hits nothing, the last wins over the first.
    let data: Vec<f32> = (0..12).map(|i| i as f32).collect();
    let inputs = [
        f32s(&[2, 3, 2], &data),
        i64s(&[3, 2], [1, -1, 0, 3, -1, 2]),
        f32s(&[3, 2], [100.0, 101.0, 102.0, 103.0, 104.0, 105.0]),
    ];
    let mut expected = data.clone();
    expected[10..].copy_from_slice(&[104.0, 105.0]);
    assert_eq!(one("ScatterND", 11, &[], &inputs), Ok(f32s(&[2, 3, 2], &expected)));
    expected[10..].copy_from_slice(&[10.0 + 204.0, 11.0 + 206.0]);
    let sums = one("ScatterND", 16, &[attr_string("reduction", "add")], &inputs);
    assert_eq!(sums, Ok(f32s(&[2, 3, 2], &expected)));
    // No tuple, and tuples of no coordinate.
    let nothing = [f32s(&[2], [1.0, 2.0]), i64s(&[0, 1], [0; 0]), f32s(&[0], [0.0; 0])];
    assert_eq!(one("ScatterND", 18, &[], &nothing), Ok(f32s(&[2], [1.0, 2.0])));
    let whole = [f32s(&[2], [1.0, 2.0]), i64s(&[2, 0], [0; 0]), f32s(&[2, 2], [3.0, 4.0, 5.0, 6.0])];
    assert_eq!(one("ScatterND", 18, &[], &whole), Ok(f32s(&[2], [5.0, 6.0])));
}

#[test]
fn caches_are_written() {
    let past = array(&[2, 4, 1], |i| i as f32);
    let update = f32s(&[2, 2, 1], [10.0, 11.0, 12.0, 13.0]);
    let axis = attr_int("axis", 1);
    let start = one("TensorScatter", 24, std::slice::from_ref(&axis), &[past.clone(), update.clone()]);
    assert_eq!(start, Ok(f32s(&[2, 4, 1], [10.0, 11.0, 2.0, 3.0, 12.0, 13.0, 6.0, 7.0])));
    let circular = [axis, attr_string("mode", "circular")];
    let y = one("TensorScatter", 24, &circular, &[past, update, i64s(&[2], [3, 5])]);
    assert_eq!(y, Ok(f32s(&[2, 4, 1], [11.0, 1.0, 2.0, 10.0, 4.0, 12.0, 13.0, 7.0])));
}

/// The best k with their indices.
fn top(x: &Tensor, k: i64, opset: i64, attributes: &[Message]) -> Result<Vec<Tensor>, String> {
    let inputs = [Given::Data(x.clone()), Given::Constant(i64s(&[1], [k]))];
    one_node("TopK", opset, attributes, &inputs, 2)
}

#[test]
fn orders() {
    // Ties go to the lower index, zeros of both signs are equal, NaN is the greatest.
    let x = f32s(&[6], [0.0, 3.0, f32::NAN, -0.0, 3.0, f32::NEG_INFINITY]);
    let greatest = top(&x, 6, 11, &[]).expect("it lowers");
    assert_eq!(greatest[1], i64s(&[6], [2, 1, 4, 0, 3, 5]));
    let least = top(&x, 6, 24, &[attr_int("largest", 0), attr_int("sorted", 0)]).expect("it lowers");
    assert_eq!(least[1], i64s(&[6], [5, 0, 3, 1, 4, 2]));
    for y in [greatest, least] {
        let taken: Vec<i64> = registers(&y[1]).iter().map(|&i| registers(&x)[i as usize]).collect();
        assert_eq!(registers(&y[0]), taken);
    }
    // Along the first axis, more than a step compares, of numbers that repeat.
    let rows: Vec<i32> = (0..600).map(|i| (i * 7919 % 97) - 48).collect();
    let y = top(&i32s(&[300, 2], &rows), 5, 10, &[attr_int("axis", -2)]).expect("it lowers");
    for column in 0..2 {
        let mut order: Vec<usize> = (0..300).collect();
        order.sort_by_key(|&i| (-rows[i * 2 + column], i));
        for (r, &i) in order.iter().take(5).enumerate() {
            assert_eq!(registers(&y[0])[r * 2 + column], i64::from(rows[i * 2 + column]));
            assert_eq!(registers(&y[1])[r * 2 + column], i as i64);
        }
    }
    let none = top(&x, 0, 11, &[]).expect("it lowers");
    assert_eq!(none, [f32s(&[0], [0.0; 0]), i64s(&[0], [0; 0])]);
    assert!(top(&x, 7, 11, &[]).is_err_and(|e| e.contains("7 of 6")));
    // Before operator set 10 the number is an attribute.
    let old = one_node("TopK", 7, &[attr_int("k", 1)], &[Given::Data(x)], 2).expect("it lowers");
    assert_eq!(old[1], i64s(&[1], [2]));
}

#[test]
fn sizes_that_contents_decide() {
    let known = |op: &str, opset: i64, attributes: &[Message], x: Tensor, outputs: usize| {
        one_node(op, opset, attributes, &[Given::Constant(x)], outputs)
    };
    let x = f32s(&[2, 3], [0.0, -0.0, f32::NAN, 1.0, 0.0, -2.0]);
    assert_eq!(known("NonZero", 9, &[], x.clone(), 1), Ok(vec![i64s(&[2, 3], [0, 1, 1, 2, 0, 2])]));
    let zeros = f32s(&[4], [0.0, f32::NAN, -0.0, f32::NAN]);
    let y = known("Unique", 11, &[], zeros, 4).expect("it lowers");
    assert_eq!(floats_of(&y[0]).iter().map(|x| x.to_bits()).collect::<Vec<_>>(), [0, f32::NAN.to_bits()]);
    let [firsts, inverse, counts] = [&y[1], &y[2], &y[3]].map(registers);
    assert_eq!([firsts, inverse, counts], [vec![0, 1], vec![0, 1, 0, 1], vec![2, 2]]);
    let empty = known("Unique", 11, &[attr_int("axis", 1)], i64s(&[2, 0], [0; 0]), 2).expect("it lowers");
    assert_eq!(empty, [i64s(&[2, 0], [0; 0]), i64s(&[0], [0; 0])]);

    for op in ["NonZero", "Unique"] {
        let refused = one(op, 13, &[], std::slice::from_ref(&x));
        assert!(refused.is_err_and(|e| e.contains("bind the input")), "{op}");
    }
    // What is chosen may be data; what chooses may not.
    let choice = Tensor::Bool(ndarray::arr1(&[0u8, 1]).into_dyn());
    let chosen = one_node("Compress", 9, &[], &[Given::Data(x.clone()), Given::Constant(choice.clone())], 1);
    assert_eq!(chosen, Ok(vec![f32s(&[1], [-0.0])]));
    assert!(one("Compress", 9, &[], &[x, choice]).is_err_and(|e| e.contains("bind the input")));
}

#[test]
fn boxes_without_overlap_stay() {
    let boxes = Given::Constant(f32s(&[1, 3, 4], [0.0, 0.0, 2.0, 2.0, 2.0, 2.0, 0.0, 1.0, 5.0, 5.0, 6.0, 6.0]));
    let scores = f32s(&[1, 2, 3], [0.5, 0.5, f32::NAN, 0.1, 0.9, 0.2]);
    let most = Given::Constant(i64s(&[1], [2]));
    let inputs = [boxes.clone(), Given::Constant(scores.clone()), most.clone()];
    // Any overlap is too much: boxes 0 and 1 share half of box 0.
    let y = one_node("NonMaxSuppression", 10, &[], &inputs, 1);
    assert_eq!(y, Ok(vec![i64s(&[3, 3], [0, 0, 0, 0, 1, 1, 0, 1, 2])]));
    let limit = Given::Constant(f32s(&[1], [0.5]));
    let y = one_node("NonMaxSuppression", 11, &[], &[&inputs[..], &[limit]].concat(), 1);
    assert_eq!(y, Ok(vec![i64s(&[4, 3], [0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 1, 2])]));
    let refused = one_node("NonMaxSuppression", 11, &[], &[boxes, Given::Data(scores), most], 1);
    assert!(refused.is_err_and(|e| e.contains("bind the input")));
}
