//! Walking e axes: coordinates with their part of the flat index.

use super::read::Coordinates;
use crate::program::Instruction;
use std::borrow::Cow;
use std::ops::Range;

/// A point of some e axes, 0 on the others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) at: Coordinates,
    /// Its part of the element's flat index.
    pub(super) offset: usize,
}

impl Point {
    pub(super) const ORIGIN: Self = Self { at: [0; _], offset: 0 };
}

/// A point's coordinates over other axes: for each of them `axes` has that of the point.
pub(super) fn over(axes: &[usize], at: &Coordinates) -> Coordinates {
    let mut over = [0; _];
    axes.iter().enumerate().for_each(|(x, &axis)| over[x] = at[axis]);
    over
}

/// Row-major strides of an instruction's e axes.
pub(super) fn strides(i: &Instruction) -> Vec<usize> {
    let mut strides = vec![1; i.extents.len()];
    for x in (1..i.extents.len()).rev() {
        strides[x - 1] = strides[x] * i.extents[x] as usize; // the result is in memory, so this fits
    }
    strides
}

/// Where rows of a result begin.
#[derive(Clone, Debug)]
pub(super) struct Places {
    all: Vec<usize>,
    most: usize,
}

impl Places {
    pub(super) fn new(all: Vec<usize>) -> Self {
        Self { most: all.iter().copied().max().unwrap_or(0), all }
    }

    pub(super) fn get(&self, range: &Range<usize>) -> &[usize] {
        &self.all[range.clone()]
    }

    /// Bytes that these take.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&self.all[..])
    }

    /// The greatest.
    pub(super) fn most(&self) -> usize {
        self.most
    }
}

/// Keeps what a plan has if it takes no more than `left` bytes; it is made again where it is needed.
pub(super) fn keep<T>(kept: &mut Option<T>, bytes: impl Fn(&T) -> usize, left: &mut u64) {
    let bytes = kept.as_ref().map_or(0, bytes) as u64;
    match left.checked_sub(bytes) {
        Some(rest) => *left = rest,
        None => *kept = None,
    }
}

/// Most places that are kept.
const KEPT: usize = 1 << 20;

/// Every point over some e axes, row-major.
#[derive(Debug)]
pub(super) struct Grid {
    /// Axis, extent, stride.
    axes: Vec<(usize, usize, usize)>,
    len: usize,
}

impl Grid {
    /// The grid over `axes` of an instruction whose result is in memory.
    pub(super) fn new(i: &Instruction, axes: &[usize]) -> Self {
        Self::with_strides(i, axes, &strides(i))
    }

    /// The same with the strides of another result, by the instruction's axes.
    pub(super) fn with_strides(i: &Instruction, axes: &[usize], strides: &[usize]) -> Self {
        let axes: Vec<_> = axes.iter().map(|&x| (x, i.extents[x] as usize, strides[x])).collect();
        Self { len: axes.iter().map(|a| a.1).product(), axes }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The point numbered `n`, moved by `origin`, which is over other axes.
    pub(super) fn point(&self, n: usize, origin: &Point) -> Point {
        let (mut point, mut rest) = (*origin, n);
        for &(axis, extent, stride) in self.axes.iter().rev() {
            let c = rest % extent.max(1);
            rest /= extent.max(1);
            point.at[axis] = c as i64; // extents are below 2^40
            point.offset += c * stride;
        }
        point
    }

    /// Calls `f` with the coordinates and the place of each point numbered `range`, moved by `origin`, which is over other axes.
    pub(super) fn each(&self, range: Range<usize>, origin: &Point, mut f: impl FnMut(&Coordinates, usize)) {
        let mut next = self.point(range.start, origin);
        for _ in range {
            f(&next.at, next.offset);
            for &(axis, extent, stride) in self.axes.iter().rev() {
                next.at[axis] += 1;
                next.offset += stride;
                if (next.at[axis] as usize) < extent {
                    break;
                }
                next.at[axis] = 0;
                next.offset -= extent * stride;
            }
        }
    }

    /// The places of the points numbered `range`, moved by `origin`.
    pub(super) fn places(&self, range: Range<usize>, origin: &Point) -> Vec<usize> {
        let mut places = Vec::with_capacity(range.len());
        let Some(&(_, extent, stride)) = self.axes.last() else { return vec![origin.offset; range.len()] };
        let mut n = range.start;
        while n < range.end {
            let first = self.point(n, origin).offset;
            let count = (extent - n % extent).min(range.end - n);
            places.extend((0..count).map(|i| first + i * stride));
            n += count;
        }
        places
    }

    /// Coordinates of the points numbered `range`, moved by `origin`, [`over`] other axes, among which are all of these; the first one's where
    /// all are alike.
    pub(super) fn rows(&self, range: Range<usize>, origin: &Point, axes: &[usize], alike: bool) -> Vec<Coordinates> {
        let different = if alike { range.start..range.end.min(range.start + 1) } else { range };
        let place = |x: usize| axes.iter().position(|&axis| axis == x);
        let moved = self.axes.iter().filter_map(|&(x, extent, stride)| Some((place(x)?, extent, stride)));
        let grid = Self { axes: moved.collect(), len: self.len };
        debug_assert_eq!(grid.axes.len(), self.axes.len(), "an axis that is not there");
        let origin = Point { at: over(axes, &origin.at), offset: 0 };
        let mut at = Vec::with_capacity(different.len());
        grid.each(different, &origin, |point, _| at.push(*point));
        at
    }

    /// The points numbered `range`.
    pub(super) fn points(&self, range: Range<usize>) -> Vec<Point> {
        let mut points = Vec::with_capacity(range.len());
        self.each(range, &Point::ORIGIN, |at, offset| points.push(Point { at: *at, offset }));
        points
    }

    /// The places of all points, if these are not too many to be kept.
    pub(super) fn kept(&self) -> Option<Places> {
        (self.len <= KEPT).then(|| Places::new(self.places(0..self.len, &Point::ORIGIN)))
    }

    /// Where points are among those that are kept, or these points' own places.
    pub(super) fn kept_or<'k>(
        &self,
        kept: Option<&'k Places>,
        points: &Range<usize>,
    ) -> (Cow<'k, Places>, Range<usize>) {
        match kept {
            Some(kept) => (Cow::Borrowed(kept), points.clone()),
            None => (Cow::Owned(Places::new(self.places(points.clone(), &Point::ORIGIN))), 0..points.len()),
        }
    }

    /// Every point.
    pub(super) fn all(&self) -> Vec<Point> {
        self.points(0..self.len)
    }
}
