//! The matrix micro-kernel: a tile of chains of fused multiply-adds, vectorised across outputs only, so that every vector width,
//! tile shape and number of threads gives the same bits. What is done to each result alone is done while it is in its register.
//!
//! `unsafe` is for calling a function that was compiled for instructions which the CPU is first asked for, and for reading and writing
//! rows whose length was just checked.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use super::vectors::{Eight, Sixteen};
use super::vectors::{Plain, Vector, fetch};
use crate::arith::{Isa, Level};
use std::ops::Range;

/// Most rows of a tile.
pub(in crate::exec) const ROWS: usize = 12;
/// Columns of a tile and of a packed panel.
pub(in crate::exec) const COLUMNS: usize = 32;

/// Lines that are fetched ahead of their use: those of a panel follow one another from window to window and on to the next panel, and the CPU
/// by itself does not go beyond a page.
const AHEAD: usize = 32;
/// Floats of a cache line.
const CACHE_LINE: usize = 16;

/// The columns' elements at one k, aligned to what a vector load likes best.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub(in crate::exec) struct Line(pub(in crate::exec) [f32; COLUMNS]);

/// What a kernel computes: the sums of a tile of chains, one chain for each row and column, in parts that follow one another.
#[derive(Default)]
pub(in crate::exec) struct Tile<'a> {
    /// For each part the elements of each row, at least as many as the part has lines.
    pub(in crate::exec) rows: &'a [&'a [f32]],
    /// How many there are of each part, and which of them are the tile's: at most [`ROWS`].
    pub(in crate::exec) count: usize,
    pub(in crate::exec) own: Range<usize>,
    /// The columns' elements at each k, and which of them are each part's.
    pub(in crate::exec) lines: &'a [Line],
    pub(in crate::exec) parts: &'a [Range<usize>],
    /// How many columns matter.
    pub(in crate::exec) columns: usize,
    pub(in crate::exec) start: Start,
}

/// How chains begin, and what becomes of their results.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(in crate::exec) enum Start {
    /// They begin at +0, and are the results.
    #[default]
    Set,
    /// They begin at +0, and are added to the results.
    Add,
    /// They go on from the results.
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
    /// Where the elements go: a row for each of the tile's, all of the same length.
    pub(in crate::exec) to: &'a mut [&'a mut [f32]],
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

/// A tile's results go to their elements if there is something to finish them with, else to the sums.
pub(in crate::exec) type Kernel = fn(tile: &Tile<'_>, sums: Sums<'_>, finish: Option<Finish<'_>>);

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
fn avx512(tile: &Tile<'_>, mut sums: Sums<'_>, mut finish: Option<Finish<'_>>) {
    check(tile, &sums, finish.as_ref());
    let all = (tile, (0, 0), &mut sums, &mut finish);
    // SAFETY: the CPU has these instructions, and the tile was checked.
    unsafe {
        match tile.columns {
            0..=8 => with_rows!(tile.own.len(), rows::<Eight, 1>, all, 1 2 3 4 5 6 7 8 9 10 11 12),
            9..=16 => with_rows!(tile.own.len(), rows::<Sixteen, 1>, all, 1 2 3 4 5 6 7 8 9 10 11 12),
            _ => with_rows!(tile.own.len(), rows::<Sixteen, 2>, all, 1 2 3 4 5 6 7 8 9 10 11 12),
        }
    }
}

/// Eight columns to a register. Sixteen registers hold six rows of sixteen columns, so the tile is made in parts.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2(tile: &Tile<'_>, mut sums: Sums<'_>, mut finish: Option<Finish<'_>>) {
    check(tile, &sums, finish.as_ref());
    if tile.columns <= 8 {
        let all = (tile, (0, 0), &mut sums, &mut finish);
        // SAFETY: as above.
        return unsafe { with_rows!(tile.own.len(), rows::<Eight, 1>, all, 1 2 3 4 5 6 7 8 9 10 11 12) };
    }
    for row in (0..tile.own.len()).step_by(ROWS / 2) {
        for column in (0..tile.columns).step_by(16) {
            let part = (tile, (row, column), &mut sums, &mut finish);
            // SAFETY: as above.
            unsafe {
                with_rows!((tile.own.len() - row).min(ROWS / 2), rows::<Eight, 2>, part, 1 2 3 4 5 6);
            }
        }
    }
}

fn portable(tile: &Tile<'_>, mut sums: Sums<'_>, mut finish: Option<Finish<'_>>) {
    check(tile, &sums, finish.as_ref());
    for row in 0..tile.own.len() {
        // SAFETY: the tile was checked.
        unsafe { rows::<Plain, 1, 1>((tile, (row, 0), &mut sums, &mut finish)) };
    }
}

