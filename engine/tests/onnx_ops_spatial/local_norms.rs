//! Normalisation over neighbours.

use super::*;

#[test]
fn normalisation_with_any_exponent() {
    let xd = [2, 5, 3];
    let x = array(&xd);
    let xs = elements(&x);
    let (alpha, beta, bias) = (0.3, 0.6, 2.0);
    let value = |c: &Vec<usize>| {
        let near = (c[1].saturating_sub(1)..(c[1] + 3).min(5)).map(|k| xs[flat(&xd, &[c[0], k, c[2]])].powi(2));
        xs[flat(&xd, c)] / (bias + alpha / 4.0 * near.sum::<f64>()).powf(beta)
    };
    let expected: Vec<f64> = coordinates(&xd).iter().map(value).collect();
    let attributes = vec![
        attr_int("size", 4),
        attr_float("alpha", alpha as f32),
        attr_float("beta", beta as f32),
        attr_float("bias", bias as f32),
    ];
    let bytes = single("LRN", 13, &[("x", &signed(&xd))], vec![], attributes);
    assert_close(&run(bytes, &[x])[0], &xd, &expected, "four channels");
}
