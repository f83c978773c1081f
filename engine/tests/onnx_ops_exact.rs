//! Operators whose results are exact or nearly so, by plain loops: powers of integers, bits, borders, sums over labels, determinants.

mod onnx_support;

use onnx_support::one_node::*;
use onnx_support::tensors::*;
use onnx_support::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rebut_engine::program::DType;
use rebut_engine::tensor::{NAN, Tensor};
use std::collections::BTreeMap;

const SEED: u64 = 0xe8ac7;

fn one<'a>(operator: &'a str, opset: i64, inputs: Vec<Tensor>, bound: &[usize], attributes: Vec<Message>) -> One<'a> {
    let given = |(i, t)| if bound.contains(&i) { Given::Bound(t) } else { Given::Data(t) };
    One { operator, opset, inputs: inputs.into_iter().enumerate().map(given).collect(), attributes, outputs: 1 }
}

/// x * x * ... in 64 bits, or 1 / that rounded towards zero.
fn integer_power(x: i64, n: i64) -> i64 {
    if n < 0 {
        return match x {
            1 => 1,
            -1 if n % 2 == 0 => 1,
            -1 => -1,
            _ => 0,
        };
    }
    let (mut result, mut square, mut n) = (1i64, x, n);
    while n > 0 {
        if n % 2 == 1 {
            result = result.wrapping_mul(square);
        }
        square = square.wrapping_mul(square);
        n /= 2;
    }
    result
}

#[test]
fn powers_of_integers() {
    let bases = [0, 1, -1, 2, -2, 3, -3, 10, 46341, i64::from(i32::MIN), i64::MAX, i64::MIN];
    let exponents = [0, 1, 2, 3, 4, 5, 19, 31, 62, 63, 64, 65, -1, -2, -64, i64::MAX, i64::MIN];
    let rows = bases.len();
    let (x, n) = (i64s(&[rows, 1], bases), i64s(&[exponents.len()], exponents));
    let expected: Vec<i64> = bases.iter().flat_map(|&x| exponents.map(|n| integer_power(x, n))).collect();
    for bound in [&[][..], &[1]] {
        let got = one("Pow", 15, vec![x.clone(), n.clone()], bound, vec![]).run().unwrap();
        assert_eq!(registers(&got[0]), expected);
    }
    // In the base's type, with any integer for exponent.
    let narrow = i32s(&[2], [7, -46341]);
    let got = one("Pow", 15, vec![narrow, i64s(&[], [5])], &[1], vec![]).run().unwrap();
    assert_eq!(registers(&got[0]), [16807, i64::from((-46341i32).wrapping_pow(5))]);
    let got = one("Pow", 15, vec![i64s(&[2], [9, -2]), f32s(&[2], [0.5, 3.0])], &[], vec![]).run().unwrap();
    assert_eq!(registers(&got[0]), [3, -8]);
}

#[test]
fn bits_of_floats_and_back() {
    let patterns: Vec<u32> = (0..=255u32)
        .flat_map(|exponent| {
            [0, 1, 2, 0x3f_ffff, 0x40_0000, 0x7f_fffe, 0x7f_ffff].map(|fraction| exponent << 23 | fraction)
        })
        .flat_map(|size| [size, size | 0x8000_0000])
        .collect();
    let n = patterns.len();
    // Every NaN is the canonical one.
    let canonical = |p: u32| if f32::from_bits(p).is_nan() { NAN } else { p };
    let floats = f32s(&[n], patterns.iter().map(|&p| f32::from_bits(p)));
    let integers = i32s(&[n], patterns.iter().map(|&p| p as i32));
    let to = |dtype: DType| vec![attr_int("to", dtype.code().into())];
    let got = one("BitCast", 26, vec![floats], &[], to(DType::I32)).run().unwrap();
    let expected: Vec<i64> = patterns.iter().map(|&p| i64::from(canonical(p) as i32)).collect();
    assert_eq!(registers(&got[0]), expected);
    let got = one("BitCast", 26, vec![integers], &[], to(DType::F32)).run().unwrap();
    let expected: Vec<u32> = patterns.iter().map(|&p| canonical(p)).collect();
    assert_eq!(floats_of(&got[0]).iter().map(|x| x.to_bits()).collect::<Vec<_>>(), expected);
    let refusal = one("BitCast", 26, vec![i64s(&[1], [1])], &[], to(DType::F32)).refusal();
    assert!(refusal.contains("i64 as f32"), "{refusal}");
}

