//! Where the rows of a block begin, found and checked once: in the operands, or copied where they lie there only in part.

use super::lanes::Buffer;
use super::reader::{Inside, Place, Reader, Table};
use std::borrow::Cow;
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
    parts: Vec<Part>,
    rows: Rows<'a>,
    elements: PhantomData<&'a [f32]>,
}

/// A part of all rows that lie in one operand.
struct Part {
    len: usize,
    /// Where a row of the address 0 would have it.
    start: *const f32,
    /// The bits of an address that matter: all, or none where it is the same for all rows.
    mask: i64,
}

enum Rows<'a> {
    /// Each one's address; its parts are as far from there as any other's.
    Alike(Cow<'a, [i64]>),
    /// Part after part where each row has it, and how many rows there are.
    Own(Vec<*const f32>, usize),
}

impl Part {
    /// # Panics
    /// When there are not as many elements at one of the addresses within `reach`.
    fn new(len: usize, inside: Option<&Inside<'_>>, reach: Option<(i64, i64)>, fills: &[f32]) -> Self {
        assert!(fills.len() >= len, "not as many elements");
        let (Some((least, most)), Some(inside)) = (reach, inside) else {
            return Self { len, start: fills.as_ptr(), mask: 0 };
        };
        let there = |address: i64| inside.at(address).len() >= len;
        assert!(there(least) && there(most), "elements that are not there");
        Self { len, start: inside.start(), mask: -1 }
    }

    #[inline(always)]
    fn at(&self, address: i64) -> *const f32 {
        self.start.wrapping_offset((address & self.mask) as isize) // in memory
    }
}

impl<'a> Starts<'a> {
    /// Where the pieces of some points of a table are, whose lengths are `lens`. `read` reads a piece of a point, numbered from the first of these
    /// points, that is no single run.
    pub(super) fn find(
        reader: &Reader,
        (table, points): (Cow<'a, Table>, Range<usize>),
        lens: impl ExactSizeIterator<Item = usize> + Clone,
        floats: &[&'a [f32]],
        room: &'a mut Room,
        read: impl Fn(usize, usize, &mut [f32]),
    ) -> Self {
        let Room { fills, packed } = room;
        let fills: &'a [f32] = fills;
        let addresses = table.addresses(points.clone());
        let part = |(n, len)| Part::new(len, reader.inside(n, floats).as_ref(), table.reach(), fills);
        let parts: Vec<Part> = lens.clone().enumerate().map(part).collect();
        if addresses.iter().fold(0, |signs, address| signs | address) >= 0 {
            return Self { parts, rows: Rows::Alike(Table::into_addresses(table, points)), elements: PhantomData };
        }
        let mut all = Vec::with_capacity(parts.len() * addresses.len());
        for part in &parts {
            let at = |&address: &i64| if address < 0 { fills.as_ptr() } else { part.at(address) };
            all.extend(addresses.iter().map(at));
        }
        let mut set = |n: usize, point: usize, from: &'a [f32]| {
            assert!(from.len() >= parts[n].len, "a row that is too short");
            all[n * points.len() + point] = from.as_ptr();
        };
        // What does not lie in an operand is copied: its piece and point, and where the copy is.
        let mut copies: Vec<(usize, usize, Range<usize>)> = Vec::new();
        for point in (0..points.len()).filter(|&point| addresses[point] < 0) {
            for (n, (len, place)) in lens.clone().zip(reader.own_places(&table, points.start + point)).enumerate() {
                match place {
                    Place::Operand(operand, address) => set(n, point, &floats[*operand][*address..]),
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
            set(n, point, &packed[copy]);
        }
        Self { parts, rows: Rows::Own(all, points.len()), elements: PhantomData }
    }

    /// Rows whose parts are these, row after row.
    #[cfg(test)]
    pub(super) fn of_rows(lens: &[usize], rows: &[Vec<&'a [f32]>]) -> Self {
        let enough = |row: &Vec<&[f32]>| row.iter().zip(lens).all(|(part, &len)| part.len() >= len);
        assert!(rows.iter().all(enough), "a row that is too short");
        let parts = lens.iter().map(|&len| Part { len, start: std::ptr::null(), mask: 0 }).collect();
        let all = (0..lens.len()).flat_map(|part| rows.iter().map(move |row| row[part].as_ptr())).collect();
        Self { parts, rows: Rows::Own(all, rows.len()), elements: PhantomData }
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        match &self.rows {
            Rows::Alike(addresses) => addresses.len(),
            Rows::Own(_, rows) => *rows,
        }
    }

    /// How many parts there are.
    pub(super) fn parts(&self) -> usize {
        self.parts.len()
    }

    /// R rows of a part, from row `first` on.
    #[inline(always)]
    pub(super) fn of<const R: usize>(&self, part: usize, first: usize) -> [*const f32; R] {
        let mut starts = [std::ptr::null(); R];
        match &self.rows {
            Rows::Alike(addresses) => {
                let (addresses, part) = (&addresses[first..first + R], &self.parts[part]);
                for r in 0..R {
                    starts[r] = part.at(addresses[r]);
                }
            }
            Rows::Own(all, rows) => starts.copy_from_slice(&all[part * rows..][..*rows][first..first + R]),
        }
        starts
    }

    /// Elements of a part.
    pub(super) fn len(&self, part: usize) -> usize {
        self.parts[part].len
    }
}
