//! RNN, GRU and LSTM against plain loops in f64, one sequence at a time: what ONNX's cases leave out.

mod onnx_support;

use onnx_support::one_node::*;
use onnx_support::tensors::*;
use onnx_support::{Message, attr_float, attr_floats, attr_int, attr_string, attr_strings};

const STEPS: usize = 4;
const BATCH: usize = 3;
const INPUT: usize = 2;
const HIDDEN: usize = 3;
const LENGTHS: [i32; BATCH] = [2, 4, 0];
const TOLERANCE: f64 = 2e-6;

/// Numbers between -1 and 1 without a pattern.
fn noise(n: usize, seed: usize) -> Vec<f32> {
    (0..n).map(|i| (((i + 1) * 7919 + seed * 104_729) % 2003) as f32 / 1001.5 - 1.0).collect()
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Rnn,
    Gru { linear_before_reset: bool },
    Lstm { input_forget: bool },
}

impl Kind {
    fn operator(self) -> &'static str {
        match self {
            Self::Rnn => "RNN",
            Self::Gru { .. } => "GRU",
            Self::Lstm { .. } => "LSTM",
        }
    }

    fn gates(self) -> usize {
        match self {
            Self::Rnn => 1,
            Self::Gru { .. } => 3,
            Self::Lstm { .. } => 4,
        }
    }
}

/// One way to use an operator.
#[derive(Clone, Copy, Debug)]
struct Use {
    kind: Kind,
    direction: &'static str,
    /// With bias, initial states and peepholes.
    full: bool,
    lengths: Option<bool>,
    by_batch: bool,
    clip: Option<f32>,
}

/// The tensors of a layer, with an axis of directions.
struct Layer {
    x: Vec<f32>,
    w: Vec<f32>,
    r: Vec<f32>,
    bias: Vec<f32>,
    h: Vec<f32>,
    c: Vec<f32>,
    peepholes: Vec<f32>,
}

impl Use {
    fn directions(&self) -> usize {
        if self.direction == "bidirectional" { 2 } else { 1 }
    }

    fn layer(&self) -> Layer {
        let (d, rows) = (self.directions(), self.kind.gates() * HIDDEN);
        let full = |n: usize, seed: usize| if self.full { noise(n, seed) } else { vec![0.0; n] };
        Layer {
            x: noise(STEPS * BATCH * INPUT, 1),
            w: noise(d * rows * INPUT, 2),
            r: noise(d * rows * HIDDEN, 3),
            bias: full(d * 2 * rows, 4),
            h: full(d * BATCH * HIDDEN, 5),
            c: full(d * BATCH * HIDDEN, 6),
            peepholes: full(d * 3 * HIDDEN, 7),
        }
    }

    fn clipped(&self, x: f64) -> f64 {
        self.clip.map_or(x, |limit| x.clamp(-f64::from(limit), f64::from(limit)))
    }

    fn sigmoid(&self, x: f64) -> f64 {
        1.0 / (1.0 + (-self.clipped(x)).exp())
    }

    fn tanh(&self, x: f64) -> f64 {
        self.clipped(x).tanh()
    }

    /// Y [steps][direction][batch][hidden], and the last h and c [direction][batch][hidden].
    fn expected(&self, l: &Layer) -> [Vec<f64>; 3] {
        let d = self.directions();
        let mut y = vec![0.0; STEPS * d * BATCH * HIDDEN];
        let (mut last_h, mut last_c) = (Vec::new(), Vec::new());
        for direction in 0..d {
            for (batch, &length) in LENGTHS.iter().enumerate() {
                let length = if self.lengths.is_some() { length as usize } else { STEPS };
                let state = (direction * BATCH + batch) * HIDDEN;
                let of = |s: &[f32]| s[state..state + HIDDEN].iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
                let (mut h, mut c) = (of(&l.h), of(&l.c));
                let mut order: Vec<usize> = (0..length).collect();
                if self.direction == "reverse" || direction == 1 {
                    order.reverse();
                }
                for t in order {
                    let at = (t * BATCH + batch) * INPUT;
                    (h, c) = self.step(l, direction, &l.x[at..at + INPUT], &h, &c);
                    let at = ((t * d + direction) * BATCH + batch) * HIDDEN;
                    y[at..at + HIDDEN].copy_from_slice(&h);
                }
                last_h.extend(h);
                last_c.extend(c);
            }
        }
        [y, last_h, last_c]
    }

