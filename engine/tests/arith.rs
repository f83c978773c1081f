//! Arithmetic: `soft` against the hardware and independent vectors, `native` against `soft`.
//!
//! `REBUT_SWEEP=1` walks all 2^32 arguments of the elementary functions instead of every 21,467th.

use std::hint::black_box;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use rebut_engine::arith::{native, soft};

const RANDOM: usize = 1_000_000;

type Unary = (&'static str, fn(u32) -> u32, fn(f32) -> f32);

const ELEMENTARY: [Unary; 23] = [
    ("exp", soft::exp, native::exp),
    ("log", soft::log, native::log),
    ("tanh", soft::tanh, native::tanh),
    ("sigmoid", soft::sigmoid, native::sigmoid),
    ("erf", soft::erf, native::erf),
    ("exp2", soft::exp2, native::exp2),
    ("expm1", soft::expm1, native::expm1),
    ("log2", soft::log2, native::log2),
    ("log1p", soft::log1p, native::log1p),
    ("softplus", soft::softplus, native::softplus),
    ("rsqrt", soft::rsqrt, native::rsqrt),
    ("reciprocal", soft::reciprocal, native::reciprocal),
    ("sinh", soft::sinh, native::sinh),
    ("cosh", soft::cosh, native::cosh),
    ("asinh", soft::asinh, native::asinh),
    ("acosh", soft::acosh, native::acosh),
    ("atanh", soft::atanh, native::atanh),
    ("sin", soft::sin, native::sin),
    ("cos", soft::cos, native::cos),
    ("tan", soft::tan, native::tan),
    ("asin", soft::asin, native::asin),
    ("acos", soft::acos, native::acos),
    ("atan", soft::atan, native::atan),
];

/// Zeros, ends of ranges, powers of two and their neighbours, NaNs; both signs.
fn special() -> Vec<u32> {
    let mut values =
        vec![0, 1, 2, 3, 0x40_0000, 0x7f_ffff, 0x7f80_0000, 0x7f80_0001, 0x7fc0_0000, 0x7fff_ffff, 0x7f7f_ffff];
    for exponent in
        [1, 2, 24, 100, 102, 103, 104, 125, 126, 127, 128, 149, 150, 151, 157, 158, 159, 189, 190, 191, 253, 254]
    {
        let power = exponent << 23;
        values.extend([power - 1, power, power + 1, power | 0x40_0000, power | 0x2a_aaaa, power | 0x7f_fffe]);
    }
    values.extend(values.clone().iter().map(|x| x | soft::SIGN));
    values.sort_unstable();
    values.dedup();
    values
}

/// One random significand for each exponent and sign.
fn spaced(rng: &mut ChaCha8Rng) -> Vec<u32> {
    (0..512).map(|top| top << 23 | rng.random_range(0..1 << 23)).collect()
}

/// `RANDOM` triples: any bits, or exponents close to each other so that sums cancel, or few significant bits so that ties are common.
fn triples(seed: u64) -> Vec<[u32; 3]> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut one = |kind: usize| -> [u32; 3] {
        let [a, b, c]: [u32; 3] = rng.random();
        let base = rng.random_range(0..250);
        let near = |x: u32| x & 0x807f_ffff | (base + (x >> 23 & 3)) << 23;
        let short = |x: u32| x & 0xfffc_0000;
        match kind % 5 {
            0 => [a, b, c],
            1 => [near(a), near(b), near(c)],
            2 => [short(a), short(b), c & 0xfff0_0000],
            3 => {
                // The addend is about minus the product.
                let (a, b) = (a & 0xbfff_ffff | 0x2000_0000, b & 0xbfff_ffff | 0x2000_0000);
                let product = f32::from_bits(a) * f32::from_bits(b);
                [a, b, (-product).to_bits() ^ (c & 3)]
            }
            _ => {
                // Products around the smallest numbers.
                let small = |x: u32, e: u32| x & 0x807f_ffff | e << 23;
                let e = rng.random_range(1..100);
                [small(a, e), small(b, 127 - e - a % 24), c & 0x80ff_ffff]
            }
        }
    };
    (0..RANDOM).map(&mut one).collect()
}

fn bits(x: f32) -> u32 {
    soft::canonical(x.to_bits())
}

fn check_binary(name: &str, seed: u64, soft: fn(u32, u32) -> u32, hardware: fn(f32, f32) -> f32) {
    let check = |a: u32, b: u32| {
        let expected = bits(hardware(black_box(f32::from_bits(a)), black_box(f32::from_bits(b))));
        assert_eq!(soft(a, b), expected, "{name} {a:08x} {b:08x}");
    };
    let special = special();
    special.iter().for_each(|&a| special.iter().for_each(|&b| check(a, b)));
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (left, right) = (spaced(&mut rng), spaced(&mut rng));
    left.iter().for_each(|&a| right.iter().for_each(|&b| check(a, b)));
    triples(seed).iter().for_each(|&[a, b, _]| check(a, b));
}

