//! GridSample, RoiAlign and DeformConv against plain loops in f64, with coordinates far outside, infinite ones and such as are no
//! numbers.

#[path = "../onnx_support/mod.rs"]
mod onnx_support;

mod deform_conv;
mod grid_sample;
mod roi_align;

use onnx_support::one_node::*;
use onnx_support::tensors::{assert_near, coordinates, f32s, floats_of, i64s, noise};
use onnx_support::{Message, attr_float, attr_int, attr_ints, attr_string, tensors};
use rebut_engine::tensor::Tensor;

fn array(dims: &[usize], scale: f32) -> Tensor {
    tensors::array(dims, |i| scale * noise(i))
}

/// A tensor in row-major order.
struct Array {
    dims: Vec<usize>,
    elements: Vec<f32>,
}

impl Array {
    fn of(t: &Tensor) -> Self {
        Self { dims: t.shape().to_vec(), elements: floats_of(t) }
    }

    fn get(&self, at: &[usize]) -> f64 {
        let flat = at.iter().zip(&self.dims).fold(0, |sum, (i, d)| sum * d + i);
        f64::from(self.elements[flat])
    }

    /// 0 beyond the spatial axes, which follow those of `lead`.
    fn or_zero(&self, lead: &[usize], at: &[i64]) -> f64 {
        let sizes = &self.dims[lead.len()..];
        if at.iter().zip(sizes).any(|(&i, &d)| i < 0 || i >= d as i64) {
            return 0.0;
        }
        let at: Vec<usize> = lead.iter().copied().chain(at.iter().map(|&i| i as usize)).collect();
        self.get(&at)
    }

    /// Interpolated between the corners around a place, zeros beyond the ends.
    fn linear(&self, lead: &[usize], at: &[f64]) -> f64 {
        if at.iter().zip(&self.dims[lead.len()..]).any(|(&x, &d)| x <= -1.0 || x >= d as f64) {
            return 0.0;
        }
        let corners = coordinates(&vec![2; at.len()]);
        let part = |corner: &Vec<usize>| {
            let number: Vec<i64> = at.iter().zip(corner).map(|(x, &c)| x.floor() as i64 + c as i64).collect();
            let weight: f64 = at.iter().zip(&number).map(|(x, &i)| 1.0 - (x - i as f64).abs()).product();
            weight * self.or_zero(lead, &number)
        };
        corners.iter().map(part).sum()
    }
}
