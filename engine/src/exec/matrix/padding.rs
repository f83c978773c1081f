//! Rows that reach beyond the borders of a small operand read a copy of it with its borders around it, where all of them lie together.

use super::super::block::Scope;
use super::super::elements::{self, Elements};
use super::super::out::Out;
use crate::arith::Isa;
use crate::program::{Access, Affine, Core, DType, Expr, Guard, Instruction, Node, Operand, View};
use crate::tensor::Tensor;
use ndarray::{ArrayD, IxDyn};
use std::ops::RangeInclusive;

/// Most elements of a copy.
const MOST: i64 = 1 << 20;

/// The farthest address of an affine form.
const FARTHEST: u64 = 1 << 62;

/// What makes the copy.
pub(super) struct Padding {
    copy: Instruction,
    elements: Elements,
    dims: Vec<usize>,
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
        let mut address = Affine { base, terms: Vec::new() };
        let (mut guards, mut extents) = (Vec::new(), Vec::new());
        for (n, c) in coordinates.iter().rev().enumerate() {
            let axis = u8::try_from(n).ok()?;
            // A step of the innermost axis is an element.
            let (step, unit) = if n + 1 == coordinates.len() { (1, c.step) } else { (c.step, 1) };
            let start = c.values.start().checked_mul(unit)?;
            let limit = i64::try_from(c.guard.limit).ok()?.checked_mul(unit)?;
            address.base = address.base.checked_add(start.checked_mul(step)?)?;
            address.terms.push((axis, step));
            guards.push(Guard { limit: limit.unsigned_abs(), affine: Affine { base: start, terms: vec![(axis, 1)] } });
            extents.push(
                (c.values.end().checked_sub(*c.values.start())?.checked_add(1)?.checked_mul(unit)?).unsigned_abs(),
            );
        }
        // Steps that cancel each other in the dot's address do not in the copy's.
        let last = address.terms.iter().zip(&extents).try_fold(address.base, |last, (&(_, step), &extent)| {
            last.checked_add(step.checked_mul(i64::try_from(extent).ok()?.checked_sub(1)?)?)
        })?;
        if [address.base, last].iter().any(|address| address.unsigned_abs() > FARTHEST) {
            return None;
        }
        let dims: Vec<usize> = extents.iter().map(|&n| usize::try_from(n).ok()).collect::<Option<_>>()?;
        let view = View { fill, accesses: vec![Access { address, guards, ..access.clone() }] };
        let copy = Instruction {
            extents,
            reduction: vec![],
            windowed: false,
            operands: dot.operands.clone(),
            views: vec![view],
            core: Core::None,
            epilogue: Expr { nodes: vec![Node::Load(0)] },
        };
        Some(Self { elements: Elements::new(&copy), copy, dims })
    }

    /// Elements of the copy.
    pub(super) fn elements(&self) -> usize {
        self.dims.iter().product() // at most MOST
    }

    /// Makes the copy from the dot's operands.
    pub(super) fn run(&self, operands: &[&Tensor], isa: Isa) -> Tensor {
        let mut copy = Tensor::F32(ArrayD::zeros(IxDyn(&self.dims)));
        let scope = Scope { instruction: &self.copy, operands, isa };
        elements::run(&scope, &self.elements, &Out::new(&mut copy, isa.level()));
        copy
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
        let values = c.values.end().checked_sub(*c.values.start())?.checked_add(1)?;
        padded = padded.checked_mul(values).filter(|&elements| elements <= MOST)?;
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
