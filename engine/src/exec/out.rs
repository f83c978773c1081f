//! A result that several threads write, each its own elements.
//!
//! `unsafe` is for writing through a shared pointer: no two threads are given the same element.
#![allow(unsafe_code)]

use super::lanes::{Each, Lane, Lanes};
use super::points::Places;
use crate::arith::native::canonical;
use crate::arith::{Level, for_each_level};
use crate::program::DType;
use crate::tensor::Tensor;
use std::marker::PhantomData;
use std::ops::Range;

/// Elements that are made at once where they are written apart.
const TOGETHER: usize = 16;

/// The elements of a tensor in row-major order.
pub(super) struct Out<'a> {
    start: *mut u8,
    len: usize,
    dtype: DType,
    level: Level,
    tensor: PhantomData<&'a mut Tensor>,
}

// SAFETY: it stands for a `&mut Tensor` whose elements are plain numbers, and `store` asks its callers to keep apart.
unsafe impl Sync for Out<'_> {}

/// Where rows of a block go: element `i` of a row to `from + start + i * stride`.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub(super) len: usize,
    pub(super) stride: usize,
}

/// Rows of a result of floats, to be written.
pub(super) struct Rows<'a> {
    to: *mut f32,
    starts: &'a [usize],
    len: usize,
}

impl Rows<'_> {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.starts.len()
    }

    /// Elements of each.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Where a row begins.
    #[inline(always)]
    pub(super) fn start(&self, row: usize) -> *mut f32 {
        self.to.wrapping_add(self.starts[row])
    }

    /// Where some rows begin, from the first one's number on.
    #[inline(always)]
    pub(super) fn starts<const R: usize>(&self, first: usize) -> [*mut f32; R] {
        let mut to = [self.to; R];
        to.iter_mut().zip(&self.starts[first..first + R]).for_each(|(to, &start)| *to = to.wrapping_add(start));
        to
    }
}

impl<'a> Out<'a> {
    pub(super) fn new(tensor: &'a mut Tensor, level: Level) -> Self {
        let (dtype, len) = (tensor.dtype(), tensor.len());
        let start = match tensor {
            Tensor::F32(a) => a.as_mut_ptr().cast(),
            Tensor::U8(a) | Tensor::Bool(a) => a.as_mut_ptr(),
            Tensor::I8(a) => a.as_mut_ptr().cast(),
            Tensor::U16(a) | Tensor::F16(a) | Tensor::BF16(a) => a.as_mut_ptr().cast(),
            Tensor::I16(a) => a.as_mut_ptr().cast(),
            Tensor::I32(a) => a.as_mut_ptr().cast(),
            Tensor::I64(a) => a.as_mut_ptr().cast(),
        };
        Self { start, len, dtype, level, tensor: PhantomData }
    }

    /// A result of floats from element `start` on, or any from its first.
    ///
    /// # Panics
    /// When there is no such element.
    pub(super) fn from(self, start: usize) -> Self {
        assert!(start == 0 || (self.dtype == DType::F32 && start < self.len), "elements outside the result");
        Self { start: self.start.wrapping_add(start * size_of::<f32>()), len: self.len - start, ..self }
    }

    /// Writes rows of lanes; NaNs become canonical, narrower integers hold their registers exactly.
    ///
    /// # Safety
    /// No other thread writes any of these elements.
    pub(super) unsafe fn store(&self, starts: &[usize], from: usize, layout: Layout, lanes: &Lanes<'_>) {
        store_at(self.level, self, starts, from, layout, lanes);
    }

    /// Whether its elements are floats.
    pub(super) fn is_float(&self) -> bool {
        self.dtype == DType::F32
    }

    /// The instructions that it is written with.
    pub(super) fn level(&self) -> Level {
        self.level
    }

    /// Elements of a result of floats.
    ///
    /// # Safety
    /// No other thread has any of these elements, and they are given back before they are asked for again.
    ///
    /// # Panics
    /// When the result is not of floats or there are not as many.
    #[allow(clippy::mut_from_ref)]
    pub(super) unsafe fn floats(&self, start: usize, len: usize) -> &mut [f32] {
        assert!(
            self.dtype == DType::F32 && start <= self.len && len <= self.len - start,
            "elements outside the result"
        );
        // SAFETY: they lie in the tensor, and nobody else has them.
        unsafe { std::slice::from_raw_parts_mut(self.start.cast::<f32>().add(start), len) }
    }

