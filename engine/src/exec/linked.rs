//! Rows that become elements: one operation after the other while they are in registers, and then canonical NaNs.
//!
//! `unsafe` is for reading and writing rows whose length was just checked, with instructions that the CPU was asked for.
#![allow(unsafe_code)]
// Iterators over registers would put them in memory.
#![allow(clippy::needless_range_loop)]

use super::lanes::Buffer;
use super::matrix::Pairwise;
#[cfg(target_arch = "x86_64")]
use super::vectors::{Eight, Sixteen};
use super::vectors::{Plain, Vector};
use crate::arith::Level;

/// An operation on each element of a row and what lies at its place in another.
pub(super) type RowLink = (Pairwise, Buffer<f32>);

/// What is read, where it goes, and how many floats.
type Row = (*const f32, *mut f32, usize);

/// Makes elements of a row: of `from`, or of what is there.
///
/// # Panics
/// When another row is shorter than it.
pub(super) fn finish_row(level: Level, links: &[RowLink], from: Option<&[f32]>, to: &mut [f32]) {
    assert!(from.is_none_or(|from| from.len() >= to.len()), "a row that is too short");
    assert!(links.iter().all(|(_, others)| others.len() >= to.len()), "nothing to finish a row with");
    // From here on both are addresses, as they may be the same.
    let (to, len) = (to.as_mut_ptr(), to.len());
    let rows = (from.map_or(to.cast_const(), <[f32]>::as_ptr), to, len);
    // SAFETY: a level is only used on a CPU that was asked for its features, and the rows were checked.
    unsafe {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => avx512(links, rows),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => avx2(links, rows),
            Level::Portable => row::<Plain, 1>(links, rows),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
unsafe fn avx512(links: &[RowLink], rows: Row) {
    // SAFETY: the caller's.
    unsafe { row::<Sixteen, 8>(links, rows) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(links: &[RowLink], rows: Row) {
    // SAFETY: the caller's.
    unsafe { row::<Eight, 8>(links, rows) }
}

/// # Safety
/// The CPU has the register's instructions, and the rows were checked.
#[inline(always)]
unsafe fn row<V: Vector, const N: usize>(links: &[RowLink], (from, to, len): Row) {
    let mut at = 0;
    while at < len {
        let left = len - at;
        // SAFETY: the caller's.
        unsafe {
            if left >= N * V::LANES {
                piece::<V, N, true>(links, (from, to), at, V::LANES);
                at += N * V::LANES;
            } else if left >= 2 * V::LANES {
                piece::<V, 2, true>(links, (from, to), at, V::LANES);
                at += 2 * V::LANES;
            } else {
                let lanes = left.min(V::LANES);
                if lanes == V::LANES {
                    piece::<V, 1, true>(links, (from, to), at, lanes);
                } else {
                    piece::<V, 1, false>(links, (from, to), at, lanes);
                }
                at += lanes;
            }
        }
    }
}

/// N registers, `WHOLE` or the first lanes of one.
///
/// # Safety
/// As for [`row`].
#[inline(always)]
unsafe fn piece<V: Vector, const N: usize, const WHOLE: bool>(
    links: &[RowLink],
    (from, to): (*const f32, *mut f32),
    at: usize,
    lanes: usize,
) {
    // SAFETY: the caller's.
    unsafe {
        let mut x = [[V::zero(); N]];
        for v in 0..N {
            x[0][v] = V::load_first::<WHOLE>(from.wrapping_add(at + V::LANES * v), lanes);
        }
        let [x] = linked::<V, 1, N, WHOLE>(links, x, at, lanes);
        for v in 0..N {
            x[v].store_first::<WHOLE>(to.wrapping_add(at + V::LANES * v), lanes);
        }
    }
}

/// Elements of N registers of R rows from column `at` on, `WHOLE` or the first lanes of one; each row goes through the same operations.
///
/// # Safety
/// The CPU has the register's instructions, and the links' rows have these columns.
#[inline(always)]
pub(super) unsafe fn linked<V: Vector, const R: usize, const N: usize, const WHOLE: bool>(
    links: &[RowLink],
    mut x: [[V; N]; R],
    at: usize,
    lanes: usize,
) -> [[V; N]; R] {
    // SAFETY: the caller's.
    unsafe {
        macro_rules! apply {
            ($others:expr, $op:ident) => {
                for v in 0..N {
                    let other = V::load_first::<WHOLE>($others.wrapping_add(at + V::LANES * v), lanes);
                    for r in 0..R {
                        x[r][v] = x[r][v].$op(other);
                    }
                }
            };
        }
        for (op, others) in links {
            let others = others.as_ptr();
            match op {
                Pairwise::Add => apply!(others, add),
                Pairwise::Mul => apply!(others, mul),
                Pairwise::Max => apply!(others, max),
                Pairwise::Min => apply!(others, min),
            }
        }
        if !links.last().is_some_and(|(op, _)| op.is_canonical()) {
            for r in 0..R {
                for v in 0..N {
                    x[r][v] = x[r][v].canonical();
                }
            }
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arith::{Isa, native};

    /// Every instruction set gives the definition's bits at every length, in place and from another row, and writes nothing else.
    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let number = |n: usize| match n * 7919 % 23 {
            0 => f32::from_bits(0xffc1_2345),
            1 => f32::INFINITY,
            2 | 3 => -0.0,
            4 | 5 => 0.0,
            x => x as f32 - 12.5,
        };
        let definition = |op: Pairwise| match op {
            Pairwise::Add => native::add,
            Pairwise::Mul => native::mul,
            Pairwise::Max => native::max,
            Pairwise::Min => native::min,
        };
        let ops = [Pairwise::Mul, Pairwise::Add, Pairwise::Max, Pairwise::Min, Pairwise::Add];
        for len in 0..300 {
            let links = |ops: &[Pairwise]| -> Vec<RowLink> {
                let link = |(l, &op): (usize, &Pairwise)| {
                    let mut row = Buffer::new(len);
                    row.iter_mut().enumerate().for_each(|(n, x)| *x = number(n + 5 * l + 2));
                    (op, row)
                };
                ops.iter().enumerate().map(link).collect()
            };
            let from: Vec<f32> = (0..len).map(number).collect();
            for links in (0..=ops.len()).map(|n| links(&ops[..n])) {
                let made = |n: usize| links.iter().fold(from[n], |x, (op, others)| definition(*op)(x, others[n]));
                let wanted: Vec<u32> = (0..len).map(|n| native::canonical(made(n)).to_bits()).collect();
                for isa in [Isa::Auto, Isa::Avx2, Isa::Portable] {
                    for own in [false, true] {
                        let mut to = vec![7.0; len + 1];
                        if own {
                            to[..len].copy_from_slice(&from);
                        }
                        finish_row(isa.level(), &links, (!own).then_some(&from), &mut to[..len]);
                        let made: Vec<u32> = to.iter().map(|x| x.to_bits()).collect();
                        assert_eq!(made[..len], wanted, "{isa:?} {len} {}", links.len());
                        assert_eq!(to[len], 7.0, "{isa:?} {len}");
                    }
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "nothing to finish a row with")]
    fn rows_that_are_too_short() {
        finish_row(Isa::Auto.level(), &[(Pairwise::Add, Buffer::new(3))], None, &mut [0.0; 4]);
    }
}
