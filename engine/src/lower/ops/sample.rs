//! Samples between elements: along each axis a few neighbours of a coordinate, their weights, and a dot over the corners they make.
//!
//! Coordinates are f32 tensors, in elements of the axis. Of each an instruction makes the numbers of the neighbours, another their
//! weights; all else is the same for all channels. A neighbour that does not exist has a number that no index may have, and reads 0.
//! A coordinate that is not a number has no neighbours in an axis with zeros beyond it, and else reads the first; its weights are no
//! numbers.

use crate::lower::Lowering;
use crate::lower::builder::Builder;
use crate::lower::formula::Formula;
use crate::lower::lazy::{Lazy, axis};
use crate::lower::mul;
use crate::lower::spec::{Access, Index, Read, Spec};
use crate::program::{Core, DType, NodeId, Op};

/// From here on f32 does not tell neighbours apart.
const LONGEST_AXIS: u64 = 1 << 24;

/// What is beyond the ends of an axis.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Beyond {
    Zeros,
    /// The first and the last element.
    Ends,
    /// The axis again and again, reflected at `low` and `high`.
    Mirrored {
        low: f32,
        high: f32,
    },
}

/// Which neighbours count, and how much.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Kernel {
    /// The one at the coordinate, which is an integer.
    One,
    Linear,
    /// Keys' convolution with -3/4.
    Cubic,
}

impl Kernel {
    pub(super) fn taps(self) -> u64 {
        match self {
            Self::One => 1,
            Self::Linear => 2,
            Self::Cubic => 4,
        }
    }

    /// The first neighbour, from that at or before the coordinate.
    fn first(self) -> f32 {
        if self == Self::Cubic { -1.0 } else { 0.0 }
    }
}

/// The greatest index of an axis.
pub(super) fn last(size: u64) -> Lowering<f32> {
    match size {
        0 => Err("an axis without elements is not supported".into()),
        1..LONGEST_AXIS => Ok((size - 1) as f32), // exact
        _ => Err(format!("an axis of {size}, at most {LONGEST_AXIS} are supported")),
    }
}

/// A coordinate so far beyond an axis that no neighbour is in it.
pub(super) const OUTSIDE: f32 = -3.0;

/// The coordinate, or one near the axis that is as far beyond it as matters where there are zeros.
pub(super) fn near(f: &mut Formula, x: NodeId, last: f32) -> Lowering<NodeId> {
    clamped(f, x, OUTSIDE, last - OUTSIDE)
}

pub(super) fn clamped(f: &mut Formula, x: NodeId, low: f32, high: f32) -> Lowering<NodeId> {
    let (low, high) = (f.float(low)?, f.float(high)?);
    let x = f.op(Op::Min, &[x, high])?;
    f.op(Op::Max, &[x, low])
}

/// Whether a number is below `low` or above `high`.
pub(super) fn outside(f: &mut Formula, x: NodeId, low: f32, high: f32) -> Lowering<NodeId> {
    let (low, high) = (f.float(low)?, f.float(high)?);
    let (below, above) = (f.op(Op::Lt, &[x, low])?, f.op(Op::Gt, &[x, high])?);
    f.op(Op::Or, &[below, above])
}

/// The place between `low` and `high` that a number beyond them is the image of.
pub(super) fn mirrored(f: &mut Formula, x: NodeId, low: f32, high: f32) -> Lowering<NodeId> {
    let (start, period) = (f.float(low)?, 2.0 * (high - low));
    if period == 0.0 {
        // 0, the only place, but for what is no number.
        return f.op(Op::Sub, &[x, x]);
    }
    let period = f.float(period)?;
    let distance = f.op(Op::Sub, &[x, start])?;
    let distance = f.op(Op::Abs, &[distance])?;
    let there = f.op(Op::Rem, &[distance, period])?;
    let back = f.op(Op::Sub, &[period, there])?;
    let nearer = f.op(Op::Min, &[there, back])?;
    let image = f.op(Op::Add, &[nearer, start])?;
    let moved = outside(f, x, low, high)?;
    f.select(moved, image, x)
}

/// A coordinate and the number of a neighbour of it, over coordinates and neighbours.
fn coordinate(b: &mut Builder<'_>, at: &Lazy, kernel: Kernel) -> Lowering<(Formula, NodeId, NodeId)> {
    let n = at.elements();
    let flat = b.reshape(at, &[n])?;
    let dims = [n, kernel.taps()];
    let mut f = Formula::new(&dims);
    let x = f.read(Read::plain(placed(&flat, &dims, &[0])))?;
    let tap = f.iota(1)?;
    let (tap, first) = (f.cast(DType::F32, tap)?, f.float(kernel.first())?);
    let tap = f.op(Op::Add, &[tap, first])?;
    Ok((f, x, tap))
}

fn with_taps(b: &mut Builder<'_>, at: &Lazy, kernel: Kernel, f: Formula, result: NodeId) -> Lowering<Lazy> {
    let flat = b.map(f, result)?;
    let mut dims = at.dims();
    dims.push(kernel.taps());
    // Not `Builder::reshape`: more axes than can be read may be merged before they are.
    flat.reshape(&dims).ok_or_else(|| "its coordinates have no order".into())
}

