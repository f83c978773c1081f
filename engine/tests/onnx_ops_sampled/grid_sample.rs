//! Samples of a tensor at places that a grid says.

use super::*;

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
    let one = One { operator: "GridSample", opset, inputs: data([Some(x), Some(grid)]), attributes, outputs: 1 };
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
fn grids_of_four_dimensions() {
    let (x, grid) = (array(&[1, 2, 2, 3, 2, 3], 2.0), array(&[1, 2, 1, 3, 2, 4], 1.3));
    for mode in ["nearest", "linear"] {
        let expected = grid_sample(&x, &grid, mode, "zeros", true);
        assert_near(&sampled(x.clone(), grid.clone(), mode, "zeros", true, 20), &expected, mode);
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
    let one =
        One { operator: "GridSample", opset: 22, inputs: data([Some(x), Some(grid)]), attributes: vec![], outputs: 1 };
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
        let one = One { operator: "GridSample", opset: 22, inputs: data(inputs), attributes, outputs: 1 };
        one.lowered().map(|_| ()).unwrap_or_else(|e| panic!("{x:?} {mode}: {e}"));
    }
}
