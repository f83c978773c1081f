//! Sines, cosines, logarithms and powers for tables, from integers and the four basic operations of f64: no library's function, whose last
//! bits could differ between machines.

/// Fractional bits of a fixed-point number.
const BITS: u32 = 60;
/// One.
pub(super) const ONE: i128 = 1 << BITS;
/// 2 pi with 90 fractional bits.
const TURN: i128 = 7_778_206_666_007_221_413_453_810_769;

/// Cosine and sine of `part / parts` of a turn in fixed point, to some units of the last place; `parts` is at most 2^32.
pub(super) fn circle(part: u64, parts: u64) -> (i128, i128) {
    // Eighths of a part, so that halves, quarters and eighths of the turn are whole numbers.
    let n = i128::from(parts);
    let mut a = 8 * (i128::from(part) % n);
    let below = a > 4 * n;
    if below {
        a = 8 * n - a;
    }
    let left = a > 2 * n;
    if left {
        a = 4 * n - a;
    }
    let steep = a > n;
    if steep {
        a = 2 * n - a;
    }
    let angle = (TURN * a / (8 * n)) >> (90 - BITS);
    let (mut cosine, mut sine) = taylor(angle);
    if steep {
        (cosine, sine) = (sine, cosine);
    }
    (if left { -cosine } else { cosine }, if below { -sine } else { sine })
}

/// Of an angle of at most pi / 4.
fn taylor(angle: i128) -> (i128, i128) {
    let (mut cosine, mut sine) = (0, 0);
    let mut term = ONE;
    for i in 0..24 {
        let sum = if i % 2 == 0 { &mut cosine } else { &mut sine };
        if i % 4 < 2 {
            *sum += term;
        } else {
            *sum -= term;
        }
        term = ((term * angle) >> BITS) / (i + 1);
    }
    (cosine, sine)
}

/// A fixed-point number to the nearest f32.
pub(super) fn to_f32(x: i128) -> f32 {
    // Only the conversion rounds: the factor is a power of two.
    x as f32 / ONE as f32
}

/// The natural logarithm of a finite positive number.
fn ln(x: f64) -> f64 {
    let (mut m, mut twos) = (x, 0.0);
    while m > std::f64::consts::SQRT_2 {
        m /= 2.0;
        twos += 1.0;
    }
    while m < std::f64::consts::FRAC_1_SQRT_2 {
        m *= 2.0;
        twos -= 1.0;
    }
    // 2 atanh((m - 1) / (m + 1))
    let t = (m - 1.0) / (m + 1.0);
    let sum = (0..24).rev().fold(0.0, |sum, i| sum * t * t + 1.0 / f64::from(2 * i + 1));
    twos * std::f64::consts::LN_2 + 2.0 * t * sum
}

/// `base` to the power of `exponent`, of a finite positive base, where the result is far from overflow.
pub(super) fn power(base: f64, exponent: f64) -> f64 {
    let x = exponent * ln(base);
    let (mut rest, mut squarings) = (x, 0);
    while rest.abs() > 0.25 {
        rest /= 2.0;
        squarings += 1;
    }
    let e = (1..20).rev().fold(1.0, |sum, i| sum * rest / f64::from(i) + 1.0);
    (0..squarings).fold(e, |e, _| e * e)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// f64 is good enough to compare with: a wrong rounding to f32 would be off by 2^-25 of the number, and ties are far.
    #[test]
    fn circle_is_rounded() {
        for parts in [1u64, 2, 3, 4, 5, 6, 7, 8, 12, 100, 1023, 4096, 1 << 32] {
            for part in (0..parts).step_by((parts / 100).max(1) as usize).chain([parts - 1, parts + 1]) {
                let angle = 2.0 * std::f64::consts::PI * ((part % parts) as f64 / parts as f64);
                let (cosine, sine) = circle(part, parts);
                for (got, expected) in [(cosine, angle.cos()), (sine, angle.sin())] {
                    assert!((got as f64 / ONE as f64 - expected).abs() < 1e-15, "{part} of {parts}: {got}");
                }
            }
        }
        assert_eq!([0, 1, 2, 3].map(|k| circle(k, 4)), [(ONE, 0), (0, ONE), (-ONE, 0), (0, -ONE)]);
        assert_eq!(to_f32(circle(1, 6).0), 0.5);
        assert_eq!(to_f32(circle(1, 8).1), std::f32::consts::FRAC_1_SQRT_2);
    }

    #[test]
    fn powers() {
        for (base, exponent) in [(2.0, 0.5), (1.5, 3.0), (12.4, 0.9), (1.0, 7.0), (0.01, 1.5)] {
            let (got, expected) = (power(base, exponent), f64::powf(base, exponent));
            assert!((got / expected - 1.0).abs() < 1e-14, "{base}^{exponent}: {got}");
        }
    }
}
