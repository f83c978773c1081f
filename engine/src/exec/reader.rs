//! Where the runs of a view lie: most of them whole in their operand, which then need not be copied.

use super::points::{Grid, Point};
use super::read::{Coordinates, slice};
use crate::program::limits::{MAX_ACCESSES, MAX_GUARDS};
use crate::program::{Affine, Guard, View};
use crate::tensor::Tensor;
use std::borrow::Cow;
use std::ops::Range;

/// A run of a view's elements, relative to a point: what it adds to the point's coordinates, and how far it goes.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) at: Coordinates,
    pub(super) len: usize,
    /// The axes along which it goes, with their extents; its addresses follow one another.
    pub(super) span: Vec<(usize, u64)>,
}

impl Piece {
    /// The least and the greatest that it adds to a form.
    fn reach(&self, form: &Affine) -> (i64, i64) {
        let start = form.added(&self.at);
        self.span.iter().fold((start, start), |(low, high), &(axis, extent)| {
            let far = form.coefficient(axis) * (extent as i64 - 1); // extents are below 2^40
            (low + far.min(0), high + far.max(0))
        })
    }

    /// Whether a guard fails all along it at every point, whose coordinates differ along `moving` axes.
    pub(super) fn fails(&self, form: &Affine, limit: i64, moving: impl Fn(usize) -> bool) -> bool {
        let (low, high) = self.reach(form);
        !form.terms.iter().any(|t| moving(usize::from(t.0))) && (form.base + high < 0 || form.base + low >= limit)
    }

    /// Whether a view is its fill all along it at every point.
    pub(super) fn outside(&self, view: &View, moving: impl Fn(usize) -> bool) -> bool {
        // Limits are below 2^40.
        let fails = |guard: &Guard| self.fails(&guard.affine, guard.limit as i64, &moving);
        view.accesses.iter().all(|access| access.guards.iter().any(fails))
    }
}

/// Most points, and places, of a table.
const LARGEST_TABLE: usize = 1 << 20;

/// How a view is read in pieces, the same ones at each point.
#[derive(Debug)]
pub(super) struct Reader {
    accesses: Vec<Access>,
    /// None where a piece is no single run of an operand.
    pieces: Vec<Option<Vec<Run>>>,
    interior: Option<Interior>,
}

#[derive(Debug)]
struct Access {
    operand: usize,
    elements: i64,
    address: Affine,
    guards: Vec<(Affine, i64)>,
}

/// What of an access depends on the piece: where it begins, and the least and the greatest that it adds to each guard.
#[derive(Debug)]
struct Run {
    address: i64,
    len: i64,
    guards: Vec<(i64, i64)>,
    /// Some guard fails all along it at every point.
    outside: bool,
    /// For each guard, where it has a part only in the piece's outermost axis: a step's worth, and elements in a step.
    outermost: Option<Vec<(i64, i64)>>,
}

/// The part of a piece that lies in an operand; the rest is the fill.
#[derive(Clone, Debug)]
pub(super) struct Part {
    operand: usize,
    address: usize,
    within: Range<usize>,
}

impl Part {
    /// Copies it to its place in the piece.
    pub(super) fn copy(&self, operands: &[&[f32]], piece: &mut [f32]) {
        piece[self.within.clone()].copy_from_slice(&operands[self.operand][self.address..][..self.within.len()]);
    }
}

/// For points far from every border: all pieces that are not outside at every point lie in the operand.
#[derive(Debug)]
struct Interior {
    guards: Vec<(i64, i64)>,
    address: (i64, i64),
    /// What each piece adds to the address; none for those outside.
    offsets: Vec<Option<i64>>,
}

/// For each access its address and its guards at a point's coordinates.
type Bases = [(i64, [i64; MAX_GUARDS]); MAX_ACCESSES];

