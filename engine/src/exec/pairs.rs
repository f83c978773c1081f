//! Operations on two floats, element by element over the rows of a tile.
//!
//! `unsafe` is for reading and writing rows whose length was just checked, with instructions that the CPU was asked for.
#![allow(unsafe_code)]

use super::out::Rows;
#[cfg(target_arch = "x86_64")]
use super::vectors::{Eight, Sixteen};
use super::vectors::{Plain, Vector};
use crate::arith::Level;
use crate::program::Op;

/// Floats of a tile: that of row r and column j lies at `r * apart + j`, or at `r * apart` for all columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strided<'a> {
    pub(super) floats: &'a [f32],
    pub(super) apart: usize,
    /// Whether columns differ.
    pub(super) along: bool,
}

/// Where a tile goes.
pub(super) enum To<'a, 'b> {
    /// To rows of the result, with canonical NaNs.
    Result(&'a Rows<'b>),
    /// Row behind row, and no further than some floats behind the last.
    Tile(&'a mut [f32]),
}

impl<'a> Strided<'a> {
    /// The floats of a tile row behind row, and what follows them, if they lie so.
    pub(super) fn together(&self, rows: usize, width: usize) -> Option<&'a [f32]> {
        let so = self.along && (rows == 1 || self.apart == width) && self.floats.len() / rows.max(1) >= width;
        so.then_some(self.floats)
    }

    /// Whether they are one float, the same for all.
    pub(super) fn same(&self) -> Option<f32> {
        self.floats.first().copied().filter(|_| !self.along && self.apart == 0)
    }

    /// Whether a tile's floats are there.
    fn has(&self, rows: usize, width: usize) -> bool {
        let last = (rows - 1).checked_mul(self.apart);
        let last = last.and_then(|last| last.checked_add(if self.along { width - 1 } else { 0 }));
        last.is_some_and(|last| last < self.floats.len())
    }
}

/// Whether an operation is one of these.
pub(super) fn is_pair(op: Op) -> bool {
    matches!(op, Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Max | Op::Min)
}

/// Computes a tile; nothing of an operation that [`is_pair`] denies.
///
/// # Panics
/// When floats of the operands, or room for the results, are missing.
pub(super) fn pairs(
    level: Level,
    op: Op,
    (a, b): (&Strided<'_>, &Strided<'_>),
    to: To<'_, '_>,
    (mut rows, mut width): (usize, usize),
) {
    if rows == 0 || width == 0 {
        return;
    }
    assert!(a.has(rows, width) && b.has(rows, width), "operands that are not there");
    let to = match to {
        To::Result(to) => {
            assert!(rows <= to.count() && width <= to.len(), "elements that are not there");
            Place::Result(to)
        }
        To::Tile(to) => {
            assert!(rows.checked_mul(width).is_some_and(|room| room <= to.len()), "a tile that is too small");
            Place::Tile(to.as_mut_ptr(), width)
        }
    };
    // Rows behind rows are one long row.
    let whole = |x: &Strided<'_>| x.together(rows, width).is_some() || x.same().is_some();
    if matches!(to, Place::Tile(..)) && whole(a) && whole(b) {
        (rows, width) = (1, rows * width);
    }
    let all = (op, (a, b), to, (rows, width));
    // SAFETY: a level is only used on a CPU that was asked for its features, and the operands were checked.
    unsafe {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => avx512(all),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => avx2(all),
            Level::Portable => tile::<Plain>(all),
        }
    }
}

/// Where rows go.
#[derive(Clone, Copy)]
enum Place<'a> {
    Result(&'a Rows<'a>),
    /// The first one's place, and how far one is after the one before.
    Tile(*mut f32, usize),
}

