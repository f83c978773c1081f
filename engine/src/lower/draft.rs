//! An instruction whose operands are still definitions: it has no value number yet.

use super::lazy::DefId;
use crate::program::limits::*;
use crate::program::*;
use std::collections::BTreeSet;

/// An instruction under construction.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Draft {
    pub(super) dtype: DType,
    /// The value's shape.
    pub(super) dims: Vec<u64>,
    pub(super) extents: Vec<u64>,
    pub(super) reduction: Vec<u64>,
    pub(super) windowed: bool,
    pub(super) views: Vec<DraftView>,
    pub(super) core: Core,
    pub(super) epilogue: Expr,
}

/// A [`View`] over definitions.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct DraftView {
    pub(super) fill: i64,
    pub(super) accesses: Vec<DraftAccess>,
}

/// An [`Access`] to a definition.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct DraftAccess {
    pub(super) def: u64,
    pub(super) address: Form,
    /// (limit, form) of each guard.
    pub(super) guards: Vec<(u64, Form)>,
    pub(super) indirects: Vec<Indirect>,
}

/// An [`Affine`] with one coefficient for every axis.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Form {
    pub(super) base: i64,
    pub(super) e: Vec<i64>,
    pub(super) r: Vec<i64>,
}

impl DraftAccess {
    pub(super) fn forms_mut(&mut self) -> impl Iterator<Item = &mut Form> {
        std::iter::once(&mut self.address).chain(self.guards.iter_mut().map(|g| &mut g.1))
    }

    fn forms(&self) -> impl Iterator<Item = &Form> {
        std::iter::once(&self.address).chain(self.guards.iter().map(|g| &g.1))
    }
}

impl Form {
    fn affine(&self) -> Affine {
        let numbered = |axes: &[i64], first: u8| -> Vec<(u8, i64)> {
            (first..).zip(axes.iter().copied()).filter(|t| t.1 != 0).collect()
        };
        let mut terms = numbered(&self.e, 0);
        terms.extend(numbered(&self.r, FIRST_REDUCTION_AXIS));
        Affine { base: self.base, terms }
    }
}

/// Which coefficients and extents of a draft.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Element,
    Reduction,
}

impl Draft {
    /// The definitions read.
    pub(super) fn operands(&self) -> BTreeSet<DefId> {
        self.views.iter().flat_map(|v| &v.accesses).map(|a| a.def as DefId).collect()
    }

    pub(super) fn exprs(&self) -> impl Iterator<Item = &Expr> {
        let body = if let Core::Fold { body, .. } = &self.core { Some(body) } else { None };
        std::iter::once(&self.epilogue).chain(body)
    }

    fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        let body = if let Core::Fold { body, .. } = &mut self.core { Some(body) } else { None };
        std::iter::once(&mut self.epilogue).chain(body)
    }

    pub(super) fn forms_mut(&mut self) -> impl Iterator<Item = &mut Form> {
        self.views.iter_mut().flat_map(|v| &mut v.accesses).flat_map(DraftAccess::forms_mut)
    }

    /// Whether a view says where another one reads.
    pub(super) fn is_index(&self, view: u8) -> bool {
        self.views.iter().flat_map(|v| &v.accesses).flat_map(|a| &a.indirects).any(|t| t.view == view)
    }

    /// Whether some expression asks for the coordinate of an axis.
    pub(super) fn counts(&self, axis: u8) -> bool {
        self.exprs().flat_map(|e| &e.nodes).any(|n| *n == Node::Iota(axis))
    }

    /// The element axis of a scan.
    fn scanned(&self) -> Option<usize> {
        if let Core::Scan { axis, .. } = self.core { Some(axis.into()) } else { None }
    }

    /// The axes changed places: tells the scan where its own is now.
    fn move_scanned(&mut self, to: impl Fn(usize) -> usize) {
        if let Core::Scan { axis, .. } = &mut self.core {
            *axis = u8::try_from(to(usize::from(*axis))).unwrap_or(u8::MAX);
        }
    }

    /// Drops axes of extent 1 and merges neighbours that every form sees as one loop.
    pub(super) fn simplify(&mut self) {
        for side in [Side::Element, Side::Reduction] {
            let mut i = self.axes(side).len();
            while i > 0 {
                i -= 1;
                let window = side == Side::Element && self.windowed && i + 1 == self.extents.len();
                let scanned = side == Side::Element && self.scanned() == Some(i);
                if self.axes(side)[i] == 1 && !window && !scanned {
                    self.remove(side, i);
                } else if self.mergeable(side, i) {
                    let inner = self.axes(side)[i + 1];
                    self.axes_mut(side)[i + 1] = inner.saturating_mul(self.axes(side)[i]);
                    self.remove(side, i);
                }
            }
        }
        if self.dims.len() > MAX_RANK {
            self.dims.clone_from(&self.extents);
        }
    }

    fn axes(&self, side: Side) -> &Vec<u64> {
        if side == Side::Element { &self.extents } else { &self.reduction }
    }

    fn axes_mut(&mut self, side: Side) -> &mut Vec<u64> {
        if side == Side::Element { &mut self.extents } else { &mut self.reduction }
    }

    /// Whether axes `i` and `i + 1` are one loop.
    fn mergeable(&self, side: Side, i: usize) -> bool {
        let axes = self.axes(side);
        let Some(inner) = axes.get(i + 1).and_then(|&n| i64::try_from(n).ok()) else { return false };
        let first = if side == Side::Element { 0 } else { usize::from(FIRST_REDUCTION_AXIS) };
        let counted = [i, i + 1].into_iter().any(|a| u8::try_from(first + a).is_ok_and(|a| self.counts(a)));
        let window = side == Side::Element && self.windowed && i + 2 == axes.len();
        let scanned = side == Side::Element && self.scanned().is_some_and(|a| a == i || a == i + 1);
        !counted
            && !window
            && !scanned
            && self.views.iter().flat_map(|v| &v.accesses).flat_map(DraftAccess::forms).all(|f| {
                let c = if side == Side::Element { &f.e } else { &f.r };
                c[i + 1].checked_mul(inner) == Some(c[i])
            })
    }

    /// Forgets an axis, not that of a scan; its coordinate, where asked for, is 0.
    fn remove(&mut self, side: Side, i: usize) {
        self.axes_mut(side).remove(i);
        if side == Side::Element {
            self.move_scanned(|a| if a > i { a - 1 } else { a });
        }
        for f in self.forms_mut() {
            if side == Side::Element { &mut f.e } else { &mut f.r }.remove(i);
        }
        let (first, end) =
            if side == Side::Element { (0, FIRST_REDUCTION_AXIS) } else { (FIRST_REDUCTION_AXIS, u8::MAX) };
        for node in self.exprs_mut().flat_map(|e| &mut e.nodes) {
            if let Node::Iota(axis) = *node
                && (first..end).contains(&axis)
            {
                let gone = usize::from(first) + i;
                *node = match usize::from(axis).cmp(&gone) {
                    std::cmp::Ordering::Less => Node::Iota(axis),
                    std::cmp::Ordering::Equal => Node::Const(DType::I64, 0),
                    std::cmp::Ordering::Greater => Node::Iota(axis - 1),
                };
            }
        }
    }

    /// Splits element axis `i` into row-major parts; `None` where a scan needs it whole.
    pub(super) fn split(&mut self, i: usize, parts: &[u64]) -> Option<()> {
        if self.scanned() == Some(i) && parts.len() != 1 {
            return None;
        }
        self.move_scanned(|a| if a > i { a + parts.len() - 1 } else { a });
        self.extents.splice(i..=i, parts.iter().copied());
        for f in self.forms_mut() {
            let c = f.e[i];
            let split = (0..parts.len()).map(|p| c.saturating_mul(product(&parts[p + 1..]) as i64));
            let split: Vec<i64> = split.collect();
            f.e.splice(i..=i, split);
        }
        Some(())
    }

    /// Puts element axis `order[i]` at place `i`.
    pub(super) fn permute(&mut self, order: &[usize]) {
        self.extents = order.iter().map(|&i| self.extents[i]).collect();
        self.move_scanned(|a| order.iter().position(|&i| i == a).unwrap_or(a));
        for f in self.forms_mut() {
            f.e = order.iter().map(|&i| f.e[i]).collect();
        }
    }

    /// Whether it has no more axes than an instruction may.
    pub(super) fn fits_axes(&self) -> bool {
        self.extents.len() <= MAX_RANK && self.reduction.len() <= MAX_REDUCTION_AXES
    }

    /// Whether it fits the limits of an instruction and its descriptor.
    pub(super) fn fits(&self, value: &Value) -> bool {
        self.fits_axes()
            && self.operands().len() <= MAX_OPERANDS
            && self.views.len() <= MAX_VIEWS
            && self.views.iter().all(|v| v.accesses.len() <= MAX_ACCESSES)
            && self.views.iter().flat_map(|v| &v.accesses).all(|a| a.guards.len() <= MAX_GUARDS)
            && self.views.iter().flat_map(|v| &v.accesses).all(|a| a.indirects.len() <= MAX_INDIRECTS)
            && self.exprs().all(|e| e.nodes.len() <= MAX_NODES)
            && encode_descriptor(value).is_ok()
    }

    /// The value, with definitions numbered by `number` (any order) and sized by `elements`.
    pub(super) fn value(&self, number: impl Fn(DefId) -> ValueId, ty: impl Fn(DefId) -> (DType, u64)) -> Value {
        let mut operands: Vec<(ValueId, DefId)> = self.operands().into_iter().map(|d| (number(d), d)).collect();
        operands.sort_unstable();
        let index = |def: u64| operands.iter().position(|o| o.1 == def as DefId).and_then(|i| u8::try_from(i).ok());
        let guard = |(limit, form): &(u64, Form)| Guard { limit: *limit, affine: form.affine() };
        let access = |a: &DraftAccess| Access {
            operand: index(a.def).unwrap_or(u8::MAX),
            address: a.address.affine(),
            guards: a.guards.iter().map(guard).collect(),
            indirects: a.indirects.clone(),
        };
        let view = |v: &DraftView| View { fill: v.fill, accesses: v.accesses.iter().map(access).collect() };
        let operand = |&(value, def): &(ValueId, DefId)| {
            let (dtype, elements) = ty(def);
            Operand { value, dtype, elements }
        };
        Value {
            ty: TensorType::new(self.dtype, self.dims.clone()),
            source: Source::Instruction(Instruction {
                extents: self.extents.clone(),
                reduction: self.reduction.clone(),
                windowed: self.windowed,
                operands: operands.iter().map(operand).collect(),
                views: self.views.iter().map(view).collect(),
                core: self.core.clone(),
                epilogue: self.epilogue.clone(),
            }),
        }
    }
}
