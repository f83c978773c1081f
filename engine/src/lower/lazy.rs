//! A tensor that need not exist: some definition's elements, addressed through factored axes.
//!
//! Each logical axis is a row-major list of factors (extent, stride). So transposing, reshaping, slicing and broadcasting change
//! numbers here and cost no value; only where no list of factors can say it does a copy have to be made.

use crate::program::limits::MAX_RANK;
use crate::program::{DType, product};

/// Number of a definition in its [`Builder`](super::builder::Builder).
pub(super) type DefId = usize;

/// One loop of an axis.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Factor {
    pub(super) extent: u64,
    pub(super) stride: i64,
}

/// A logical axis: row-major factors, none of extent 1; no factor at all is extent 1.
pub(super) type Axis = Vec<Factor>;

/// An axis of one factor.
pub(super) fn axis(extent: u64, stride: i64) -> Axis {
    if extent == 1 { Vec::new() } else { vec![Factor { extent, stride }] }
}

/// Number of coordinates of an axis.
pub(super) fn extent(axis: &[Factor]) -> u64 {
    axis.iter().map(|f| f.extent).product()
}

/// Row-major strides of a shape.
pub(super) fn row_major(dims: &[u64]) -> Vec<i64> {
    let mut strides = vec![0; dims.len()];
    let mut next: i64 = 1;
    for (s, &d) in strides.iter_mut().zip(dims).rev() {
        *s = next;
        next = next.saturating_mul(i64::try_from(d).unwrap_or(i64::MAX));
    }
    strides
}

/// Drops factors of extent 1 and merges neighbours that are one loop.
pub(super) fn merged(factors: impl IntoIterator<Item = Factor>) -> Axis {
    let mut out: Axis = Vec::new();
    for f in factors.into_iter().filter(|f| f.extent != 1) {
        match out.last_mut() {
            Some(outer) if i64::try_from(f.extent).ok().and_then(|n| n.checked_mul(f.stride)) == Some(outer.stride) => {
                *outer = Factor { extent: outer.extent.saturating_mul(f.extent), stride: f.stride };
            }
            _ => out.push(f),
        }
    }
    out
}

/// See the module's documentation.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Lazy {
    /// Whose elements.
    pub(super) def: DefId,
    pub(super) dtype: DType,
    /// Address of the element at the origin.
    pub(super) base: i64,
    pub(super) axes: Vec<Axis>,
}

impl Lazy {
    /// All of a definition in row-major order.
    pub(super) fn dense(def: DefId, dtype: DType, dims: &[u64]) -> Self {
        let axes = dims.iter().zip(row_major(dims)).map(|(&d, s)| axis(d, s)).collect();
        Self { def, dtype, base: 0, axes }
    }

    pub(super) fn dims(&self) -> Vec<u64> {
        self.axes.iter().map(|a| extent(a)).collect()
    }

    pub(super) fn rank(&self) -> usize {
        self.axes.len()
    }

    pub(super) fn elements(&self) -> u64 {
        product(&self.dims())
    }

    fn with(&self, axes: Vec<Axis>) -> Self {
        Self { axes, ..self.clone() }
    }

    /// The factors in logical order, merged across axes.
    pub(super) fn loops(&self) -> Axis {
        merged(self.axes.iter().flatten().copied())
    }

    /// Whether an instruction can read it: at most [`MAX_RANK`] loops.
    pub(super) fn readable(&self) -> bool {
        self.loops().len() <= MAX_RANK && self.rank() <= MAX_RANK
    }

    /// Whether all its elements are the definition's first ones in row-major order.
    pub(super) fn is_dense(&self) -> bool {
        self.base == 0 && (self.elements() == 0 || self.loops() == axis(self.elements(), 1))
    }

    /// The axes in another order.
    pub(super) fn permute(&self, order: &[usize]) -> Self {
        self.with(order.iter().map(|&a| self.axes[a].clone()).collect())
    }

    /// With an axis of extent 1 before axis `at`.
    pub(super) fn with_axis(&self, at: usize) -> Self {
        let mut axes = self.axes.clone();
        axes.insert(at, Axis::new());
        self.with(axes)
    }

    /// Numpy's broadcasting to `dims`, or `None` where the shape does not broadcast to it.
    pub(super) fn broadcast(&self, dims: &[u64]) -> Option<Self> {
        let lead = dims.len().checked_sub(self.rank())?;
        let mut axes: Vec<Axis> = dims[..lead].iter().map(|&d| axis(d, 0)).collect();
        for (a, &d) in self.axes.iter().zip(&dims[lead..]) {
            axes.push(match extent(a) {
                n if n == d => a.clone(),
                1 => axis(d, 0),
                _ => return None,
            });
        }
        Some(self.with(axes))
    }

