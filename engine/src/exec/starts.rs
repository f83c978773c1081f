//! Where the rows of a block begin, found and checked once: in the operands, or copied where they lie there only in part.

use super::lanes::Buffer;
use super::reader::{Addresses, Inside, Place, Reader, Table};
use std::marker::PhantomData;
use std::ops::Range;

/// What rows read that does not lie in an operand.
pub(super) struct Room {
    fills: Buffer<f32>,
    packed: Vec<f32>,
}

impl Room {
    /// For parts of at most `longest` elements.
    pub(super) fn new(fill: f32, longest: usize) -> Self {
        let mut fills = Buffer::new(longest);
        fills.fill(fill);
        Self { fills, packed: Vec::new() }
    }
}

/// For each part of a chain and each row the address of its elements, of which there are as many as the part has.
pub(super) struct Starts<'a> {
    /// Part after part.
    all: Vec<*const f32>,
    rows: usize,
    lens: Vec<usize>,
    elements: PhantomData<&'a [f32]>,
}

impl<'a> Starts<'a> {
    /// Where the pieces of some points of a table are, whose lengths are `lens`. `read` reads a piece of a point, numbered from the first of these
    /// points, that is no single run.
    pub(super) fn find(
        reader: &Reader,
        (table, points): (&Table, Range<usize>),
        lens: impl ExactSizeIterator<Item = usize> + Clone,
        floats: &[&'a [f32]],
        room: &'a mut Room,
        read: impl Fn(usize, usize, &mut [f32]),
    ) -> Self {
        let Room { fills, packed } = room;
        let fills: &'a [f32] = fills;
        let addresses = table.addresses(points.clone());
        let mut starts = Self::new(points.len(), lens.len());
        for (n, len) in lens.clone().enumerate() {
            starts.push(len, &reader.inside(n, floats, fills), addresses, fills);
        }
        // What does not lie in an operand is copied: its piece and point, and where the copy is.
        let mut copies: Vec<(usize, usize, Range<usize>)> = Vec::new();
        for point in (0..points.len()).filter(|&point| addresses.all()[point] < 0) {
            for (n, (len, place)) in lens.clone().zip(reader.own_places(table, points.start + point)).enumerate() {
                match place {
                    Place::Operand(operand, address) => starts.set(n, point, &floats[*operand][*address..]),
                    Place::Fill => {}
                    Place::Part(_) | Place::Scattered => {
                        let copy = packed.len()..packed.len() + len;
                        packed.resize(copy.end, fills.first().copied().unwrap_or_default());
                        match place {
                            Place::Part(part) => part.copy(floats, &mut packed[copy.clone()]),
                            _ => read(n, point, &mut packed[copy.clone()]),
                        }
                        copies.push((n, point, copy));
                    }
                }
            }
        }
        let packed: &'a [f32] = packed;
        for (n, point, copy) in copies {
            starts.set(n, point, &packed[copy]);
        }
        starts
    }

    /// Of no part yet.
    pub(super) fn new(rows: usize, parts: usize) -> Self {
        Self { all: Vec::with_capacity(rows * parts), rows, lens: Vec::with_capacity(parts), elements: PhantomData }
    }

    /// The next part, of `len` elements: each row's lie at its address, or are `fills` where it has none.
    ///
    /// # Panics
    /// When there are not as many addresses as rows, or elements at one.
    pub(super) fn push(&mut self, len: usize, inside: &Inside<'a>, addresses: Addresses<'_>, fills: &'a [f32]) {
        assert!(addresses.all().len() == self.rows && fills.len() >= len, "not as many rows or elements");
        self.lens.push(len);
        let fill = fills.as_ptr();
        let (Some((least, most)), Some(start)) = (addresses.reach(), inside.start()) else {
            self.all.extend(addresses.all().iter().map(|_| fill));
            return;
        };
        let there = |address: i64| inside.at(address).len() >= len;
        assert!(there(least) && there(most), "elements that are not there");
        let at = |address: i64| start.wrapping_offset(address as isize); // in memory
        let every = addresses.all().iter().fold(0, |signs, address| signs | address) >= 0;
        if every {
            self.all.extend(addresses.all().iter().map(|&address| at(address)));
        } else {
            self.all.extend(addresses.all().iter().map(|&address| if address < 0 { fill } else { at(address) }));
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

    /// How many parts there are.
    pub(super) fn parts(&self) -> usize {
        self.lens.len()
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
