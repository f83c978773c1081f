//! The matrix micro-kernel: a tile of chains of fused multiply-adds, vectorised across outputs only, so that every vector width,
//! tile shape and number of threads gives the same bits. What is done to each result alone is done while it is in its register.
//!
//! `unsafe` is for calling a function that was compiled for instructions which the CPU is first asked for, and for reading and writing
//! rows whose length was just checked.
#![allow(unsafe_code)]

use super::super::out::Rows as Elements;
use super::super::starts::Starts;
#[cfg(target_arch = "x86_64")]
use super::super::vectors::{Eight, Sixteen};
use super::super::vectors::{Plain, Vector, fetch};
use crate::arith::{Isa, Level};
use std::ops::Range;

/// Most rows of a tile.
pub(in crate::exec) const ROWS: usize = 12;
/// Columns of a tile and of a packed panel.
pub(in crate::exec) const COLUMNS: usize = Plain::LANES;

/// Floats of a cache line.
const CACHE_LINE: usize = 16;

/// The columns' elements at one k, aligned to what a vector load likes best.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub(in crate::exec) struct Line(pub(in crate::exec) [f32; COLUMNS]);

/// What a kernel computes: for each row and column of a tile the sum of some chains, each over parts that follow one another.
pub(in crate::exec) struct Tile<'a> {
    /// The rows' elements of each part.
    pub(super) rows: &'a Starts<'a>,
    /// Which rows are the tile's: at most [`ROWS`].
    pub(in crate::exec) own: Range<usize>,
    /// The columns' elements at each k, which of them are each part's, and which parts are each chain's.
    pub(in crate::exec) lines: &'a [Line],
    pub(in crate::exec) parts: &'a [Range<usize>],
    pub(in crate::exec) chains: &'a [Range<usize>],
    /// How many columns matter.
    pub(in crate::exec) columns: usize,
    pub(in crate::exec) start: Start,
    pub(in crate::exec) ahead: Ahead,
}

/// What a tile brings near while it is computed: lines that come after its own. Tiles of the same lines share the work, as memory is slower than
/// one tile, and the CPU by itself does not go beyond a page.
#[derive(Clone, Copy)]
pub(in crate::exec) struct Ahead {
    /// What the first tile fetches with line 0.
    from: *const f32,
    /// How far that of the next line is, and that of the next tile.
    line: usize,
    tile: usize,
}

impl Ahead {
    /// As many lines as `own`, the tiles' lines, and after them.
    pub(in crate::exec) fn of(tiles: usize, lines: &[Line], own: Range<usize>) -> Self {
        let tiles = tiles.max(1);
        let line = COLUMNS.div_ceil(tiles);
        let from = lines.as_ptr().cast::<f32>().wrapping_add(own.end * COLUMNS).wrapping_sub(own.start * line);
        Self { from, line, tile: own.len() / tiles * COLUMNS }
    }

    /// What a tile fetches of them.
    pub(in crate::exec) fn share(self, tile: usize) -> Self {
        Self { from: self.from.wrapping_add(tile * self.tile), ..self }
    }
}

/// How the first chain begins, and what becomes of its results; later ones begin at +0 and are added.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(in crate::exec) enum Start {
    /// It begins at +0, and is the result.
    #[default]
    Set,
    /// It begins at +0, and is added to the result.
    Add,
    /// It goes on from the result.
    Continue,
}

/// Results of a tile, each row so far after the one before. Columns that do not matter may get anything.
pub(in crate::exec) struct Sums<'a> {
    pub(in crate::exec) rows: &'a mut [f32],
    pub(in crate::exec) stride: usize,
}

/// What makes elements of results: one operation after the other, and then canonical NaNs.
pub(in crate::exec) struct Finish<'a> {
    pub(in crate::exec) links: &'a [Link<'a>],
    /// Where the elements go: the tile's rows are numbered as those that it reads.
    pub(in crate::exec) to: &'a Elements<'a>,
}

