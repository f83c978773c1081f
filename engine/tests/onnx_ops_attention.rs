//! Attention, its relatives and normalisations where the backend cases do not reach: long sequences, empty ones, older operator sets, refusals.

mod onnx_support;

use onnx_support::one_node::*;
use onnx_support::tensors::*;
use onnx_support::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rebut_engine::lower::{LowerOptions, Lowered, bill, gas::STEP_GAS_CEILING, lower};
use rebut_engine::onnx::model_from_bytes;
use rebut_engine::tensor::Tensor;

const SEED: u64 = 0xa77;

fn random(rng: &mut ChaCha8Rng, dims: &[usize]) -> Tensor {
    let n = dims.iter().product();
    f32s(dims, (0..n).map(|_| rng.random_range(-1.0f32..1.0)).collect::<Vec<_>>())
}

fn attention(inputs: Vec<Option<Tensor>>, attributes: Vec<Message>, outputs: usize) -> One<'static> {
    One { operator: "Attention", opset: 25, inputs: data(inputs), attributes, outputs }
}

/// softmax(scale * q k + bias) v by loops, rows without an open key zero; q [h, s, d], k [g, t, d], v [g, t, w] with h a multiple of g.
struct ByHand<'a> {
    q: &'a [f32],
    k: &'a [f32],
    v: &'a [f32],
    heads: usize,
    shared: usize,
    queries: usize,
    keys: usize,
    size: usize,
    wide: usize,
}

impl ByHand<'_> {
    /// `bias(head, query, key)` is added; `None` closes the key.
    fn run(&self, bias: impl Fn(usize, usize, usize) -> Option<f64>) -> Vec<f64> {
        let mut out = Vec::new();
        for h in 0..self.heads {
            let g = h / (self.heads / self.shared);
            for s in 0..self.queries {
                let score = |t: usize| {
                    let at = |x: &[f32], row: usize, d: usize| f64::from(x[row * self.size + d]);
                    let (q, k) = (h * self.queries + s, g * self.keys + t);
                    let dot: f64 = (0..self.size).map(|d| at(self.q, q, d) * at(self.k, k, d)).sum();
                    bias(h, s, t).map(|b| dot / (self.size as f64).sqrt() + b)
                };
                let scores: Vec<Option<f64>> = (0..self.keys).map(score).collect();
                let most = scores.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
                let parts: Vec<f64> = scores.iter().map(|x| x.map_or(0.0, |x| (x - most).exp())).collect();
                let sum: f64 = parts.iter().sum();
                for w in 0..self.wide {
                    let value = |t: usize| f64::from(self.v[(g * self.keys + t) * self.wide + w]);
                    let y: f64 = (0..self.keys).map(|t| parts[t] * value(t)).sum();
                    out.push(if sum == 0.0 { 0.0 } else { y / sum });
                }
            }
        }
        out
    }
}

/// Two heads share one; the past, a mask per head, causality and a window of more than one chunk of keys.
#[test]
fn long_attention_with_everything() {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let (heads, shared, queries, past, now, size, wide) = (4, 2, 3, 300, 3, 5, 7);
    let keys = past + now;
    let (q, k, v) = (
        random(&mut rng, &[1, heads, queries, size]),
        random(&mut rng, &[1, shared, keys, size]),
        random(&mut rng, &[1, shared, keys, wide]),
    );
    let part = |x: &Tensor, range: std::ops::Range<usize>| {
        let Tensor::F32(x) = x else { panic!("f32") };
        let rows = x.slice_axis(ndarray::Axis(2), ndarray::Slice::from(range)).to_owned();
        Some(Tensor::F32(rows.as_standard_layout().into_owned()))
    };
    let mask = random(&mut rng, &[heads, queries, keys]);
    let inputs = vec![
        Some(q.clone()),
        part(&k, past..keys),
        part(&v, past..keys),
        Some(mask.clone()),
        part(&k, 0..past),
        part(&v, 0..past),
    ];
    let attributes = vec![attr_int("is_causal", 1), attr_int("left_window_size", 280)];
    let got = attention(inputs, attributes, 3).run().unwrap();
    assert_eq!(got[1].to_be_bytes(), k.to_be_bytes(), "present keys");
    assert_eq!(got[2].to_be_bytes(), v.to_be_bytes(), "present values");
    let mask = floats_of(&mask);
    let (q, k, v) = (floats_of(&q), floats_of(&k), floats_of(&v));
    let by_hand = ByHand { q: &q, k: &k, v: &v, heads, shared, queries, keys, size, wide };
    let expected = by_hand.run(|h, s, t| {
        let position = past + s;
        let open = t <= position && t + 280 >= position;
        open.then(|| f64::from(mask[(h * queries + s) * keys + t]))
    });
    assert_near(&got[0], &expected, "attention");
}

