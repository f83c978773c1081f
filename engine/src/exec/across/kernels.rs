//! The chains of some rows, an element of each side by side: vectors run along a row, and several rows share what is read of the weights. What is
//! done to each result alone is done while it is in its register.
//!
//! `unsafe` is for calling a function that was compiled for instructions which the CPU is first asked for, and for reading and writing rows whose
//! length was just checked.
#![allow(unsafe_code)]
// Iterators over registers would put them in memory.
#![allow(clippy::needless_range_loop)]

use super::super::linked::{RowLink, linked};
use super::super::out::Rows as Elements;
use super::super::starts::Starts;
#[cfg(target_arch = "x86_64")]
use super::super::vectors::{Eight, Sixteen};
use super::super::vectors::{Plain, Vector};
use super::f32_of;
use super::reductions::{Greatest, InLanes, InOrder, Least, Reduction, Same, Sums};
use crate::arith::Level;
use crate::program::{DType, FoldOp};
use std::ops::Range;

/// What is computed of each row.
pub(super) struct Job<'a> {
    pub(super) chains: Chains<'a>,
    /// Where each row's elements of what is reduced begin, part after part.
    pub(super) starts: &'a Starts<'a>,
    /// Elements of a row.
    pub(super) len: usize,
    /// What makes elements of results, the same in each row, before their NaNs become canonical; none where results are wanted.
    pub(super) links: Option<&'a [RowLink]>,
}

/// What reduces a row's parts.
#[derive(Clone, Copy)]
pub(super) enum Chains<'a> {
    Dot(Dot<'a>),
    Fold(FoldOp),
}

/// Chains of multiply-adds, and the chains' sum.
#[derive(Clone, Copy)]
pub(super) struct Dot<'a> {
    /// Parts of each chain.
    pub(super) lens: &'a [usize],
    /// Which parts are nothing but products of zeros.
    pub(super) zeros: &'a [bool],
    /// Each part's weights.
    pub(super) weights: &'a [f32],
}

/// Where rows go.
pub(super) enum To<'a> {
    /// One after the other.
    Together(&'a mut [f32]),
    /// To the elements of the same numbers.
    Elements(&'a Elements<'a>),
}

impl To<'_> {
    /// Where some rows begin, the first of which is number `first`, and number `n` of those that are computed.
    fn starts<const R: usize>(&mut self, n: usize, first: usize, len: usize) -> [*mut f32; R] {
        match self {
            Self::Together(to) => {
                let to = to.as_mut_ptr();
                std::array::from_fn(|r| to.wrapping_add((n + r) * len))
            }
            Self::Elements(to) => to.starts(first),
        }
    }
}

/// Computes some of the rows.
pub(super) fn reduce(level: Level, job: &Job<'_>, own: Range<usize>, to: &mut To<'_>) {
    check(job, &own, to);
    match job.chains {
        Chains::Dot(dot) => with(level, job, &Sums(dot), own, to),
        Chains::Fold(op) if job.starts.parts() == 0 => with(level, job, &Same(f32_of(op.empty(DType::F32))), own, to),
        Chains::Fold(FoldOp::Min) => with(level, job, &Least, own, to),
        Chains::Fold(FoldOp::Max) => with(level, job, &Greatest, own, to),
        Chains::Fold(FoldOp::Sum) => with(level, job, &InLanes::<false>, own, to),
        Chains::Fold(FoldOp::SumSq) => with(level, job, &InLanes::<true>, own, to),
        Chains::Fold(_) => with(level, job, &InOrder, own, to),
    }
}

