//! Blocks of registers: f32 as themselves, every other type as i64. Their memory is used again by the same thread.

use super::matrix::Line;
use crate::program::DType;
use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// Buffers that a thread keeps for the next block, and bytes of one.
const KEPT: usize = 64;
const KEPT_BYTES: usize = 1 << 20;

/// An element type that blocks are made of.
pub(super) trait Lane: Copy + Default + 'static {
    fn kept<R>(f: impl FnOnce(&mut Vec<Vec<Self>>) -> R) -> R;
}

macro_rules! lane {
    ($type:ty) => {
        impl Lane for $type {
            fn kept<R>(f: impl FnOnce(&mut Vec<Vec<Self>>) -> R) -> R {
                thread_local!(static KEPT: RefCell<Vec<Vec<$type>>> = const { RefCell::new(Vec::new()) });
                KEPT.with_borrow_mut(f)
            }
        }
    };
}

lane!(f32);
lane!(i64);
lane!([f32; 2]);
lane!(Line);

/// A vector whose memory came from an earlier one and goes to a later one. It begins at a cache line, as vectors that cross lines cost twice.
#[derive(Debug)]
pub(super) struct Buffer<T: Lane> {
    memory: Vec<T>,
    start: usize,
    len: usize,
}

/// Bytes of a cache line.
const LINE: usize = 64;

impl<T: Lane> Buffer<T> {
    /// `len` elements of any value.
    pub(super) fn new(len: usize) -> Self {
        let mut memory = T::kept(Vec::pop).unwrap_or_default();
        let room = len + LINE / size_of::<T>();
        if memory.len() < room {
            memory = vec![T::default(); room];
        }
        // Elements that fill no line evenly begin where the memory does.
        let start = Some(memory.as_ptr().align_offset(LINE)).filter(|&start| start + len <= memory.len()).unwrap_or(0);
        Self { memory, start, len }
    }
}

impl<T: Lane> Default for Buffer<T> {
    fn default() -> Self {
        Self { memory: Vec::new(), start: 0, len: 0 }
    }
}

impl<T: Lane> Drop for Buffer<T> {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        T::kept(|kept| {
            if !memory.is_empty() && kept.len() < KEPT && memory.len() * size_of::<T>() <= KEPT_BYTES {
                kept.push(memory);
            }
        });
    }
}

impl<T: Lane> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.memory[self.start..self.start + self.len]
    }
}

impl<T: Lane> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.memory[self.start..self.start + self.len]
    }
}

