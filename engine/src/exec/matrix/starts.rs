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

/// The rows' addresses: less than 0 for those that have none.
pub(super) struct Addresses<'a> {
    all: &'a [i64],
    /// The least and the greatest of those that there are.
    reach: Option<(i64, i64)>,
    /// Whether every row has one.
    every: bool,
}

impl<'a> Addresses<'a> {
    pub(super) fn new(all: &'a [i64]) -> Self {
        let there = || all.iter().copied().filter(|&address| address >= 0);
        Self { all, reach: there().min().zip(there().max()), every: all.iter().all(|&address| address >= 0) }
    }
}

impl<'a> Starts<'a> {
    /// Of no part yet.
    pub(super) fn new(rows: usize, parts: usize) -> Self {
        Self { all: Vec::with_capacity(rows * parts), rows, lens: Vec::with_capacity(parts), elements: PhantomData }
    }

    /// The next part, of `len` elements: each row's lie at its address, or are `fills` where it has none.
    ///
    /// # Panics
    /// When there are not as many addresses as rows, or elements at one.
    pub(super) fn push(&mut self, len: usize, inside: &Inside<'a>, addresses: &Addresses<'_>, fills: &'a [f32]) {
        assert!(addresses.all.len() == self.rows && fills.len() >= len, "not as many rows or elements");
        self.lens.push(len);
        let fill = fills.as_ptr();
        let (Some((least, most)), Some(start)) = (addresses.reach, inside.start()) else {
            self.all.extend(addresses.all.iter().map(|_| fill));
            return;
        };
        let there = |address: i64| inside.at(address).len() >= len;
        assert!(there(least) && there(most), "elements that are not there");
        let at = |address: i64| start.wrapping_offset(address as isize); // in memory
        if addresses.every {
            self.all.extend(addresses.all.iter().map(|&address| at(address)));
        } else {
            self.all.extend(addresses.all.iter().map(|&address| if address < 0 { fill } else { at(address) }));
        }
    }

    /// Where a row's elements of a part are instead.
    ///
    /// # Panics
    /// When there are not as many.
    pub(super) fn set(&mut self, part: usize, row: usize, from: &'a [f32]) {
        assert!(row < self.rows && from.len() >= self.lens[part], "a row that is too short");
        self.all[part * self.rows + row] = from.as_ptr();
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.rows
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