/// Queries that a boolean mask leaves nothing to give zeros, whatever the values are.
#[test]
fn closed_rows_are_zero() {
    let (queries, keys) = (3, 2);
    let q = f32s(&[1, 1, queries, 1], [1.0, f32::INFINITY, 2.0]);
    let k = f32s(&[1, 1, keys, 1], [1.0, 1.0]);
    let v = f32s(&[1, 1, keys, 1], [3.0, f32::NAN]);
    let mask = bools(&[queries, keys], [false, false, false, false, true, false]);
    let scores = vec![attr_int("qk_matmul_output_mode", 3)];
    let inputs = vec![Some(q), Some(k), Some(v), Some(mask)];
    let got = attention(inputs, scores, 4).run().unwrap();
    // The third row's share of a NaN is nothing, but nothing times NaN is NaN.
    assert_near(&got[0], &[0.0, 0.0, f64::NAN], "attention");
    assert_near(&got[3], &[0.0, 0.0, 0.0, 0.0, 1.0, 0.0], "shares");
}

#[test]
fn attention_to_nothing() {
    let none = |wide| Some(f32s(&[1, 1, 0, wide], [0.0; 0]));
    let got = attention(vec![Some(f32s(&[1, 2, 2, 3], [1.0; 12])), none(3), none(4)], vec![], 1).run().unwrap();
    assert_eq!(got[0].ty().dims, [1, 2, 2, 4]);
    assert_near(&got[0], &[0.0; 16], "no keys");
    let got = attention(vec![none(3), none(3), none(4)], vec![], 1).run().unwrap();
    assert_eq!(got[0].ty().dims, [1, 1, 0, 4]);
}

/// The sizes of models: no value is larger than the scores.
#[test]
fn attention_of_a_model() {
    for sequence in [128, 512] {
        let flat = || Some(f32s(&[1, sequence, 384], vec![0.5; sequence * 384]));
        let attributes = vec![attr_int("q_num_heads", 12), attr_int("kv_num_heads", 12), attr_int("is_causal", 1)];
        let (lowered, _) = attention(vec![flat(), flat(), flat()], attributes, 1).lowered().unwrap();
        let most = lowered.program.values.iter().map(|v| v.ty.elements()).max();
        assert_eq!(most, Some(12 * (sequence * sequence) as u64));
        affordable(&lowered, "Attention");
    }
}

fn affordable(lowered: &Lowered, what: &str) {
    let worst = bill(&lowered.program).into_iter().max_by_key(|b| b.gas_worst).expect("an instruction");
    assert!(worst.gas_worst <= STEP_GAS_CEILING, "{what}: {worst:?}");
}

