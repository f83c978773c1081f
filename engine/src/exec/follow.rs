//! An instruction that works element by element on another's results, as a part of the other's epilogue: what is between them is never stored.

use super::points::strides;
use crate::program::limits::{MAX_NODES, MAX_RANK};
use crate::program::{Affine, Core, Instruction, Node, Operand, View};

/// `first` with `next` after it, where that reads `first`'s results, its operand number `operand`, only at its own elements. A NaN between the two is
/// not canonical, but no operation tells NaNs apart.
pub(super) fn follow(first: &Instruction, next: &Instruction, operand: usize) -> Option<Instruction> {
    let parts = parts(&next.extents, &first.extents)?;
    let nodes = first.epilogue.nodes.len() + next.epilogue.nodes.len();
    let counted = next.epilogue.nodes.iter().any(|n| matches!(n, Node::Iota(_)));
    if next.core != Core::None || first.windowed || nodes > MAX_NODES || counted {
        return None;
    }
    let reads = |v: &View| v.accesses.iter().any(|a| usize::from(a.operand) == operand);
    let [shifted_operands, shifted_views, shifted_nodes] =
        [first.operands.len(), first.views.len(), first.epilogue.nodes.len()].map(|n| u8::try_from(n).ok());
    let (operands, views, nodes) = (shifted_operands?, shifted_views?, shifted_nodes?);
    let mut merged = first.clone();
    merged.operands.extend(next.operands.iter().map(|&o| Operand { ..o }));
    for view in &next.views {
        if reads(view) && !own_elements(view, next) {
            return None;
        }
        let mut view = view.clone();
        for access in &mut view.accesses {
            access.operand = access.operand.checked_add(operands)?;
            access.address = over(&access.address, &parts);
            access.guards.iter_mut().for_each(|g| g.affine = over(&g.affine, &parts));
            for indirect in &mut access.indirects {
                indirect.view = indirect.view.checked_add(views)?;
            }
        }
        merged.views.push(view);
    }
    // Where each of the second's nodes is.
    let mut places: Vec<u8> = Vec::with_capacity(next.epilogue.nodes.len());
    for node in &next.epilogue.nodes {
        let place = |n: u8| places[usize::from(n)];
        let made = match *node {
            Node::Load(v) if reads(&next.views[usize::from(v)]) => {
                places.push(nodes.checked_sub(1)?);
                continue;
            }
            Node::Valid(v) if reads(&next.views[usize::from(v)]) => return None,
            Node::Load(v) => Node::Load(v.checked_add(views)?),
            Node::Valid(v) => Node::Valid(v.checked_add(views)?),
            Node::Select(c, a, b) => Node::Select(place(c), place(a), place(b)),
            Node::Cast(to, a) => Node::Cast(to, place(a)),
            Node::Apply(op, mut arguments) => {
                arguments[..op.arity()].iter_mut().for_each(|a| *a = place(*a));
                Node::Apply(op, arguments)
            }
            Node::Const(..) => *node,
            Node::Core | Node::Iota(_) => return None,
        };
        places.push(u8::try_from(merged.epilogue.nodes.len()).ok()?);
        merged.epilogue.nodes.push(made);
    }
    // Its result is the last node, and a node of its own.
    (usize::from(*places.last()?) + 1 == merged.epilogue.nodes.len()).then_some(merged)
}

/// Whether a view reads element after element.
fn own_elements(view: &View, i: &Instruction) -> bool {
    let [access] = view.accesses.as_slice() else { return false };
    let strides = strides(i);
    let own = |x: usize| i.extents[x] == 1 || access.address.coefficient(x) == strides[x] as i64; // in memory
    let plain = access.guards.is_empty() && access.indirects.is_empty() && access.address.base == 0;
    plain && (0..i.extents.len()).all(own)
}

/// For each axis over `wide` extents the axes over `narrow` ones that it is made of, and what a step of each is worth; `None` where an axis
/// begins within another.
fn parts(wide: &[u64], narrow: &[u64]) -> Option<Vec<Vec<(usize, u64)>>> {
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

/// The form over other e axes.
fn over(form: &Affine, parts: &[Vec<(usize, u64)>]) -> Affine {
    let mut terms: Vec<(u8, i64)> = Vec::new();
    for &(axis, a) in &form.terms {
        match parts.get(usize::from(axis)) {
            Some(parts) if usize::from(axis) < MAX_RANK => {
                terms.extend(parts.iter().map(|&(x, worth)| (x as u8, a * worth as i64))); // as large as before
            }
            _ => terms.push((axis, a)),
        }
    }
    terms.sort_unstable();
    Affine { base: form.base, terms }
}
