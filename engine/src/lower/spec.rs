//! What an instruction is to compute, in logical axes, and its placing into the loops of an instruction.

use super::draft::{Draft, DraftAccess, DraftView, Form};
use super::formula::Formula;
use super::lazy::{Axis, Lazy, axis, merged, refine, strides};
use crate::program::limits::{CHUNK, FIRST_REDUCTION_AXIS};
use crate::program::{Core, DType, Expr, Indirect, Node, NodeId, product};

/// An element of one of several lazy tensors, or the fill.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Read {
    pub(super) fill: i64,
    pub(super) accesses: Vec<Access>,
}

/// A lazy tensor over the instruction's logical axes, and where it applies.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Access {
    pub(super) lazy: Lazy,
    pub(super) guards: Vec<Bound>,
    pub(super) indices: Vec<Index>,
}

/// An index that data gives: it adds `coefficient` times itself to the address, see [`Indirect`].
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Index {
    /// The integers, over the same logical axes.
    pub(super) lazy: Lazy,
    pub(super) limit: u64,
    pub(super) coefficient: i64,
}

/// Holds when `0 <= base + sum coefficient * coordinate(logical axis) < limit`.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Bound {
    pub(super) limit: u64,
    pub(super) base: i64,
    pub(super) terms: Vec<(usize, i64)>,
}

impl Access {
    /// An access at no other addresses than its lazy tensor's, where the guards hold.
    pub(super) fn guarded(lazy: Lazy, guards: Vec<Bound>) -> Self {
        Self { lazy, guards, indices: Vec::new() }
    }

    /// The lazy tensors read: the indices and what they are into.
    fn lazies(&self) -> impl Iterator<Item = &Lazy> {
        std::iter::once(&self.lazy).chain(self.indices.iter().map(|i| &i.lazy))
    }
}

impl Read {
    /// A read that always finds its element.
    pub(super) fn plain(lazy: Lazy) -> Self {
        Self { fill: 0, accesses: vec![Access::guarded(lazy, Vec::new())] }
    }

    pub(super) fn dtype(&self) -> DType {
        self.accesses.first().map_or(DType::F32, |a| a.lazy.dtype)
    }

    /// The lazy tensor of a plain read.
    pub(super) fn as_plain(&self) -> Option<&Lazy> {
        match self.accesses.as_slice() {
            [Access { lazy, guards, indices }] if guards.is_empty() && indices.is_empty() => Some(lazy),
            _ => None,
        }
    }
}

/// An instruction in logical axes.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    /// Result type.
    pub(super) dtype: DType,
    /// Logical element axes.
    pub(super) extents: Vec<u64>,
    /// Logical reduction axes, numbered after the element axes in reads and bounds.
    pub(super) reduction: Vec<u64>,
    /// Whether each element is one window, with the window's number as innermost axis.
    pub(super) windowed: bool,
    /// What the core reads, over all axes; the core names them.
    pub(super) core_reads: Vec<Read>,
    pub(super) core: Core,
    /// What the epilogue reads, over the element axes; the epilogue names them.
    pub(super) reads: Vec<Read>,
    pub(super) epilogue: Expr,
    /// The epilogue's read whose physical order the result takes; logical order without.
    pub(super) leader: Option<usize>,
    /// A dot of integers of 8 bits and a sign: f32 sums of as many products as a step takes are exact, and those of parts are added up in i32.
    pub(super) integers: bool,
}

impl Spec {
    /// An elementwise instruction in logical order.
    pub(super) fn map(dtype: DType, extents: Vec<u64>, reads: Vec<Read>, epilogue: Expr) -> Self {
        let (reduction, core_reads) = (Vec::new(), Vec::new());
        Self {
            dtype,
            extents,
            reduction,
            windowed: false,
            core_reads,
            core: Core::None,
            reads,
            epilogue,
            leader: None,
            integers: false,
        }
    }

    /// A reduction whose epilogue is `result` of a formula over the element axes.
    pub(super) fn reduction(
        reduction: Vec<u64>,
        core: Core,
        core_reads: Vec<Read>,
        epilogue: Formula,
        result: NodeId,
    ) -> Self {
        let extents = epilogue.dims.clone();
        let (reads, epilogue, dtype) = epilogue.finish(result);
        Self { reduction, core, core_reads, ..Self::map(dtype, extents, reads, epilogue) }
    }
}