type Arguments<'a> = (Op, (&'a Strided<'a>, &'a Strided<'a>), Place<'a>, (usize, usize));

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
unsafe fn avx512(all: Arguments<'_>) {
    unsafe { tile::<Sixteen>(all) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(all: Arguments<'_>) {
    unsafe { tile::<Eight>(all) }
}

/// An operation on registers.
pub(super) trait Pair {
    /// # Safety
    /// As for [`Vector`].
    unsafe fn of<V: Vector>(x: V, y: V) -> V;
}

macro_rules! pair {
    ($($name:ident $f:ident)*) => {$(
        pub(super) struct $name;

        impl Pair for $name {
            #[inline(always)]
            unsafe fn of<V: Vector>(x: V, y: V) -> V {
                unsafe { x.$f(y) }
            }
        }
    )*};
}

pair! { Add add Sub sub Mul mul Div div Max max Min min }

/// # Safety
/// The CPU has the register's instructions, and the operands and the place were checked.
#[inline(always)]
unsafe fn tile<V: Vector>((op, operands, to, area): Arguments<'_>) {
    unsafe {
        match op {
            Op::Add => rows::<V, Add>(operands, to, area),
            Op::Sub => rows::<V, Sub>(operands, to, area),
            Op::Mul => rows::<V, Mul>(operands, to, area),
            Op::Div => rows::<V, Div>(operands, to, area),
            Op::Max => rows::<V, Max>(operands, to, area),
            Op::Min => rows::<V, Min>(operands, to, area),
            _ => {}
        }
    }
}

/// # Safety
/// As for [`tile`].
#[inline(always)]
unsafe fn rows<V: Vector, P: Pair>((a, b): (&Strided<'_>, &Strided<'_>), to: Place<'_>, (rows, width): (usize, usize)) {
    for r in 0..rows {
        // SAFETY: the caller's.
        unsafe {
            let (x, y) = (a.floats.as_ptr().add(r * a.apart), b.floats.as_ptr().add(r * b.apart));
            match (to, a.along, b.along) {
                (Place::Result(to), true, true) => row::<V, P, true, true, true>(x, y, to.start(r), width),
                (Place::Result(to), true, false) => row::<V, P, true, false, true>(x, y, to.start(r), width),
                (Place::Result(to), false, true) => row::<V, P, false, true, true>(x, y, to.start(r), width),
                (Place::Result(to), false, false) => row::<V, P, false, false, true>(x, y, to.start(r), width),
                (Place::Tile(to, apart), true, true) => row::<V, P, true, true, false>(x, y, to.add(r * apart), width),
                (Place::Tile(to, apart), true, _) => row::<V, P, true, false, false>(x, y, to.add(r * apart), width),
                (Place::Tile(to, apart), _, true) => row::<V, P, false, true, false>(x, y, to.add(r * apart), width),
                (Place::Tile(to, apart), _, _) => row::<V, P, false, false, false>(x, y, to.add(r * apart), width),
            }
        }
    }
}

/// A row; `A` and `B` say whether an operand differs along it.
///
/// # Safety
/// As for [`tile`].
#[inline(always)]
unsafe fn row<V: Vector, P: Pair, const A: bool, const B: bool, const CANONICAL: bool>(
    x: *const f32,
    y: *const f32,
    to: *mut f32,
    width: usize,
) {
    // SAFETY: the caller's.
    unsafe {
        let (x_same, y_same) = (V::splat(*x), V::splat(*y));
        let mut j = 0;
        while j + V::LANES <= width {
            let a = if A { V::load(x.add(j)) } else { x_same };
            let b = if B { V::load(y.add(j)) } else { y_same };
            let made = P::of(a, b);
            if CANONICAL { made.canonical() } else { made }.store(to.add(j));
            j += V::LANES;
        }
        if j < width {
            let rest = width - j;
            let a = if A { V::load_some(x.add(j), rest) } else { x_same };
            let b = if B { V::load_some(y.add(j), rest) } else { y_same };
            let made = P::of(a, b);
            if CANONICAL { made.canonical() } else { made }.store_some(to.add(j), rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::out::Out;
    use super::*;
    use crate::arith::{Isa, native};
    use crate::tensor::Tensor;
    use ndarray::ArrayD;

    /// Every instruction set gives the definition's bits at every width, for rows that lie together and apart, and writes nothing else.
    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        type Definition = (Op, fn(f32, f32) -> f32);
        let definitions: [Definition; 6] = [
            (Op::Add, native::add),
            (Op::Sub, native::sub),
            (Op::Mul, native::mul),
            (Op::Div, native::div),
            (Op::Max, native::max),
            (Op::Min, native::min),
        ];
        const ROWS: usize = 3;
        let number = |n: usize| match n * 7919 % 23 {
            0 => f32::NAN,
            1 => f32::NEG_INFINITY,
            2 | 3 => -0.0,
            4 | 5 => 0.0,
            x => x as f32 - 12.5,
        };
        for width in 1..70 {
            let floats: [Vec<f32>; 2] = [0, 5].map(|from| (from..from + ROWS * (width + 3)).map(number).collect());
            let ways = [(width, true), (width + 3, true), (0, true), (1, false), (0, false)];
            for (a, b) in ways.iter().flat_map(|a| ways.iter().map(move |b| (a, b))) {
                let strided = |n: usize, &(apart, along): &(usize, bool)| Strided { floats: &floats[n], apart, along };
                let (a, b) = (strided(0, a), strided(1, b));
                let float = |x: &Strided<'_>, r: usize, j: usize| x.floats[r * x.apart + if x.along { j } else { 0 }];
                for (op, definition) in definitions {
                    let wanted: Vec<u32> = (0..ROWS * width)
                        .map(|n| definition(float(&a, n / width, n % width), float(&b, n / width, n % width)))
                        .map(|x| native::canonical(x).to_bits())
                        .collect();
                    for isa in [Isa::Auto, Isa::Avx2, Isa::Portable] {
                        let what = format!("{isa:?} {op:?} {a:?} {b:?}");
                        let mut tile = vec![7.0; ROWS * width];
                        pairs(isa.level(), op, (&a, &b), To::Tile(&mut tile), (ROWS, width));
                        let made: Vec<u32> = tile.iter().map(|&x| native::canonical(x).to_bits()).collect();
                        assert_eq!(made, wanted, "{what}");
                        let mut result = Tensor::F32(ArrayD::from_elem(vec![ROWS, width + 1], 7.0));
                        let starts: Vec<usize> = (0..ROWS).map(|row| row * (width + 1)).collect();
                        let out = Out::new(&mut result, isa.level());
                        // SAFETY: nobody else has its elements.
                        let rows = unsafe { out.rows_at(&starts, 0, width) };
                        pairs(isa.level(), op, (&a, &b), To::Result(&rows), (ROWS, width));
                        let Tensor::F32(result) = result else { return };
                        for (row, wanted) in result.rows().into_iter().zip(wanted.chunks(width)) {
                            let made: Vec<u32> = row.iter().map(|x| x.to_bits()).collect();
                            assert_eq!(&made[..width], wanted, "{what}");
                            assert_eq!(made[width], 7f32.to_bits(), "{what}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "operands that are not there")]
    fn operands_that_are_too_short() {
        let a = Strided { floats: &[0.0; 9], apart: 5, along: true };
        pairs(Isa::Auto.level(), Op::Add, (&a, &a), To::Tile(&mut [0.0; 10]), (2, 5));
    }
}
