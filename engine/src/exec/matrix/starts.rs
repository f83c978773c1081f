//! Where the rows of a block begin, found and checked once and read by the kernels for each of its panels.

use super::super::reader::Inside;
use std::marker::PhantomData;
use std::ops::Range;

/// For each part of a chain and each row the address of its elements, of which there are as many as the part has.
pub(super) struct Starts<'a> {
    /// Part after part.
    all: Vec<*const f32>,
    rows: usize,
    lens: Vec<usize>,
    elements: PhantomData<&'a [f32]>,
}

impl<'a> Starts<'a> {
    /// Of no part yet.
    pub(super) fn new(rows: usize, parts: usize) -> Self {
        Self { all: Vec::with_capacity(rows * parts), rows, lens: Vec::with_capacity(parts), elements: PhantomData }
    }

    /// The next part, of `len` elements: each row's lie at its address, or are `fills` where that is less than 0.
    ///
    /// # Panics
    /// When there are not as many addresses as rows, or elements at one.
    pub(super) fn push(&mut self, len: usize, inside: &Inside<'a>, addresses: &[i64], fills: &'a [f32]) {
        assert!(addresses.len() == self.rows && fills.len() >= len, "not as many rows or elements");
        let (mut least, mut most) = (i64::MAX, i64::MIN);
        let start = |&address: &i64| {
            if address < 0 {
                return fills.as_ptr();
            }
            let first = inside.first(address);
            (least, most) = (least.min(first), most.max(first));
            inside.from.as_ptr().wrapping_offset(first as isize) // the width of an address
        };
        self.all.extend(addresses.iter().map(start));
        let there = |len: usize| least >= 0 && most as usize <= len; // not negative
        assert!(least > most || inside.from.len().checked_sub(len).is_some_and(there), "elements that are not there");
        self.lens.push(len);
    }

    /// Where a row's elements of a part are instead.
    ///
    /// # Panics
    /// When there are not as many.
    pub(super) fn set(&mut self, part: usize, row: usize, from: &'a [f32]) {
        assert!(row < self.rows && from.len() >= self.lens[part], "a row that is too short");
        self.all[part * self.rows + row] = from.as_ptr();
    }

    /// Some rows of a part.
    pub(super) fn of(&self, part: usize, rows: &Range<usize>) -> &[*const f32] {
        &self.all[part * self.rows..][..self.rows][rows.clone()]
    }

    /// Elements of a part.
    pub(super) fn len(&self, part: usize) -> usize {
        self.lens[part]
    }
}
