//! Whether outputs are the expected ones: floats within 1e-4 relative and 1e-5 absolute, everything else exactly.

use rebut_engine::tensor::Tensor;
use std::fmt;

const RELATIVE: f32 = 1e-4;
const ABSOLUTE: f32 = 1e-5;

/// How well outputs agree that do.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Agreement {
    /// Greatest difference of two floats.
    pub absolute: f32,
    /// Greatest difference, as a part of the expected float's magnitude plus 0.1; outputs agree up to 1e-4.
    pub relative: f32,
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "agrees, greatest absolute error {:.3e}", self.absolute)
    }
}

/// Compares outputs with expected ones.
///
/// # Errors
/// With the first difference in number, type or shape, or beyond what is allowed.
pub fn agreement(outputs: &[Tensor], expected: &[Tensor]) -> Result<Agreement, String> {
    if outputs.len() != expected.len() {
        return Err(format!("the program has {} outputs, {} were expected", outputs.len(), expected.len()));
    }
    let mut worst = Agreement::default();
    for (i, (output, expected)) in outputs.iter().zip(expected).enumerate() {
        if output.ty() != expected.ty() {
            return Err(format!("output {i} is {}, {} was expected", output.ty(), expected.ty()));
        }
        let (Tensor::F32(a), Tensor::F32(b)) = (output, expected) else {
            if output != expected {
                return Err(format!("output {i} differs from the expected one"));
            }
            continue;
        };
        for (n, (a, b)) in a.iter().zip(b).enumerate() {
            let same = a == b || (a.is_nan() && b.is_nan());
            let error = if same { 0.0 } else { (a - b).abs() };
            // An error that is not a number is not within.
            let within = same || error <= ABSOLUTE + RELATIVE * b.abs();
            if !within {
                return Err(format!("output {i} element {n} is {a}, {b} was expected"));
            }
            worst.absolute = worst.absolute.max(error);
            if !same {
                worst.relative = worst.relative.max(error / (b.abs() + ABSOLUTE / RELATIVE));
            }
        }
    }
    Ok(worst)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::arr1;

    fn compare(a: f32, b: f32) -> Result<Agreement, String> {
        let tensor = |x: f32| Tensor::F32(arr1(&[0.0, x]).into_dyn());
        agreement(&[tensor(a)], &[tensor(b)])
    }

    #[test]
    fn both_tolerances_count() {
        assert_eq!(compare(f32::NAN, f32::NAN), Ok(Agreement::default()));
        assert_eq!(compare(f32::INFINITY, f32::INFINITY), Ok(Agreement::default()));
        let worst = compare(1000.05, 1000.0).unwrap();
        assert!((worst.absolute - 0.05).abs() < 1e-4 && (worst.relative - 5e-5).abs() < 1e-6, "{worst:?}");
        let worst = compare(9e-6, 0.0).unwrap();
        assert!((worst.relative - 9e-5).abs() < 1e-6, "{worst:?}");
        for (a, b) in [(1000.2, 1000.0), (1.1e-5, 0.0), (f32::NAN, 0.0), (0.0, f32::NAN), (f32::INFINITY, 1.0)] {
            assert!(compare(a, b).is_err(), "{a} {b}");
        }
    }

    #[test]
    fn number_type_and_integers_are_exact() {
        let (one, two) = (Tensor::I64(arr1(&[1]).into_dyn()), Tensor::I64(arr1(&[2]).into_dyn()));
        let float = Tensor::F32(arr1(&[1.0]).into_dyn());
        let one = std::slice::from_ref(&one);
        assert_eq!(agreement(one, one), Ok(Agreement::default()));
        assert!(agreement(one, &[]).unwrap_err().contains("1 outputs, 0"));
        assert!(agreement(one, &[two]).unwrap_err().contains("differs"));
        assert!(agreement(one, &[float]).unwrap_err().contains("was expected"));
    }
}