/// What the kernels rely on.
#[inline(always)]
fn check(tile: &Tile<'_>, sums: &Sums<'_>, finish: Option<&Finish<'_>>) {
    let Tile { rows, count, own, lines, parts, .. } = tile;
    let n = own.len();
    assert!(n <= ROWS && own.end <= *count && parts.len() * count <= rows.len(), "rows that are not there");
    assert!(parts.iter().all(|ks| ks.start <= ks.end && ks.end <= lines.len()), "lines that are not there");
    assert!(tile.columns <= COLUMNS, "columns that are not there");
    let last = n.saturating_sub(1);
    if finish.is_none() || tile.start != Start::Set {
        assert!(n == 0 || sums.rows.len() >= last * sums.stride + COLUMNS, "sums that are not there");
    }
    if let Some(Finish { links, to }) = finish {
        let len = to.first().map_or(0, |row| row.len());
        assert!(
            to.len() == n && len <= COLUMNS && to.iter().all(|row| row.len() == len),
            "elements that are not there"
        );
        let enough = |link: &Link<'_>| n == 0 || link.rows.len() >= (own.end - 1) * link.apart + len;
        assert!(links.iter().all(enough), "nothing to finish a result with");
    }
}

/// R rows of a tile from `row` on and N registers of columns from `column` on.
///
/// # Safety
/// The CPU has the register's instructions, and the tile was checked.
#[inline(always)]
unsafe fn rows<V: Vector, const R: usize, const N: usize>(
    (tile, (row, column), sums, finish): (&Tile<'_>, (usize, usize), &mut Sums<'_>, &mut Option<Finish<'_>>),
) {
    // SAFETY: the caller's, and of the rows' length the assertion's.
    unsafe {
        let mut acc = [[V::zero(); N]; R];
        let sum = sums.rows.as_mut_ptr().wrapping_add(row * sums.stride + column);
        if tile.start == Start::Continue {
            for (r, acc) in acc.iter_mut().enumerate() {
                for (v, acc) in acc.iter_mut().enumerate() {
                    *acc = V::load(sum.add(r * sums.stride + V::LANES * v));
                }
            }
        }
        for (n, ks) in tile.parts.iter().enumerate() {
            let rows = &tile.rows[n * tile.count + tile.own.start + row..][..R];
            let mut starts = [std::ptr::null(); R];
            let mut whole = true;
            for (start, row) in starts.iter_mut().zip(rows) {
                *start = row.as_ptr();
                whole &= row.len() >= ks.len();
            }
            assert!(whole, "a row that is too short");
            let lines = tile.lines.as_ptr().add(ks.start).cast::<f32>().wrapping_add(column);
            for k in 0..ks.len() {
                let mut b = [V::zero(); N];
                for (v, b) in b.iter_mut().enumerate() {
                    *b = V::load(lines.add(k * COLUMNS + V::LANES * v));
                    if V::LANES * v % CACHE_LINE == 0 {
                        fetch(lines.wrapping_add((k + AHEAD) * COLUMNS + V::LANES * v));
                    }
                }
                for (acc, start) in acc.iter_mut().zip(starts) {
                    let x = V::same(start.add(k));
                    for v in 0..N {
                        acc[v] = acc[v].fma(x, b[v]);
                    }
                }
            }
        }
        if tile.start == Start::Add {
            for (r, acc) in acc.iter_mut().enumerate() {
                for (v, acc) in acc.iter_mut().enumerate() {
                    *acc = V::load(sum.add(r * sums.stride + V::LANES * v)).add(*acc);
                }
            }
        }
        match finish {
            Some(finish) => finished(acc, finish, tile.own.start + row, (row, column)),
            None => {
                for (r, acc) in acc.iter().enumerate() {
                    for (v, acc) in acc.iter().enumerate() {
                        acc.store(sum.add(r * sums.stride + V::LANES * v));
                    }
                }
            }
        }
    }
}

/// Makes elements of results. The first of them is at `row` and `column` of the tile, and its row is number `first` for what is read.
///
/// # Safety
/// As for [`rows`].
#[inline(always)]
unsafe fn finished<V: Vector, const R: usize, const N: usize>(
    mut acc: [[V; N]; R],
    finish: &mut Finish<'_>,
    first: usize,
    (row, column): (usize, usize),
) {
    let len = finish.to[row].len();
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
        for (to, acc) in finish.to[row..row + R].iter_mut().zip(acc) {
            for (v, acc) in acc.into_iter().enumerate() {
                let to = to.as_mut_ptr().wrapping_add(column + V::LANES * v);
                if whole { acc.canonical().store(to) } else { acc.canonical().store_some(to, lanes(v)) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arith::native::{self, canonical};

    fn number(seed: &mut u32) -> f32 {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 17;
        *seed ^= *seed << 5;
        match *seed % 97 {
            0 => f32::from_bits(*seed),
            1 => -0.0,
            2 => 0.0,
            _ => (*seed as f32 / u32::MAX as f32 - 0.5) * 8.0,
        }
    }

    /// What a tile is by its definition, one element at a time.
    fn expected(tile: &Tile<'_>, sums: &Sums<'_>, finish: Option<&Finish<'_>>) -> Vec<Vec<u32>> {
        let element = |r: usize, c: usize| {
            let before = sums.rows[r * sums.stride + c];
            let mut chain = if tile.start == Start::Continue { before } else { 0.0 };
            for (n, ks) in tile.parts.iter().enumerate() {
                let row = tile.rows[n * tile.count + tile.own.start + r];
                for (line, &x) in tile.lines[ks.clone()].iter().zip(row) {
                    chain = native::fma(x, line.0[c], chain);
                }
            }
            if tile.start == Start::Add {
                chain += before;
            }
            for link in finish.iter().flat_map(|finish| finish.links) {
                let other = link.rows[(tile.own.start + r) * link.apart + c];
                chain = match link.op {
                    Pairwise::Add => chain + other,
                    Pairwise::Mul => chain * other,
                    Pairwise::Max => native::max(chain, other),
                    Pairwise::Min => native::min(chain, other),
                };
            }
            canonical(chain).to_bits()
        };
        let columns = match finish {
            Some(finish) => finish.to.first().map_or(0, |row| row.len()),
            None => tile.columns,
        };
        (0..tile.own.len()).map(|r| (0..columns).map(|c| element(r, c)).collect()).collect()
    }

    /// Every path gives the definition's bits, NaNs, infinities and zeros of both signs included: depths around the chunk in one part and in
    /// several, every number of rows and, where elements are finished, of columns.
    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        const STRIDE: usize = COLUMNS + 5;
        let mut seed = 0x9e37_79b9_u32;
        let depths: [&[usize]; 10] =
            [&[], &[0], &[1], &[7, 8], &[5, 5, 5, 5, 5], &[9, 15], &[16], &[17, 1, 64], &[255], &[256]];
        for (case, lens) in depths.iter().enumerate() {
            let mut parts = Vec::new();
            let depth = lens.iter().fold(0, |k, len| {
                parts.push(k..k + len);
                k + len
            });
            let a: Vec<Vec<f32>> = (0..lens.len() * (ROWS + 3))
                .map(|n| (0..lens[n / (ROWS + 3)] + n % 3).map(|_| number(&mut seed)).collect())
                .collect();
            let rows: Vec<&[f32]> = a.iter().map(Vec::as_slice).collect();
            let lines: Vec<Line> = (0..depth).map(|_| Line(std::array::from_fn(|_| number(&mut seed)))).collect();
            let before: Vec<f32> = (0..ROWS * STRIDE).map(|_| number(&mut seed)).collect();
            let others: Vec<f32> = (0..(ROWS + 3) * STRIDE).map(|_| number(&mut seed)).collect();
            let link = |op, apart| Link { op, rows: &others, apart };
            let all = [
                link(Pairwise::Mul, 0),
                link(Pairwise::Add, STRIDE),
                link(Pairwise::Max, STRIDE - 1),
                link(Pairwise::Min, STRIDE),
                link(Pairwise::Max, 0),
            ];
            for count in 0..=ROWS {
                for (n, start) in [Start::Set, Start::Add, Start::Continue].into_iter().enumerate() {
                    let own = n..n + count;
                    for columns in [COLUMNS, 16, 8, (7 * count + 5 * n + case) % (COLUMNS + 1)] {
                        for links in [None, Some(&all[..]), Some(&all[n..=n + 1])] {
                            let tile = Tile {
                                rows: &rows,
                                count: ROWS + 3,
                                own: own.clone(),
                                lines: &lines,
                                parts: &parts,
                                columns,
                                start,
                            };
                            let run = |isa: Option<Isa>| -> Vec<Vec<u32>> {
                                let mut sums = before.clone();
                                let mut made = vec![vec![7.0; columns]; count];
                                let mut to: Vec<&mut [f32]> = made.iter_mut().map(Vec::as_mut_slice).collect();
                                let finish = links.map(|links| Finish { links, to: &mut to });
                                let into = Sums { rows: &mut sums, stride: STRIDE };
                                let Some(isa) = isa else { return expected(&tile, &into, finish.as_ref()) };
                                kernel(isa)(&tile, into, finish);
                                if links.is_none() {
                                    made = sums.chunks(STRIDE).take(count).map(|row| row[..columns].to_vec()).collect();
                                }
                                let bits = |row: Vec<f32>| {
                                    row.into_iter().map(|x| if links.is_none() { canonical(x) } else { x }.to_bits())
                                };
                                made.into_iter().map(|row| bits(row).collect()).collect()
                            };
                            let wanted = run(None);
                            for isa in [Isa::Auto, Isa::Avx2, Isa::Portable] {
                                let links = links.map(<[_]>::len);
                                let what =
                                    format!("{isa:?}, {lens:?}, {count} x {columns}, {start:?}, {links:?} links");
                                assert_eq!(run(Some(isa)), wanted, "{what}");
                            }
                        }
                    }
                }
            }
        }
    }
}
