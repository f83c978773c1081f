//! Convolutions whose borders would make a window many short runs: they read a copy that has its borders around it.

use super::*;

/// A convolution: input, weights, and its attributes, pads as they are given and as they are in the end.
struct Case {
    x: &'static [usize],
    w: &'static [usize],
    strides: &'static [usize],
    dilations: &'static [usize],
    auto: Option<&'static str>,
    pads: &'static [usize],
}

const CASES: [Case; 7] = [
    case(&[1, 3, 40, 40], &[16, 3, 7, 7], &[2, 2], &[1, 1], &[3, 3, 3, 3]),
    case(&[1, 4, 26, 30], &[48, 4, 6, 5], &[1, 2], &[2, 1], &[1, 2, 0, 3]),
    case(&[2, 6, 16, 16], &[64, 6, 5, 5], &[1, 1], &[1, 1], &[2, 2, 2, 2]),
    Case { auto: Some("SAME_UPPER"), ..case(&[1, 3, 41, 40], &[24, 3, 6, 6], &[2, 2], &[1, 1], &[2, 2, 3, 2]) },
    Case { auto: Some("SAME_LOWER"), ..case(&[1, 3, 41, 40], &[24, 3, 6, 6], &[2, 2], &[1, 1], &[3, 2, 2, 2]) },
    case(&[1, 6, 300], &[64, 6, 31], &[1], &[1], &[15, 7]),
    case(&[1, 4, 7, 8, 9], &[64, 4, 3, 3, 3], &[1, 1, 1], &[1, 1, 1], &[1, 1, 1, 1, 1, 1]),
];

const fn case(
    x: &'static [usize],
    w: &'static [usize],
    strides: &'static [usize],
    dilations: &'static [usize],
    pads: &'static [usize],
) -> Case {
    Case { x, w, strides, dilations, auto: None, pads }
}

impl Case {
    fn model(&self, weights: &[f32]) -> Vec<u8> {
        let mut attributes =
            vec![attr_ints("strides", &signed(self.strides)), attr_ints("dilations", &signed(self.dilations))];
        attributes.push(match self.auto {
            Some(auto) => attr_string("auto_pad", auto),
            None => attr_ints("pads", &signed(self.pads)),
        });
        let x = signed(self.x);
        single("Conv", 11, &[("x", &x)], vec![("w", floats("w", &signed(self.w), weights))], attributes)
    }

    /// Extents and elements of the result.
    fn expected(&self, x: &[f64], w: &[f64]) -> (Vec<usize>, Vec<f64>) {
        let n = self.strides.len();
        let spatial = |a: usize| {
            let reach = (self.w[2 + a] - 1) * self.dilations[a] + 1;
            (self.x[2 + a] + self.pads[a] + self.pads[n + a] - reach) / self.strides[a] + 1
        };
        let dims: Vec<usize> = [self.x[0], self.w[0]].into_iter().chain((0..n).map(spatial)).collect();
        let element = |at: &Vec<usize>| -> f64 {
            let terms = coordinates(&self.w[1..]).into_iter().filter_map(|k| {
                let tap =
                    |a: usize| (at[2 + a] * self.strides[a] + k[1 + a] * self.dilations[a]).checked_sub(self.pads[a]);
                let taps: Vec<usize> = (0..n).map(tap).collect::<Option<_>>()?;
                let inside = (0..n).all(|a| taps[a] < self.x[2 + a]);
                let from: Vec<usize> = [at[0], k[0]].into_iter().chain(taps).collect();
                let by: Vec<usize> = std::iter::once(at[1]).chain(k).collect();
                inside.then(|| x[flat(self.x, &from)] * w[flat(self.w, &by)])
            });
            terms.sum()
        };
        let elements = coordinates(&dims).iter().map(element).collect();
        (dims, elements)
    }
}

#[test]
fn convolutions_with_borders_around_a_copy() {
    for (n, case) in CASES.iter().enumerate() {
        let (x, w) = (array(case.x), array(case.w));
        let model = case.model(&floats_of(&w));
        let l = lowered(model.clone()).expect("it lowers");
        let copies: Vec<usize> = (0..l.operators.len()).filter(|&v| l.operators[v] == "Copy").collect();
        let guarded = |v: usize| {
            let i = l.program.values[v].instruction();
            i.is_some_and(|i| i.views.iter().flat_map(|v| &v.accesses).any(|a| !a.guards.is_empty()))
        };
        assert!(copies.iter().any(|&v| guarded(v)), "case {n} reads no copy with borders: {:?}", l.operators);
        let (dims, expected) = case.expected(&elements(&x), &elements(&w));
        assert_close(&run(model, &[x])[0], &dims, &expected, &format!("case {n}"));
    }
}

/// A convolution, of a reshaped transposition where it has factors that no instruction has loops for, and of an input that has no room for borders.
#[test]
fn what_no_instruction_copies_is_read_as_it_lies() {
    let factors = Graph {
        nodes: vec![
            node("Transpose", "transpose", &["x"], &["t"], vec![attr_ints("perm", &[6, 5, 4, 3, 2, 1, 0, 7])]),
            node("Reshape", "reshape", &["t", "shape"], &["r"], vec![]),
            node("Conv", "conv", &["r", "w"], &["y"], vec![attr_ints("pads", &[1; 4])]),
        ],
        inputs: vec![value("x", F32, &[8, 8, 8, 2, 2, 2, 2, 1024])],
        initializers: vec![ints("shape", &[16, 512, 32, 32]), floats("w", &[4, 512, 3, 3], &[0.5; 4 * 512 * 9])],
        outputs: vec![value("y", F32, &[16, 4, 32, 32])],
    };
    lowered(factors.model(13)).expect("it lowers");
    let weights = vec![("w", floats("w", &[1, 256, 3], &[0.5; 256 * 3]))];
    let long = single("Conv", 11, &[("x", &[1, 256, (1 << 32) - 1])], weights, vec![attr_ints("pads", &[1, 1])]);
    lowered(long).expect("it lowers");
}
