//! Tensors from numbers, their numbers, and whether they are near what is expected.

use ndarray::ArrayD;
use rebut_engine::program::DType;
use rebut_engine::tensor::Tensor;
use std::borrow::Borrow;

fn shaped<T: Copy>(dims: &[usize], values: impl IntoIterator<Item: Borrow<T>>) -> ArrayD<T> {
    let values = values.into_iter().map(|x| *x.borrow()).collect();
    ArrayD::from_shape_vec(dims, values).expect("as many as the shape says")
}

pub fn f32s(dims: &[usize], values: impl IntoIterator<Item: Borrow<f32>>) -> Tensor {
    Tensor::F32(shaped(dims, values))
}

pub fn i64s(dims: &[usize], values: impl IntoIterator<Item: Borrow<i64>>) -> Tensor {
    Tensor::I64(shaped(dims, values))
}

pub fn i32s(dims: &[usize], values: impl IntoIterator<Item: Borrow<i32>>) -> Tensor {
    Tensor::I32(shaped(dims, values))
}

pub fn u8s(dims: &[usize], values: impl IntoIterator<Item: Borrow<u8>>) -> Tensor {
    Tensor::U8(shaped(dims, values))
}

pub fn i8s(dims: &[usize], values: impl IntoIterator<Item: Borrow<i8>>) -> Tensor {
    Tensor::I8(shaped(dims, values))
}

pub fn u16s(dims: &[usize], values: impl IntoIterator<Item: Borrow<u16>>) -> Tensor {
    Tensor::U16(shaped(dims, values))
}

pub fn i16s(dims: &[usize], values: impl IntoIterator<Item: Borrow<i16>>) -> Tensor {
    Tensor::I16(shaped(dims, values))
}

pub fn bools(dims: &[usize], values: impl IntoIterator<Item = bool>) -> Tensor {
    Tensor::Bool(shaped(dims, values.into_iter().map(u8::from)))
}

/// The numbers `f(0), f(1), ..` for a shape.
pub fn array(dims: &[usize], f: impl Fn(usize) -> f32) -> Tensor {
    f32s(dims, (0..dims.iter().product()).map(f))
}

/// Numbers without a pattern between -1 and 1.
pub fn noise(i: usize) -> f32 {
    ((i * 7919 + 13) % 1009) as f32 / 504.37 - 1.0
}

/// All coordinates of a shape in row-major order.
pub fn coordinates(dims: &[usize]) -> Vec<Vec<usize>> {
    let rest = |all: Vec<Vec<usize>>, &d: &usize| -> Vec<Vec<usize>> {
        all.iter().flat_map(|c| (0..d).map(move |i| [&c[..], &[i]].concat())).collect()
    };
    dims.iter().fold(vec![vec![]], rest)
}

/// The elements of an f32 tensor.
pub fn floats_of(tensor: &Tensor) -> Vec<f32> {
    let Tensor::F32(a) = tensor else { panic!("{} is not f32", tensor.dtype()) };
    a.iter().copied().collect()
}

/// The registers of any tensor: of integers these are its elements.
pub fn registers(tensor: &Tensor) -> Vec<i64> {
    (0..tensor.len()).map(|i| tensor.register(i).expect("inside")).collect()
}

/// Whether the numbers are those expected but for a few roundings.
pub fn assert_near(got: &Tensor, expected: &[f64], what: &str) {
    let got = floats_of(got);
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (&x, &y)) in got.iter().zip(expected).enumerate() {
        let near = (f64::from(x) - y).abs() <= 1e-5 + 1e-5 * y.abs();
        assert!(near || f64::from(x) == y || x.is_nan() && y.is_nan(), "{what}: element {i} is {x}, expected {y}");
    }
}

/// Whether both have the same shape and, but for `tolerance`, the same numbers.
pub fn assert_close(got: &Tensor, dims: &[usize], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!((got.dtype(), got.shape()), (DType::F32, dims), "{what}");
    for (i, (x, y)) in floats_of(got).iter().zip(expected).enumerate() {
        assert!((f64::from(*x) - y).abs() <= tolerance, "{what}: element {i} is {x}, expected {y}");
    }
}