/// The sizes of models: each operator has steps that can be paid for.
#[test]
fn operators_of_models() {
    let zeros = |dims: &[usize]| Some(f32s(dims, vec![0.0; dims.iter().product()]));
    let heads =
        |rule: &str| vec![attr_int("q_num_heads", 4), attr_int("kv_num_heads", 4), attr_string("update_rule", rule)];
    let step = || zeros(&[1, 8, 256]);
    let one = |operator: &'static str, opset: i64, inputs: Vec<Option<Tensor>>, attributes: Vec<Message>| {
        let one = One { operator, opset, inputs: data(inputs), attributes, outputs: 1 };
        affordable(&one.lowered().unwrap().0, operator);
    };
    one("LayerNormalization", 17, vec![zeros(&[1, 128, 768]), zeros(&[768]), zeros(&[768])], vec![]);
    one("LayerNormalization", 17, vec![zeros(&[1, 96, 28, 28]), zeros(&[96, 28, 28])], vec![attr_int("axis", 1)]);
    one("RMSNormalization", 23, vec![zeros(&[1, 16, 4096]), zeros(&[4096])], vec![]);
    one("InstanceNormalization", 22, vec![zeros(&[1, 16, 96, 96]), zeros(&[16]), zeros(&[16])], vec![]);
    one(
        "GroupNormalization",
        21,
        vec![zeros(&[1, 320, 32, 32]), zeros(&[320]), zeros(&[320])],
        vec![attr_int("num_groups", 32)],
    );
    one("MeanVarianceNormalization", 13, vec![zeros(&[2, 3, 64, 64])], vec![]);
    one("LpNormalization", 22, vec![zeros(&[2, 512, 64])], vec![attr_int("axis", 1)]);
    one(
        "RotaryEmbedding",
        23,
        vec![zeros(&[1, 8, 128, 128]), zeros(&[1, 128, 64]), zeros(&[1, 128, 64])],
        vec![attr_int("interleaved", 1)],
    );
    one("LinearAttention", 27, vec![step(), step(), step()], heads("linear"));
    let both = vec![step(), step(), step(), None, step(), zeros(&[1, 8, 4])];
    one("LinearAttention", 27, both, heads("gated_delta"));
    one(
        "CausalConvWithState",
        27,
        vec![zeros(&[1, 512, 64]), zeros(&[512, 1, 4])],
        vec![attr_string("activation", "silu")],
    );
    let pair = || vec![zeros(&[1, 8, 64, 64]), zeros(&[1, 8, 64, 64])];
    one("Einsum", 12, pair(), vec![attr_string("equation", "bhqd,bhkd->bhqk")]);
    one("Einsum", 12, pair(), vec![attr_string("equation", "bhqk,bhkd->bqhd")]);
    one("Det", 22, vec![zeros(&[2, 16, 16])], vec![]);
    one("Hardmax", 13, vec![zeros(&[4, 1000])], vec![]);
}

#[test]
fn attention_that_is_refused() {
    let x = |heads: usize| Some(f32s(&[1, heads, 2, 2], vec![0.0; heads * 4]));
    let says = |inputs: Vec<Option<Tensor>>, attributes: Vec<Message>, words: &str| {
        let refusal = attention(inputs, attributes, 1).refusal();
        assert!(refusal.contains(words), "`{refusal}` does not say `{words}`");
    };
    says(vec![x(3), x(2), x(2)], vec![], "3 heads of queries do not share 2");
    says(vec![x(1), x(1), x(1), None, x(1)], vec![], "past keys and past values are only allowed together");
    says(vec![x(1), x(1), x(1), None, x(1), x(1), Some(i64s(&[1], [1]))], vec![], "exclude each other");
    says(vec![x(1), x(1), x(1)], vec![attr_int("softmax_precision", 10)], "softmax_precision 10");
    says(vec![x(1), x(1), x(1)], vec![attr_int("qk_matmul_output_mode", 4)], "qk_matmul_output_mode 4");
    says(vec![x(1), x(1), x(1)], vec![attr_int("left_window_size", -2)], "left_window_size -2");
    says(vec![x(1), x(1), x(1), Some(f32s(&[3, 2], [0.0; 6]))], vec![], "does not broadcast");
    let flat = || Some(f32s(&[1, 2, 4], [0.0; 8]));
    says(vec![flat(), flat(), flat()], vec![], "needs the attribute `q_num_heads`");
}

#[test]
fn linear_attention_of_no_steps() {
    let rules = [("linear", false, false), ("gated_delta", true, true)];
    for (rule, gated, corrected) in rules {
        let none = || Some(f32s(&[1, 0, 4], [0.0; 0]));
        let past = f32s(&[1, 1, 4, 4], (0..16).map(|i| i as f32));
        let rate = Some(f32s(&[1, 0, 1], [0.0; 0])).filter(|_| corrected);
        let one = One {
            operator: "LinearAttention",
            opset: 27,
            inputs: data([none(), none(), none(), Some(past.clone()), none().filter(|_| gated), rate]),
            attributes: vec![attr_int("q_num_heads", 1), attr_int("kv_num_heads", 1), attr_string("update_rule", rule)],
            outputs: 2,
        };
        let got = one.run().unwrap();
        assert_eq!((got[0].ty().dims, &got[1]), (vec![1, 0, 4], &past), "{rule}");
    }
}

