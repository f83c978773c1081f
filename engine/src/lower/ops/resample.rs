//! An axis whose every coordinate is made of some coordinates of the input, known when compiling.
//!
//! A view where each coordinate is repeated alike; runs that are joined where there are few; else a dot (of weights) or a fold (of the
//! one chosen) over a window that starts at a multiple of the output's block, with the same weights in each block. Where there is no
//! such period the window is the whole axis. Weights of zero take part in a dot: an element that is not finite reaches all outputs
//! whose window it is in.

use super::concat::picked;
use super::signal::LARGEST_TABLE;
use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::constant::from_registers;
use crate::lower::formula::Formula;
use crate::lower::lazy::{Factor, Lazy, axis, merged};
use crate::lower::spec::{Access, Bound, Read, Spec};
use crate::program::limits::DIM_LIMIT;
use crate::program::{Core, DType, FoldOp, TensorType};

/// Runs that are joined rather than chosen from a window.
const RUNS: usize = 6;
/// Outputs of a block.
const LONGEST_BLOCK: usize = 16;

/// What makes one coordinate.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Row {
    /// Coordinates and their weights; those beyond the axis are its first or last one.
    Taps(Vec<(i64, f64)>),
    /// A given value.
    Extrapolated,
}

impl Row {
    fn taps(&self) -> &[(i64, f64)] {
        if let Self::Taps(taps) = self { taps } else { &[] }
    }
}

/// Blocks of outputs: output `block * weights.len() + r` is made of the coordinates `block * step + low ..` with `weights[r]`.
struct Blocks {
    count: u64,
    step: i64,
    low: i64,
    weights: Vec<Vec<f32>>,
}

/// The tensor with axis `at` made of rows; without weights each row has one tap, and any type will do.
pub(super) fn resampled(
    b: &mut Builder<'_>,
    x: &Lazy,
    at: usize,
    rows: &[Row],
    weighted: bool,
    extrapolation: f32,
) -> Lowering<Lazy> {
    let size = i64::try_from(x.dims()[at]).map_err(|e| e.to_string())?;
    let extrapolated = rows.contains(&Row::Extrapolated);
    if extrapolated && x.dtype != DType::F32 {
        return Err(format!("extrapolation of {} is not supported", x.dtype));
    }
    if !weighted && !extrapolated {
        let chosen: Vec<u64> = rows.iter().flat_map(Row::taps).map(|t| t.0.clamp(0, size - 1).unsigned_abs()).collect();
        if let Some(y) = repeated(b, x, at, &chosen)? {
            return Ok(y);
        }
        let summable = x.dtype.is_number() || x.dtype == DType::Bool;
        let most = if summable { RUNS } else { usize::MAX };
        if let Some(y) = picked(b, x, at, &chosen, most)? {
            return Ok(y);
        }
    }
    let blocks = periodic(rows, size).map_or_else(|| whole(rows, size), Ok)?;
    let x = b.plain_axes(x.clone(), &[at])?;
    combined(b, &x, at, &blocks, weighted, extrapolated.then_some((rows, extrapolation)))
}

/// Each coordinate as often as the others: a view.
fn repeated(b: &mut Builder<'_>, x: &Lazy, at: usize, chosen: &[u64]) -> Lowering<Option<Lazy>> {
    let times = chosen.len() as u64 / x.dims()[at];
    if times == 0 || !chosen.iter().enumerate().all(|(o, &i)| o as u64 / times == i) {
        return Ok(None);
    }
    let again = |x: &Lazy| {
        let mut y = x.clone();
        let inner = Factor { extent: times, stride: 0 };
        y.axes[at] = merged(y.axes[at].iter().copied().chain([inner]));
        y
    };
    let y = again(x);
    Ok(Some(if y.readable() { y } else { again(&b.dense(x)?) }))
}

/// The shortest blocks of which each is the one before, moved.
fn periodic(rows: &[Row], size: i64) -> Option<Blocks> {
    let first = |r: &Row| r.taps().first().map(|t| t.0);
    let moved = |(a, b): (&Row, &Row), step: i64| {
        let (a, b) = (a.taps(), b.taps());
        // Weights as they will be, so that the last bits of f64 do not matter.
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 + step == b.0 && a.1 as f32 == b.1 as f32)
    };
    for length in (1..=LONGEST_BLOCK.min(rows.len() / 2)).filter(|n| rows.len().is_multiple_of(*n)) {
        let step = first(&rows[0]).zip(first(&rows[length])).map(|(a, b)| b - a)?;
        if !rows.iter().zip(&rows[length..]).all(|pair| moved(pair, step)) {
            continue;
        }
        let all = || rows[..length].iter().flat_map(Row::taps).map(|t| t.0);
        let (low, high) = (all().min()?, all().max()?);
        let width = usize::try_from(high - low + 1).ok()?;
        // Not worth it where the window is the axis anyway.
        if high - low + 1 >= size {
            return None;
        }
        let weights = rows[..length].iter().map(|r| {
            let mut weights = vec![0f32; width];
            r.taps().iter().for_each(|t| weights[(t.0 - low).unsigned_abs() as usize] = t.1 as f32);
            weights
        });
        return Some(Blocks { count: (rows.len() / length) as u64, step, low, weights: weights.collect() });
    }
    None
}