/// A placed instruction and the result's logical axes over its physical elements.
pub(super) struct Placed {
    pub(super) draft: Draft,
    pub(super) axes: Vec<Axis>,
}

/// A loop of the instruction: part `part` of logical axis `axis`.
#[derive(Clone, Copy)]
struct Slot {
    axis: usize,
    part: usize,
    extent: u64,
}

/// Finds the common loops of all reads; `None` where factors do not refine to common ones or there are too many loops.
pub(super) fn place(spec: &Spec) -> Option<Placed> {
    let e = spec.extents.len();
    let logical: Vec<u64> = spec.extents.iter().chain(&spec.reduction).copied().collect();
    let accesses = || spec.core_reads.iter().chain(&spec.reads).flat_map(|r| &r.accesses);
    let mut parts: Vec<Vec<u64>> = logical.iter().map(|&n| if n == 1 { vec![] } else { vec![n] }).collect();
    for lazy in accesses().flat_map(Access::lazies) {
        for (parts, axis) in parts.iter_mut().zip(&lazy.axes) {
            let extents: Vec<u64> = axis.iter().map(|f| f.extent).collect();
            *parts = refine(parts, &extents)?;
        }
    }
    let slots = |axes: std::ops::Range<usize>| -> Vec<Slot> {
        axes.flat_map(|axis| parts[axis].iter().enumerate().map(move |(part, &extent)| Slot { axis, part, extent }))
            .collect()
    };
    let (mut outer, inner) = (slots(0..e), slots(e..logical.len()));
    let led = lead(spec, &parts, &mut outer);

    let form = |lazy: &Lazy| -> Option<Form> {
        let all = lazy.axes.iter().zip(&parts).map(|(a, p)| strides(a, p)).collect::<Option<Vec<_>>>()?;
        let coefficient = |s: &Slot| all.get(s.axis).map_or(0, |strides| strides[s.part]);
        Some(Form {
            base: lazy.base,
            e: outer.iter().map(coefficient).chain(spec.windowed.then_some(0)).collect(),
            r: inner.iter().map(coefficient).collect(),
        })
    };
    let bound = |b: &Bound| -> (u64, Form) {
        let coefficient = |s: &Slot| {
            let of_axis: i64 = b.terms.iter().filter(|t| t.0 == s.axis).map(|t| t.1).sum();
            of_axis.saturating_mul(i64::try_from(product(&parts[s.axis][s.part + 1..])).unwrap_or(i64::MAX))
        };
        let e = outer.iter().map(coefficient).chain(spec.windowed.then_some(0)).collect();
        (b.limit, Form { base: b.base, e, r: inner.iter().map(coefficient).collect() })
    };
    // Index views are the first ones: each is before those that it is for.
    let mut views: Vec<DraftView> = Vec::new();
    let indirect = |index: &Index, views: &mut Vec<DraftView>| -> Option<Indirect> {
        let address = form(&index.lazy)?;
        let access = DraftAccess { def: index.lazy.def as u64, address, guards: Vec::new(), indirects: Vec::new() };
        let view = DraftView { fill: 0, accesses: vec![access] };
        let at = views.iter().position(|v| *v == view).unwrap_or(views.len());
        if at == views.len() {
            views.push(view);
        }
        Some(Indirect { view: u8::try_from(at).ok()?, limit: index.limit, coefficient: index.coefficient })
    };
    let mut terms: Vec<Vec<Indirect>> = Vec::new();
    for access in accesses() {
        terms.push(access.indices.iter().map(|i| indirect(i, &mut views)).collect::<Option<_>>()?);
    }
    let indices = views.len();
    let mut terms = terms.into_iter();
    for read in spec.core_reads.iter().chain(&spec.reads) {
        let mut accesses = Vec::new();
        for a in &read.accesses {
            let guards = a.guards.iter().map(bound).collect();
            let indirects = terms.next().unwrap_or_default();
            accesses.push(DraftAccess { def: a.lazy.def as u64, address: form(&a.lazy)?, guards, indirects });
        }
        views.push(DraftView { fill: read.fill, accesses });
    }

    let windows = spec.windowed.then(|| product(&spec.reduction).div_ceil(CHUNK));
    let extents: Vec<u64> = outer.iter().map(|s| s.extent).chain(windows).collect();
    let axes = result_axes(e, &outer, windows);
    let dims = if led { extents.clone() } else { spec.extents.iter().copied().chain(windows).collect() };
    let first = indices + spec.core_reads.len();
    let mut draft = Draft {
        dtype: spec.dtype,
        dims,
        extents,
        reduction: inner.iter().map(|s| s.extent).collect(),
        windowed: spec.windowed,
        views,
        core: spec.core.clone(),
        epilogue: spec.epilogue.clone(),
    };
    let slot_of = |axis: u8| -> Option<Node> {
        let r = axis.checked_sub(FIRST_REDUCTION_AXIS);
        let logical = r.map_or(usize::from(axis), |r| e + usize::from(r));
        let (slots, first) = if r.is_some() { (&inner, FIRST_REDUCTION_AXIS) } else { (&outer, 0) };
        match parts.get(logical)?.len() {
            0 => Some(Node::Const(DType::I64, 0)),
            1 => Some(Node::Iota(first + u8::try_from(slots.iter().position(|s| s.axis == logical)?).ok()?)),
            _ => None,
        }
    };
    rename(&mut draft.epilogue, first, &slot_of)?;
    match &mut draft.core {
        Core::None => {}
        Core::Dot { a, b } => {
            shift(a, indices)?;
            shift(b, indices)?;
        }
        Core::Fold { body, .. } => rename(body, indices, &slot_of)?,
        Core::Scan { axis, initial } => {
            let Some(Node::Iota(slot)) = slot_of(*axis) else { return None };
            *axis = slot;
            shift(initial, indices)?;
        }
    }
    draft.simplify();
    draft.fits_axes().then_some(Placed { draft, axes })
}