/// Many steps of one element, so that the recurrence can be written down.
#[test]
fn linear_attention_of_many_steps() {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED + 1);
    let steps = 40;
    for rule in ["linear", "gated", "delta", "gated_delta"] {
        let (gated, corrected) = (rule.starts_with("gated"), rule.ends_with("delta"));
        let mut x = || random(&mut rng, &[1, steps, 1]);
        let (q, k, v, decay, rate) = (x(), x(), x(), x(), x());
        let one = One {
            operator: "LinearAttention",
            opset: 27,
            inputs: data([
                Some(q.clone()),
                Some(k.clone()),
                Some(v.clone()),
                None,
                Some(decay.clone()).filter(|_| gated),
                Some(rate.clone()).filter(|_| corrected),
            ]),
            attributes: vec![
                attr_int("q_num_heads", 1),
                attr_int("kv_num_heads", 1),
                attr_string("update_rule", rule),
                attr_float("scale", 2.0),
            ],
            outputs: 2,
        };
        let got = one.run().unwrap();
        let at = |t: &Tensor, i: usize| f64::from(floats_of(t)[i]);
        let (mut state, mut expected) = (0.0, Vec::new());
        for i in 0..steps {
            state *= if gated { at(&decay, i).exp() } else { 1.0 };
            let value = if corrected { at(&rate, i) * (at(&v, i) - state * at(&k, i)) } else { at(&v, i) };
            state += at(&k, i) * value;
            expected.push(2.0 * at(&q, i) * state);
        }
        assert_near(&got[0], &expected, rule);
        assert_near(&got[1], &[state], rule);
    }
}

#[test]
fn convolution_of_nothing_keeps_its_state() {
    let past = f32s(&[1, 2, 2], [1.0, 2.0, 3.0, 4.0]);
    let one = One {
        operator: "CausalConvWithState",
        opset: 27,
        inputs: data([Some(f32s(&[1, 2, 0], [0.0; 0])), Some(f32s(&[2, 1, 3], [1.0; 6])), None, Some(past.clone())]),
        attributes: vec![],
        outputs: 2,
    };
    let got = one.run().unwrap();
    assert_eq!((got[0].ty().dims, &got[1]), (vec![1, 2, 0], &past));
}

/// Mean and 1 / deviation of some elements.
fn moments(x: &[f32], epsilon: f64) -> (f64, f64) {
    let n = x.len() as f64;
    let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
    let variance = x.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n;
    (mean, 1.0 / (variance + epsilon).sqrt())
}

/// Rows of several chunks whose mean is far above their deviation: the difference of two mean squares would be nothing but rounding.
#[test]
fn layers_far_from_zero() {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED + 2);
    let (rows, n) = (2, 600);
    let values: Vec<f32> = (0..rows * n).map(|_| 4096.0 + f32::from(rng.random_range(0..16u8)) / 16.0).collect();
    let one = One {
        operator: "LayerNormalization",
        opset: 17,
        inputs: data([Some(f32s(&[rows, n], values.clone())), Some(f32s(&[1], [2.0]))]),
        attributes: vec![],
        outputs: 3,
    };
    let got = one.run().unwrap();
    let (mut expected, mut inverses) = (Vec::new(), Vec::new());
    for row in values.chunks(n) {
        let (mean, inverse) = moments(row, 1e-5);
        expected.extend(row.iter().map(|&x| 2.0 * (f64::from(x) - mean) * inverse));
        inverses.push(inverse);
    }
    // The mean itself is rounded to 2^-11.
    for (x, y) in floats_of(&got[0]).iter().zip(&expected) {
        assert!((f64::from(*x) - y).abs() < 5e-3, "{x}, expected {y}");
    }
    for (x, y) in floats_of(&got[2]).iter().zip(&inverses) {
        assert!((f64::from(*x) - y).abs() < 1e-4 * y, "{x}, expected {y}");
    }
}

