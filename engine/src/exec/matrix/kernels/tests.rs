//! Kernels against their definition.

use super::super::super::out::Out;
use super::super::super::points::Places;
use super::*;
use crate::arith::native::{self, canonical};
use crate::tensor::Tensor;
use ndarray::ArrayD;

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
        let mut chain = 0.0;
        for (n, parts) in tile.chains.iter().enumerate() {
            let so_far = chain;
            chain = if n == 0 && tile.start == Start::Continue { before } else { 0.0 };
            for part in parts.clone() {
                let [row] = tile.rows.of(part, tile.own.start + r);
                for (k, line) in tile.lines[tile.parts[part].clone()].iter().enumerate() {
                    // SAFETY: the rows have at least as many elements as their part.
                    let x = unsafe { *row.add(k) };
                    chain = native::fma(x, line.0[c], chain);
                }
            }
            if n > 0 {
                chain += so_far;
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
        Some(finish) => finish.to.len(),
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
        let a: Vec<Vec<f32>> = (0..lens.len() * (ROWS + 4))
            .map(|n| (0..lens[n / (ROWS + 4)] + n % 3).map(|_| number(&mut seed)).collect())
            .collect();
        let row = |row: usize| (0..lens.len()).map(|part| a[part * (ROWS + 4) + row].as_slice()).collect();
        let rows = Starts::of_rows(lens, &(0..ROWS + 4).map(row).collect::<Vec<_>>());
        let lines: Vec<Line> = (0..depth).map(|_| Line(std::array::from_fn(|_| number(&mut seed)))).collect();
        let before: Vec<f32> = (0..ROWS * STRIDE).map(|_| number(&mut seed)).collect();
        let others: Vec<f32> = (0..(ROWS + 4) * STRIDE).map(|_| number(&mut seed)).collect();
        let link = |op, apart| Link { op, rows: &others, apart };
        let all = [
            link(Pairwise::Mul, 0),
            link(Pairwise::Add, STRIDE),
            link(Pairwise::Max, STRIDE - 1),
            link(Pairwise::Min, STRIDE),
            link(Pairwise::Max, 0),
        ];
        let one = 0..lens.len();
        let each: Vec<Range<usize>> = (0..lens.len().max(1)).map(|n| n..lens.len().min(n + 1)).collect();
        let ways = [(Start::Set, 1), (Start::Add, 1), (Start::Continue, 1), (Start::Set, each.len())];
        for count in 0..=ROWS {
            for (n, (start, chains)) in ways.into_iter().enumerate() {
                let chains = if chains == 1 { std::slice::from_ref(&one) } else { &each[..] };
                let own = n..n + count;
                for columns in [COLUMNS, 16, 8, (7 * count + 5 * n + case) % (COLUMNS + 1)] {
                    for links in [None, Some(&all[..]), Some(&all[n..(n + 2).min(all.len())])] {
                        let tile = Tile {
                            rows: &rows,
                            chains,
                            own: own.clone(),
                            lines: &lines,
                            parts: &parts,
                            columns,
                            start,
                            ahead: Ahead::of(n + 1, &lines, 0..depth),
                        };
                        let run = |isa: Option<Isa>| -> Vec<Vec<u32>> {
                            let mut sums = before.clone();
                            let mut made = Tensor::F32(ArrayD::from_elem(vec![ROWS + 4, columns], 7.0));
                            let begin = Places::new((0..ROWS + 4).map(|row| row * columns).collect());
                            let out = Out::new(&mut made, Isa::Auto.level());
                            // SAFETY: nobody else has its elements.
                            let to = unsafe { out.rows((&begin, &(0..ROWS + 4)), 0, columns) };
                            let finish = links.map(|links| Finish { links, to: &to });
                            let mut into = Sums { rows: &mut sums, stride: STRIDE };
                            let Some(isa) = isa else { return expected(&tile, &into, finish.as_ref()) };
                            kernel(isa)(&tile, &mut into, finish.as_ref());
                            let Tensor::F32(made) = made else { return vec![] };
                            let made = made.as_slice().unwrap_or_default();
                            let (from, stride) = if links.is_none() {
                                (&sums[..], STRIDE)
                            } else {
                                (&made[own.start * columns..], columns)
                            };
                            let row = |r: usize| -> Vec<u32> {
                                let row = &from[r * stride..][..columns];
                                let bits = |&x: &f32| if links.is_none() { canonical(x) } else { x }.to_bits();
                                row.iter().map(bits).collect()
                            };
                            (0..count).map(row).collect()
                        };
                        let wanted = run(None);
                        for isa in [Isa::Auto, Isa::Avx2, Isa::Portable] {
                            let links = links.map(<[_]>::len);
                            let what = format!("{isa:?}, {lens:?}, {count} x {columns}, {start:?}, {links:?} links");
                            assert_eq!(run(Some(isa)), wanted, "{what}");
                        }
                    }
                }
            }
        }
    }
}