#[test]
fn add() {
    check_binary("add", 1, soft::add, |a, b| a + b);
    check_binary("add", 1, soft::add, native::add);
}

#[test]
fn sub() {
    check_binary("sub", 2, soft::sub, native::sub);
}

#[test]
fn mul() {
    check_binary("mul", 3, soft::mul, native::mul);
}

#[test]
fn div() {
    check_binary("div", 4, soft::div, native::div);
}

#[test]
fn rem() {
    check_binary("rem", 11, soft::rem, native::rem);
}

/// All 2^16 numbers of both formats to f32 and back; f32 to both on edges, ties and a stride.
#[test]
fn halves() {
    for h in 0..=u16::MAX {
        for (soft, native, back, nan) in [
            (soft::half::from_f16(h), native::half::from_f16(h), soft::half::to_f16 as fn(u32) -> u16, 0x7c00),
            (soft::half::from_bf16(h), native::half::from_bf16(h), soft::half::to_bf16, 0x7f80),
        ] {
            assert_eq!(soft, native.to_bits(), "{h:04x}");
            if h & 0x7fff <= nan {
                assert_eq!(back(soft), h, "{h:04x}");
                assert!(!soft::is_nan(soft));
            } else {
                assert_eq!(soft, soft::NAN);
            }
        }
    }
    // Between neighbours the nearer one wins, half way the even one.
    for h in (0..0x7bffu16).chain(0x8000..0xfbff) {
        let (low, high) = (f64::from(native::half::from_f16(h)), f64::from(native::half::from_f16(h + 1)));
        let middle = ((low + high) / 2.0) as f32;
        assert_eq!(soft::half::to_f16(middle.to_bits()), h + (h & 1), "{h:04x}");
        assert_eq!(soft::half::to_f16(middle.to_bits() - 1), h, "{h:04x}");
        assert_eq!(soft::half::to_f16(middle.to_bits() + 1), h + 1, "{h:04x}");
    }
    let strided = (0..u32::MAX).step_by(997);
    for a in special().into_iter().chain(strided).chain((0x3800_0000..0x3880_2000).step_by(5)) {
        let x = f32::from_bits(a);
        assert_eq!(soft::half::to_f16(a), native::half::to_f16(x), "{a:08x}");
        assert_eq!(soft::half::to_bf16(a), native::half::to_bf16(x), "{a:08x}");
    }
}

#[test]
fn minimum_and_maximum() {
    check_binary("min", 5, soft::min, native::min);
    check_binary("max", 6, soft::max, native::max);
    assert_eq!(soft::min(0, soft::SIGN), soft::SIGN);
    assert_eq!(soft::max(soft::SIGN, 0), 0);
    assert_eq!(soft::max(soft::INF, 0x7f80_0001), soft::NAN);
}