/// Where a piece is.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// In an operand, from an address on.
    Operand(usize, usize),
    /// Nowhere: all of it is the fill.
    Fill,
    /// Partly in an operand; the rest is the fill.
    Part(Part),
    /// Here and there: it is read element by element.
    Scattered,
}

/// Where all pieces of some points are, found once and for all.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// For each point its address, if all its pieces lie in one operand but for those that are the fill at every point; else less than 0: the
    /// complement of the number of its first place.
    points: Vec<i64>,
    places: Vec<Place>,
    /// The least and the greatest address.
    reach: Option<(i64, i64)>,
}

impl Table {
    /// Bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&self.points[..]) + size_of_val(&self.places[..])
    }

    /// How many points have places of their own.
    pub(super) fn outside(&self) -> usize {
        self.points.iter().filter(|&&address| address < 0).count()
    }

    /// The addresses of some points; less than 0 for those that have places of their own.
    pub(super) fn addresses(&self, points: Range<usize>) -> &[i64] {
        &self.points[points]
    }

    /// The least and the greatest address that there is.
    pub(super) fn reach(&self) -> Option<(i64, i64)> {
        self.reach
    }

    /// The addresses of some points without the table, if it was made for these points.
    pub(super) fn into_addresses(table: Cow<'_, Self>, points: Range<usize>) -> Cow<'_, [i64]> {
        match table {
            Cow::Borrowed(table) => Cow::Borrowed(&table.points[points]),
            Cow::Owned(mut table) => {
                table.points.truncate(points.end);
                table.points.drain(..points.start);
                Cow::Owned(table.points)
            }
        }
    }
}

/// A piece at every point whose pieces are at the same offsets from an address.
pub(super) struct Inside<'a> {
    from: &'a [f32],
    offset: i64,
}

impl<'a> Inside<'a> {
    /// From its first element on, at the point of this address.
    #[inline]
    pub(super) fn at(&self, address: i64) -> &'a [f32] {
        &self.from[(address + self.offset) as usize..] // the interior's addresses are not negative
    }

    /// Where it would be at the address 0.
    pub(super) fn start(&self) -> *const f32 {
        self.from.as_ptr().wrapping_offset(self.offset as isize) // in memory
    }
}

impl Reader {
    /// `elements` is the number of elements of each operand, `moving` says which axes' coordinates differ from point to point. Pieces that are no
    /// single run are `None`.
    pub(super) fn new(view: &View, elements: &[u64], pieces: &[Option<Piece>], moving: impl Fn(usize) -> bool) -> Self {
        let accesses: Vec<Access> = view
            .accesses
            .iter()
            .map(|a| Access {
                operand: usize::from(a.operand),
                elements: elements[usize::from(a.operand)] as i64, // below 2^40, as limits are
                address: a.address.clone(),
                guards: a.guards.iter().map(|g| (g.affine.clone(), g.limit as i64)).collect(),
            })
            .collect();
        let direct = view.indirects().next().is_none();
        let run = |a: &Access, piece: &Piece| Run {
            address: a.address.added(&piece.at),
            len: piece.len as i64, // in memory
            guards: a.guards.iter().map(|(form, _)| piece.reach(form)).collect(),
            outside: a.guards.iter().any(|(form, limit)| piece.fails(form, *limit, &moving)),
            outermost: a.guards.iter().map(|(form, _)| outermost(form, piece)).collect(),
        };
        let runs = |piece: &Piece| direct.then(|| accesses.iter().map(|a| run(a, piece)).collect());
        let pieces: Vec<Option<Vec<Run>>> = pieces.iter().map(|p| p.as_ref().and_then(runs)).collect();
        let interior = Interior::new(&accesses, &pieces);
        Self { accesses, pieces, interior }
    }

