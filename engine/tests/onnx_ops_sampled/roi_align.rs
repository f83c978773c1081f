//! Regions of interest.

use super::*;

/// Regions of interest as x1, y1, x2, y2.
struct Roi<'a> {
    scale: f64,
    half_pixel: bool,
    bins: [usize; 2],
    /// 0 is adaptive.
    ratio: usize,
    max: bool,
    rois: &'a [[f32; 4]],
    batch: &'a [i64],
}

impl Roi<'_> {
    fn expected(&self, x: &Tensor) -> Vec<f64> {
        let x = Array::of(x);
        let mut all = Vec::new();
        for (roi, &batch) in self.rois.iter().zip(self.batch) {
            let side = |a: usize| {
                let offset = if self.half_pixel { 0.5 } else { 0.0 };
                let start = f64::from(roi[1 - a]) * self.scale - offset;
                let mut length = f64::from(roi[3 - a]) * self.scale - offset - start;
                if !self.half_pixel {
                    length = length.max(1.0);
                }
                let bin = length / self.bins[a] as f64;
                let samples = if self.ratio > 0 { self.ratio } else { bin.ceil().max(0.0) as usize };
                (start, bin, samples)
            };
            let sides = [side(0), side(1)];
            let counts = [sides[0].2, sides[1].2];
            for (channel, bin) in
                coordinates(&[&x.dims[1..2], &self.bins[..]].concat()).iter().map(|c| (c[0], [c[1], c[2]]))
            {
                let (mut sum, mut most) = (0.0, None::<f64>);
                for sample in coordinates(&counts) {
                    let at = [0, 1].map(|a| {
                        let (start, size, samples) = sides[a];
                        start + bin[a] as f64 * size + (sample[a] as f64 + 0.5) * size / samples as f64
                    });
                    let beyond = (0..2).any(|a| at[a] < -1.0 || at[a] > x.dims[2 + a] as f64);
                    let at = [0, 1].map(|a| at[a].clamp(0.0, x.dims[2 + a] as f64 - 1.0));
                    for corner in coordinates(&[2, 2]) {
                        let number = [0, 1].map(|a| at[a].floor() as i64 + corner[a] as i64);
                        let weight: f64 = (0..2).map(|a| 1.0 - (at[a] - number[a] as f64).abs()).product();
                        let part = weight * x.or_zero(&[batch as usize, channel], &number);
                        let part = if beyond { 0.0 } else { part };
                        sum += part;
                        most = Some(most.map_or(part, |m| m.max(part)));
                    }
                }
                all.push(if self.max { most.unwrap_or(0.0) } else { sum / (counts[0] * counts[1]).max(1) as f64 });
            }
        }
        all
    }

    fn one(&self, x: &Tensor, opset: i64) -> One<'static> {
        let mut attributes = vec![
            attr_int("output_height", self.bins[0] as i64),
            attr_int("output_width", self.bins[1] as i64),
            attr_int("sampling_ratio", self.ratio as i64),
            attr_float("spatial_scale", self.scale as f32),
            attr_string("mode", if self.max { "max" } else { "avg" }),
        ];
        if opset >= 16 && !self.half_pixel {
            attributes.push(attr_string("coordinate_transformation_mode", "output_half_pixel"));
        }
        let rois = f32s(&[self.rois.len(), 4], self.rois.iter().flatten().copied());
        let rois = if self.ratio > 0 { Given::Data(rois) } else { Given::Bound(rois) };
        let batch = Given::Data(i64s(&[self.batch.len()], self.batch));
        One { operator: "RoiAlign", opset, inputs: vec![Given::Data(x.clone()), rois, batch], attributes, outputs: 1 }
    }
}

/// Inside, across the border, of no size, turned round, far outside and larger than the map.
const ROIS: [[f32; 4]; 7] = [
    [1.25, 2.5, 9.0, 11.125],
    [-5.5, -3.25, 4.0, 6.5],
    [3.0, 3.0, 3.0, 3.0],
    [9.5, 8.0, 2.25, 1.5],
    [100.0, 200.0, 140.0, 220.0],
    [-20.0, -30.0, 40.0, 50.0],
    [12.125, 0.5, 17.0, 3.75],
];

#[test]
fn regions_of_interest() {
    let x = array(&[3, 2, 7, 9], 2.0);
    for ratio in [0, 1, 3] {
        for max in [false, true] {
            for (half_pixel, opset) in [(false, 10), (true, 16), (false, 22)] {
                let batch = &[0, 2, 1, 1, 0, 2, 2];
                let roi = Roi { scale: 0.5, half_pixel, bins: [2, 4], ratio, max, rois: &ROIS, batch };
                let y = roi.one(&x, opset).run().expect("it lowers");
                assert_near(&y[0], &roi.expected(&x), &format!("ratio {ratio}, max {max}, half {half_pixel}"));
            }
        }
    }
}

#[test]
fn regions_of_images_that_do_not_exist_are_zeros() {
    let x = array(&[2, 1, 4, 4], 2.0);
    let rois = [[0.0, 0.0, 3.0, 3.0]; 3];
    let roi = Roi { scale: 1.0, half_pixel: true, bins: [1, 2], ratio: 2, max: false, rois: &rois, batch: &[2, 1, -3] };
    let y = floats_of(&roi.one(&x, 16).run().expect("it lowers")[0]);
    assert_eq!([y[0], y[1], y[4], y[5]], [0.0; 4]);
    assert!(y[2] != 0.0 && y[3] != 0.0, "{y:?}");
}

#[test]
fn regions_that_are_no_numbers() {
    let x = array(&[1, 1, 4, 4], 2.0);
    let rois = [[f32::NAN, 0.0, 3.0, 3.0], [f32::INFINITY, 0.0, f32::INFINITY, 3.0], [0.0, 0.0, 3.0, 3.0]];
    let roi = Roi { scale: 1.0, half_pixel: true, bins: [1, 1], ratio: 2, max: false, rois: &rois, batch: &[0, 0, 0] };
    let y = floats_of(&roi.one(&x, 16).run().expect("it lowers")[0]);
    assert!(y[0].is_nan() && y[1].is_nan() && y[2].is_finite(), "{y:?}");
}

#[test]
fn adaptive_sampling_needs_the_regions() {
    let x = array(&[1, 1, 4, 4], 2.0);
    let rois = [[0.0, 0.0, 3.0, 3.0]];
    let roi = Roi { scale: 1.0, half_pixel: true, bins: [1, 1], ratio: 0, max: false, rois: &rois, batch: &[0] };
    let mut one = roi.one(&x, 16);
    one.inputs[1] = Given::Data(f32s(&[1, 4], rois[0]));
    let refusal = one.refusal();
    assert!(refusal.contains("sampling_ratio") && refusal.contains("bind input `x1`"), "{refusal}");
}

#[test]
fn no_real_network_of_regions_is_too_much_for_a_step() {
    let rois = vec![[10.0, 20.0, 300.0, 400.0]; 50];
    let batch = vec![0; 50];
    for max in [false, true] {
        let roi = Roi { scale: 0.0625, half_pixel: true, bins: [7, 7], ratio: 2, max, rois: &rois, batch: &batch };
        roi.one(&array(&[1, 64, 50, 68], 1.0), 16).lowered().expect("it lowers");
    }
}