/// One block over the whole axis.
fn whole(rows: &[Row], size: i64) -> Lowering<Blocks> {
    let width = usize::try_from(size).map_err(|e| e.to_string())?;
    if (rows.len() as u64).saturating_mul(width as u64) > LARGEST_TABLE {
        return Err(format!("resampling an axis of {size} to {} without a period is not supported", rows.len()));
    }
    let weights = rows.iter().map(|r| {
        let mut weights = vec![0f64; width];
        r.taps().iter().for_each(|t| weights[t.0.clamp(0, size - 1).unsigned_abs() as usize] += t.1);
        weights.into_iter().map(|w| w as f32).collect()
    });
    Ok(Blocks { count: 1, step: 0, low: 0, weights: weights.collect() })
}

fn combined(
    b: &mut Builder<'_>,
    x: &Lazy,
    at: usize,
    blocks: &Blocks,
    weighted: bool,
    extrapolated: Option<(&[Row], f32)>,
) -> Lowering<Lazy> {
    let (length, width) = (blocks.weights.len() as u64, blocks.weights.first().map_or(0, Vec::len) as u64);
    let flat = blocks.weights.iter().flatten();
    let table = if weighted {
        let registers = flat.map(|w| i64::from(w.to_bits()));
        from_registers(&TensorType::new(DType::F32, vec![length, width]), registers)?
    } else {
        let registers = flat.map(|&w| i64::from(w != 0.0));
        from_registers(&TensorType::new(DType::Bool, vec![length, width]), registers)?
    };
    let table = b.constant(table);
    // Over the axes before, block, output of the block, the axes behind, tap.
    let mut extents = x.dims();
    extents.splice(at..=at, [blocks.count, length]);
    let mut over: Vec<_> = extents.iter().map(|&e| axis(e, 0)).collect();
    over[at + 1].clone_from(&table.axes[0]);
    over.push(table.axes[1].clone());
    let table = Read::plain(Lazy { axes: over, ..table });
    let window = window(x, at, blocks, width)?;

    let mut f = Formula::new(&extents);
    let mut result = f.core(x.dtype)?;
    if let Some((rows, value)) = extrapolated {
        let mask = rows.iter().map(|r| i64::from(*r == Row::Extrapolated));
        let mask = b.constant(from_registers(&TensorType::new(DType::Bool, vec![rows.len() as u64]), mask)?);
        let mut over: Vec<_> = extents.iter().map(|&e| axis(e, 0)).collect();
        over[at + 1].clone_from(&mask.axes[0]);
        let mask = f.read(Read::plain(Lazy { axes: over, ..mask }))?;
        let value = f.float(value)?;
        result = f.select(mask, value, result)?;
    }
    let (core, reads) = if weighted {
        (Core::Dot { a: 0, b: 1 }, vec![window, table])
    } else {
        let all: Vec<u64> = extents.iter().copied().chain([width]).collect();
        let mut inner = Formula::new(&all);
        let (element, chosen) = (inner.read(window)?, inner.read(table)?);
        let op = if x.dtype == DType::Bool { FoldOp::Or } else { FoldOp::Max };
        let none = inner.register(x.dtype, op.empty(x.dtype))?;
        let kept = inner.select(chosen, element, none)?;
        let (reads, body, _) = inner.finish(kept);
        (Core::Fold { op, body }, reads)
    };
    let mut y = b.reduce(Spec::reduction(vec![width], core, reads, f, result), x.dtype)?;
    let inner = y.axes.remove(at + 1);
    y.axes[at] = merged(y.axes[at].iter().chain(&inner).copied());
    Ok(y)
}

/// The input over the same axes; beyond its ends its first or last element.
fn window(x: &Lazy, at: usize, blocks: &Blocks, width: u64) -> Lowering<Read> {
    let too_far = "a window's address overflows";
    let size = i64::try_from(x.dims()[at]).map_err(|e| e.to_string())?;
    let stride = x.axes[at].first().map_or(0, |f| f.stride);
    let address = |coordinate: i64| stride.checked_mul(coordinate).and_then(|n| x.base.checked_add(n)).ok_or(too_far);
    let over = |base: i64, stride: i64| -> Lowering<Lazy> {
        let mut axes = x.axes.clone();
        let step = stride.checked_mul(blocks.step).ok_or(too_far)?;
        axes.splice(at..=at, [axis(blocks.count, step), axis(blocks.weights.len() as u64, 0)]);
        axes.push(axis(width, stride));
        Ok(Lazy { base, axes, ..x.clone() })
    };
    let tap = x.rank() + 1;
    let count = i64::try_from(blocks.count).map_err(|e| e.to_string())?;
    let width = i64::try_from(width).map_err(|e| e.to_string())?;
    let travelled = blocks.step.checked_mul(count - 1).ok_or(too_far)?;
    let (lowest, highest) = (blocks.low + travelled.min(0), blocks.low + travelled.max(0) + width - 1);
    let mut inside = Access::guarded(over(address(blocks.low)?, stride)?, Vec::new());
    let mut accesses = Vec::new();
    if lowest < 0 || highest >= size {
        let terms = vec![(at, blocks.step), (tap, 1)];
        inside.guards.push(Bound { limit: size.unsigned_abs(), base: blocks.low, terms });
    }
    accesses.push(inside);
    if lowest < 0 {
        // Below 0: -1 - coordinate is not negative.
        let terms = vec![(at, -blocks.step), (tap, -1)];
        let below = Bound { limit: DIM_LIMIT - 1, base: -1 - blocks.low, terms };
        accesses.push(Access::guarded(over(address(0)?, 0)?, vec![below]));
    }
    if highest >= size {
        accesses.push(Access::guarded(over(address(size - 1)?, 0)?, Vec::new()));
    }
    Ok(Read { fill: 0, accesses })
}
