//! An instruction that works element by element on another's results, as a part of the other's epilogue: what is between them is never stored.

use super::axes::over;
use super::points::strides;
use crate::program::limits::MAX_NODES;
use crate::program::{Core, Instruction, Node, NodeId, View};

/// `first` with `next` after it, where that reads `first`'s results, its operand number `operand`, only at its own elements. A NaN between the two is
/// not canonical, but no operation tells NaNs apart.
pub(super) fn follow(first: &Instruction, next: &Instruction, operand: usize) -> Option<Instruction> {
    let parts = parts(&next.extents, &first.extents)?;
    let nodes = first.epilogue.nodes.len() + next.epilogue.nodes.len();
    if next.core != Core::None || first.windowed || nodes > MAX_NODES {
        return None;
    }
    let reads = |v: &View| v.accesses.iter().any(|a| usize::from(a.operand) == operand);
    let mut merged = first.clone();
    let operands = u8::try_from(merged.operands.len()).ok()?;
    let views = u8::try_from(merged.views.len()).ok()?;
    let result = NodeId::try_from(merged.epilogue.nodes.len().checked_sub(1)?).ok()?;
    merged.operands.extend(&next.operands);
    for view in &next.views {
        if reads(view) && !own_elements(view, next) {
            return None;
        }
        let mut view = view.clone();
        over(&mut view, |axis| parts[axis].clone());
        for access in &mut view.accesses {
            access.operand = access.operand.checked_add(operands)?;
            for indirect in &mut access.indirects {
                indirect.view = indirect.view.checked_add(views)?;
            }
        }
        merged.views.push(view);
    }
    // Where each of the second's nodes is.
    let mut places: Vec<NodeId> = Vec::with_capacity(next.epilogue.nodes.len());
    for node in &next.epilogue.nodes {
        let made = match *node {
            Node::Load(v) if reads(&next.views[usize::from(v)]) => {
                places.push(result);
                continue;
            }
            Node::Valid(v) if reads(&next.views[usize::from(v)]) => return None,
            Node::Load(v) => Node::Load(v.checked_add(views)?),
            Node::Valid(v) => Node::Valid(v.checked_add(views)?),
            Node::Core | Node::Iota(_) => return None,
            node => node.renumbered(|a| places[usize::from(a)]),
        };
        places.push(NodeId::try_from(merged.epilogue.nodes.len()).ok()?);
        merged.epilogue.nodes.push(made);
    }
    // Its result is the last node, and a node of its own.
    (usize::from(*places.last()?) + 1 == merged.epilogue.nodes.len()).then_some(merged)
}

/// Whether a view reads element after element.
pub(super) fn own_elements(view: &View, i: &Instruction) -> bool {
    let [access] = view.accesses.as_slice() else { return false };
    let strides = strides(i);
    let own = |x: usize| i.extents[x] == 1 || access.address.coefficient(x) == strides[x] as i64; // in memory
    let plain = access.guards.is_empty() && access.indirects.is_empty() && access.address.base == 0;
    plain && (0..i.extents.len()).all(own)
}

/// For each axis over `wide` extents the axes over `narrow` ones that it is made of, and what a step of each is worth; `None` where an axis
/// begins within another.
pub(super) fn parts(wide: &[u64], narrow: &[u64]) -> Option<Vec<Vec<(usize, u64)>>> {
    let mut parts = vec![Vec::new(); wide.len()];
    let mut rest = (0..narrow.len()).rev().filter(|&x| narrow[x] != 1);
    for (axis, &extent) in wide.iter().enumerate().rev() {
        let mut worth = 1u64;
        while worth < extent {
            let x = rest.next()?;
            parts[axis].push((x, worth));
            worth = worth.checked_mul(narrow[x])?;
        }
        if worth != extent {
            return None;
        }
    }
    rest.next().is_none().then_some(parts)
}