    /// The same elements in another shape of as many; `None` where factors do not regroup to it.
    pub(super) fn reshape(&self, dims: &[u64]) -> Option<Self> {
        if self.elements() == 0 {
            return Some(self.with(dims.iter().map(|&d| axis(d, 0)).collect()));
        }
        let mut rest = self.loops();
        let mut axes = Vec::with_capacity(dims.len());
        for &d in dims.iter().rev() {
            let mut need = d;
            let mut factors = Vec::new();
            while need > 1 {
                let f = rest.pop()?;
                if need % f.extent == 0 {
                    need /= f.extent;
                    factors.push(f);
                } else if f.extent % need == 0 {
                    factors.push(Factor { extent: need, stride: f.stride });
                    let stride = f.stride.checked_mul(i64::try_from(need).ok()?)?;
                    rest.push(Factor { extent: f.extent / need, stride });
                    need = 1;
                } else {
                    return None;
                }
            }
            factors.reverse();
            axes.push(merged(factors));
        }
        axes.reverse();
        rest.is_empty().then(|| self.with(axes))
    }

    /// `len` coordinates of an axis from `start` on, `step` apart, all inside it; `None` where no list of factors says that.
    pub(super) fn slice(&self, at: usize, start: u64, step: i64, len: u64) -> Option<Self> {
        let old = &self.axes[at];
        let mut out = self.clone();
        if len == 0 {
            out.axes[at] = axis(0, 0);
        } else if len == 1 {
            out.base = out.base.checked_add(offset(old, start)?)?;
            out.axes[at] = Vec::new();
        } else if (start, step, len) != (0, 1, extent(old)) {
            let (outer, inner) = old.split_first()?;
            let block = extent(inner);
            let signed = i64::try_from(block).ok()?;
            if step % signed == 0 {
                out.base = out.base.checked_add(offset(old, start)?)?;
                out.axes[at] = axis(len, outer.stride.checked_mul(step / signed)?);
            } else if step == 1 && start.is_multiple_of(block) && len.is_multiple_of(block) {
                out.base = out.base.checked_add(offset(old, start)?)?;
                let first = Factor { extent: len / block, ..*outer };
                out.axes[at] = merged(std::iter::once(first).chain(inner.iter().copied()));
            } else {
                return None;
            }
        }
        Some(out)
    }

    /// One of its axes repeated `times` times, end to end.
    pub(super) fn tile(&self, at: usize, times: u64) -> Self {
        let mut out = self.clone();
        let outer = Factor { extent: times, stride: 0 };
        out.axes[at] = if extent(&self.axes[at]) == 0 || times == 0 {
            axis(0, 0)
        } else {
            merged(std::iter::once(outer).chain(self.axes[at].iter().copied()))
        };
        out
    }

    /// The addresses of its elements in row-major order.
    pub(super) fn addresses(&self) -> impl Iterator<Item = i64> + use<> {
        let loops = self.loops();
        let mut at = vec![0u64; loops.len()];
        let mut address = self.base;
        let total = self.elements();
        (0..total).map(move |_| {
            let now = address;
            for (c, f) in at.iter_mut().zip(&loops).rev() {
                *c += 1;
                address += f.stride;
                if *c < f.extent {
                    break;
                }
                address -= f.stride * (f.extent as i64);
                *c = 0;
            }
            now
        })
    }
}

/// Address offset of a coordinate of an axis.
fn offset(axis: &Axis, mut coordinate: u64) -> Option<i64> {
    let mut sum: i64 = 0;
    for f in axis.iter().rev() {
        let c = i64::try_from(coordinate % f.extent.max(1)).ok()?;
        sum = sum.checked_add(f.stride.checked_mul(c)?)?;
        coordinate /= f.extent.max(1);
    }
    Some(sum)
}

/// The coarsest list of extents that both row-major lists can be split into.
pub(super) fn refine(a: &[u64], b: &[u64]) -> Option<Vec<u64>> {
    if a.contains(&0) || b.contains(&0) {
        return (a.contains(&0) && b.contains(&0)).then(|| vec![0]);
    }
    let (mut a, mut b) = (a.to_vec(), b.to_vec());
    let mut parts = Vec::new();
    loop {
        while a.last() == Some(&1) {
            a.pop();
        }
        while b.last() == Some(&1) {
            b.pop();
        }
        match (a.last_mut(), b.last_mut()) {
            (None, None) => break,
            (Some(x), Some(y)) => {
                let part = *x.min(y);
                if *x % part != 0 || *y % part != 0 {
                    return None;
                }
                parts.push(part);
                *x /= part;
                *y /= part;
            }
            _ => return None,
        }
    }
    parts.reverse();
    Some(parts)
}

/// The strides of an axis over a refinement of its extents.
pub(super) fn strides(axis: &Axis, parts: &[u64]) -> Option<Vec<i64>> {
    let mut out = vec![0; parts.len()];
    let mut rest = axis.iter().rev().copied();
    let mut now: Option<Factor> = None;
    if parts.contains(&0) {
        return Some(out);
    }
    for (s, &part) in out.iter_mut().zip(parts).rev() {
        let f = match now.filter(|f| f.extent > 1) {
            Some(f) => f,
            None => rest.next()?,
        };
        if f.extent % part != 0 {
            return None;
        }
        *s = f.stride;
        now = Some(Factor { extent: f.extent / part, stride: f.stride.checked_mul(i64::try_from(part).ok()?)? });
    }
    Some(out)
}
