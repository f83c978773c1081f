//! Arguments for every operation: edges in all pairs and triples, every exponent, seeded random ones, hard and recorded cases.

use crate::operations::{Arguments, Operation};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Zeros, the ends of the subnormals and of the range, infinities, NaNs with payloads, small integers and halves, where integers
/// end, and where exp leaves the range.
pub const SPECIAL: [u32; 28] = [
    0x0000_0000,
    0x0000_0001,
    0x007f_ffff,
    0x0080_0000,
    0x0080_0001,
    0x3300_0000,
    0x3380_0001,
    0x3eff_ffff,
    0x3f00_0000,
    0x3f7f_ffff,
    0x3f80_0000,
    0x3f80_0001,
    0x3fc0_0000,
    0x4000_0000,
    0x4040_0000,
    0x42b1_7217,
    0x42b1_7218,
    0x42cf_f1b5,
    0x4b00_0000,
    0x4b00_0001,
    0x4b80_0000,
    0x4f00_0000,
    0x5f00_0000,
    0x7f7f_ffff,
    0x7f80_0000,
    0x7f80_0001,
    0x7fc0_0000,
    0x7fff_ffff,
];

/// Arguments at which a function's value lies closest to a rounding boundary, and arguments that once found an error:
/// lines `operation argument...` in hexadecimal.
const RECORDED: &str = include_str!("../data/recorded.txt");

/// The special values and their negatives.
pub fn specials() -> impl Iterator<Item = u32> + Clone {
    SPECIAL.into_iter().flat_map(|x| [x, x | 0x8000_0000])
}

/// `count` arguments, or as many as there are edges and recorded cases if they are more; the rest is random by `seed`.
pub fn arguments(operation: &Operation, count: usize, seed: u64) -> Vec<Arguments> {
    let mut all = recorded(operation);
    all.extend(edges(operation.arity));
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ u64::from(operation.code) << 32);
    for top in 0..512u32 {
        // Every exponent with either sign, beside one near it.
        let x = top << 23 | rng.random_range(0..1 << 23);
        let near = ((top + rng.random_range(0..4)) % 512) << 23 | rng.random_range(0..1 << 23);
        all.push([x, near, rng.random()]);
    }
    while all.len() < count {
        all.push(random(&mut rng));
    }
    all
}

/// The recorded arguments of an operation.
pub fn recorded(operation: &Operation) -> Vec<Arguments> {
    let lines = RECORDED.lines().filter(|l| !l.starts_with('#') && !l.is_empty());
    let of_operation = lines.filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some(operation.name)).then_some(words)
    });
    let number = |word: &str| u32::from_str_radix(word, 16).expect("recorded arguments are hexadecimal");
    of_operation
        .map(|words| {
            let mut arguments = [0; 3];
            arguments.iter_mut().zip(words).for_each(|(a, word)| *a = number(word));
            arguments
        })
        .collect()
}

/// Every special value, pair or, of a smaller choice, triple.
fn edges(arity: usize) -> Vec<Arguments> {
    let all = specials;
    match arity {
        1 => all().map(|a| [a, 0, 0]).collect(),
        2 => all().flat_map(|a| all().map(move |b| [a, b, 0])).collect(),
        _ => {
            let few = || all().step_by(4).chain(all().skip(1).step_by(4));
            few().flat_map(|a| few().flat_map(move |b| few().map(move |c| [a, b, c]))).collect()
        }
    }
}

/// Random bits; numbers of the size that networks compute with; exponents near each other, so that sums cancel; few significant
/// bits, so that ties are common; a third argument that nearly cancels the product of the others.
pub fn random(rng: &mut impl Rng) -> Arguments {
    let [a, b, c]: Arguments = rng.random();
    let base = rng.random_range(0..250);
    match rng.random_range(0..6) {
        0 => [a, b, c],
        1 => [(); 3].map(|()| rng.random_range(-20.0f32..20.0).to_bits()),
        2 => [(); 3].map(|()| (rng.random_range(-1.0f32..1.0) * 2f32.powi(rng.random_range(-30..30))).to_bits()),
        3 => [a, b, c].map(|x| x & 0x807f_ffff | (base + (x >> 23 & 3)) << 23),
        4 => [a & 0xfff8_0000, b & 0xfff8_0000, c & 0xfff0_0000],
        _ => {
            let [a, b] = [a, b].map(|x| x & 0xbfff_ffff | 0x2000_0000);
            let product = f32::from_bits(a) * f32::from_bits(b);
            [a, b, (-product).to_bits() ^ (c & 3)]
        }
    }
}