/// The element of an axis of `n` that stands `position` behind its first one.
fn border(mode: &str, n: i64, position: i64) -> i64 {
    match mode {
        "edge" => position.clamp(0, n - 1),
        "wrap" => position.rem_euclid(n),
        _ if n == 1 => 0,
        // Walks to and fro between the ends.
        _ => {
            let (mut at, mut step) = (0, position.signum());
            for _ in 0..position.abs() {
                if !(0..n).contains(&(at + step)) {
                    step = -step;
                }
                at += step;
            }
            at
        }
    }
}

#[test]
fn borders_that_repeat() {
    for mode in ["edge", "reflect", "wrap"] {
        for n in [1i64, 2, 3, 5] {
            for (before, after) in [(0, 1), (2, 0), (3, 4), (9, 11), (-1, 2)] {
                let kept = n + i64::min(before, 0);
                if kept < 1 {
                    continue;
                }
                let x = i64s(&[2, n as usize], (0..2 * n).map(|i| 10 * (i / n) + i % n));
                let pads = i64s(&[4], [0, before, 0, after]);
                let got = one("Pad", 19, vec![x, pads], &[1], vec![attr_string("mode", mode)]).run().unwrap();
                let row =
                    |r: i64| (-before.max(0)..kept + after).map(move |p| 10 * r + n - kept + border(mode, kept, p));
                let expected: Vec<i64> = (0..2).flat_map(row).collect();
                assert_eq!(registers(&got[0]), expected, "{mode} of {n}, {before} before and {after} after");
            }
        }
    }
    // Nothing to repeat, and too often.
    for (n, before) in [(0, 1), (2, 1 << 30)] {
        let inputs = vec![f32s(&[n], vec![0.0; n]), i64s(&[2], [before, 0])];
        let refusal = one("Pad", 19, inputs, &[1], vec![attr_string("mode", "reflect")]).refusal();
        assert!(refusal.contains("Pad"), "{refusal}");
    }
}

/// The sum over all values of all labels of the products of the operands' elements.
fn contraction(equation: &str, operands: &[(Vec<usize>, Vec<f64>)]) -> Vec<f64> {
    let (left, out) = equation.split_once("->").expect("an explicit result");
    let terms: Vec<Vec<char>> = left.split(',').map(|t| t.chars().collect()).collect();
    let mut sizes: BTreeMap<char, usize> = BTreeMap::new();
    for (term, (dims, _)) in terms.iter().zip(operands) {
        sizes.extend(term.iter().copied().zip(dims.iter().copied()));
    }
    let flat = |labels: &[char], at: &BTreeMap<char, usize>| labels.iter().fold(0, |i, l| i * sizes[l] + at[l]);
    let out: Vec<char> = out.chars().collect();
    let mut result = vec![0.0; out.iter().map(|l| sizes[l]).product()];
    let total: usize = sizes.values().product();
    for mut index in 0..total {
        let mut at = BTreeMap::new();
        for (&l, &n) in &sizes {
            at.insert(l, index % n);
            index /= n;
        }
        let product: f64 = terms.iter().zip(operands).map(|(term, (_, x))| x[flat(term, &at)]).product();
        result[flat(&out, &at)] += product;
    }
    result
}

