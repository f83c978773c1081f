//! The elementary functions over slices, with the bits of the scalar forms.
//!
//! The f64 evaluations have no branches, so the compiler makes vectors of them: the loop below is compiled once for each
//! instruction set. A block in which any element's interval is open is done again by the scalar form, about once in 4,000 blocks.
//!
//! `unsafe` is for calling a function that was compiled for instructions which the CPU is first asked for.
#![allow(unsafe_code)]

use super::{canonical, ends};
use crate::arith::{Isa, Level};

/// Elements that are done again together.
pub(super) const BLOCK: usize = 256;

/// `out[i] = scalar(x[i])`, where `wide` is the evaluation of `scalar` before rounding.
#[inline(always)]
fn map(x: &[f32], out: &mut [f32], wide: impl Fn(f64) -> f64, scalar: fn(f32) -> f32) {
    for (x, out) in x.chunks(BLOCK).zip(out.chunks_mut(BLOCK)) {
        let mut open = 0;
        for (&x, out) in x.iter().zip(out.iter_mut()) {
            let (low, high) = ends(wide(x.into()));
            open |= low.to_bits() ^ high.to_bits();
            *out = canonical(low);
        }
        if open != 0 {
            x.iter().zip(out).for_each(|(&x, out)| *out = scalar(x));
        }
    }
}

/// A function over slices: its scalar form's evaluation, or for AVX-512 another one.
macro_rules! vectorised {
    ($($name:ident $(: $avx512:path)?;)*) => {$(
        #[doc = concat!("`", stringify!($name), "` of every element of `x`, which is as long as `out`.")]
        pub fn $name(x: &[f32], out: &mut [f32], isa: Isa) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
            fn avx512(x: &[f32], out: &mut [f32]) {
                vectorised!(@ $($avx512)?, x, out, map(x, out, super::$name::wide::<true>, super::$name));
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2(x: &[f32], out: &mut [f32]) {
                map(x, out, super::$name::wide::<true>, super::$name);
            }
            assert_eq!(x.len(), out.len());
            match isa.level() {
                // SAFETY: a level is only used on a CPU that was asked for its features.
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 => unsafe { avx512(x, out) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                Level::Avx2 => unsafe { avx2(x, out) },
                Level::Portable => map(x, out, super::$name::wide::<false>, super::$name),
            }
        }
    )*};
    (@ , $x:ident, $out:ident, $map:expr) => { $map };
    (@ $avx512:path, $x:ident, $out:ident, $map:expr) => { $avx512($x, $out) };
}

vectorised! { exp; log; tanh; sigmoid; erf: super::segments::erf; rsqrt; }

#[cfg(test)]
mod tests {
    use super::*;

    type Form = (fn(&[f32], &mut [f32], Isa), fn(f32) -> f32);

    const FORMS: [Form; 6] = [
        (exp, super::super::exp),
        (log, super::super::log),
        (tanh, super::super::tanh),
        (sigmoid, super::super::sigmoid),
        (erf, super::super::erf),
        (rsqrt, super::super::rsqrt),
    ];

    fn check(x: &[f32]) {
        for (function, (form, scalar)) in FORMS.into_iter().enumerate() {
            for isa in [Isa::Auto, Isa::Avx2, Isa::Portable] {
                let mut out = vec![0.0; x.len()];
                form(x, &mut out, isa);
                for (x, out) in x.iter().zip(out) {
                    assert_eq!(out.to_bits(), scalar(*x).to_bits(), "{function} {isa:?} {:08x}", x.to_bits());
                }
            }
        }
    }

    #[test]
    fn every_instruction_set_gives_the_scalar_bits() {
        // All exponents and signs, infinities and NaNs among them.
        let x: Vec<f32> = (0..=u32::MAX).step_by(8_191).map(f32::from_bits).collect();
        check(&x);
        let near_zero: Vec<f32> = (0..1 << 18).map(|i| (i - (1 << 17)) as f32 / (1 << 14) as f32).collect();
        check(&near_zero);
    }

    #[test]
    fn arguments_next_to_half_way_are_done_again() {
        for line in include_str!("../../../tests/data/hard.txt").lines().filter(|line| !line.starts_with('#')) {
            let bits = line.split(' ').nth(1).and_then(|bits| u32::from_str_radix(bits, 16).ok()).expect("bits");
            check(&[f32::from_bits(bits); 37]);
        }
    }

    #[test]
    fn every_length() {
        let x: Vec<f32> = (0..600).map(|i| (i - 300) as f32 / 64.0).collect();
        (0..x.len()).for_each(|n| check(&x[n..]));
    }
}
