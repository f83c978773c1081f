//! GridSample, RoiAlign and DeformConv against plain loops in f64, with coordinates far outside, infinite ones and such as are no
//! numbers.

mod onnx_support;

use onnx_support::agreed::{One, assert_near, f32s, floats_of, i64s};
use onnx_support::{Message, attr_float, attr_int, attr_ints, attr_string};
use rebut_engine::tensor::Tensor;

/// Numbers without a pattern between -1 and 1.
fn noise(i: usize) -> f32 {
    ((i * 7919 + 13) % 1009) as f32 / 504.37 - 1.0
}

fn array(dims: &[usize], scale: f32) -> Tensor {
    f32s(dims, (0..dims.iter().product()).map(|i| scale * noise(i)))
}

/// All coordinates of a shape, the last axis fastest.
fn coordinates(dims: &[usize]) -> Vec<Vec<usize>> {
    let rest = |all: Vec<Vec<usize>>, &d: &usize| -> Vec<Vec<usize>> {
        all.iter().flat_map(|c| (0..d).map(move |i| [&c[..], &[i]].concat())).collect()
    };
    dims.iter().fold(vec![vec![]], rest)
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

/// Reflected at whichever end it is beyond until it is inside.
fn reflected(mut x: f64, low: f64, high: f64) -> f64 {
    if low == high {
        return low;
    }
    while x < low || x > high {
        x = if x < low { 2.0 * low - x } else { 2.0 * high - x };
    }
    x
}

/// Keys' cubic kernel with a = -3/4.
fn keys(distance: f64) -> f64 {
    let (a, s) = (-0.75, distance.abs());
    if s <= 1.0 {
        (a + 2.0) * s.powi(3) - (a + 3.0) * s.powi(2) + 1.0
    } else if s < 2.0 {
        a * s.powi(3) - 5.0 * a * s.powi(2) + 8.0 * a * s - 4.0 * a
    } else {
        0.0
    }
}

fn grid_sample(x: &Tensor, grid: &Tensor, mode: &str, padding: &str, aligned: bool) -> Vec<f64> {
    let (x, grid) = (Array::of(x), Array::of(grid));
    let n = x.dims.len() - 2;
    let ends = |a: usize| {
        let d = x.dims[2 + a] as f64;
        if aligned { (0.0, d - 1.0) } else { (-0.5, d - 0.5) }
    };
    let bounded = |v: f64, a: usize| match padding {
        "border" => v.clamp(0.0, x.dims[2 + a] as f64 - 1.0),
        "reflection" => reflected(v, ends(a).0, ends(a).1),
        _ => v,
    };
    let taps: &[i64] = match mode {
        "nearest" => &[0],
        "linear" | "bilinear" => &[0, 1],
        _ => &[-1, 0, 1, 2],
    };
    let value = |at: &Vec<usize>| {
        let place: Vec<usize> = [&at[..1], &at[2..]].concat();
        let mut v = Vec::new();
        for a in 0..n {
            let g = grid.get(&[&place[..], &[n - 1 - a]].concat());
            let (low, high) = ends(a);
            // -1 is the low end, 1 the high one.
            let mut c = low + (g + 1.0) / 2.0 * (high - low);
            if mode == "nearest" {
                c = c.round_ties_even();
            }
            v.push(if c < low || c > high { bounded(c, a) } else { c });
        }
        let mut sum = 0.0;
        for corner in coordinates(&vec![taps.len(); n]) {
            let (mut weight, mut number) = (1.0, Vec::new());
            for (a, &k) in corner.iter().enumerate() {
                let i = v[a].floor() + taps[k] as f64;
                weight *= match mode {
                    "nearest" => 1.0,
                    "linear" | "bilinear" => 1.0 - (v[a] - i).abs(),
                    _ => keys(v[a] - i),
                };
                number.push(bounded(i, a) as i64);
            }
            sum += weight * x.or_zero(&at[..2], &number);
        }
        sum
    };
    coordinates(&[&x.dims[..2], &grid.dims[1..=n]].concat()).iter().map(value).collect()
}

fn sampled(x: Tensor, grid: Tensor, mode: &str, padding: &str, aligned: bool, opset: i64) -> Tensor {
    let attributes = vec![
        attr_string("mode", mode),
        attr_string("padding_mode", padding),
        attr_int("align_corners", aligned.into()),
    ];
    let one =
        One { operator: "GridSample", opset, inputs: vec![Some(x), Some(grid)], bound: &[], attributes, outputs: 1 };
    one.run().expect("it lowers").remove(0)
}

#[test]
fn grids_of_one_to_three_dimensions() {
    let shapes: [(&[usize], &[usize]); 4] =
        [(&[6], &[9]), (&[4, 5], &[3, 4]), (&[1, 4], &[5, 2]), (&[3, 2, 4], &[2, 3, 2])];
    for (spatial, output) in shapes {
        let x = array(&[&[2, 3], spatial].concat(), 2.0);
        let grid = array(&[&[2], output, &[spatial.len()]].concat(), 2.3);
        for mode in ["nearest", "linear", "cubic"] {
            for padding in ["zeros", "border", "reflection"] {
                for aligned in [false, true] {
                    let expected = grid_sample(&x, &grid, mode, padding, aligned);
                    let got = sampled(x.clone(), grid.clone(), mode, padding, aligned, 22);
                    assert_near(&got, &expected, &format!("{mode} {padding} {aligned} {spatial:?}"));
                }
            }
        }
    }
}

#[test]
fn grids_of_operator_set_16() {
    let (x, grid) = (array(&[1, 2, 3, 5], 2.0), array(&[1, 4, 2, 2], 1.4));
    for mode in ["bilinear", "bicubic", "nearest"] {
        let expected = grid_sample(&x, &grid, mode, "zeros", false);
        assert_near(&sampled(x.clone(), grid.clone(), mode, "zeros", false, 16), &expected, mode);
    }
}

#[test]
fn ends_and_places_far_outside() {
    let x = array(&[1, 1, 7], 2.0);
    let given = [-1.0, 1.0, 0.0, -1.0001, 1.0001, -37.3, 41.9, 1234.57, -3.0, 3.0, 1.2857, -1.2857];
    let grid = f32s(&[1, given.len(), 1], given);
    for mode in ["nearest", "linear", "cubic"] {
        for padding in ["zeros", "border", "reflection"] {
            for aligned in [false, true] {
                let got = sampled(x.clone(), grid.clone(), mode, padding, aligned, 20);
                let expected = grid_sample(&x, &grid, mode, padding, aligned);
                // Far outside a coordinate is rounded to 2^-12 before it is reflected.
                for (g, e) in floats_of(&got).iter().zip(&expected) {
                    assert!(
                        (f64::from(*g) - e).abs() <= 2e-3,
                        "{mode} {padding} {aligned}: {got:?}, expected {expected:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn coordinates_that_are_no_numbers_or_infinite() {
    let x = f32s(&[1, 1, 2, 3], [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]);
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    // Each place is (column, row); without alignment row 0 is at -0.5.
    let places = [[nan, -0.5], [0.0, nan], [inf, -0.5], [-inf, -0.5], [0.0, inf], [f32::MAX, -0.5], [f32::MIN, -0.5]];
    let grid = f32s(&[1, 1, 7, 2], places.into_iter().flatten());
    let of = |mode: &str, padding: &str| floats_of(&sampled(x.clone(), grid.clone(), mode, padding, false, 20));
    let same = |a: Vec<f32>, b: [f32; 7], what: &str| {
        assert!(a.iter().zip(b).all(|(a, b)| a.is_nan() && b.is_nan() || *a == b), "{what}: {a:?}");
    };
    same(of("linear", "zeros"), [nan, nan, 0.0, 0.0, 0.0, 0.0, 0.0], "linear zeros");
    same(of("cubic", "zeros"), [nan, nan, 0.0, 0.0, 0.0, 0.0, 0.0], "cubic zeros");
    same(of("nearest", "zeros"), [0.0; 7], "nearest zeros");
    same(of("linear", "border"), [nan, nan, 30.0, 10.0, 50.0, 30.0, 10.0], "linear border");
    same(of("nearest", "border"), [10.0, 20.0, 30.0, 10.0, 50.0, 30.0, 10.0], "nearest border");
    let reflected = of("linear", "reflection");
    assert!(reflected[..5].iter().all(|x| x.is_nan()), "{reflected:?}");
    same(
        of("nearest", "reflection")[..5].iter().copied().chain([0.0; 2]).collect(),
        [10.0, 20.0, 10.0, 10.0, 20.0, 0.0, 0.0],
        "nearest reflection",
    );
}

#[test]
fn the_nearest_of_any_type() {
    let x = i64s(&[1, 1, 3], [7, -(1 << 40), 9]);
    let grid = f32s(&[1, 4, 1], [-0.9, 0.1, 0.6, 2.0]);
    let y = sampled(x.clone(), grid.clone(), "nearest", "zeros", false, 22);
    assert_eq!(y.to_be_bytes(), i64s(&[1, 1, 4], [7, -(1 << 40), 9, 0]).to_be_bytes());
    let one = One {
        operator: "GridSample",
        opset: 22,
        inputs: vec![Some(x), Some(grid)],
        bound: &[],
        attributes: vec![],
        outputs: 1,
    };
    assert!(one.refusal().contains("interpolation of i64"), "{}", one.refusal());
}

#[test]
fn no_grid_of_a_real_network_is_too_much_for_a_step() {
    let large: [(&[usize], &[usize], &str); 3] = [
        (&[1, 3, 224, 224], &[1, 224, 224, 2], "linear"),
        (&[1, 3, 512, 512], &[1, 100, 100, 2], "cubic"),
        (&[1, 2, 64, 64, 64], &[1, 8, 8, 8, 3], "cubic"),
    ];
    for (x, grid, mode) in large {
        let inputs = vec![Some(array(x, 1.0)), Some(array(grid, 1.0))];
        let attributes = vec![attr_string("mode", mode)];
        let one = One { operator: "GridSample", opset: 22, inputs, bound: &[], attributes, outputs: 1 };
        one.lowered().map(|_| ()).unwrap_or_else(|e| panic!("{x:?} {mode}: {e}"));
    }
}

/// The attributes of a deformable convolution.
struct Deform {
    group: usize,
    offset_group: usize,
    strides: Vec<usize>,
    dilations: Vec<usize>,
    /// Before and after.
    pads: Vec<usize>,
}

impl Deform {
    fn output(&self, x: &[usize], w: &[usize]) -> Vec<usize> {
        let n = x.len() - 2;
        let size = |a: usize| {
            let room = x[2 + a] + self.pads[a] + self.pads[n + a] - (w[2 + a] - 1) * self.dilations[a] - 1;
            room / self.strides[a] + 1
        };
        (0..n).map(size).collect()
    }

    fn attributes(&self) -> Vec<Message> {
        let list = |name: &str, v: &[usize]| attr_ints(name, &v.iter().map(|&v| v as i64).collect::<Vec<_>>());
        vec![
            attr_int("group", self.group as i64),
            attr_int("offset_group", self.offset_group as i64),
            list("strides", &self.strides),
            list("dilations", &self.dilations),
            list("pads", &self.pads),
        ]
    }

    fn expected(
        &self,
        x: &Tensor,
        w: &Tensor,
        offset: &Tensor,
        bias: Option<&Tensor>,
        mask: Option<&Tensor>,
    ) -> Vec<f64> {
        let (x, w, offset) = (Array::of(x), Array::of(w), Array::of(offset));
        let (bias, mask) = (bias.map(Array::of), mask.map(Array::of));
        let n = x.dims.len() - 2;
        let output = self.output(&x.dims, &w.dims);
        let taps = coordinates(&w.dims[2..]);
        let (own, maps) = (w.dims[1], w.dims[0] / self.group);
        let mut all = Vec::new();
        for at in coordinates(&[&[x.dims[0], w.dims[0]], &output[..]].concat()) {
            let (batch, map, place) = (at[0], at[1], &at[2..]);
            let mut sum = bias.as_ref().map_or(0.0, |b| b.get(&[map]));
            for c in 0..own {
                let channel = map / maps * own + c;
                let of_offsets = channel / (x.dims[1] / self.offset_group);
                for (t, tap) in taps.iter().enumerate() {
                    let tap_of_group = of_offsets * taps.len() + t;
                    let moved: Vec<f64> = (0..n)
                        .map(|a| {
                            let lead = [batch, tap_of_group * n + a];
                            let unmoved = (place[a] * self.strides[a] + tap[a] * self.dilations[a]) as f64;
                            unmoved - self.pads[a] as f64 + offset.get(&[&lead[..], place].concat())
                        })
                        .collect();
                    let factor = mask.as_ref().map_or(1.0, |m| m.get(&[&[batch, tap_of_group], place].concat()));
                    let weight = w.get(&[&[map, c], &tap[..]].concat());
                    sum += weight * factor * x.linear(&[batch, channel], &moved);
                }
            }
            all.push(sum);
        }
        all
    }

    /// A convolution of noise against the loops.
    fn check(&self, x: &[usize], w: &[usize], masked: bool) {
        let output = self.output(x, w);
        let taps: usize = w[2..].iter().product();
        let of_taps = |per_tap: usize| [&[x[0], self.offset_group * taps * per_tap], &output[..]].concat();
        let mut offsets = floats_of(&array(&of_taps(output.len()), 2.6));
        (offsets[1], offsets[5], offsets[8]) = (-1e9, f32::INFINITY, f32::MIN);
        let offset = f32s(&of_taps(output.len()), offsets);
        let (x, w) = (array(x, 2.0), array(w, 1.0));
        let (bias, mask) = (masked.then(|| array(&w.shape()[..1], 3.0)), masked.then(|| array(&of_taps(1), 1.5)));
        let expected = self.expected(&x, &w, &offset, bias.as_ref(), mask.as_ref());
        let inputs = vec![Some(x), Some(w), Some(offset), bias, mask];
        let attributes = self.attributes();
        let one = One { operator: "DeformConv", opset: 19, inputs, bound: &[], attributes, outputs: 1 };
        assert_near(&one.run().expect("it lowers")[0], &expected, "DeformConv");
    }
}

#[test]
fn deformable_convolutions_of_one_to_three_dimensions() {
    let d = |group, offset_group, strides: &[usize], dilations: &[usize], pads: &[usize]| Deform {
        group,
        offset_group,
        strides: strides.to_vec(),
        dilations: dilations.to_vec(),
        pads: pads.to_vec(),
    };
    d(1, 1, &[1], &[1], &[0, 0]).check(&[2, 3, 8], &[4, 3, 3], true);
    d(2, 1, &[2, 1], &[1, 2], &[1, 0, 2, 1]).check(&[2, 4, 7, 6], &[6, 2, 3, 2], false);
    d(1, 2, &[1, 2], &[2, 1], &[0, 1, 1, 0]).check(&[1, 4, 6, 7], &[3, 4, 2, 3], true);
    // As many channels as make a matrix of each place, if a small one.
    d(2, 2, &[1, 1], &[1, 1], &[0, 0, 0, 0]).check(&[1, 16, 4, 4], &[8, 8, 2, 2], true);
    // Groups of maps and of offsets that do not coincide.
    d(2, 3, &[1, 1], &[1, 1], &[1, 1, 1, 1]).check(&[1, 6, 4, 5], &[2, 3, 2, 2], true);
    d(2, 2, &[1, 2, 1], &[1, 1, 2], &[1, 0, 1, 0, 1, 0]).check(&[1, 4, 3, 4, 5], &[2, 2, 2, 1, 2], true);
}

#[test]
fn an_offset_that_is_no_number_makes_its_window_none() {
    let mut offsets = vec![0.0; 8 * 4];
    offsets[2] = f32::NAN;
    let inputs =
        vec![Some(array(&[1, 1, 3, 3], 1.0)), Some(array(&[1, 1, 2, 2], 1.0)), Some(f32s(&[1, 8, 2, 2], offsets))];
    let one = One { operator: "DeformConv", opset: 19, inputs, bound: &[], attributes: vec![], outputs: 1 };
    let y = floats_of(&one.run().expect("it lowers")[0]);
    assert_eq!(y.iter().map(|y| y.is_nan()).collect::<Vec<_>>(), [false, false, true, false]);
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let refusal = |offset: &[usize], attributes: Vec<Message>| {
        let inputs = vec![Some(array(&[1, 3, 4, 4], 1.0)), Some(array(&[2, 3, 2, 2], 1.0)), Some(array(offset, 1.0))];
        One { operator: "DeformConv", opset: 19, inputs, bound: &[], attributes, outputs: 1 }.refusal()
    };
    assert!(refusal(&[1, 8, 4, 3], vec![]).contains("its offset [1, 8, 4, 3] is not [1, 8, 3, 3]"));
    assert!(refusal(&[1, 16, 3, 3], vec![attr_int("offset_group", 2)]).contains("offset_group 2 does not divide [3]"));
}

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
        let inputs = vec![Some(x.clone()), Some(rois), Some(i64s(&[self.batch.len()], self.batch.iter().copied()))];
        let bound: &[usize] = if self.ratio > 0 { &[] } else { &[1] };
        One { operator: "RoiAlign", opset, inputs, bound, attributes, outputs: 1 }
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
    let one = One { bound: &[], ..roi.one(&x, 16) };
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
    let inputs = [&[1, 64, 28, 28][..], &[64, 64, 3, 3], &[1, 18, 28, 28]].map(|dims| Some(array(dims, 1.0))).to_vec();
    let attributes = vec![attr_ints("pads", &[1, 1, 1, 1])];
    let one = One { operator: "DeformConv", opset: 19, inputs, bound: &[], attributes, outputs: 1 };
    one.lowered().expect("it lowers");
}

#[test]
fn grids_of_four_dimensions() {
    let (x, grid) = (array(&[1, 2, 2, 3, 2, 3], 2.0), array(&[1, 2, 1, 3, 2, 4], 1.3));
    for mode in ["nearest", "linear"] {
        let expected = grid_sample(&x, &grid, mode, "zeros", true);
        assert_near(&sampled(x.clone(), grid.clone(), mode, "zeros", true, 20), &expected, mode);
    }
}