impl<T: Lane> Clone for Buffer<T> {
    fn clone(&self) -> Self {
        let mut copy = Self::new(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

/// Registers of one node over a block of elements.
#[derive(Clone, Debug)]
pub(super) enum Lanes<'a> {
    F32(Buffer<f32>),
    /// Where they lie in an operand.
    Operand(&'a [f32]),
    /// Rows where they lie, each so far after the one before; only where a tile or the result takes them.
    Apart(&'a [f32], usize),
    Int(Buffer<i64>),
    /// One row, the same for all rows of the block.
    Row(Buffer<f32>),
    /// One float for each row; only where a tile takes them.
    Column(Buffer<f32>),
    /// One register for all elements.
    Same(i64),
}

/// The lanes of an argument.
#[derive(Clone, Copy)]
pub(super) enum Each<'a, T> {
    Own(&'a [T]),
    Row(&'a [T]),
    Same(T),
}

impl<'a, T: Copy> Each<'a, T> {
    /// The lanes of row `n`, which has `len` elements.
    #[inline(always)]
    fn row(&self, n: usize, len: usize) -> Self {
        match *self {
            Self::Own(x) => Self::Own(&x[n * len..][..len]),
            Self::Row(x) => Self::Own(x),
            Self::Same(x) => Self::Same(x),
        }
    }

    /// The lane of element `i`.
    #[inline(always)]
    pub(super) fn at(&self, i: usize) -> T {
        match self {
            Self::Own(x) => x[i],
            Self::Row(x) => x[i % x.len()],
            Self::Same(x) => *x,
        }
    }
}

impl Lanes<'_> {
    /// A buffer of the same register `n` times.
    pub(super) fn splat(dtype: DType, register: i64, n: usize) -> Self {
        match dtype {
            DType::F32 => {
                let mut buffer = Buffer::new(n);
                buffer.fill(f32_of(register));
                Self::F32(buffer)
            }
            _ => {
                let mut buffer = Buffer::new(n);
                buffer.fill(register);
                Self::Int(buffer)
            }
        }
    }

    /// With a buffer of its own for every element.
    pub(super) fn spread(self, dtype: DType, n: usize) -> Lanes<'static> {
        match self {
            Self::F32(x) => Lanes::F32(x),
            Self::Int(x) => Lanes::Int(x),
            Self::Same(register) => Lanes::splat(dtype, register, n),
            Self::Row(row) => {
                let mut buffer = Buffer::new(n);
                buffer.chunks_exact_mut(row.len().max(1)).for_each(|to| to.copy_from_slice(&row));
                Lanes::F32(buffer)
            }
            Self::Operand(x) | Self::Apart(x, _) => {
                let mut buffer = Buffer::new(n);
                buffer.copy_from_slice(x);
                Lanes::F32(buffer)
            }
            Self::Column(x) => {
                let len = n / x.len().max(1);
                let mut buffer = Buffer::new(n);
                buffer.chunks_exact_mut(len.max(1)).zip(x.iter()).for_each(|(to, &x)| to.fill(x));
                Lanes::F32(buffer)
            }
        }
    }

    /// Rows that lie apart copied to lie together: `n` elements in rows of `len`.
    pub(super) fn together(self, n: usize, len: usize) -> Self {
        let Self::Apart(rows, apart) = self else { return self };
        if rows.len() == n {
            return Self::Operand(rows);
        }
        let mut buffer = Buffer::new(n);
        let from = rows.chunks(apart.max(1));
        buffer.chunks_exact_mut(len.max(1)).zip(from).for_each(|(to, from)| to.copy_from_slice(&from[..len]));
        Self::F32(buffer)
    }

    /// Rows of `len` floats, and how far one is after the one before; none where rows have none of their own, and for integers.
    pub(super) fn rows(&self, len: usize) -> (&[f32], usize) {
        match self {
            Self::F32(x) => (x, len),
            Self::Operand(x) => (x, len),
            Self::Apart(x, apart) => (x, *apart),
            Self::Row(_) | Self::Column(_) | Self::Same(_) | Self::Int(_) => (&[], len),
        }
    }

    /// The f32 lanes; none for columns, and for integers, which a validated program never confuses.
    pub(super) fn f32(&self) -> Each<'_, f32> {
        match self {
            Self::F32(x) => Each::Own(x),
            Self::Operand(x) | Self::Apart(x, _) => Each::Own(x),
            Self::Row(x) => Each::Row(x),
            Self::Same(register) => Each::Same(f32_of(*register)),
            Self::Int(_) | Self::Column(_) => Each::Own(&[]),
        }
    }

    /// The integer lanes; none for f32.
    pub(super) fn int(&self) -> Each<'_, i64> {
        match self {
            Self::Int(x) => Each::Own(x),
            Self::Same(register) => Each::Same(*register),
            Self::F32(_) | Self::Operand(_) | Self::Apart(..) | Self::Row(_) | Self::Column(_) => Each::Own(&[]),
        }
    }
}

/// The float in an f32 register.
pub(super) fn f32_of(register: i64) -> f32 {
    f32::from_bits((register & 0xffff_ffff) as u32)
}

/// `f(a[i])` for each of `n` elements.
#[inline(always)]
pub(super) fn map1<A: Lane, R: Lane>(n: usize, a: Each<'_, A>, f: impl Fn(A) -> R) -> Buffer<R> {
    let mut out = Buffer::new(n);
    fill1(&mut out, a, f);
    out
}

/// `out[i] = f(a[i])`.
#[inline(always)]
pub(super) fn fill1<A: Lane, R: Lane>(out: &mut [R], a: Each<'_, A>, f: impl Fn(A) -> R) {
    match a {
        Each::Own(a) => out.iter_mut().zip(a).for_each(|(out, &a)| *out = f(a)),
        Each::Row(a) => {
            for out in out.chunks_exact_mut(a.len().max(1)) {
                out.iter_mut().zip(a).for_each(|(out, &a)| *out = f(a));
            }
        }
        Each::Same(a) => out.fill(f(a)),
    }
}

/// `f(a[i], b[i])` for each of `n` elements.
#[inline(always)]
pub(super) fn map2<A: Lane, B: Lane, R: Lane>(
    n: usize,
    a: Each<'_, A>,
    b: Each<'_, B>,
    f: impl Fn(A, B) -> R,
) -> Buffer<R> {
    let mut out = Buffer::new(n);
    fill2(&mut out, a, b, f);
    out
}

/// `out[i] = f(a[i], b[i])`.
#[inline(always)]
pub(super) fn fill2<A: Lane, B: Lane, R: Lane>(out: &mut [R], a: Each<'_, A>, b: Each<'_, B>, f: impl Fn(A, B) -> R) {
    let row = match (&a, &b) {
        (Each::Row(row), _) => row.len(),
        (_, Each::Row(row)) => row.len(),
        _ => out.len(),
    };
    for (n, out) in out.chunks_exact_mut(row.max(1)).enumerate() {
        match (a.row(n, row), b.row(n, row)) {
            (Each::Own(a), Each::Own(b)) => pair(out, a, b, &f),
            (Each::Own(a), Each::Same(b)) => left(out, a, b, &f),
            (Each::Same(a), Each::Own(b)) => right(out, a, b, &f),
            (Each::Same(a), Each::Same(b)) => out.fill(f(a, b)),
            // A row's lanes are its own.
            _ => {}
        }
    }
}

// By themselves, as the compiler gives loops in closures no vectors of the caller's width.
#[inline(always)]
fn pair<A: Lane, B: Lane, R: Lane>(out: &mut [R], a: &[A], b: &[B], f: &impl Fn(A, B) -> R) {
    out.iter_mut().zip(a.iter().zip(b)).for_each(|(out, (&a, &b))| *out = f(a, b));
}

#[inline(always)]
fn left<A: Lane, B: Lane, R: Lane>(out: &mut [R], a: &[A], b: B, f: &impl Fn(A, B) -> R) {
    out.iter_mut().zip(a).for_each(|(out, &a)| *out = f(a, b));
}

#[inline(always)]
fn right<A: Lane, B: Lane, R: Lane>(out: &mut [R], a: A, b: &[B], f: &impl Fn(A, B) -> R) {
    out.iter_mut().zip(b).for_each(|(out, &b)| *out = f(a, b));
}