/// The numbers of each coordinate's neighbours on an axis of `size`, which comes last.
pub(super) fn neighbours(b: &mut Builder<'_>, at: &Lazy, size: u64, kernel: Kernel, beyond: Beyond) -> Lowering<Lazy> {
    let last = last(size)?;
    let (mut f, x, tap) = coordinate(b, at, kernel)?;
    let low = f.op(Op::Floor, &[x])?;
    let number = f.op(Op::Add, &[low, tap])?;
    let result = match beyond {
        Beyond::Zeros => {
            let (zero, end) = (f.float(0.0)?, f.float(last)?);
            let (from, to) = (f.op(Op::Ge, &[number, zero])?, f.op(Op::Le, &[number, end])?);
            let inside = f.op(Op::And, &[from, to])?;
            let none = f.register(DType::I64, i64::try_from(size).map_err(|e| e.to_string())?)?;
            let index = f.cast(DType::I64, number)?;
            f.select(inside, index, none)?
        }
        Beyond::Ends => {
            let number = clamped(&mut f, number, 0.0, last)?;
            f.cast(DType::I64, number)?
        }
        Beyond::Mirrored { low, high } => {
            let number = mirrored(&mut f, number, low, high)?;
            f.cast(DType::I64, number)?
        }
    };
    with_taps(b, at, kernel, f, result)
}

/// The weights of each coordinate's neighbours, which come last.
pub(super) fn weights(b: &mut Builder<'_>, at: &Lazy, kernel: Kernel) -> Lowering<Lazy> {
    let (mut f, x, tap) = coordinate(b, at, kernel)?;
    let low = f.op(Op::Floor, &[x])?;
    let part = f.op(Op::Sub, &[x, low])?;
    let one = f.float(1.0)?;
    let result = match kernel {
        Kernel::One => one,
        Kernel::Linear => {
            let zero = f.float(0.0)?;
            let first = f.op(Op::Eq, &[tap, zero])?;
            let rest = f.op(Op::Sub, &[one, part])?;
            f.select(first, rest, part)?
        }
        Kernel::Cubic => {
            let distance = f.op(Op::Sub, &[part, tap])?;
            let d = f.op(Op::Abs, &[distance])?;
            // 5/4 d^3 - 9/4 d^2 + 1 up to 1, then -3/4 d^3 + 15/4 d^2 - 6 d + 3.
            let inner = polynomial(&mut f, d, &[1.25, -2.25, 0.0, 1.0])?;
            let outer = polynomial(&mut f, d, &[-0.75, 3.75, -6.0, 3.0])?;
            let near = f.op(Op::Le, &[d, one])?;
            f.select(near, inner, outer)?
        }
    };
    with_taps(b, at, kernel, f, result)
}

/// By Horner's rule, the coefficient of the highest power first.
fn polynomial(f: &mut Formula, x: NodeId, coefficients: &[f32]) -> Lowering<NodeId> {
    let mut sum = f.float(coefficients[0])?;
    for &c in &coefficients[1..] {
        let c = f.float(c)?;
        sum = f.op(Op::Fma, &[sum, x, c])?;
    }
    Ok(sum)
}

/// A tensor whose axes are those of `dims` at `at`, repeated along the others.
pub(super) fn placed(t: &Lazy, dims: &[u64], at: &[usize]) -> Lazy {
    let mut axes: Vec<_> = dims.iter().map(|&d| axis(d, 0)).collect();
    for (own, &at) in t.axes.iter().zip(at) {
        axes[at].clone_from(own);
    }
    Lazy { axes, ..t.clone() }
}

/// The product of tensors, each already over `dims`.
pub(super) fn product(b: &mut Builder<'_>, dims: &[u64], factors: Vec<Lazy>) -> Lowering<Lazy> {
    mul(dims)?;
    let mut f = Formula::new(dims);
    let mut result = None;
    for factor in factors {
        let factor = f.read(Read::plain(factor))?;
        result = Some(match result {
            Some(before) => f.op(Op::Mul, &[before, factor])?,
            None => factor,
        });
    }
    let result = result.ok_or("a product of nothing")?;
    b.map(f, result)
}

/// The elements that indices name: `x`, over some axes, is where all of them are 0.
pub(super) fn read(x: Lazy, indices: Vec<Index>) -> Read {
    Read { fill: 0, accesses: vec![Access { indices, ..Access::guarded(x, Vec::new()) }] }
}

/// The sum over the last `taps.len()` axes of elements times weights, all over `dims`.
pub(super) fn weighted(
    b: &mut Builder<'_>,
    dims: &[u64],
    taps: usize,
    elements: Read,
    weights: Lazy,
    epilogue: impl FnOnce(&Builder<'_>, &mut Formula, NodeId) -> Lowering<NodeId>,
) -> Lowering<Lazy> {
    if elements.dtype() != DType::F32 {
        return Err(format!("interpolation of {} is not supported, only of f32", elements.dtype()));
    }
    let (extents, reduction) = dims.split_at(dims.len() - taps);
    mul(extents)?;
    let mut f = Formula::new(extents);
    let core = f.core(DType::F32)?;
    let result = epilogue(b, &mut f, core)?;
    let reads = vec![elements, Read::plain(weights)];
    b.reduce(Spec::reduction(reduction.to_vec(), Core::Dot { a: 0, b: 1 }, reads, f, result), DType::F32)
}