#[test]
fn comparisons() {
    type Comparison = (&'static str, fn(u32, u32) -> bool, fn(f32, f32) -> bool);
    let all: [Comparison; 6] = [
        ("lt", soft::lt, native::lt),
        ("le", soft::le, native::le),
        ("gt", soft::gt, native::gt),
        ("ge", soft::ge, native::ge),
        ("eq", soft::eq, native::eq),
        ("ne", soft::ne, native::ne),
    ];
    let special = special();
    let mut pairs: Vec<[u32; 2]> = special.iter().flat_map(|&a| special.iter().map(move |&b| [a, b])).collect();
    pairs.extend(triples(7).iter().map(|&[a, b, _]| [a, b]));
    for (name, soft, hardware) in all {
        for &[a, b] in &pairs {
            assert_eq!(soft(a, b), hardware(f32::from_bits(a), f32::from_bits(b)), "{name} {a:08x} {b:08x}");
        }
    }
}

#[test]
fn fma() {
    let check = |a: u32, b: u32, c: u32| {
        let [x, y, z] = [a, b, c].map(|x| black_box(f32::from_bits(x)));
        let result = soft::fma(a, b, c);
        assert_eq!(result, bits(x.mul_add(y, z)), "{a:08x} {b:08x} {c:08x}");
        assert_eq!(result, bits(native::fma(x, y, z)), "native {a:08x} {b:08x} {c:08x}");
    };
    let special = special();
    let few: Vec<u32> = special.iter().copied().step_by(3).collect();
    special.iter().for_each(|&a| few.iter().for_each(|&b| few.iter().for_each(|&c| check(a, b, c))));
    triples(8).iter().for_each(|&[a, b, c]| check(a, b, c));
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let all = [spaced(&mut rng), spaced(&mut rng), spaced(&mut rng)];
    for a in all[0].iter().step_by(4) {
        all[1].iter().step_by(4).for_each(|&b| all[2].iter().step_by(4).for_each(|&c| check(*a, b, c)));
    }
}

#[test]
fn unary() {
    let all: [Unary; 7] = [
        ("sqrt", soft::sqrt, native::sqrt),
        ("neg", soft::neg, native::neg),
        ("abs", soft::abs, native::abs),
        ("floor", soft::floor, native::floor),
        ("ceil", soft::ceil, native::ceil),
        ("trunc", soft::trunc, native::trunc),
        ("round_even", soft::round_even, native::round_even),
    ];
    let mut values = special();
    values.extend((0..u32::MAX).step_by(2_003));
    // Halves and their neighbours.
    values.extend(
        (0..5_000).flat_map(|n| (0..3).map(move |d| (n as f32 * 0.5).to_bits().wrapping_add(d).wrapping_sub(1))),
    );
    for (name, soft, hardware) in all {
        for &a in &values {
            assert_eq!(soft(a), bits(hardware(black_box(f32::from_bits(a)))), "{name} {a:08x}");
        }
    }
}

/// LLVM once took the NaN of a negative number's root for the canonical one.
#[test]
fn a_nan_is_canonical_whatever_made_it() {
    for (name, x) in [
        ("sqrt", native::sqrt(black_box(-2.0))),
        ("sub", native::sub(black_box(f32::INFINITY), black_box(f32::INFINITY))),
        ("div", native::div(black_box(0.0), black_box(0.0))),
        ("mul", native::mul(black_box(0.0), black_box(f32::NEG_INFINITY))),
        ("rem", native::rem(black_box(1.0), black_box(0.0))),
        ("fma", native::fma(black_box(0.0), black_box(f32::INFINITY), black_box(1.0))),
    ] {
        assert_eq!(native::canonical(x).to_bits(), soft::NAN, "{name}");
    }
}

#[test]
fn integers() {
    let ranges = [(0, 255), (-128, 127), (i32::MIN.into(), i32::MAX.into()), (i64::MIN, i64::MAX)];
    let mut values = special();
    values.extend((0..u32::MAX).step_by(4_001));
    for &a in &values {
        let x = f32::from_bits(a);
        let expected = [i64::from(x as u8), (x as i8).into(), (x as i32).into(), x as i64];
        for ((lo, hi), expected) in ranges.into_iter().zip(expected) {
            assert_eq!(soft::to_int(a, lo, hi), expected, "{a:08x} {lo} {hi}");
            assert_eq!(native::to_int(x, lo, hi), expected, "{a:08x} {lo} {hi}");
        }
    }
    let mut rng = ChaCha8Rng::seed_from_u64(10);
    let edges = (0..64).flat_map(|shift| (-2..=2).map(move |d| (1i64 << shift).wrapping_add(d)));
    let random: Vec<i64> = (0..RANDOM).map(|_| rng.random::<i64>() >> rng.random_range(0..64)).collect();
    for x in edges.chain(random) {
        assert_eq!(soft::from_i64(x), (x as f32).to_bits(), "{x}");
        assert_eq!(native::from_i64(x).to_bits(), (x as f32).to_bits(), "{x}");
    }
}

#[test]
fn elementary_functions_give_the_committed_vectors() {
    let mut counts = [0; ELEMENTARY.len()];
    for line in include_str!("data/elementary.txt").lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let [name, argument, result] = fields[..] else { panic!("{line}") };
        let number = |text| u32::from_str_radix(text, 16).expect("hexadecimal");
        let (argument, result) = (number(argument), number(result));
        let function = ELEMENTARY.iter().position(|f| f.0 == name).expect("a known function");
        let (_, soft, native) = ELEMENTARY[function];
        counts[function] += 1;
        assert_eq!(soft(argument), result, "soft {name} {argument:08x}");
        assert_eq!(native(f32::from_bits(argument)).to_bits(), result, "native {name} {argument:08x}");
    }
    assert!(counts.iter().all(|&count| count > 500), "{counts:?}");
}

/// The native forms fall back to `soft` only for about one argument in a million; for all others this is an independent check of it.
#[test]
fn elementary_functions_agree() {
    let stride = if std::env::var_os("REBUT_SWEEP").is_some() { 1 } else { 21_467u64 };
    for (name, soft, native) in ELEMENTARY {
        (0..(1u64 << 32).div_ceil(stride)).into_par_iter().for_each(|i| {
            let a = (i * stride) as u32;
            assert_eq!(native(f32::from_bits(a)).to_bits(), soft(a), "{name} {a:08x}");
        });
        for a in special() {
            assert_eq!(native(f32::from_bits(a)).to_bits(), soft(a), "{name} {a:08x}");
        }
    }
}

