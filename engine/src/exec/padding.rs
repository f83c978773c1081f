//! Copies of small operands with their borders around them: what rows of products that reach beyond the borders read instead, where all of them
//! lie together, and what instructions are that do nothing else.

use super::follow::own_elements;
use super::lanes::f32_of;
use super::linked::finish_row;
use super::out::Out;
use super::read::slice;
use crate::arith::Level;
use crate::program::{Access, Affine, Core, DType, Guard, Instruction, Node, Operand, TensorType, View};
use crate::tasks;
use crate::tensor::Tensor;
use std::cell::Cell;
use std::ops::{Range, RangeInclusive};

/// Most elements of a copy.
const MOST: i64 = 1 << 20;
/// The farthest address.
const FARTHEST: u64 = 1 << 61;
/// Fewest elements of a row where an instruction is a copy: each is found by itself.
const SHORT: usize = 16;
/// Fewest elements that a task copies.
const LEAST: usize = 1 << 12;

/// What makes the copy: its rows go along the operand's innermost coordinate.
pub(super) struct Padding {
    operand: usize,
    fill: f32,
    ty: TensorType,
    /// Elements of a row, which of them the innermost coordinate's guard lets through, and the first one's address where all others are 0.
    row: usize,
    within: Range<i64>,
    address: i64,
    /// The other coordinates, the innermost first.
    outer: Vec<Outer>,
}

/// A coordinate of rows: its first value and how many there are, a step in the operand, and the values from 0 on that are inside.
struct Outer {
    start: i64,
    count: i64,
    step: i64,
    limit: i64,
}

/// A coordinate of the operand: what it is of the instruction's axes, how far a step is in the operand and in the copy, and its values, outside as inside.
struct Coordinate<'a> {
    guard: &'a Guard,
    step: i64,
    padded: i64,
    values: RangeInclusive<i64>,
}

impl Padding {
    /// The copy, and the instruction as it reads this as its last operand; `moving` are the axes along which rows differ. `None` where a view's guards
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
        let padding = Self::copy(access, (*fill, base), &coordinates)?;
        let elements = padding.elements() as u64;
        let mut padded = dot.clone();
        padded.operands.push(Operand { value: 0, dtype: DType::F32, elements });
        let guards = kept.into_iter().cloned().collect();
        padded.views[view].accesses = vec![Access { operand, address, guards, indirects: vec![] }];
        Some((padded, padding))
    }

    /// The copy that is all of an instruction.
    pub(super) fn whole(i: &Instruction) -> Option<Self> {
        let ([Node::Load(view)], Core::None) = (i.epilogue.nodes.as_slice(), &i.core) else { return None };
        let view = usize::from(*view);
        let (padded, padding) = Self::new(i, view, |_| true).filter(|_| !i.windowed)?;
        let whole = i.extents.iter().product::<u64>() == padding.ty.elements() && padding.row >= SHORT;
        (whole && own_elements(&padded.views[view], &padded)).then_some(padding)
    }

    /// The copy's axes are the coordinates, the outermost first; the innermost goes on over what is within its step.
    fn copy(access: &Access, (fill, base): (i64, i64), coordinates: &[Coordinate<'_>]) -> Option<Self> {
        let (inner, outer) = coordinates.split_first()?;
        let row = inner.count()?.checked_mul(inner.step)?;
        let start = inner.values.start().checked_mul(inner.step)?;
        let limit = i64::try_from(inner.guard.limit).ok()?.checked_mul(inner.step)?;
        let mut dims = vec![row.unsigned_abs()];
        let (mut least, mut most) = (base.checked_add(start)?, base.checked_add(start)?);
        let mut others = Vec::with_capacity(outer.len());
        for c in outer {
            dims.insert(0, c.count()?.unsigned_abs());
            least = least.checked_add(c.values.start().checked_mul(c.step)?.min(0))?;
            most = most.checked_add(c.values.end().checked_mul(c.step)?.max(0))?;
            let limit = i64::try_from(c.guard.limit).ok()?;
            others.push(Outer { start: *c.values.start(), count: c.count()?, step: c.step, limit });
        }
        // So no row's arithmetic overflows.
        let near = [least, most, start, limit].iter().all(|x| x.unsigned_abs() <= FARTHEST);
        let whole = Self {
            operand: usize::from(access.operand),
            fill: f32_of(fill),
            ty: TensorType { dtype: DType::F32, dims },
            row: usize::try_from(row).ok()?,
            within: start.checked_neg()?..limit.checked_sub(start)?,
            address: base.checked_add(start)?,
            outer: others,
        };
        near.then_some(whole)
    }

    /// What of row `number` is in an operand of that many elements: from where, and where in the row. The rest is the fill.
    fn piece(&self, number: usize, elements: usize) -> (usize, Range<usize>) {
        let (mut address, mut rest) = (self.address, number as i64); // at most MOST
        for Outer { start, count, step, limit } in &self.outer {
            let value = start + rest % count;
            rest /= count;
            if !(0..*limit).contains(&value) {
                return (0, 0..0);
            }
            address += value * step;
        }
        // In the row: both are at most its length.
        let clamp = |x: i64| x.clamp(0, self.row as i64) as usize;
        let first = clamp(self.within.start.max(-address));
        let last = clamp(self.within.end.min(elements as i64 - address)).max(first);
        if first == last { (0, 0..0) } else { ((address + first as i64) as usize, first..last) }
    }

    /// Elements of the copy.
    pub(super) fn elements(&self) -> usize {
        self.ty.elements() as usize // at most MOST
    }

    /// Does something with an instruction's operands and the copy as their last.
    pub(super) fn run(&self, operands: &[&Tensor], f: impl FnOnce(&[&Tensor])) {
        // Memory of this thread's last copy.
        thread_local!(static LAST: Cell<Vec<f32>> = const { Cell::new(Vec::new()) });
        let mut copy = Tensor::aligned(&self.ty, LAST.take()).expect("at most MOST elements");
        if let (Tensor::F32(copy), Tensor::F32(from)) = (&mut copy, operands[self.operand])
            && let Some(copy) = copy.as_slice_mut()
        {
            self.copy_rows(slice(from), copy, |_| ());
        }
        let all: Vec<&Tensor> = operands.iter().copied().chain([&copy]).collect();
        f(&all);
        if let Tensor::F32(array) = copy {
            LAST.set(array.into_raw_vec_and_offset().0);
        }
    }

    /// Makes the copy itself, of an instruction's operands.
    pub(super) fn store(&self, operands: &[&Tensor], level: Level, out: &Out<'_>) {
        let Tensor::F32(from) = operands[self.operand] else { return };
        // SAFETY: nobody else has its elements.
        #[allow(unsafe_code)]
        let to = unsafe { out.floats(0, self.elements()) };
        self.copy_rows(slice(from), to, |part| finish_row(level, &[], None, part));
    }

    fn copy_rows(&self, from: &[f32], copy: &mut [f32], finish: impl Fn(&mut [f32]) + Sync) {
        let share = tasks::share(copy.len() / self.row, LEAST.div_ceil(self.row), usize::MAX);
        tasks::each_part(copy, share * self.row, |n, part| {
            for (number, row) in part.chunks_exact_mut(self.row).enumerate() {
                let (first, Range { start, end }) = self.piece(n * share + number, from.len());
                row[..start].fill(self.fill);
                row[start..end].copy_from_slice(&from[first..][..end - start]);
                row[end..].fill(self.fill);
            }
            finish(part);
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
