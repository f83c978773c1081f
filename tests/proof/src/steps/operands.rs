//! The costliest operands of a dot and of each fold of f32: a climb from random windows, and from windows of one number.

use crate::harness::{Harness, bytes};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rebut_contracts::abi::ArithHarness::{dotCall, foldCall};
use rebut_engine::lower::gas;
use rebut_engine::program::limits::CHUNK;
use rebut_engine::program::{DType, FoldOp};

/// A reduction of f32 over one window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reduction {
    /// A chain of multiply-adds.
    Dot,
    /// A fold.
    Fold(FoldOp),
}

impl Reduction {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let folds = FoldOp::ALL.into_iter().filter(|op| op.accepts(DType::F32)).map(Self::Fold);
        std::iter::once(Self::Dot).chain(folds)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dot => "dot",
            Self::Fold(op) => op.name(),
        }
    }

    /// What a window of so many elements is billed.
    pub fn bill(self, length: u64) -> u64 {
        match self {
            Self::Dot => gas::CORE + length * gas::MULTIPLY_ADD,
            Self::Fold(op) => gas::CORE + gas::fold_start(op, true, length) + length * gas::fold(op, true),
        }
    }

    fn gas(self, harness: &mut Harness, window: &Window) -> u64 {
        let (a, b) = (bytes(&window.0).into(), bytes(&window.1).into());
        let used = match self {
            Self::Dot => harness.ask(&dotCall { a, b }).gasUsed,
            Self::Fold(op) => harness.ask(&foldCall { op: op.code(), x: a }).gasUsed,
        };
        used.to()
    }
}

/// Both operands; a fold has the first only.
#[derive(Clone)]
struct Window(Vec<u32>, Vec<u32>);

/// Lengths of windows that are climbed: one, all lanes of a sum, one more, twice and six times all, and the longest.
pub const LENGTHS: [u64; 6] = [1, 16, 17, 32, 96, CHUNK];

/// The most gas that so many changes of a random window of `length` elements come to.
pub fn climb(harness: &mut Harness, reduction: Reduction, length: u64, seed: u64, changes: u32) -> u64 {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut any = || (0..length).map(|_| lane(&mut rng, 0, 254)).collect::<Vec<u32>>();
    let mut window = Window(any(), any());
    if seed % 2 == 1 {
        // A product of random numbers leaves the range at once; one that stays subnormal costs most.
        window.0 = vec![0x3f80_0000; window.0.len()];
        window.0[0] = 1;
    }
    let mut most = reduction.gas(harness, &window);
    for _ in 0..changes {
        let changed = changed(&mut rng, &window);
        let gas = reduction.gas(harness, &changed);
        if gas >= most {
            (most, window) = (gas, changed);
        }
    }
    most
}

/// A float of any sign and fraction with an exponent in a range.
fn lane(rng: &mut impl Rng, least: u32, width: u32) -> u32 {
    rng.random::<u32>() & 0x807f_ffff | rng.random_range(least..=(least + width).min(255)) << 23
}

/// Some neighbouring lanes of either operand made anew, with exponents near each other or anywhere.
fn changed(rng: &mut impl Rng, window: &Window) -> Window {
    let mut window = window.clone();
    let ranges = [(); 2].map(|()| (rng.random_range(0..255), super::random::one(rng, &[0, 1, 4, 30, 255])));
    let first = rng.random_range(0..window.0.len());
    let count = super::random::one(rng, &[1, 1, 2, 8, 16, 64, 256]);
    for (a, b) in window.0.iter_mut().zip(&mut window.1).skip(first).take(count) {
        match rng.random_range(0..12) {
            0 => *a = lane(rng, ranges[0].0, ranges[0].1),
            1 => *b = lane(rng, ranges[1].0, ranges[1].1),
            2 => *a = 0x3f80_0000,
            3 => *b = 1,
            4 => *a = 0,
            _ => (*a, *b) = (lane(rng, ranges[0].0, ranges[0].1), lane(rng, ranges[1].0, ranges[1].1)),
        }
    }
    window
}
