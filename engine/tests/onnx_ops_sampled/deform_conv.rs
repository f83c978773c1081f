//! Deformable convolutions.

use super::*;

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
        let one = One { operator: "DeformConv", opset: 19, inputs: data(inputs), attributes, outputs: 1 };
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
    let one = One { operator: "DeformConv", opset: 19, inputs: data(inputs), attributes: vec![], outputs: 1 };
    let y = floats_of(&one.run().expect("it lowers")[0]);
    assert_eq!(y.iter().map(|y| y.is_nan()).collect::<Vec<_>>(), [false, false, true, false]);
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let refusal = |offset: &[usize], attributes: Vec<Message>| {
        let inputs = vec![Some(array(&[1, 3, 4, 4], 1.0)), Some(array(&[2, 3, 2, 2], 1.0)), Some(array(offset, 1.0))];
        One { operator: "DeformConv", opset: 19, inputs: data(inputs), attributes, outputs: 1 }.refusal()
    };
    assert!(refusal(&[1, 8, 4, 3], vec![]).contains("its offset [1, 8, 4, 3] is not [1, 8, 3, 3]"));
    assert!(refusal(&[1, 16, 3, 3], vec![attr_int("offset_group", 2)]).contains("offset_group 2 does not divide [3]"));
}

#[test]
fn no_real_deformable_convolution_is_too_much_for_a_step() {
    let inputs = [&[1, 64, 28, 28][..], &[64, 64, 3, 3], &[1, 18, 28, 28]].map(|dims| Some(array(dims, 1.0))).to_vec();
    let attributes = vec![attr_ints("pads", &[1, 1, 1, 1])];
    let one = One { operator: "DeformConv", opset: 19, inputs: data(inputs), attributes, outputs: 1 };
    one.lowered().expect("it lowers");
}