/// An operation on a result and what lies at the same place of other rows.
pub(in crate::exec) struct Link<'a> {
    pub(in crate::exec) op: Pairwise,
    /// The columns of the first of these rows, as the tile numbers them, and how far one is after the one before.
    pub(in crate::exec) rows: &'a [f32],
    pub(in crate::exec) apart: usize,
}

/// Operations for which it makes no difference which of the two comes first.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in crate::exec) enum Pairwise {
    Add,
    Mul,
    Max,
    Min,
}

impl Pairwise {
    /// Whether a NaN that it gives is canonical.
    pub(in crate::exec) fn is_canonical(self) -> bool {
        matches!(self, Self::Max | Self::Min)
    }
}

/// A tile's results go to their elements if there is something to finish them with, else to the sums.
pub(in crate::exec) type Kernel = fn(tile: &Tile<'_>, sums: &mut Sums<'_>, finish: Option<&Finish<'_>>);

/// The kernel for an instruction set.
pub(in crate::exec) fn kernel(isa: Isa) -> Kernel {
    match isa.level() {
        // SAFETY: a level is only used on a CPU that was asked for its features.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => |tile, sums, finish| unsafe { avx512(tile, sums, finish) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => |tile, sums, finish| unsafe { avx2(tile, sums, finish) },
        Level::Portable => portable,
    }
}

/// Most lines of a panel all of whose chains a tile is best given at once: where their sums stay in registers, and the panel in the second cache.
pub(super) fn lines_at_once(isa: Isa) -> usize {
    match isa.level() {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => 1 << 12,
        _ => 0,
    }
}

/// Calls `f::<V, R, N>` for as many rows R as there are.
#[cfg(target_arch = "x86_64")]
macro_rules! with_rows {
    ($rows:expr, $f:ident::<$v:ty, $n:literal>, $arguments:expr, $($r:literal)*) => {
        match $rows {
            $($r => $f::<$v, $r, $n>($arguments),)*
            _ => {}
        }
    };
}

/// Sixteen columns to a register: two registers of columns, up to 24 of results. For a few columns eight to a register take half the time.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
fn avx512(tile: &Tile<'_>, sums: &mut Sums<'_>, finish: Option<&Finish<'_>>) {
    check(tile, sums, finish);
    let rows = tile.own.len();
    // SAFETY: the CPU has these instructions, and the tile was checked.
    unsafe {
        if tile.chains.len() > 1 && tile.columns > 16 {
            // Chains and their sum: half as many rows of each.
            for row in (0..rows).step_by(ROWS / 2) {
                let part = (tile, (row, 0), &mut *sums, finish);
                with_rows!((rows - row).min(ROWS / 2), several::<Sixteen, 2>, part, 1 2 3 4 5 6);
            }
            return;
        }
        if tile.chains.len() <= 1 && (17..=24).contains(&tile.columns) {
            let first = (tile, (0, 0), &mut *sums, finish);
            with_rows!(rows, single::<Sixteen, 1>, first, 1 2 3 4 5 6 7 8 9 10 11 12);
            let rest = (tile, (0, 16), sums, finish);
            return with_rows!(rows, single::<Eight, 1>, rest, 1 2 3 4 5 6 7 8 9 10 11 12);
        }
        let all = (tile, (0, 0), sums, finish);
        match (tile.chains.len() > 1, tile.columns) {
            (true, 0..=8) => with_rows!(rows, several::<Eight, 1>, all, 1 2 3 4 5 6 7 8 9 10 11 12),
            (true, _) => with_rows!(rows, several::<Sixteen, 1>, all, 1 2 3 4 5 6 7 8 9 10 11 12),
            (false, 0..=8) => with_rows!(rows, single::<Eight, 1>, all, 1 2 3 4 5 6 7 8 9 10 11 12),
            (false, 9..=16) => with_rows!(rows, single::<Sixteen, 1>, all, 1 2 3 4 5 6 7 8 9 10 11 12),
            (false, _) => with_rows!(rows, single::<Sixteen, 2>, all, 1 2 3 4 5 6 7 8 9 10 11 12),
        }
    }
}

/// Calls a kernel for each chain of a tile by itself; sums are kept in memory.
#[inline(always)]
fn one_by_one(
    tile: &Tile<'_>,
    sums: &mut Sums<'_>,
    finish: Option<&Finish<'_>>,
    kernel: impl Fn(&Tile<'_>, &mut Sums<'_>, Option<&Finish<'_>>),
) {
    for (n, chain) in tile.chains.iter().enumerate() {
        let start = if n == 0 { tile.start } else { Start::Add };
        let finish = finish.filter(|_| n + 1 == tile.chains.len());
        let chains = std::slice::from_ref(chain);
        kernel(&Tile { chains, start, own: tile.own.clone(), ..*tile }, sums, finish);
    }
}

/// Eight columns to a register. Sixteen registers hold six rows of sixteen columns, so the tile is made in parts.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2(tile: &Tile<'_>, sums: &mut Sums<'_>, finish: Option<&Finish<'_>>) {
    check(tile, sums, finish);
    if tile.chains.len() > 1 {
        return one_by_one(tile, sums, finish, |tile, sums, finish| avx2(tile, sums, finish));
    }
    if tile.columns <= 8 {
        let all = (tile, (0, 0), sums, finish);
        // SAFETY: as above.
        return unsafe { with_rows!(tile.own.len(), single::<Eight, 1>, all, 1 2 3 4 5 6 7 8 9 10 11 12) };
    }
    for row in (0..tile.own.len()).step_by(ROWS / 2) {
        for column in (0..tile.columns).step_by(16) {
            let part = (tile, (row, column), &mut *sums, finish);
            // SAFETY: as above.
            unsafe {
                with_rows!((tile.own.len() - row).min(ROWS / 2), single::<Eight, 2>, part, 1 2 3 4 5 6);
            }
        }
    }
}

fn portable(tile: &Tile<'_>, sums: &mut Sums<'_>, finish: Option<&Finish<'_>>) {
    check(tile, sums, finish);
    if tile.chains.len() > 1 {
        return one_by_one(tile, sums, finish, portable);
    }
    for row in 0..tile.own.len() {
        // SAFETY: the tile was checked.
        unsafe { single::<Plain, 1, 1>((tile, (row, 0), &mut *sums, finish)) };
    }
}

/// What the kernels rely on.
#[inline(always)]
fn check(tile: &Tile<'_>, sums: &Sums<'_>, finish: Option<&Finish<'_>>) {
    let Tile { rows, own, lines, parts, chains, .. } = tile;
    let n = own.len();
    assert!(n <= ROWS && tile.columns <= COLUMNS, "more than a tile");
    assert!(chains.len() <= 1 || tile.start == Start::Set, "chains that go on");
    for part in chains.iter().cloned().flatten() {
        let ks = &parts[part];
        assert!(ks.start <= ks.end && ks.end <= lines.len(), "lines that are not there");
        assert!(ks.len() <= rows.len(part), "rows that are too short");
    }
    let last = n.saturating_sub(1);
    if finish.is_none() || tile.start != Start::Set || chains.len() > 1 {
        assert!(n == 0 || sums.rows.len() >= last * sums.stride + COLUMNS, "sums that are not there");
    }
    if let Some(Finish { links, to }) = finish {
        assert!(own.end <= to.count() && to.len() <= COLUMNS, "elements that are not there");
        let enough = |link: &Link<'_>| n == 0 || link.rows.len() >= (own.end - 1) * link.apart + to.len();
        assert!(links.iter().all(enough), "nothing to finish a result with");
    }
}

/// Rows and columns of a tile, from a row and a column on.
type Arguments<'a, 'b> = (&'a Tile<'a>, (usize, usize), &'a mut Sums<'b>, Option<&'a Finish<'a>>);

/// R rows of a tile of at most one chain, and N registers of columns.
///
/// # Safety
/// The CPU has the register's instructions, and the tile was checked.
#[inline(always)]
unsafe fn single<V: Vector, const R: usize, const N: usize>((tile, from, sums, finish): Arguments<'_, '_>) {
    // SAFETY: the caller's.
    unsafe {
        let sum = sums.rows.as_mut_ptr().wrapping_add(from.0 * sums.stride + from.1);
        let finish = prepare::<V, R, N>(tile, from, finish);
        let mut acc = [[V::zero(); N]; R];
        if tile.start == Start::Continue {
            for (r, acc) in acc.iter_mut().enumerate() {
                for (v, acc) in acc.iter_mut().enumerate() {
                    *acc = V::load(sum.add(r * sums.stride + V::LANES * v));
                }
            }
        }
        if let [parts] = tile.chains {
            acc = chain(tile, parts, from, acc);
        }
        if tile.start == Start::Add {
            for (r, acc) in acc.iter_mut().enumerate() {
                for (v, acc) in acc.iter_mut().enumerate() {
                    *acc = V::load(sum.add(r * sums.stride + V::LANES * v)).add(*acc);
                }
            }
        }
        end(acc, tile, from, sums, finish);
    }
}

/// The same of several chains, whose sums stay in registers.
///
/// # Safety
/// As for [`single`].
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn several<V: Vector, const R: usize, const N: usize>((tile, from, sums, finish): Arguments<'_, '_>) {
    // SAFETY: the caller's.
    unsafe {
        let finish = prepare::<V, R, N>(tile, from, finish);
        let zero = [[V::zero(); N]; R];
        let mut sum = zero;
        for (n, parts) in tile.chains.iter().enumerate() {
            let acc = chain(tile, parts, from, zero);
            if n == 0 {
                sum = acc;
                continue;
            }
            for (sum, acc) in sum.iter_mut().zip(acc) {
                for v in 0..N {
                    sum[v] = sum[v].add(acc[v]);
                }
            }
        }
        end(sum, tile, from, sums, finish);
    }
}

/// A chain over some parts that goes on from `acc`.
///
/// # Safety
/// As for [`single`].
#[inline(always)]
unsafe fn chain<V: Vector, const R: usize, const N: usize>(
    tile: &Tile<'_>,
    parts: &Range<usize>,
    (row, column): (usize, usize),
    mut acc: [[V; N]; R],
) -> [[V; N]; R] {
    for part in parts.clone() {
        let ks = &tile.parts[part];
        let starts = tile.rows.of::<R>(part, tile.own.start + row);
        // SAFETY: the caller's: the lines are there, and each row has as many elements.
        unsafe {
            let lines = tile.lines.as_ptr().add(ks.start).cast::<f32>().wrapping_add(column);
            let mut ahead = tile.ahead.from.wrapping_add(ks.start * tile.ahead.line + column);
            for k in 0..ks.len() {
                let mut b = [V::zero(); N];
                for (v, b) in b.iter_mut().enumerate() {
                    *b = V::load(lines.add(k * COLUMNS + V::LANES * v));
                    if V::LANES * v % CACHE_LINE == 0 {
                        fetch(ahead.wrapping_add(V::LANES * v));
                    }
                }
                ahead = ahead.wrapping_add(tile.ahead.line);
                for (acc, start) in acc.iter_mut().zip(starts) {
                    let x = V::same(start.add(k));
                    for v in 0..N {
                        acc[v] = acc[v].fma(x, b[v]);
                    }
                }
            }
        }
    }
    acc
}

/// Where results become elements; what they are finished with is brought near.
///
/// # Safety
/// As for [`single`].
#[inline(always)]
unsafe fn prepare<'a, V: Vector, const R: usize, const N: usize>(
    tile: &Tile<'_>,
    (row, column): (usize, usize),
    finish: Option<&'a Finish<'a>>,
) -> Option<(&'a Finish<'a>, [*mut f32; R])> {
    let first = tile.own.start + row;
    let finish = finish.map(|finish| (finish, finish.to.starts::<R>(first)));
    if let Some((finish, to)) = finish {
        // SAFETY: the caller's.
        unsafe { ahead::<V, R, N>(finish, to, first, column) }
    }
    finish
}