    /// Rows of floats, each `len` long and `from` behind its place.
    ///
    /// # Safety
    /// No other thread has any of these elements while the rows are there.
    ///
    /// # Panics
    /// When the result is not of floats or they are not all in it.
    pub(super) unsafe fn rows<'b>(
        &'b self,
        (places, range): (&'b Places, &Range<usize>),
        from: usize,
        len: usize,
    ) -> Rows<'b> {
        let starts = places.get(range);
        // Seldom are these rows inside where not all are.
        if places.most() + from + len > self.len {
            // SAFETY: the caller's.
            return unsafe { self.rows_at(starts, from, len) };
        }
        assert!(self.dtype == DType::F32, "elements outside the result");
        Rows { to: self.start.cast::<f32>().wrapping_add(from), starts, len }
    }

    /// The same of rows that begin at `starts`.
    ///
    /// # Safety
    /// As for [`rows`](Self::rows).
    ///
    /// # Panics
    /// As for [`rows`](Self::rows).
    pub(super) unsafe fn rows_at<'b>(&'b self, starts: &'b [usize], from: usize, len: usize) -> Rows<'b> {
        let end = |most: &usize| most.checked_add(from)?.checked_add(len);
        let inside = starts.iter().max().is_none_or(|most| end(most).is_some_and(|end| end <= self.len));
        assert!(self.dtype == DType::F32 && inside, "elements outside the result");
        Rows { to: self.start.cast::<f32>().wrapping_add(from), starts, len }
    }

    /// Writes rows of floats, each `apart` from the one before: for each move the element that it has second to as far behind the row's start
    /// as it has first. NaNs become canonical.
    ///
    /// # Safety
    /// No other thread writes any of these elements.
    ///
    /// # Panics
    /// When the result is not of floats.
    pub(super) unsafe fn scatter(&self, starts: &[usize], moves: &[(usize, usize)], from: &[f32], apart: usize) {
        assert_eq!(self.dtype, DType::F32);
        let Some(farthest) = moves.iter().map(|m| m.0).max() else { return };
        for (n, &start) in starts.iter().enumerate() {
            assert!(start + farthest < self.len, "an element outside the result");
            // SAFETY: the row begins in the tensor.
            let to = unsafe { self.start.cast::<f32>().add(start) };
            let from = &from[n * apart..];
            for &(offset, n) in moves {
                // SAFETY: no offset reaches beyond the farthest, which lies in the tensor.
                unsafe { to.add(offset).write(canonical(from[n])) };
            }
        }
    }

    #[inline(always)]
    unsafe fn put<T: Copy, U: Lane>(
        &self,
        (starts, origin): (&[usize], usize),
        Layout { len, stride }: Layout,
        from: Each<'_, U>,
        f: impl Fn(U) -> T,
    ) {
        if len == 0 {
            return;
        }
        for (n, &start) in starts.iter().enumerate() {
            let start = origin + start;
            assert!(start + (len - 1) * stride < self.len, "an element outside the result");
            // SAFETY: the last element of the row lies in the tensor.
            let to = unsafe { self.start.cast::<T>().add(start) };
            match from {
                Each::Own(from) if stride == 1 => {
                    // SAFETY: the row lies in the tensor, and nobody else holds it.
                    let to = unsafe { std::slice::from_raw_parts_mut(to, len) };
                    to.iter_mut().zip(&from[n * len..(n + 1) * len]).for_each(|(to, &x)| *to = f(x));
                }
                Each::Own(from) => {
                    let (whole, rest) = from[n * len..(n + 1) * len].as_chunks::<TOGETHER>();
                    for (i, from) in whole.iter().enumerate() {
                        // Made side by side before they go apart.
                        let made: [T; TOGETHER] = std::array::from_fn(|n| f(from[n]));
                        for (n, &x) in made.iter().enumerate() {
                            // SAFETY: as above.
                            unsafe { to.add((i * TOGETHER + n) * stride).write(x) };
                        }
                    }
                    for (i, &x) in rest.iter().enumerate() {
                        // SAFETY: as above.
                        unsafe { to.add((whole.len() * TOGETHER + i) * stride).write(f(x)) };
                    }
                }
                Each::Row(from) => {
                    for (i, &x) in from[..len].iter().enumerate() {
                        // SAFETY: as above.
                        unsafe { to.add(i * stride).write(f(x)) };
                    }
                }
                Each::Same(x) => {
                    for i in 0..len {
                        // SAFETY: as above.
                        unsafe { to.add(i * stride).write(f(x)) };
                    }
                }
            }
        }
    }
}

for_each_level!(fn store_at = store, (out: &Out<'_>, starts: &[usize], from: usize, layout: Layout, lanes: &Lanes<'_>) -> ());

#[inline(always)]
fn store(_: bool, out: &Out<'_>, starts: &[usize], from: usize, layout: Layout, lanes: &Lanes<'_>) {
    // SAFETY: `start` is an array of `len` elements of the type that goes with `dtype`, and the caller of `Out::store` keeps threads apart.
    unsafe {
        match out.dtype {
            DType::F32 => out.put((starts, from), layout, lanes.f32(), canonical),
            DType::U8 | DType::Bool => out.put((starts, from), layout, lanes.int(), |x| x as u8),
            DType::I8 => out.put((starts, from), layout, lanes.int(), |x| x as i8),
            DType::U16 | DType::F16 | DType::BF16 => out.put((starts, from), layout, lanes.int(), |x| x as u16),
            DType::I16 => out.put((starts, from), layout, lanes.int(), |x| x as i16),
            DType::I32 => out.put((starts, from), layout, lanes.int(), |x| x as i32),
            DType::I64 => out.put((starts, from), layout, lanes.int(), |x| x),
        }
    }
}
