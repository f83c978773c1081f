//! What reduces the parts of some rows, in registers.
//!
//! `unsafe` is for reading rows whose length was checked, with instructions that the CPU was asked for.
#![allow(unsafe_code)]
// Iterators over registers would put them in memory.
#![allow(clippy::needless_range_loop)]

use super::super::vectors::Vector;
use super::kernels::{Dot, Job};
use crate::program::limits::SUM_LANES;

/// The results of R rows, N registers of each.
type Registers<V, const R: usize, const N: usize> = [[V; N]; R];

/// A way to reduce. One type for each, so that each has all registers for itself.
pub(super) trait Reduction {
    /// N registers of R rows from a row and a column on, `WHOLE` or the first lanes of one.
    ///
    /// # Safety
    /// The CPU has the register's instructions, and the job was checked.
    unsafe fn of<V: Vector, const R: usize, const N: usize, const WHOLE: bool>(
        &self,
        job: &Job<'_>,
        at: (usize, usize),
        lanes: usize,
    ) -> Registers<V, R, N>;
}

/// A part of some rows, which begins there.
///
/// # Safety
/// As for [`Reduction::of`]; there is such a part.
#[inline(always)]
unsafe fn part<V: Vector, const R: usize, const N: usize, const WHOLE: bool>(
    starts: [*const f32; R],
    column: usize,
    lanes: usize,
) -> Registers<V, R, N> {
    // SAFETY: the caller's: each row has as many elements as are read.
    unsafe {
        let mut x = [[V::zero(); N]; R];
        for r in 0..R {
            for v in 0..N {
                x[r][v] = V::load_first::<WHOLE>(starts[r].wrapping_add(column + V::LANES * v), lanes);
            }
        }
        x
    }
}

/// Nothing is reduced.
pub(super) struct Same(pub(super) f32);

impl Reduction for Same {
    #[inline(always)]
    unsafe fn of<V: Vector, const R: usize, const N: usize, const WHOLE: bool>(
        &self,
        _: &Job<'_>,
        _: (usize, usize),
        _: usize,
    ) -> Registers<V, R, N> {
        // SAFETY: the caller's.
        unsafe { [[V::splat(self.0); N]; R] }
    }
}

/// The first two parts, then each on its own.
macro_rules! in_order {
    ($(#[$doc:meta])* $name:ident $op:ident) => {
        $(#[$doc])*
        pub(super) struct $name;

        impl Reduction for $name {
            #[inline(always)]
            unsafe fn of<V: Vector, const R: usize, const N: usize, const WHOLE: bool>(
                &self,
                job: &Job<'_>,
                (row, column): (usize, usize),
                lanes: usize,
            ) -> Registers<V, R, N> {
                // SAFETY: the caller's.
                unsafe {
                    let mut acc = part::<V, R, N, WHOLE>(job.starts.of(0, row), column, lanes);
                    for n in 1..job.starts.parts() {
                        let x = part::<V, R, N, WHOLE>(job.starts.of(n, row), column, lanes);
                        for r in 0..R {
                            for v in 0..N {
                                acc[r][v] = acc[r][v].$op(x[r][v]);
                            }
                        }
                    }
                    acc
                }
            }
        }
    };
}

in_order! {
    /// The sum of the parts, one after the other.
    InOrder add
}
in_order! {
    /// The smallest.
    Least min
}
in_order! {
    /// The greatest.
    Greatest max
}

/// Chains of multiply-adds, and the chains' sum.
pub(super) struct Sums<'a>(pub(super) Dot<'a>);

impl Reduction for Sums<'_> {
    #[inline(always)]
    unsafe fn of<V: Vector, const R: usize, const N: usize, const WHOLE: bool>(
        &self,
        job: &Job<'_>,
        (row, column): (usize, usize),
        lanes: usize,
    ) -> Registers<V, R, N> {
        let Self(dot) = self;
        // SAFETY: the caller's: each part has weights for a row.
        unsafe {
            let zero = [[V::zero(); N]; R];
            let (mut sum, mut x) = (zero, zero);
            let mut n = 0;
            let mut before = [std::ptr::null(); R];
            for (w, &len) in dot.lens.iter().enumerate() {
                let mut chain = zero;
                for _ in 0..len {
                    let tap = n;
                    n += 1;
                    if dot.zeros[tap] {
                        // +0 of a chain that is -0.
                        for r in 0..R {
                            for v in 0..N {
                                chain[r][v] = chain[r][v].add(V::zero());
                            }
                        }
                        continue;
                    }
                    let from = job.starts.of::<R>(tap, row);
                    // Neighbours read the same, one tap later.
                    let next = R > 1 && (1..R).all(|r| from[r - 1] == before[r]);
                    for r in 0..R {
                        for v in 0..N {
                            let at = column + V::LANES * v;
                            x[r][v] = if next && r + 1 < R {
                                x[r + 1][v]
                            } else {
                                V::load_first::<WHOLE>(from[r].wrapping_add(at), lanes)
                            };
                        }
                    }
                    before = from;
                    let weights = dot.weights.as_ptr().wrapping_add(tap * job.len + column);
                    for v in 0..N {
                        let weights = V::load_first::<WHOLE>(weights.wrapping_add(V::LANES * v), lanes);
                        for r in 0..R {
                            chain[r][v] = chain[r][v].fma_each(x[r][v], weights);
                        }
                    }
                }
                if w == 0 {
                    sum = chain;
                    continue;
                }
                for r in 0..R {
                    for v in 0..N {
                        sum[r][v] = sum[r][v].add(chain[r][v]);
                    }
                }
            }
            sum
        }
    }
}

