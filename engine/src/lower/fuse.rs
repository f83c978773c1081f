//! Fusion: an instruction whose result only one other instruction reads, element by element, becomes part of that one.
//!
//! The merged instruction stands where the reader stood, so no operand is read before it is made, and it computes what the two did:
//! nothing but stored intermediate elements disappears.

use super::bill::STEP_GAS_CEILING;
use super::builder::{Builder, COPY, Label, Made};
use super::draft::{Draft, DraftView};
use super::formula::prune;
use super::lazy::{DefId, refine};
use crate::program::{Core, Expr, Node, NodeId, product};
use std::collections::{BTreeMap, BTreeSet};

/// Fuses among the definitions that `outputs` need.
pub(super) fn fuse(b: &mut Builder<'_>, outputs: &BTreeSet<DefId>) {
    let live = live(b, outputs);
    let mut readers: BTreeMap<DefId, BTreeSet<DefId>> = BTreeMap::new();
    for &def in &live {
        for operand in operands(b, def) {
            readers.entry(operand).or_default().insert(def);
        }
    }
    for &reader in &live {
        while let Some((producer, merged)) = fusable(b, reader, outputs, &readers) {
            for operand in operands(b, producer) {
                let entry = readers.entry(operand).or_default();
                entry.remove(&producer);
                entry.insert(reader);
            }
            readers.remove(&producer);
            b.defs[reader].label = label(&b.defs[producer].label, &b.defs[reader].label);
            if !outputs.contains(&reader) {
                b.defs[reader].ty.dims.clone_from(&merged.dims);
            }
            b.defs[reader].made = Made::Result(merged);
        }
    }
}

/// What the outputs need, in order.
pub(super) fn live(b: &Builder<'_>, outputs: &BTreeSet<DefId>) -> BTreeSet<DefId> {
    let mut live = outputs.clone();
    let mut open: Vec<DefId> = outputs.iter().copied().collect();
    while let Some(def) = open.pop() {
        open.extend(operands(b, def).into_iter().filter(|&o| live.insert(o)));
    }
    live
}

fn draft<'b>(b: &'b Builder<'_>, def: DefId) -> Option<&'b Draft> {
    match &b.defs[def].made {
        Made::Result(draft) => Some(draft),
        _ => None,
    }
}

pub(super) fn operands(b: &Builder<'_>, def: DefId) -> BTreeSet<DefId> {
    draft(b, def).map(Draft::operands).unwrap_or_default()
}

fn fusable(
    b: &Builder<'_>,
    reader: DefId,
    outputs: &BTreeSet<DefId>,
    readers: &BTreeMap<DefId, BTreeSet<DefId>>,
) -> Option<(DefId, Draft)> {
    let c = draft(b, reader)?;
    // The latest operand first: of a sum of two convolutions the later one takes the sum in.
    c.operands().into_iter().rev().find_map(|producer| {
        let p = draft(b, producer)?;
        if outputs.contains(&producer) || readers.get(&producer)?.len() != 1 {
            return None;
        }
        let merged = merge(p, producer, c)?;
        let before = b.draft_gas(p).max(b.draft_gas(c));
        let affordable = b.draft_gas(&merged) <= before.max(STEP_GAS_CEILING);
        (affordable && merged.fits(&b.value(&merged))).then_some((producer, merged))
    })
}

fn label(p: &Label, c: &Label) -> Label {
    match (p.operator.as_str(), c.operator.as_str()) {
        (COPY, _) => c.clone(),
        (_, COPY) => p.clone(),
        (a, b) => Label { name: c.name.clone(), operator: format!("{a}+{b}") },
    }
}

