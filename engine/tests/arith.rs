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

const ELEMENTARY: [Unary; 11] = [
    ("exp", soft::exp, native::exp),
    ("log", soft::log, native::log),
    ("tanh", soft::tanh, native::tanh),
    ("sigmoid", soft::sigmoid, native::sigmoid),
    ("erf", soft::erf, native::erf),
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
