//! Rows that reach beyond the borders of a small operand read a copy of it with its borders around it, where all of them lie together.

use super::super::lanes::f32_of;
use super::super::read::slice;
use crate::program::{Access, Affine, DType, Guard, Instruction, Operand, TensorType, View};
use crate::tasks;
use crate::tensor::Tensor;
use std::cell::Cell;
use std::ops::{Range, RangeInclusive};

/// Most elements of a copy, and rows of it: where each of these is is kept.
const MOST: i64 = 1 << 20;
const MOST_ROWS: usize = 1 << 14;
/// Fewest elements that a task copies.
const LEAST: usize = 1 << 12;

/// What makes the copy: its rows go along the operand's innermost coordinate.
pub(super) struct Padding {
    operand: usize,
    fill: f32,
    ty: TensorType,
    /// Elements of a row.
    row: usize,
    rows: Vec<Piece>,
}

/// What of a row lies in the operand, and where; the rest is the fill.
struct Piece {
    from: usize,
    within: Range<usize>,
}

/// A coordinate of the operand: what it is of the dot's axes, how far a step is in the operand and in the copy, and its values, outside as inside.
struct Coordinate<'a> {
    guard: &'a Guard,
    step: i64,
    padded: i64,
    values: RangeInclusive<i64>,
}

impl Padding {
    /// The copy, and the dot as it reads this as its last operand; `moving` are the axes along which rows differ. `None` where a view's guards
    /// are not coordinates of its operand, but for those that are the same in each row.
    pub(super) fn new(dot: &Instruction, view: usize, moving: impl Fn(usize) -> bool) -> Option<(Instruction, Self)> {
        let View { fill, accesses } = &dot.views[view];
        let [access] = accesses.as_slice() else { return None };
        let differs = |guard: &&Guard| guard.affine.terms.iter().any(|t| moving(usize::from(t.0)));
        let (guards, kept): (Vec<&Guard>, Vec<&Guard>) = access.guards.iter().partition(differs);
        let float = dot.operands[usize::from(access.operand)].dtype == DType::F32;
        if guards.is_empty() || !float || !access.indirects.is_empty() {
            return None;
        }
        let coordinates = coordinates(dot, &access.address, guards)?;
        let inner = coordinates.first()?.step;
        // What of the address is in no coordinate moves within the innermost one's step.
        let within = |x: &(u8, i64)| coordinates.iter().all(|c| c.guard.affine.coefficient(usize::from(x.0)) == 0);
        let rest: Vec<(u8, i64)> = access.address.terms.iter().copied().filter(within).collect();
        let far = rest.iter().try_fold(0i64, |sum, &(x, a)| {
            let last = i64::try_from(extent(dot, x)?).ok()?.checked_sub(1)?;
            sum.checked_add(a.checked_mul(last)?).filter(|_| a >= 0)
        })?;
        // The base of the address without the coordinates' own.
        let base = coordinates
            .iter()
            .try_fold(access.address.base, |base, c| base.checked_sub(c.step.checked_mul(c.guard.affine.base)?))?;
        if far >= inner {
            return None;
        }
        let operand = u8::try_from(dot.operands.len()).ok()?;
        let mut address = Affine { base: 0, terms: rest };
        for c in &coordinates {
            let before = c.guard.affine.base.checked_sub(*c.values.start())?;
            address.base = address.base.checked_add(c.padded.checked_mul(before)?)?;
            for &(x, a) in &c.guard.affine.terms {
                let a = a.checked_mul(c.padded)?;
                match address.terms.iter_mut().find(|t| t.0 == x) {
                    Some(term) => term.1 = term.1.checked_add(a)?,
                    None => address.terms.push((x, a)),
                }
            }
        }
        address.terms.sort_unstable();
        let padding = Self::copy(dot, access, (*fill, base), &coordinates)?;
        let elements = padding.elements() as u64;
        let mut padded = dot.clone();
        padded.operands.push(Operand { value: 0, dtype: DType::F32, elements });
        let guards = kept.into_iter().cloned().collect();
        padded.views[view].accesses = vec![Access { operand, address, guards, indirects: vec![] }];
        Some((padded, padding))
    }