/// Results become elements, or go to the sums.
///
/// # Safety
/// As for [`single`].
#[inline(always)]
unsafe fn end<V: Vector, const R: usize, const N: usize>(
    acc: [[V; N]; R],
    tile: &Tile<'_>,
    (row, column): (usize, usize),
    sums: &mut Sums<'_>,
    finish: Option<(&Finish<'_>, [*mut f32; R])>,
) {
    let first = tile.own.start + row;
    // SAFETY: the caller's.
    unsafe {
        match finish {
            Some((finish, to)) => finished(acc, finish, to, first, column),
            None => {
                let sum = sums.rows.as_mut_ptr().wrapping_add(row * sums.stride + column);
                for (r, acc) in acc.iter().enumerate() {
                    for (v, acc) in acc.iter().enumerate() {
                        acc.store(sum.add(r * sums.stride + V::LANES * v));
                    }
                }
            }
        }
    }
}

/// Has what [`finished`] reads and writes brought near while the chains are computed: rows of results lie too far apart for the CPU to see it
/// coming, and often at the same places of pages, of which the first cache has few.
///
/// # Safety
/// As for [`single`].
#[inline(always)]
unsafe fn ahead<V: Vector, const R: usize, const N: usize>(
    finish: &Finish<'_>,
    to: [*mut f32; R],
    first: usize,
    column: usize,
) {
    for v in (0..N).step_by((CACHE_LINE / V::LANES).max(1)) {
        let column = column + V::LANES * v;
        for to in to {
            fetch(to.wrapping_add(column));
        }
        for link in finish.links.iter().filter(|link| link.apart > 0) {
            for r in 0..R {
                fetch(link.rows.as_ptr().wrapping_add((first + r) * link.apart + column));
            }
        }
    }
}

/// Makes elements of results. The first of them is at `column` of the tile's row number `first`.
///
/// # Safety
/// As for [`single`].
#[inline(always)]
unsafe fn finished<V: Vector, const R: usize, const N: usize>(
    mut acc: [[V; N]; R],
    finish: &Finish<'_>,
    to: [*mut f32; R],
    first: usize,
    column: usize,
) {
    let len = finish.to.len();
    let lanes = |v: usize| len.saturating_sub(column + V::LANES * v).min(V::LANES);
    let whole = lanes(N - 1) == V::LANES;
    // SAFETY: the caller's.
    unsafe {
        macro_rules! apply {
            ($link:expr, $f:ident) => {
                for (r, acc) in acc.iter_mut().enumerate() {
                    let from = $link.rows.as_ptr().add((first + r) * $link.apart).wrapping_add(column);
                    for (v, acc) in acc.iter_mut().enumerate() {
                        let from = from.wrapping_add(V::LANES * v);
                        *acc = acc.$f(if whole { V::load(from) } else { V::load_some(from, lanes(v)) });
                    }
                }
            };
        }
        for link in finish.links {
            match link.op {
                Pairwise::Add => apply!(link, add),
                Pairwise::Mul => apply!(link, mul),
                Pairwise::Max => apply!(link, max),
                Pairwise::Min => apply!(link, min),
            }
        }
        if !finish.links.last().is_some_and(|link| link.op.is_canonical()) {
            for acc in &mut acc {
                for acc in acc {
                    *acc = acc.canonical();
                }
            }
        }
        for (to, acc) in to.into_iter().zip(acc) {
            for (v, acc) in acc.into_iter().enumerate() {
                let to = to.wrapping_add(column + V::LANES * v);
                if whole { acc.store(to) } else { acc.store_some(to, lanes(v)) }
            }
        }
    }
}

#[cfg(test)]
mod tests;