    fn step(&self, l: &Layer, direction: usize, x: &[f32], h: &[f64], c: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let rows = self.kind.gates() * HIDDEN;
        let from_x = |row: usize| {
            let w = &l.w[(direction * rows + row) * INPUT..][..INPUT];
            let sum: f64 = w.iter().zip(x).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum();
            sum + f64::from(l.bias[direction * 2 * rows + row])
        };
        let from_h = |row: usize, h: &[f64]| {
            let r = &l.r[(direction * rows + row) * HIDDEN..][..HIDDEN];
            r.iter().zip(h).map(|(r, h)| f64::from(*r) * h).sum::<f64>()
        };
        let late_bias = |row: usize| f64::from(l.bias[direction * 2 * rows + rows + row]);
        let all = |gate: usize, i: usize, h: &[f64]| {
            let row = gate * HIDDEN + i;
            from_x(row) + from_h(row, h) + late_bias(row)
        };
        let peephole = |gate: usize, i: usize| f64::from(l.peepholes[(direction * 3 + gate) * HIDDEN + i]);
        let every = 0..HIDDEN;
        match self.kind {
            Kind::Rnn => (every.map(|i| self.tanh(all(0, i, h))).collect(), c.to_vec()),
            Kind::Gru { linear_before_reset } => {
                let r: Vec<f64> = every.clone().map(|i| self.sigmoid(all(1, i, h))).collect();
                let reset: Vec<f64> = every.clone().map(|i| r[i] * h[i]).collect();
                let next = every.map(|i| {
                    let (z, row) = (self.sigmoid(all(0, i, h)), 2 * HIDDEN + i);
                    let made = if linear_before_reset {
                        from_x(row) + r[i] * (from_h(row, h) + late_bias(row))
                    } else {
                        all(2, i, &reset)
                    };
                    (1.0 - z) * self.tanh(made) + z * h[i]
                });
                (next.collect(), c.to_vec())
            }
            Kind::Lstm { input_forget } => {
                let cell: Vec<f64> = every
                    .clone()
                    .map(|i| {
                        let input = self.sigmoid(all(0, i, h) + peephole(0, i) * c[i]);
                        let forget = self.sigmoid(all(2, i, h) + peephole(2, i) * c[i]);
                        let forget = if input_forget { 1.0 - input } else { forget };
                        forget * c[i] + input * self.tanh(all(3, i, h))
                    })
                    .collect();
                let out = every.map(|i| self.sigmoid(all(1, i, h) + peephole(1, i) * cell[i]) * self.tanh(cell[i]));
                (out.collect(), cell)
            }
        }
    }