/// Before operator set 21 scale and bias are of groups, since then of channels.
#[test]
fn groups_in_both_forms() {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED + 3);
    let (channels, groups, space) = (6, 3, 5);
    let x = random(&mut rng, &[2, channels, space]);
    for (opset, each) in [(18, groups), (21, channels)] {
        let scale: Vec<f32> = (0..each).map(|i| 1.0 + i as f32).collect();
        let bias: Vec<f32> = (0..each).map(|i| -(i as f32)).collect();
        let one = One {
            operator: "GroupNormalization",
            opset,
            inputs: data([Some(x.clone()), Some(f32s(&[each], scale.clone())), Some(f32s(&[each], bias.clone()))]),
            attributes: vec![attr_int("num_groups", groups as i64)],
            outputs: 1,
        };
        let mut expected = Vec::new();
        for (g, group) in floats_of(&x).chunks(channels / groups * space).enumerate() {
            let (mean, inverse) = moments(group, 1e-5);
            for (i, &x) in group.iter().enumerate() {
                let channel = g % groups * (channels / groups) + i / space;
                let own = if each == groups { g % groups } else { channel };
                expected.push((f64::from(x) - mean) * inverse * f64::from(scale[own]) + f64::from(bias[own]));
            }
        }
        assert_near(&one.run().unwrap()[0], &expected, &format!("operator set {opset}"));
    }
}

/// Operator set 7 with statistics for each element of the channels.
#[test]
fn batches_by_elements() {
    let x = f32s(&[2, 1, 2], [1.0, 2.0, 3.0, 4.0]);
    let statistics = [[1.0, 2.0], [0.5, -0.5], [1.0, 3.0], [4.0, 0.25]].map(|s| Some(f32s(&[1, 2], s)));
    let one = One {
        operator: "BatchNormalization",
        opset: 7,
        inputs: data([Some(x)].into_iter().chain(statistics)),
        attributes: vec![attr_int("spatial", 0), attr_float("epsilon", 0.0)],
        outputs: 1,
    };
    assert_near(&one.run().unwrap()[0], &[0.5, -4.5, 1.5, 3.5], "batches");
}

/// Tensors without elements may have dimensions whose product is beyond all numbers: an error, not an overflow.
#[test]
fn huge_shapes_of_nothing() {
    let n = 1 << 39;
    let lowered = |bytes: Vec<u8>| {
        let model = model_from_bytes(bytes, None).expect("a model");
        lower(&model, &LowerOptions::default()).map_err(|e| e.to_string())
    };
    let norm = single("RMSNormalization", 23, &[("x", &[n, n, 0]), ("s", &[0])], vec![], vec![attr_int("axis", 0)]);
    let inputs: [(&str, &[i64]); 3] = [("q", &[1, 0, n]), ("k", &[1, 0, 1]), ("v", &[1, 0, n])];
    let heads = vec![attr_int("q_num_heads", n), attr_int("kv_num_heads", 1)];
    for bytes in [norm, single("Attention", 23, &inputs, vec![], heads)] {
        let error = lowered(bytes).unwrap_err();
        assert!(error.contains("2^40"), "{error}");
    }
}

/// Norms of negative elements, and of nothing but zeros.
#[test]
fn lines_by_their_norms() {
    let x = f32s(&[2, 3], [3.0, -4.0, 0.0, 0.0, -0.0, 0.0]);
    for (p, norm) in [(1, 7.0), (2, 5.0)] {
        let one = One {
            operator: "LpNormalization",
            opset: 22,
            inputs: data([Some(x.clone())]),
            attributes: vec![attr_int("p", p)],
            outputs: 1,
        };
        assert_near(&one.run().unwrap()[0], &[3.0 / norm, -4.0 / norm, 0.0, 0.0, 0.0, 0.0], "norms");
    }
}

#[test]
fn logarithms_of_sums_at_the_edges() {
    let (infinity, large) = (f32::INFINITY, 1000.0);
    let rows = [[large, large, -large], [-infinity; 3], [infinity, 0.0, -infinity], [f32::NAN, 0.0, 0.0]];
    let one = One {
        operator: "ReduceLogSumExp",
        opset: 18,
        inputs: vec![Given::Data(f32s(&[4, 3], rows.concat())), Given::Bound(i64s(&[1], [-1]))],
        attributes: vec![attr_int("keepdims", 0)],
        outputs: 1,
    };
    let expected = [1000.0 + 2f64.ln(), f64::NEG_INFINITY, f64::INFINITY, f64::NAN];
    assert_near(&one.run().unwrap()[0], &expected, "logarithms");
}