#[test]
fn sums_over_labels() {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let size = |l: char| l as usize % 3 + 2;
    // What the node says, and the same with every label and the result written out.
    let equations = [
        ("ij,jk->ik", "ij,jk->ik"),
        ("bij , bjk -> bik", "bij,bjk->bik"),
        ("bij,kj", "bij,kj->bik"),
        ("ii->i", "ii->i"),
        ("iji->j", "iji->j"),
        ("ii", "ii->"),
        ("ij->", "ij->"),
        ("ba", "ba->ab"),
        ("ij,ij->", "ij,ij->"),
        ("ij,jk->k", "ij,jk->k"),
        ("i,j->ji", "i,j->ji"),
        ("abc,cd,de->abe", "abc,cd,de->abe"),
        ("abcd,efcd->abef", "abcd,efcd->abef"),
        ("...ij,...jk->...ik", "pqij,pqjk->pqik"),
        ("...ij,jk", "pqij,jk->pqik"),
        ("a...->...", "apq->pq"),
    ];
    for (given, written) in equations {
        let terms = written.split_once("->").expect("explicit").0.split(',');
        let dims: Vec<Vec<usize>> = terms.map(|t| t.chars().map(size).collect()).collect();
        let values: Vec<Vec<i64>> =
            dims.iter().map(|d| (0..d.iter().product()).map(|_| rng.random_range(-9..10)).collect()).collect();
        let operands: Vec<(Vec<usize>, Vec<f64>)> =
            dims.iter().cloned().zip(values.iter().map(|v| v.iter().map(|&x| x as f64).collect())).collect();
        let expected = contraction(written, &operands);
        let floats = operands.iter().map(|(d, v)| f32s(d, v.iter().map(|&x| x as f32))).collect();
        let integers = dims.iter().zip(&values).map(|(d, v)| i64s(d, v.iter().copied())).collect();
        let attributes = || vec![attr_string("equation", given)];
        let got = one("Einsum", 12, floats, &[], attributes()).run().unwrap();
        let result = written.split_once("->").expect("explicit").1;
        assert_eq!(got[0].ty().dims, result.chars().map(|l| size(l) as u64).collect::<Vec<_>>(), "{given}");
        assert_near(&got[0], &expected, given);
        let got = one("Einsum", 12, integers, &[], attributes()).run().unwrap();
        assert_eq!(registers(&got[0]).iter().map(|&x| x as f64).collect::<Vec<_>>(), expected, "{given}");
    }
}

#[test]
fn sums_that_are_refused() {
    let says = |equation: &str, words: &str| {
        let x = f32s(&[2, 3], [0.0; 6]);
        let refusal = one("Einsum", 12, vec![x], &[], vec![attr_string("equation", equation)]).refusal();
        assert!(refusal.contains(words), "`{refusal}` does not say `{words}`");
    };
    says("ij,jk->ik", "2 terms for 1 inputs");
    says("ijk->i", "term `ijk` for a tensor of rank 2");
    says("ii->i", "both 2 and 3 elements");
    says("ij->k", "in its result only");
    says("ij->ii", "repeats a label");
    says("i1->i", "`1` in an equation");
}

/// By expansion along the first row.
fn determinant(x: &[Vec<f64>]) -> f64 {
    if x.is_empty() {
        return 1.0;
    }
    let minor = |c: usize| -> Vec<Vec<f64>> {
        x[1..].iter().map(|row| row.iter().enumerate().filter(|&(i, _)| i != c).map(|(_, &v)| v).collect()).collect()
    };
    (0..x.len()).map(|c| if c % 2 == 0 { 1.0 } else { -1.0 } * x[0][c] * determinant(&minor(c))).sum()
}

#[test]
fn determinants() {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED + 1);
    for n in 0..6usize {
        // Small integers: zero pivots and singular matrices are among them.
        let values: Vec<i32> = (0..20 * n * n).map(|_| rng.random_range(-2..3)).collect();
        let x = f32s(&[4, 5, n, n], values.iter().map(|&x| x as f32));
        let got = one("Det", 22, vec![x], &[], vec![]).run().unwrap();
        assert_eq!(got[0].ty().dims, [4, 5]);
        let matrix = |m: usize| -> Vec<Vec<f64>> {
            (0..n).map(|r| (0..n).map(|c| f64::from(values[(m * n + r) * n + c])).collect()).collect()
        };
        let expected: Vec<f64> = (0..20).map(|m| determinant(&matrix(m))).collect();
        for (x, y) in floats_of(&got[0]).iter().zip(&expected) {
            assert!((f64::from(*x) - y).abs() < 1e-4, "{n} rows: {x}, expected {y}");
        }
    }
}