/// Shifts view numbers and names loops instead of logical axes.
fn rename(expr: &mut Expr, first_view: usize, slot_of: &impl Fn(u8) -> Option<Node>) -> Option<()> {
    for node in &mut expr.nodes {
        match node {
            Node::Load(v) | Node::Valid(v) => shift(v, first_view)?,
            Node::Iota(axis) => *node = slot_of(*axis)?,
            _ => {}
        }
    }
    Some(())
}

fn shift(view: &mut u8, by: usize) -> Option<()> {
    *view = u8::try_from(usize::from(*view) + by).ok()?;
    Some(())
}

/// Sorts the element loops as the leader's elements lie in memory; whether there was a leader with such an order.
fn lead(spec: &Spec, parts: &[Vec<u64>], outer: &mut [Slot]) -> bool {
    let Some(access) = spec.leader.and_then(|l| spec.reads.get(l)).and_then(|r| r.accesses.first()) else {
        return false;
    };
    let all: Option<Vec<Vec<i64>>> = access.lazy.axes.iter().zip(parts).map(|(a, p)| strides(a, p)).collect();
    let Some(all) = all else { return false };
    let stride = |s: &Slot| all.get(s.axis).map_or(0, |strides| strides[s.part]);
    if outer.iter().any(|s| stride(s) <= 0) || outer.is_sorted_by_key(|s| -stride(s)) {
        return false;
    }
    outer.sort_by_key(|s| -stride(s));
    true
}

fn result_axes(rank: usize, outer: &[Slot], windows: Option<u64>) -> Vec<Axis> {
    let extents: Vec<u64> = outer.iter().map(|s| s.extent).chain(windows).collect();
    let strides = super::lazy::row_major(&extents);
    let mut factors: Vec<(Slot, i64)> = outer.iter().copied().zip(strides.iter().copied()).collect();
    factors.sort_by_key(|(s, _)| (s.axis, s.part));
    let mut axes = vec![Axis::new(); rank];
    for (slot, stride) in factors {
        axes[slot.axis].extend(axis(slot.extent, stride));
    }
    axes.extend(windows.map(|w| axis(w, 1)));
    axes.into_iter().map(merged).collect()
}