    fn check(&self) {
        let (l, d, rows) = (self.layer(), self.directions(), self.kind.gates() * HIDDEN);
        let mut attributes: Vec<Message> = vec![attr_int("hidden_size", HIDDEN as i64)];
        if self.direction != "forward" {
            attributes.push(attr_string("direction", self.direction));
        }
        attributes.extend(self.clip.map(|limit| attr_float("clip", limit)));
        match self.kind {
            Kind::Gru { linear_before_reset: true } => attributes.push(attr_int("linear_before_reset", 1)),
            Kind::Lstm { input_forget: true } => attributes.push(attr_int("input_forget", 1)),
            _ => {}
        }
        if self.by_batch {
            attributes.push(attr_int("layout", 1));
        }
        // From [a, b, n] to [b, a, n] where batches come first.
        let dims = |[a, b, n]: [usize; 3]| if self.by_batch { [b, a, n] } else { [a, b, n] };
        let turned = |values: &[f32], [a, b, n]: [usize; 3]| -> Vec<f32> {
            if !self.by_batch {
                return values.to_vec();
            }
            (0..b).flat_map(|j| (0..a).flat_map(move |i| values[(i * b + j) * n..][..n].to_vec())).collect()
        };
        let data = |values: &[f32], shape: [usize; 3]| Given::Data(f32s(&dims(shape), turned(values, shape)));
        let state = [d, BATCH, HIDDEN];
        let mut inputs = vec![
            data(&l.x, [STEPS, BATCH, INPUT]),
            Given::Constant(f32s(&[d, rows, INPUT], &l.w)),
            Given::Constant(f32s(&[d, rows, HIDDEN], &l.r)),
        ];
        let optional = |given: bool, t: Given| if given { t } else { Given::Nothing };
        inputs.push(optional(self.full, Given::Constant(f32s(&[d, 2 * rows], &l.bias))));
        let lengths = i32s(&[BATCH], LENGTHS);
        inputs.push(match self.lengths {
            None => Given::Nothing,
            Some(true) => Given::Constant(lengths),
            Some(false) => Given::Data(lengths),
        });
        inputs.push(optional(self.full, data(&l.h, state)));
        let cell = matches!(self.kind, Kind::Lstm { .. });
        if cell {
            inputs.push(optional(self.full, data(&l.c, state)));
            inputs.push(optional(self.full, Given::Constant(f32s(&[d, 3 * HIDDEN], &l.peepholes))));
        }
        let opset = if self.by_batch { 14 } else { 7 };
        let outputs = if cell { 3 } else { 2 };
        let got = one_node(self.kind.operator(), opset, &attributes, &inputs, outputs).expect("it lowers");

        let [y, h, c] = self.expected(&l);
        let y_dims = if self.by_batch { [BATCH, STEPS, d, HIDDEN] } else { [STEPS, d, BATCH, HIDDEN] };
        let by_batch = |values: &[f64]| -> Vec<f64> {
            (0..BATCH)
                .flat_map(|b| (0..values.len() / (BATCH * HIDDEN)).map(move |s| (s * BATCH + b) * HIDDEN))
                .flat_map(|at| values[at..at + HIDDEN].to_vec())
                .collect()
        };
        let laid = |values: &[f64]| if self.by_batch { by_batch(values) } else { values.to_vec() };
        assert_close(&got[0], &y_dims, &laid(&y), TOLERANCE, &format!("Y of {self:?}"));
        assert_close(&got[1], &dims(state), &laid(&h), TOLERANCE, &format!("Y_h of {self:?}"));
        if cell {
            assert_close(&got[2], &dims(state), &laid(&c), TOLERANCE, &format!("Y_c of {self:?}"));
        }
    }
}

#[test]
fn every_layer() {
    let kinds = [
        Kind::Rnn,
        Kind::Gru { linear_before_reset: false },
        Kind::Gru { linear_before_reset: true },
        Kind::Lstm { input_forget: false },
        Kind::Lstm { input_forget: true },
    ];
    for kind in kinds {
        for (direction, lengths, by_batch) in [
            ("forward", None, false),
            ("forward", Some(true), true),
            ("reverse", Some(false), false),
            ("bidirectional", Some(false), true),
        ] {
            for (full, clip) in [(false, None), (true, None), (true, Some(0.3))] {
                Use { kind, direction, full, lengths, by_batch, clip }.check();
            }
        }
    }
}

/// One step of one number, with a weight of 1 and nothing remembered: the function itself.
fn activated(name: &str, alpha: &[f32], beta: &[f32], x: f32) -> f32 {
    let mut attributes = vec![attr_strings("activations", &[name])];
    if !alpha.is_empty() {
        attributes.push(attr_floats("activation_alpha", alpha));
    }
    if !beta.is_empty() {
        attributes.push(attr_floats("activation_beta", beta));
    }
    let constant = |x: f32| Given::Constant(f32s(&[1, 1, 1], [x]));
    let inputs = [Given::Data(f32s(&[1, 1, 1], [x])), constant(1.0), constant(0.0)];
    floats_of(&one_node("RNN", 22, &attributes, &inputs, 2).expect("it lowers")[1])[0]
}