/// Diagonals that are given to the program, as far away as they can be.
#[test]
fn triangles_by_their_diagonals() {
    let (rows, columns) = (3, 4);
    let x = bools(&[rows, columns], [true; 12]);
    for k in [i64::MIN, -3, -1, 0, 2, 4, i64::MAX] {
        for upper in [true, false] {
            let inputs = vec![x.clone(), i64s(&[], [k])];
            let got = one("Trilu", 14, inputs, &[], vec![attr_int("upper", upper.into())]).run().unwrap();
            let kept = |r: i64, c: i64| i64::from(if upper { c - r >= k } else { c - r <= k });
            let expected: Vec<i64> =
                (0..rows as i64).flat_map(|r| (0..columns as i64).map(move |c| kept(r, c))).collect();
            assert_eq!(registers(&got[0]), expected, "k = {k}, upper {upper}");
        }
    }
}

/// Before operator set 13 all axes from the node's on are one row.
#[test]
fn hardmax_of_flattened_axes() {
    let x = f32s(&[2, 2, 2], [1.0, 3.0, 3.0, 2.0, f32::NEG_INFINITY, f32::NAN, 7.0, f32::NAN]);
    let got = one("Hardmax", 11, vec![x.clone()], &[], vec![attr_int("axis", 1)]).run().unwrap();
    assert_eq!(floats_of(&got[0]), [0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    let got = one("Hardmax", 13, vec![x], &[], vec![attr_int("axis", 1)]).run().unwrap();
    assert_eq!(floats_of(&got[0]), [0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
}

#[test]
fn positions_of_ones() {
    let indices = i64s(&[5], [0, -1, 2, 3, i64::MIN]);
    let inputs = vec![indices, i64s(&[], [3]), i64s(&[2], [-5, 8])];
    let got = one("OneHot", 11, inputs, &[1], vec![attr_int("axis", 0)]).run().unwrap();
    assert_eq!(got[0].ty().dims, [3, 5]);
    assert_eq!(registers(&got[0]), [8, -5, -5, -5, -5, -5, -5, -5, -5, -5, -5, 8, 8, -5, -5]);
    let attributes = vec![attr_int("k", -1), attr_int("dtype", DType::F16.code().into())];
    let got = one("EyeLike", 9, vec![i64s(&[2, 3], [7; 6])], &[], attributes).run().unwrap();
    assert_eq!((got[0].dtype(), registers(&got[0])), (DType::F16, vec![0, 0, 0, 0x3c00, 0, 0]));
}

/// Curves around zero, where an exponential less one would lose its digits.
#[test]
fn curves_near_zero() {
    let x = [-1e-6, -0.0, 0.0, 1e-6, -200.0, 3.0, f32::NAN];
    let run = |operator: &str, opset: i64, attributes: Vec<Message>| {
        floats_of(&one(operator, opset, vec![f32s(&[7], x)], &[], attributes).run().unwrap()[0])
    };
    let elu = |x: f64, alpha: f64| if x < 0.0 { alpha * x.exp_m1() } else { x };
    let celu = |x: f64, alpha: f64| x.max(0.0) + (alpha * (x / alpha).exp_m1()).min(0.0);
    let selu = |x: f64| 1.050_701 * elu(x, 1.673_263_2);
    let mish = |x: f64| x * x.exp().ln_1p().tanh();
    let same = |got: Vec<f32>, expected: &dyn Fn(f64) -> f64| {
        for (&x, y) in x.iter().zip(got) {
            let expected = expected(x.into());
            // Below the least subnormal there is nothing but zero.
            let near = (f64::from(y) - expected).abs() <= 1e-6 * expected.abs() + 1e-45;
            assert!(near || x.is_nan() && y.is_nan(), "{x}: {y}, expected {expected}");
        }
    };
    same(run("Elu", 6, vec![attr_float("alpha", 2.0)]), &|x| elu(x, 2.0));
    same(run("Celu", 12, vec![attr_float("alpha", 0.5)]), &|x| celu(x, 0.5));
    same(run("Selu", 6, vec![]), &selu);
    same(run("Mish", 18, vec![]), &mish);
    same(run("Swish", 24, vec![attr_float("alpha", 2.0)]), &|x| x / (1.0 + (-2.0 * x).exp()));
}