/// Exact results, their neighbours and ties: powers and roots of small odd numbers by all powers of two.
fn exact_powers() -> Vec<[u32; 2]> {
    let mut pairs = vec![];
    for k in 0..4u32 {
        for root in (1u64..4096).step_by(2).take_while(|root| root.pow(1 << k) < 1 << 24) {
            for n in 1..=24 / root.ilog2().max(1) {
                for e in [-149, -120, -64, -33, -16, -9, -3, 0, 2, 8, 64] {
                    let x = root.pow(1 << k) as f64 * 2f64.powi(e);
                    let a = (x as f32).to_bits();
                    let b = (n as f32 / (1 << k) as f32).to_bits();
                    pairs.extend([[a, b], [a | soft::SIGN, b], [a + 1, b], [a, b | soft::SIGN]]);
                }
            }
        }
    }
    pairs
}

fn check_pow(a: u32, b: u32) {
    let result = native::pow(f32::from_bits(a), f32::from_bits(b)).to_bits();
    assert_eq!(result, soft::pow(a, b), "pow {a:08x} {b:08x}");
}

#[test]
fn pow_gives_the_committed_vectors() {
    let mut count = 0;
    for line in include_str!("data/pow.txt").lines() {
        let fields: Vec<u32> =
            line.split(' ').map(|field| u32::from_str_radix(field, 16).expect("hexadecimal")).collect();
        let [a, b, result] = fields[..] else { panic!("{line}") };
        assert_eq!(soft::pow(a, b), result, "soft {a:08x} {b:08x}");
        assert_eq!(native::pow(f32::from_bits(a), f32::from_bits(b)).to_bits(), result, "native {a:08x} {b:08x}");
        count += 1;
    }
    assert!(count > 2500, "{count}");
}

/// Here too the native form seldom falls back to `soft`.
#[test]
fn pow_agrees() {
    let special = special();
    special.iter().for_each(|&a| special.iter().for_each(|&b| check_pow(a, b)));
    exact_powers().iter().for_each(|&[a, b]| check_pow(a, b));
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for i in 0..RANDOM {
        let [bits, b]: [u32; 2] = rng.random();
        check_pow(bits, b);
        // Any base, one around 1, and one next to 1, to a power anywhere in the range or, every fourth time, about 1.
        let a = match i % 3 {
            0 => bits & soft::MAGNITUDE,
            1 => 0x3f00_0000 + (bits & 0xff_ffff),
            _ => 0x3f80_0000 - 0x800 + (bits & 0xfff),
        };
        let width = if i % 4 == 0 { 1e-6 } else { 155.0 };
        let b = rng.random_range(-width..width) / f64::from(f32::from_bits(a)).log2();
        check_pow(a, (b as f32).to_bits());
    }
}

#[test]
fn pow_has_the_special_cases_of_the_standard() {
    let p = |a: f32, b: f32| soft::pow(a.to_bits(), b.to_bits());
    let bits = f32::to_bits;
    for special in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, -1.5] {
        assert_eq!([p(special, 0.0), p(special, -0.0), p(1.0, special)], [soft::ONE; 3]);
    }
    assert_eq!([p(-1.0, f32::INFINITY), p(-1.0, f32::NEG_INFINITY), p(-1.0, 1e30)], [soft::ONE; 3]);
    assert_eq!([p(-2.0, 0.5), p(f32::NAN, 1.0), p(2.0, f32::NAN), p(-1e-45, -0.1)], [soft::NAN; 4]);
    assert_eq!([p(-0.0, 3.0), p(-0.0, 4.0), p(-0.0, 0.5)], [soft::SIGN, 0, 0]);
    assert_eq!([p(-0.0, -3.0), p(-0.0, -2.0)], [soft::SIGN | soft::INF, soft::INF]);
    assert_eq!([p(f32::NEG_INFINITY, 3.0), p(f32::NEG_INFINITY, -3.0)], [soft::SIGN | soft::INF, soft::SIGN]);
    assert_eq!([p(0.5, f32::NEG_INFINITY), p(0.5, f32::INFINITY), p(-2.0, f32::INFINITY)], [soft::INF, 0, soft::INF]);
    assert_eq!([p(-2.0, 3.0), p(-2.0, -149.0), p(-2.0, 127.0)], [bits(-8.0), soft::SIGN | 1, bits(-2f32.powi(127))]);
    // Ties: half a unit goes to 0 and 13.5 units go to 14; 4097^2 is odd beyond 2^24.
    assert_eq!([p(2.0, -150.0), p(3.0 * 2f32.powi(-50), 3.0)], [0, 14]);
    assert_eq!(p(4097.0, 2.0), bits(16_785_408.0));
}