/// Computes rows by a reduction, of a job that was checked.
fn with(level: Level, job: &Job<'_>, reduction: &impl Reduction, own: Range<usize>, to: &mut To<'_>) {
    // SAFETY: a level is only used on a CPU that was asked for its features, and the job was checked.
    unsafe {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => avx512(job, reduction, own, to),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => avx2(job, reduction, own, to),
            Level::Portable => rows::<Plain, 1, 1>(job, reduction, own, to),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
fn avx512(job: &Job<'_>, reduction: &impl Reduction, own: Range<usize>, to: &mut To<'_>) {
    // SAFETY: the CPU has these instructions, and the job was checked.
    unsafe { rows::<Sixteen, 4, 2>(job, reduction, own, to) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2(job: &Job<'_>, reduction: &impl Reduction, own: Range<usize>, to: &mut To<'_>) {
    // SAFETY: as above.
    unsafe { rows::<Eight, 2, 2>(job, reduction, own, to) }
}

/// What the kernels rely on.
fn check(job: &Job<'_>, own: &Range<usize>, to: &To<'_>) {
    let Job { chains, starts, len, links } = job;
    let parts = starts.parts();
    assert!(own.start <= own.end && own.end <= starts.rows(), "rows that are not there");
    assert!((0..parts).all(|part| starts.len(part) >= *len), "rows that are too short");
    if let Chains::Dot(Dot { lens, zeros, weights }) = chains {
        assert!(lens.iter().sum::<usize>() == parts && zeros.len() == parts, "not a chain for each part");
        assert!(weights.len() >= parts * len, "weights that are not there");
    }
    assert!(links.iter().copied().flatten().all(|link| link.1.len() >= *len), "nothing to finish a result with");
    let room = match to {
        To::Together(to) => to.len() >= own.len() * len,
        To::Elements(to) => to.len() >= *len && to.count() >= own.end,
    };
    assert!(room, "elements that are not there");
}

/// R rows and N registers of each at a time, while there are as many. All rows of a register before the next: what neighbours read stays in the first
/// cache.
///
/// # Safety
/// The CPU has the register's instructions, and the job was checked.
#[inline(always)]
unsafe fn rows<V: Vector, const R: usize, const N: usize>(
    job: &Job<'_>,
    reduction: &impl Reduction,
    own: Range<usize>,
    to: &mut To<'_>,
) {
    let mut column = 0;
    while column < job.len {
        let left = job.len - column;
        let strip = (job, reduction, &own, column);
        // SAFETY: the caller's.
        column += unsafe {
            if left >= N * V::LANES {
                strips::<V, _, R, N, true>(strip, V::LANES, to)
            } else if left >= V::LANES {
                strips::<V, _, R, 1, true>(strip, V::LANES, to)
            } else {
                strips::<V, _, R, 1, false>(strip, left, to)
            }
        };
    }
}

/// N registers of all rows; gives how many columns these are.
///
/// # Safety
/// As for [`rows`].
#[inline(always)]
unsafe fn strips<V: Vector, F: Reduction, const R: usize, const N: usize, const WHOLE: bool>(
    (job, reduction, own, column): (&Job<'_>, &F, &Range<usize>, usize),
    lanes: usize,
    to: &mut To<'_>,
) -> usize {
    let mut row = own.start;
    while row < own.end {
        let n = row - own.start;
        // SAFETY: the caller's.
        unsafe {
            if own.end - row >= R {
                strip::<V, F, R, N, WHOLE>((job, reduction), (row, column), lanes, to.starts(n, row, job.len));
                row += R;
            } else {
                strip::<V, F, 1, N, WHOLE>((job, reduction), (row, column), lanes, to.starts(n, row, job.len));
                row += 1;
            }
        }
    }
    N * lanes
}

/// N registers of R rows, `WHOLE` or the first lanes of one.
///
/// # Safety
/// As for [`rows`].
#[inline(always)]
unsafe fn strip<V: Vector, F: Reduction, const R: usize, const N: usize, const WHOLE: bool>(
    (job, reduction): (&Job<'_>, &F),
    at: (usize, usize),
    lanes: usize,
    to: [*mut f32; R],
) {
    // SAFETY: the caller's.
    unsafe {
        let mut acc = reduction.of::<V, R, N, WHOLE>(job, at, lanes);
        if let Some(links) = job.links {
            acc = linked::<V, R, N, WHOLE>(links, acc, at.1, lanes);
        }
        for r in 0..R {
            for v in 0..N {
                acc[r][v].store_first::<WHOLE>(to[r].wrapping_add(at.1 + V::LANES * v), lanes);
            }
        }
    }
}
