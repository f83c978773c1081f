//! Transforms, frames, windows and filters of signals.

use super::*;

/// The transform of a line of complex numbers.
fn transform(line: &[(f64, f64)], length: usize, sign: f64) -> Vec<(f64, f64)> {
    let term = |o: usize, k: usize, (re, im): (f64, f64)| {
        let angle = sign * 2.0 * std::f64::consts::PI * ((o * k) % length) as f64 / length as f64;
        (re * angle.cos() - im * angle.sin(), re * angle.sin() + im * angle.cos())
    };
    let sum = |o: usize| {
        let terms = line.iter().take(length).enumerate().map(|(k, &x)| term(o, k, x));
        terms.fold((0.0, 0.0), |s, t| (s.0 + t.0, s.1 + t.1))
    };
    (0..length).map(sum).collect()
}

#[test]
fn transforms_of_any_length() {
    let size = 7;
    for length in [5, 7, 12, 300] {
        for inverse in [false, true] {
            let xd = [2, size, 2];
            let x = array(&xd);
            let xs = elements(&x);
            let mut expected = Vec::new();
            for n in 0..2 {
                let line: Vec<(f64, f64)> =
                    (0..size).map(|i| (xs[(n * size + i) * 2], xs[(n * size + i) * 2 + 1])).collect();
                let scale = if inverse { 1.0 / length as f64 } else { 1.0 };
                let all = transform(&line, length, if inverse { 1.0 } else { -1.0 });
                expected.extend(all.into_iter().flat_map(|(re, im)| [re * scale, im * scale]));
            }
            let given = vec![("n", ints("n", &[length as i64]))];
            let bytes = single("DFT", 20, &[("x", &signed(&xd))], given, vec![attr_int("inverse", inverse.into())]);
            assert_close(&run(bytes, &[x])[0], &[2, length, 2], &expected, &format!("{length}, inverse {inverse}"));
        }
    }
}

#[test]
fn half_a_spectrum_and_back() {
    for length in [8, 9] {
        let x = array(&[1, length, 1]);
        let given = || vec![("n", ints("n", &[length as i64]))];
        let one = || attr_int("onesided", 1);
        let half = single("DFT", 17, &[("x", &[1, length as i64, 1])], given(), vec![one()]);
        let spectrum = run(half, std::slice::from_ref(&x)).remove(0);
        assert_eq!(spectrum.shape(), [1, length / 2 + 1, 2]);
        let back =
            single("DFT", 20, &[("x", &[1, length as i64 / 2 + 1, 2])], given(), vec![one(), attr_int("inverse", 1)]);
        assert_close(&run(back, &[spectrum])[0], &[1, length, 1], &elements(&x), "back again");
    }
}

#[test]
fn frames_of_a_signal() {
    let (length, step, frame) = (50, 7, 16);
    let (signal, window) = (array(&[2, length, 1]), array(&[frame]));
    let (xs, ws) = (elements(&signal), elements(&window));
    let frames = (length - frame) / step + 1;
    let mut expected = Vec::new();
    for n in 0..2 {
        for f in 0..frames {
            let line: Vec<(f64, f64)> = (0..frame).map(|i| (xs[n * length + f * step + i] * ws[i], 0.0)).collect();
            expected.extend(transform(&line, frame, -1.0)[..frame / 2 + 1].iter().flat_map(|&(re, im)| [re, im]));
        }
    }
    let bytes = Graph {
        nodes: vec![node("STFT", "node", &["x", "step", "w"], &["y"], vec![])],
        initializers: vec![ints("step", &[step as i64])],
        inputs: vec![value_of("x", F32, &[2, length, 1]), value_of("w", F32, &[frame])],
        outputs: vec![Message::default().bytes(1, "y")],
    }
    .model(17);
    assert_close(
        &run(bytes, &[signal, window])[0],
        &[2, frames, frame / 2 + 1, 2],
        &expected,
        "a window that is an input",
    );
}

#[test]
fn windows_of_any_size() {
    let cosine = |i: usize, n: usize| (2.0 * std::f64::consts::PI * i as f64 / n as f64).cos();
    type Of = fn(f64, f64) -> f64;
    let kinds: [(&str, Of); 3] = [
        ("HannWindow", |c, _| 0.5 - 0.5 * c),
        ("HammingWindow", |c, _| (25.0 - 21.0 * c) / 46.0),
        ("BlackmanWindow", |c, twice| 0.42 - 0.5 * c + 0.08 * twice),
    ];
    for (op, of) in kinds {
        for (size, periodic) in [(0usize, 1), (1, 1), (2, 0), (11, 0), (400, 1), (513, 0)] {
            let graph = Graph {
                nodes: vec![node(op, "node", &["n"], &["y"], vec![attr_int("periodic", periodic)])],
                initializers: vec![header("n", I64, &[]).bytes(9, (size as i64).to_le_bytes())],
                outputs: vec![Message::default().bytes(1, "y")],
                ..Graph::default()
            };
            let n = if periodic == 1 { size } else { size.saturating_sub(1) };
            let expected: Vec<f64> = (0..size).map(|i| of(cosine(i, n), cosine(2 * i, n))).collect();
            let got = run(graph.model(17), &[]).remove(0);
            assert_eq!(got.shape(), [size]);
            for (x, y) in elements(&got).iter().zip(&expected) {
                assert!((x - y).abs() <= 3.1e-8, "{op} of {size}: {x}, expected {y}");
            }
        }
    }
}

#[test]
fn mel_triangles() {
    let scalar = |name: &str, x: i64| header(name, I64, &[]).bytes(9, x.to_le_bytes());
    let hertz = |name: &str, x: f32| header(name, F32, &[]).bytes(9, x.to_le_bytes());
    let model = |lower: f32, upper: f32| {
        Graph {
            nodes: vec![node("MelWeightMatrix", "node", &["bins", "n", "rate", "from", "to"], &["y"], vec![])],
            initializers: vec![
                scalar("bins", 6),
                scalar("n", 256),
                scalar("rate", 16000),
                hertz("from", lower),
                hertz("to", upper),
            ],
            outputs: vec![Message::default().bytes(1, "y")],
            ..Graph::default()
        }
        .model(17)
    };
    let (lower, upper) = (123.0f32, 7600.0f32);
    let mel = |f: f64| 2595.0 * (1.0 + f / 700.0).log10();
    let (low, high) = (mel(lower.into()), mel(upper.into()));
    let point = |i: usize| {
        let f = 700.0 * (10f64.powf((low + (high - low) / 8.0 * i as f64) / 2595.0) - 1.0);
        (257.0 * f / 16000.0).floor()
    };
    let height = |row: usize, column: usize| {
        let (j, left, top, right) = (row as f64, point(column), point(column + 1), point(column + 2));
        let (up, down) = ((j - left) / (top - left), (right - j) / (right - top));
        if j == top { 1.0 } else { up.min(down).max(0.0) }
    };
    let expected: Vec<f64> = (0..129).flat_map(|r| (0..6).map(move |c| (r, c))).map(|(r, c)| height(r, c)).collect();
    assert_close(&run(model(lower, upper), &[])[0], &[129, 6], &expected, "six triangles");
    assert!(refusal(model(0.0, 16000.0)).contains("beyond the 129 bins"));
}
