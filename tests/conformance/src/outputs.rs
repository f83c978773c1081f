//! Whether outputs are as a case expects.

use crate::cases::Case;
use rebut_engine::tensor::Tensor;

/// What differs, if anything: floats by the case's tolerance, everything else not at all.
pub(crate) fn difference(case: &Case, got: &[Tensor], expected: &[Tensor]) -> Option<String> {
    if got.len() != expected.len() {
        return Some(format!("{} outputs, expected {}", got.len(), expected.len()));
    }
    got.iter().zip(expected).enumerate().find_map(|(i, (got, expected))| {
        if got.ty() != expected.ty() {
            return Some(format!("output {i} is {:?}, expected {:?}", got.ty(), expected.ty()));
        }
        let same = match (got, expected) {
            (Tensor::F32(got), Tensor::F32(expected)) => {
                got.iter().zip(expected).all(|(&x, &y)| close(x.into(), y.into(), case.rtol, case.atol))
            }
            _ => got.to_be_bytes() == expected.to_be_bytes(),
        };
        (!same).then(|| format!("output {i} is {got:?}, expected {expected:?}"))
    })
}

/// As numpy's `assert_allclose`: infinities and NaNs must be alike.
fn close(x: f64, y: f64, rtol: f64, atol: f64) -> bool {
    x == y || x.is_nan() && y.is_nan() || y.is_finite() && (x - y).abs() <= atol + rtol * y.abs()
}

#[cfg(test)]
mod tests {
    use super::close;

    #[test]
    fn tolerances_are_numpys() {
        assert!(close(1.001, 1.0, 1e-3 + 1e-9, 0.0));
        assert!(!close(1.002, 1.0, 1e-3, 0.0));
        assert!(close(f64::NAN, f64::NAN, 0.0, 0.0));
        assert!(close(f64::INFINITY, f64::INFINITY, 0.0, 0.0));
        assert!(!close(1e300, f64::INFINITY, 1e-3, 0.0));
        assert!(!close(0.0, f64::NAN, 1e-3, 1e-3));
    }
}