#[test]
fn every_activation() {
    type Function = fn(f64) -> f64;
    let functions: [(&str, &[f32], &[f32], Function); 15] = [
        ("Relu", &[], &[], |x| x.max(0.0)),
        ("Tanh", &[], &[], f64::tanh),
        ("Sigmoid", &[], &[], |x| 1.0 / (1.0 + (-x).exp())),
        ("Softsign", &[], &[], |x| x / (1.0 + x.abs())),
        ("Softplus", &[], &[], |x| x.exp().ln_1p()),
        ("Affine", &[2.0], &[0.5], |x| 2.0 * x + 0.5),
        ("LeakyRelu", &[], &[], |x| if x < 0.0 { 0.01 * x } else { x }),
        ("LeakyRelu", &[0.25], &[], |x| if x < 0.0 { 0.25 * x } else { x }),
        ("ThresholdedRelu", &[], &[], |x| if x < 1.0 { 0.0 } else { x }),
        ("ThresholdedRelu", &[-1.0], &[], |x| if x < -1.0 { 0.0 } else { x }),
        ("ScaledTanh", &[1.5], &[0.5], |x| 1.5 * (0.5 * x).tanh()),
        ("HardSigmoid", &[], &[], |x| (0.2 * x + 0.5).clamp(0.0, 1.0)),
        ("HardSigmoid", &[0.5], &[0.25], |x| (0.5 * x + 0.25).clamp(0.0, 1.0)),
        ("Elu", &[], &[], |x| if x < 0.0 { x.exp_m1() } else { x }),
        ("Elu", &[2.0], &[], |x| if x < 0.0 { 2.0 * x.exp_m1() } else { x }),
    ];
    for (name, alpha, beta, f) in functions {
        for x in [-3.5f32, -1.0, -0.25, 0.0, 0.75, 1.0, 4.0] {
            let (got, expected) = (f64::from(activated(name, alpha, beta, x)), f(f64::from(x)));
            assert!((got - expected).abs() < 1e-6, "{name} {alpha:?} {beta:?} of {x}: {got}, expected {expected}");
        }
    }
}

/// Parameters go to those functions only that have them, in order.
#[test]
fn parameters_are_taken_in_order() {
    let constant = |dims: &[usize], xs: &[f32]| Given::Constant(f32s(dims, xs));
    // z = HardSigmoid(x; 0.5, 0.25), made = Affine(x; 2, 1.5), forward; z = Sigmoid, made = LeakyRelu(x; 0.1) backwards.
    let attributes = [
        attr_string("direction", "bidirectional"),
        attr_strings("activations", &["HardSigmoid", "Affine", "Sigmoid", "LeakyRelu"]),
        attr_floats("activation_alpha", &[0.5, 2.0, 0.1]),
        attr_floats("activation_beta", &[0.25, 1.5]),
    ];
    let inputs =
        [Given::Data(f32s(&[1, 1, 1], [-0.5])), constant(&[2, 3, 1], &[1.0; 6]), constant(&[2, 3, 1], &[0.0; 6])];
    let y = one_node("GRU", 7, &attributes, &inputs, 1).expect("it lowers");
    let forward = (1.0 - 0.0) * (2.0 * -0.5 + 1.5);
    let backward = (1.0 - 1.0 / (1.0 + 0.5f64.exp())) * -0.05;
    assert_close(&y[0], &[1, 2, 1, 1], &[forward, backward], 1e-7, "both directions");
}

#[test]
fn no_steps_and_refusals() {
    let w = Given::Constant(f32s(&[1, 8, 3], noise(24, 1)));
    let r = Given::Constant(f32s(&[1, 8, 2], noise(16, 2)));
    let states = [f32s(&[1, 1, 2], [0.5, -0.5]), f32s(&[1, 1, 2], [2.0, 3.0])];
    let none = Given::Data(f32s(&[0, 1, 3], [0.0; 0]));
    let [h, c] = states.clone().map(Given::Data);
    let inputs = [none, w.clone(), r.clone(), Given::Nothing, Given::Nothing, h, c];
    let y = one_node("LSTM", 22, &[], &inputs, 3).expect("it lowers");
    assert_eq!(y[1..], states);
    assert_eq!(y[0].shape(), [0, 1, 1, 2]);

    let x = Given::Data(f32s(&[1, 1, 3], [0.0; 3]));
    let refused = |attributes: &[Message], inputs: &[Given]| one_node("LSTM", 22, attributes, inputs, 1).unwrap_err();
    let inputs = [x, w.clone(), r];
    assert!(refused(&[attr_strings("activations", &["Cosh", "Tanh", "Tanh"])], &inputs).contains("`Cosh`"));
    assert!(refused(&[attr_strings("activations", &["Tanh"])], &inputs).contains("3 are needed"));
    assert!(refused(&[attr_string("direction", "sideways")], &inputs).contains("sideways"));
    assert!(refused(&[attr_int("hidden_size", 3)], &inputs).contains("hidden_size"));
    let long = Given::Data(f32s(&[5000, 1, 3], [0.0; 15_000]));
    assert!(refused(&[], &[long, inputs[1].clone(), inputs[2].clone()]).contains("5000 steps"));
}