    /// The address of a point all of whose pieces lie in one operand, but for those that are the fill at every point.
    pub(super) fn interior(&self, at: &Coordinates) -> Option<i64> {
        let (interior, access) = (self.interior.as_ref()?, self.accesses.first()?);
        let address = access.address.value(at);
        let inside = |range: &(i64, i64), x: i64| range.0 <= x && x < range.1;
        let guards = access.guards.iter().zip(&interior.guards).all(|(guard, range)| inside(range, guard.0.value(at)));
        (guards && address >= 0 && inside(&interior.address, address)).then_some(address)
    }

    /// Piece `n` at such points; none if it is the fill at all of them.
    pub(super) fn inside<'a>(&self, n: usize, operands: &[&'a [f32]]) -> Option<Inside<'a>> {
        let offset = self.interior.as_ref()?.offsets[n]?;
        Some(Inside { from: operands[self.accesses[0].operand], offset })
    }

    /// Where each piece of the point at `at` is.
    pub(super) fn places(&self, at: &Coordinates, places: &mut Vec<Place>) {
        let mut bases: Bases = [(0, [0; MAX_GUARDS]); MAX_ACCESSES];
        for (base, access) in bases.iter_mut().zip(&self.accesses) {
            base.0 = access.address.value(at);
            base.1.iter_mut().zip(&access.guards).for_each(|(base, guard)| *base = guard.0.value(at));
        }
        places.extend(self.pieces.iter().map(|runs| {
            let found = runs.as_ref().and_then(|runs| self.place(&bases, runs));
            let part = || runs.as_ref().and_then(|runs| self.part(&bases, runs));
            found.or_else(|| part().map(Place::Part)).unwrap_or(Place::Scattered)
        }));
    }

    /// The table of the points of `inner` at each of `outer`, which is over other axes, moved by `at`; `None` if it would be too large.
    pub(super) fn table_over(&self, [outer, inner]: [&Grid; 2], at: &Coordinates) -> Option<Table> {
        let points = outer.len().checked_mul(inner.len()).filter(|&points| points <= LARGEST_TABLE)?;
        let (outer, inner) = (outer.all(), inner.all());
        let point = |n: usize| {
            let (outer, inner) = (&outer[n / inner.len()], &inner[n % inner.len()]);
            std::array::from_fn(|x| outer.at[x] + inner.at[x] + at[x])
        };
        self.table((0..points).map(point), LARGEST_TABLE)
    }

    /// The table, and the number in it of the first of some points of a grid, whose own first point has number `first` there. Without a table these
    /// points are found now, moved by `origin`.
    pub(super) fn table_or<'t>(
        &self,
        table: Option<&'t Table>,
        (grid, first): (&Grid, usize),
        points: &Range<usize>,
        origin: &Point,
    ) -> Option<(Cow<'t, Table>, usize)> {
        if let Some(table) = table {
            return Some((Cow::Borrowed(table), first + points.start));
        }
        let points = grid.points(points.clone());
        let points = points.iter().map(|p| std::array::from_fn(|x| p.at[x] + origin.at[x]));
        Some((Cow::Owned(self.table(points, usize::MAX)?), 0))
    }

    /// The table of some points; `None` if it has more than `most` places, give or take a point's.
    fn table(&self, points: impl ExactSizeIterator<Item = Coordinates>, most: usize) -> Option<Table> {
        let mut table = Table { points: Vec::with_capacity(points.len()), places: Vec::new(), reach: None };
        for at in points {
            let first = table.places.len();
            if first > most {
                return None;
            }
            table.points.push(self.interior(&at).unwrap_or_else(|| {
                self.places(&at, &mut table.places);
                !(first as i64) // in memory
            }));
        }
        let there = || table.points.iter().copied().filter(|&address| address >= 0);
        table.reach = there().min().zip(there().max());
        Some(table)
    }

    /// The places of the pieces of point `n` of a table, if it has places of its own.
    pub(super) fn own_places<'a>(&self, table: &'a Table, n: usize) -> &'a [Place] {
        // What is less than 0 was made from a place's number.
        let first = usize::try_from(!table.points[n]);
        first.map_or(&[], |first| &table.places[first..first + self.pieces.len()])
    }

    /// The first access that holds all along the run, if those before it hold nowhere.
    fn place(&self, bases: &Bases, runs: &[Run]) -> Option<Place> {
        for ((access, (address, guards)), run) in self.accesses.iter().zip(bases).zip(runs) {
            let (mut always, mut never) = (true, false);
            for (((_, limit), base), (low, high)) in access.guards.iter().zip(guards).zip(&run.guards) {
                let (low, high) = (base + low, base + high);
                always &= low >= 0 && high < *limit;
                never |= high < 0 || low >= *limit;
            }
            let address = address + run.address;
            if never || address >= access.elements || address + run.len <= 0 {
                continue;
            }
            let inside = always && address >= 0 && address + run.len <= access.elements;
            return inside.then_some(Place::Operand(access.operand, address as usize)); // not negative
        }
        Some(Place::Fill)
    }

    /// What is in the operand of a piece that is partly there.
    fn part(&self, bases: &Bases, runs: &[Run]) -> Option<Part> {
        let ([access], [run]) = (self.accesses.as_slice(), runs) else { return None };
        let (address, guards) = &bases[0];
        let (mut first, mut last) = (0, run.len);
        for (((_, limit), base), ((low, _), (step, elements))) in
            access.guards.iter().zip(guards).zip(run.guards.iter().zip(run.outermost.as_ref()?))
        {
            let start = base + low;
            match step {
                0 if (0..*limit).contains(&start) => {}
                1 => {
                    first = first.max(start.saturating_neg().saturating_mul(*elements));
                    last = last.min(limit.saturating_sub(start).saturating_mul(*elements));
                }
                _ => return None,
            }
        }
        let address = address + run.address;
        (first, last) = (first.max(-address), last.min(access.elements - address));
        let within = usize::try_from(first).ok()?..usize::try_from(last).ok()?;
        let address = usize::try_from(address + first).ok()?;
        (within.start < within.end).then_some(Part { operand: access.operand, address, within })
    }
}