/// Sums, of squares if `SQUARES`: [`SUM_LANES`] lanes, then halves of them. A lane to which nothing is added is -0, which changes no sum: for a few
/// parts half of the lanes are enough.
pub(super) struct InLanes<const SQUARES: bool>;

impl<const SQUARES: bool> Reduction for InLanes<SQUARES> {
    #[inline(always)]
    unsafe fn of<V: Vector, const R: usize, const N: usize, const WHOLE: bool>(
        &self,
        job: &Job<'_>,
        (row, column): (usize, usize),
        some: usize,
    ) -> Registers<V, R, N> {
        // SAFETY: the caller's.
        unsafe {
            let mut sums = [[V::zero(); N]; R];
            for r in 0..R {
                if job.starts.parts() <= SUM_LANES / 2 {
                    sums[r] = sum::<V, { SUM_LANES / 2 }, N, WHOLE, SQUARES>(job, (row + r, column), some);
                    continue;
                }
                for v in 0..N {
                    let at = (row + r, column + V::LANES * v);
                    [sums[r][v]] = sum::<V, SUM_LANES, 1, WHOLE, SQUARES>(job, at, some);
                }
            }
            sums
        }
    }
}

/// A row's sums of L lanes.
///
/// # Safety
/// As for [`Reduction::of`].
#[inline(always)]
unsafe fn sum<V: Vector, const L: usize, const N: usize, const WHOLE: bool, const SQUARES: bool>(
    job: &Job<'_>,
    (row, column): (usize, usize),
    some: usize,
) -> [V; N] {
    // SAFETY: the caller's.
    unsafe {
        let mut lanes = [[V::splat(-0.0); N]; L];
        let parts = job.starts.parts();
        // Each number by itself, so that it is known where the lanes are: in registers.
        macro_rules! next {
            ($first:ident: $($n:literal)*) => {$(
                if $n < L && $first + $n < parts {
                    let [x] = part::<V, 1, N, WHOLE>(job.starts.of($first + $n, row), column, some);
                    for v in 0..N {
                        lanes[$n][v] = if SQUARES { lanes[$n][v].fma_each(x[v], x[v]) } else { lanes[$n][v].add(x[v]) };
                    }
                }
            )*};
        }
        for first in (0..parts).step_by(L) {
            next!(first: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        }
        macro_rules! halves {
            ($($half:literal)*) => {$(
                if 2 * $half <= L {
                    for n in 0..$half {
                        for v in 0..N {
                            lanes[n][v] = lanes[n][v].add(lanes[n + $half][v]);
                        }
                    }
                }
            )*};
        }
        const { assert!(L <= 16 && L.is_power_of_two()) }
        halves!(8 4 2 1);
        lanes[0]
    }
}
