//! How long values are needed, where each is made.

use crate::program::{Program, ValueId};

/// For each value the last value that reads it; itself, if none does.
pub(super) fn last_uses(program: &Program) -> Vec<ValueId> {
    let mut last: Vec<ValueId> = (0..program.values.len() as u64).collect();
    for (id, value) in (0..).zip(&program.values) {
        for o in value.instruction().into_iter().flat_map(|i| &i.operands) {
            last[o.value as usize] = id;
        }
    }
    last
}

/// The most elements of results that are needed at once.
pub(super) fn at_once(program: &Program) -> u64 {
    let elements = |id: ValueId| program.instruction(id).map_or(0, |_| program.values[id as usize].ty.elements());
    let last_use = last_uses(program);
    let (mut now, mut most) = (0u64, 0);
    for (id, value) in (0..).zip(&program.values) {
        now = now.saturating_add(elements(id));
        most = most.max(now);
        let operands = value.instruction().into_iter().flat_map(|i| &i.operands);
        let mut read: Vec<ValueId> = operands.map(|o| o.value).filter(|&o| last_use[o as usize] == id).collect();
        read.sort_unstable();
        read.dedup();
        now = read.into_iter().fold(now, |now, o| now.saturating_sub(elements(o)));
    }
    most
}
