//! Concatenations that need no work of their own: what makes a part writes it to its place in the whole.

use super::follow::{own_elements, parts};
use super::points::strides;
use crate::program::{Access, Affine, Core, Guard, Instruction, Node, View};

/// A part of a concatenation.
pub(super) struct Part {
    /// The operand that it is, and which of the whole's elements is its first.
    pub(super) operand: usize,
    pub(super) start: usize,
    /// The whole's row-major strides, over the part's extents.
    strides: Vec<usize>,
    extents: Vec<u64>,
}

/// The parts of an instruction that does nothing but put its operands, each once and whole, side by side.
pub(super) fn concatenation(i: &Instruction) -> Option<Vec<Part>> {
    let ([Node::Load(v)], Core::None) = (i.epilogue.nodes.as_slice(), &i.core) else { return None };
    let View { accesses, .. } = &i.views[usize::from(*v)];
    if i.windowed || accesses.len() < 2 || accesses.len() != i.operands.len() {
        return None;
    }
    let (axis, _) = *accesses[1].guards.first()?.affine.terms.first()?;
    let axis = usize::from(axis);
    let extent = *i.extents.get(axis)?;
    let strides = strides(i);
    let mut parts = Vec::with_capacity(accesses.len());
    let mut first = 0u64;
    // The first access that holds wins: each goes on where the one before ends.
    for access in accesses {
        let length = length(access, axis, first)?.min(extent.checked_sub(first)?);
        let mut extents = i.extents.clone();
        extents[axis] = length;
        let mut part = Instruction { extents: extents.clone(), ..i.clone() };
        let shift = access.address.coefficient(axis).checked_mul(i64::try_from(first).ok()?)?;
        let base = access.address.base.checked_add(shift)?;
        let address = Affine { base, terms: access.address.terms.clone() };
        let own = Access { address, guards: vec![], ..access.clone() };
        let view = View { fill: 0, accesses: vec![own] };
        let operand = usize::from(access.operand);
        let whole = i.operands[operand].elements == extents.iter().product::<u64>();
        part.views = vec![view];
        if !whole || !own_elements(&part.views[0], &part) || parts.iter().any(|p: &Part| p.operand == operand) {
            return None;
        }
        let start = usize::try_from(first).ok()?.checked_mul(strides[axis])?;
        parts.push(Part { operand, start, strides: strides.clone(), extents });
        first += length;
    }
    (first == extent).then_some(parts)
}

/// How far an access goes along `axis` from `first` on, where it holds at once and everywhere else.
fn length(access: &Access, axis: usize, first: u64) -> Option<u64> {
    let [Guard { limit, affine }] = access.guards.as_slice() else { return None };
    let along = affine.terms.as_slice() == [(u8::try_from(axis).ok()?, 1)];
    let begins = affine.base.checked_neg()? == i64::try_from(first).ok()?;
    (along && begins && access.indirects.is_empty()).then_some(*limit)
}

impl Part {
    /// For each e axis of what makes the part how far a step is in the whole.
    pub(super) fn steps(&self, made: &Instruction) -> Option<Vec<usize>> {
        let parts = parts(&self.extents, &made.extents)?;
        let mut steps = vec![0; made.extents.len()];
        for (parts, stride) in parts.into_iter().zip(&self.strides) {
            for (x, worth) in parts {
                steps[x] = usize::try_from(worth).ok()?.checked_mul(*stride)?;
            }
        }
        Some(steps)
    }
}