    /// The copy's axes are the coordinates, the outermost first; the innermost goes on over what is within its step.
    fn copy(
        dot: &Instruction,
        access: &Access,
        (fill, base): (i64, i64),
        coordinates: &[Coordinate<'_>],
    ) -> Option<Self> {
        let operand = &dot.operands[usize::from(access.operand)];
        let elements = i64::try_from(operand.elements).ok()?;
        let (inner, outer) = coordinates.split_first()?;
        let (unit, start) = (inner.step, inner.values.start().checked_mul(inner.step)?);
        let limit = i64::try_from(inner.guard.limit).ok()?.checked_mul(unit)?;
        let row = inner.count()?.checked_mul(unit)?;
        // What of each row is there: the address of its first element, or none where another coordinate is outside.
        let mut addresses = vec![Some(base.checked_add(start)?)];
        let mut dims = vec![row.unsigned_abs()];
        for c in outer {
            let limit = i64::try_from(c.guard.limit).ok()?;
            let mut all = Vec::new();
            for value in c.values.clone() {
                let there = (0..limit).contains(&value);
                let moved = value.checked_mul(c.step)?;
                if all.len() + addresses.len() > MOST_ROWS {
                    return None;
                }
                for address in &addresses {
                    all.push(match address.filter(|_| there) {
                        Some(address) => Some(i64::checked_add(address, moved)?),
                        None => None,
                    });
                }
            }
            addresses = all;
            dims.insert(0, c.count()?.unsigned_abs());
        }
        let piece = |address: Option<i64>| -> Option<Piece> {
            let Some(address) = address else { return Some(Piece { from: 0, within: 0..0 }) };
            let first = start.checked_neg()?.max(address.checked_neg()?).max(0);
            let last = limit.checked_sub(start)?.min(elements.checked_sub(address)?).min(row);
            let within = usize::try_from(first).ok()?..usize::try_from(last.max(first)).ok()?;
            let from = if within.is_empty() { 0 } else { usize::try_from(address.checked_add(first)?).ok()? };
            Some(Piece { from, within })
        };
        Some(Self {
            operand: usize::from(access.operand),
            fill: f32_of(fill),
            ty: TensorType { dtype: DType::F32, dims },
            row: usize::try_from(row).ok()?,
            rows: addresses.into_iter().map(piece).collect::<Option<_>>()?,
        })
    }

    /// Elements of the copy.
    pub(super) fn elements(&self) -> usize {
        self.ty.elements() as usize // at most MOST
    }

    /// Does something with the dot's operands and the copy as their last.
    pub(super) fn run(&self, operands: &[&Tensor], f: impl FnOnce(&[&Tensor])) {
        // Memory of this thread's last copy.
        thread_local!(static LAST: Cell<Vec<f32>> = const { Cell::new(Vec::new()) });
        let mut copy = Tensor::aligned(&self.ty, LAST.take()).expect("at most MOST elements");
        if let (Tensor::F32(copy), Tensor::F32(from)) = (&mut copy, operands[self.operand])
            && let Some(copy) = copy.as_slice_mut()
        {
            self.copy_rows(slice(from), copy);
        }
        let all: Vec<&Tensor> = operands.iter().copied().chain([&copy]).collect();
        f(&all);
        if let Tensor::F32(array) = copy {
            LAST.set(array.into_raw_vec_and_offset().0);
        }
    }

    fn copy_rows(&self, from: &[f32], copy: &mut [f32]) {
        let share = tasks::share(self.rows.len(), LEAST.div_ceil(self.row), usize::MAX);
        tasks::each_part(copy, share * self.row, |n, part| {
            for (row, piece) in part.chunks_exact_mut(self.row).zip(&self.rows[n * share..]) {
                let Range { start, end } = piece.within;
                row[..start].fill(self.fill);
                row[start..end].copy_from_slice(&from[piece.from..][..end - start]);
                row[end..].fill(self.fill);
            }
        });
    }
}

impl Coordinate<'_> {
    /// How many values there are.
    fn count(&self) -> Option<i64> {
        self.values.end().checked_sub(*self.values.start())?.checked_add(1)
    }
}

/// The coordinates that these guards are about, the innermost first.
fn coordinates<'a>(dot: &Instruction, address: &Affine, guards: Vec<&'a Guard>) -> Option<Vec<Coordinate<'a>>> {
    let mut coordinates: Vec<Coordinate<'a>> = Vec::with_capacity(guards.len());
    for (n, guard) in guards.iter().enumerate() {
        // What a step is worth shows along an axis that is in no other coordinate.
        let others =
            |x: u8| guards.iter().enumerate().all(|(m, g)| m == n || g.affine.coefficient(usize::from(x)) == 0);
        let &(axis, a) = guard.affine.terms.iter().find(|t| t.1 != 0 && others(t.0))?;
        let whole = address.coefficient(usize::from(axis));
        let step = whole.checked_div(a).filter(|step| *step > 0 && step.checked_mul(a) == Some(whole))?;
        let (mut low, mut high) = (guard.affine.base, guard.affine.base);
        for &(x, a) in &guard.affine.terms {
            let far = a.checked_mul(i64::try_from(extent(dot, x)?).ok()?.checked_sub(1)?)?;
            (low, high) = (low.checked_add(far.min(0))?, high.checked_add(far.max(0))?);
        }
        coordinates.push(Coordinate { guard, step, padded: 0, values: low..=high });
    }
    coordinates.sort_by_key(|c| c.step);
    let mut padded = coordinates.first()?.step;
    for c in &mut coordinates {
        c.padded = padded;
        padded = padded.checked_mul(c.count()?).filter(|&elements| elements <= MOST)?;
    }
    // Together they are all of the address along their axes.
    let all = coordinates.iter().flat_map(|c| &c.guard.affine.terms).map(|t| t.0);
    let sum = |x: u8| {
        coordinates
            .iter()
            .try_fold(0i64, |sum, c| sum.checked_add(c.step.checked_mul(c.guard.affine.coefficient(usize::from(x)))?))
    };
    let whole = all.into_iter().all(|x| sum(x) == Some(address.coefficient(usize::from(x))));
    whole.then_some(coordinates)
}

/// The extent of an e or reduction axis.
fn extent(dot: &Instruction, axis: u8) -> Option<u64> {
    use crate::program::limits::FIRST_REDUCTION_AXIS;
    match axis.checked_sub(FIRST_REDUCTION_AXIS) {
        Some(r) => dot.reduction.get(usize::from(r)).copied(),
        None => dot.extents.get(usize::from(axis)).copied(),
    }
}