impl Interior {
    fn new(accesses: &[Access], pieces: &[Option<Vec<Run>>]) -> Option<Self> {
        let [access] = accesses else { return None };
        let runs: Vec<&Run> = pieces.iter().map(|runs| runs.as_ref()?.first()).collect::<Option<_>>()?;
        let mut guards: Vec<(i64, i64)> = access.guards.iter().map(|(_, limit)| (0, *limit)).collect();
        let mut address = (0, access.elements + 1);
        let mut offsets = Vec::with_capacity(runs.len());
        for run in runs {
            offsets.push((!run.outside).then_some(run.address));
            if run.outside {
                continue;
            }
            for (allowed, ((_, limit), (low, high))) in guards.iter_mut().zip(access.guards.iter().zip(&run.guards)) {
                *allowed = (allowed.0.max(-low), allowed.1.min(limit - high));
            }
            address = (address.0.max(-run.address), address.1.min(access.elements - run.address - run.len + 1));
        }
        Some(Self { guards, address, offsets })
    }
}

/// What a step along a piece's outermost axis is worth to a form, which has a part in no other of its axes, and the elements of a step.
fn outermost(form: &Affine, piece: &Piece) -> Option<(i64, i64)> {
    let mut axes = piece.span.iter().filter(|s| s.1 > 1);
    let Some(&(axis, extent)) = axes.next() else { return Some((0, 1)) };
    axes.all(|s| form.coefficient(s.0) == 0).then_some((form.coefficient(axis), piece.len as i64 / extent as i64)) // in memory
}

/// The elements of f32 tensors, none for others.
pub(super) fn floats<'a>(tensors: &[&'a Tensor]) -> Vec<&'a [f32]> {
    let of = |tensor: &&'a Tensor| match tensor {
        Tensor::F32(a) => slice(a),
        _ => &[],
    };
    tensors.iter().map(of).collect()
}