/// `c` with `p`, which defines `def`, computed in place; `None` where `c` does not read it element by element in its epilogue.
fn merge(p: &Draft, def: DefId, c: &Draft) -> Option<Draft> {
    let has_core = |d: &Draft| d.core != Core::None;
    // A scan's next element needs this one as it was, not what a reader makes of it.
    if matches!(p.core, Core::Scan { .. }) {
        return None;
    }
    if p.windowed || c.windowed || has_core(p) && has_core(c) || p.extents.contains(&0) {
        return None;
    }
    if (0..8).any(|axis| p.counts(axis) || c.counts(axis)) {
        return None;
    }
    let reads = |v: &DraftView| v.accesses.iter().any(|a| a.def == def as u64);
    let places: Vec<usize> = (0..c.views.len()).filter(|&v| reads(&c.views[v])).collect();
    let [place] = places[..] else { return None };
    let view = u8::try_from(place).ok()?;
    let in_core = match &c.core {
        Core::None => false,
        Core::Dot { a, b } => [*a, *b].contains(&view),
        Core::Fold { body, .. } => body.nodes.iter().any(|n| matches!(n, Node::Load(v) | Node::Valid(v) if *v == view)),
        Core::Scan { initial, .. } => *initial == view,
    };
    if in_core || c.is_index(view) || c.epilogue.nodes.contains(&Node::Valid(view)) {
        return None;
    }
    let (p, mut c) = aligned(p, c, place)?;
    if has_core(&p) && p.extents == c.extents {
        c.dims.clone_from(&p.dims);
    }

    // Views of both, the read of the result left out.
    let mut views = p.views.clone();
    let mut moved: Vec<u8> = Vec::new();
    for (v, view) in c.views.iter().enumerate() {
        let mut view = view.clone();
        // An index view is before those that it is for, here too.
        for term in view.accesses.iter_mut().flat_map(|a| &mut a.indirects) {
            term.view = *moved.get(usize::from(term.view))?;
        }
        let at = if v == place { 0 } else { views.iter().position(|w| *w == view).unwrap_or(views.len()) };
        if at == views.len() {
            views.push(view);
        }
        moved.push(u8::try_from(at).ok()?);
    }
    let shift = |expr: &mut Expr| {
        for node in &mut expr.nodes {
            if let Node::Load(v) | Node::Valid(v) = node {
                *v = moved[usize::from(*v)];
            }
        }
    };
    let mut nodes = p.epilogue.nodes.clone();
    let result = NodeId::try_from(nodes.len().checked_sub(1)?).ok()?;
    let mut renamed: Vec<NodeId> = Vec::new();
    for &node in &c.epilogue.nodes {
        if node == Node::Load(view) {
            renamed.push(result);
            continue;
        }
        let mut one = Expr { nodes: vec![node.renumbered(|a| renamed[usize::from(a)])] };
        shift(&mut one);
        let at = nodes.iter().position(|n| *n == one.nodes[0]).unwrap_or(nodes.len());
        if at == nodes.len() {
            nodes.push(one.nodes[0]);
        }
        renamed.push(NodeId::try_from(at).ok()?);
    }
    c.epilogue = prune(&nodes, *renamed.last()?);
    match &mut c.core {
        Core::None => {
            c.core = p.core;
            c.reduction = p.reduction;
        }
        Core::Dot { a, b } => (*a, *b) = (moved[usize::from(*a)], moved[usize::from(*b)]),
        Core::Fold { body, .. } => shift(body),
        Core::Scan { initial, .. } => *initial = moved[usize::from(*initial)],
    }
    c.views = views;
    let (e, r) = (c.extents.len(), c.reduction.len());
    for form in c.forms_mut() {
        form.e.resize(e, 0);
        form.r.resize(r, 0);
    }
    c.simplify();
    Some(c)
}

/// Both with the same element axes, where view `place` of `c` reads each element of `p` exactly once.
fn aligned(p: &Draft, c: &Draft, place: usize) -> Option<(Draft, Draft)> {
    let [access] = c.views[place].accesses.as_slice() else { return None };
    let fixed = access.guards.is_empty() && access.indirects.is_empty();
    if !fixed || access.address.base != 0 || access.address.r.iter().any(|&s| s != 0) {
        return None;
    }
    // The reader's axes, outermost in the producer's memory first, must be exactly the producer's row-major order.
    let strides = &access.address.e;
    let mut order: Vec<usize> = (0..c.extents.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(strides[i]));
    let mut expected = 1;
    for &i in order.iter().rev() {
        if strides[i] != expected {
            return None;
        }
        expected = expected.checked_mul(i64::try_from(c.extents[i]).ok()?)?;
    }
    if u64::try_from(expected).ok() != Some(product(&p.extents)) {
        return None;
    }
    // Kernels know a dot by the order of its loops: it is not permuted.
    if matches!(p.core, Core::Dot { .. }) && !order.is_sorted() {
        return None;
    }
    let sorted: Vec<u64> = order.iter().map(|&i| c.extents[i]).collect();
    let parts = refine(&sorted, &p.extents)?;
    let (mut p, mut c) = (p.clone(), c.clone());
    let in_order: Vec<usize> = (0..p.extents.len()).collect();
    split_all(&mut p, &in_order, &parts)?;
    let place_of = split_all(&mut c, &order, &parts)?;
    p.permute(&place_of);
    Some((p, c))
}

/// Splits the axes, `order` naming them from the outermost part on, into `parts`; gives for each new axis its part. `None` where a scan
/// needs an axis whole.
fn split_all(draft: &mut Draft, order: &[usize], parts: &[u64]) -> Option<Vec<usize>> {
    let mut rest = (0..parts.len()).peekable();
    let mut pieces: Vec<Vec<usize>> = vec![Vec::new(); order.len()];
    for &axis in order {
        let mut need = draft.extents[axis];
        while need > 1 {
            let Some(part) = rest.next() else { break };
            need /= parts[part].max(1);
            pieces[axis].push(part);
        }
    }
    for axis in (0..pieces.len()).rev() {
        let extents: Vec<u64> = pieces[axis].iter().map(|&p| parts[p]).collect();
        draft.split(axis, &extents)?;
    }
    Some(pieces.into_iter().flatten().collect())
}
