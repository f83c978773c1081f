//! What the lowering of one node sees: its inputs and attributes, and whether all of them were honoured.

use super::Lowering;
use super::builder::Builder;
use super::lazy::Lazy;
use super::scope::Scope;
use crate::onnx::{Attributes, Node};
use std::collections::BTreeSet;

/// One node being lowered.
pub(super) struct Context<'c, 'a> {
    pub(super) b: &'c mut Builder<'a>,
    pub(super) attributes: Attributes,
    pub(super) opset: i64,
    node: &'c Node,
    /// The tensors that can be named.
    pub(super) scope: &'c Scope<'c>,
    read: BTreeSet<usize>,
}

impl<'c, 'a> Context<'c, 'a> {
    pub(super) fn new(b: &'c mut Builder<'a>, node: &'c Node, scope: &'c Scope<'c>) -> Self {
        Self { b, attributes: node.attributes.clone(), opset: node.opset, node, scope, read: BTreeSet::new() }
    }

    /// Number of inputs, left out ones in between counted.
    pub(super) fn inputs(&self) -> usize {
        self.node.inputs.len()
    }

    /// Number of outputs asked for.
    pub(super) fn outputs(&self) -> usize {
        self.node.outputs.len()
    }

    /// Input `index`, if it is there.
    pub(super) fn optional(&mut self, index: usize) -> Lowering<Option<Lazy>> {
        self.read.insert(index);
        match self.node.inputs.get(index).filter(|name| !name.is_empty()) {
            None => Ok(None),
            Some(name) => self.scope.get(name).cloned().map(Some).ok_or_else(|| format!("input `{name}` is not known")),
        }
    }

    /// Input `index`.
    pub(super) fn input(&mut self, index: usize) -> Lowering<Lazy> {
        self.optional(index)?.ok_or_else(|| format!("input {index} is missing"))
    }

    /// All inputs; none may be left out.
    pub(super) fn all(&mut self) -> Lowering<Vec<Lazy>> {
        if self.inputs() == 0 {
            return Err("it has no input".into());
        }
        (0..self.inputs()).map(|i| self.input(i)).collect()
    }

    /// Input `index` as integers known now, such as a shape.
    pub(super) fn optional_ints(&mut self, index: usize, what: &str) -> Lowering<Option<Vec<i64>>> {
        let Some(lazy) = self.optional(index)? else { return Ok(None) };
        let known = self.b.ints(&lazy).filter(|_| lazy.rank() <= 1);
        known.map(Some).ok_or_else(|| format!("its {what} is not known when compiling"))
    }

    /// Input `index` as floats known now, such as scales.
    pub(super) fn optional_floats(&mut self, index: usize, what: &str) -> Lowering<Option<Vec<f32>>> {
        let Some(lazy) = self.optional(index)? else { return Ok(None) };
        let known = self.b.floats(&lazy).filter(|_| lazy.rank() <= 1);
        known.map(Some).ok_or_else(|| {
            format!("its {what} is not known when compiling: bind the input that it comes from to a constant")
        })
    }

    /// Integers from an attribute or, in newer operator sets, an input.
    pub(super) fn ints_or(&mut self, attribute: &str, index: usize, since: i64) -> Lowering<Option<Vec<i64>>> {
        if self.opset < since { self.attributes.ints(attribute) } else { self.optional_ints(index, attribute) }
    }

    /// A float attribute with a default.
    pub(super) fn float(&mut self, name: &str, default: f32) -> Lowering<f32> {
        Ok(self.attributes.float(name)?.unwrap_or(default))
    }

    /// An integer attribute with a default.
    pub(super) fn int(&mut self, name: &str, default: i64) -> Lowering<i64> {
        Ok(self.attributes.int(name)?.unwrap_or(default))
    }

    /// An attribute that is 0 or 1.
    pub(super) fn flag(&mut self, name: &str, default: bool) -> Lowering<bool> {
        Ok(self.int(name, default.into())? != 0)
    }

    /// Refuses training, which operator sets before 7 do unless told that it is a test.
    pub(super) fn inference(&mut self) -> Lowering<()> {
        if self.opset >= 7 || self.flag("is_test", false)? {
            Ok(())
        } else {
            Err("training is not supported; export for inference".into())
        }
    }

    /// Every attribute, input and output was honoured by a lowering that gave `given` outputs.
    pub(super) fn check_all_read(&self, given: usize) -> Lowering<()> {
        if let Some(name) = self.attributes.unread() {
            return Err(format!("attribute `{name}` is not supported"));
        }
        let unread = |(i, name): &(usize, &String)| !name.is_empty() && !self.read.contains(i);
        if let Some((i, name)) = self.node.inputs.iter().enumerate().find(unread) {
            return Err(format!("input {i} (`{name}`) is not supported"));
        }
        match self.node.outputs.iter().enumerate().skip(given).find(|(_, name)| !name.is_empty()) {
            Some((i, name)) => Err(format!("output {i} (`{name}`) is not supported")),
            None => Ok(()),
        }
    }
}

/// An axis counted from the end where negative.
pub(super) fn axis_of(axis: i64, rank: usize) -> Lowering<usize> {
    let n = i64::try_from(rank).map_err(|e| e.to_string())?;
    let at = if axis < 0 { axis.saturating_add(n) } else { axis };
    let inside = (0..n).contains(&at);
    usize::try_from(at).ok().filter(|_| inside).ok_or_else(|| format!("axis {axis} does not exist in rank {rank}"))
}

/// Distinct axes, in increasing order.
pub(super) fn axes_of(axes: &[i64], rank: usize) -> Lowering<Vec<usize>> {
    let set = axes.iter().map(|&a| axis_of(a, rank)).collect::<Lowering<BTreeSet<_>>>()?;
    if set.len() == axes.len() { Ok(set.into_iter().collect()) } else { Err(format!("axes {axes:?} repeat")) }
}

/// Numpy's common shape.
pub(super) fn broadcast_dims<'l>(tensors: impl IntoIterator<Item = &'l Lazy>) -> Lowering<Vec<u64>> {
    let mut dims: Vec<u64> = Vec::new();
    for lazy in tensors {
        let other = lazy.dims();
        if other.len() > dims.len() {
            dims.splice(0..0, std::iter::repeat_n(1, other.len() - dims.len()));
        }
        let lead = dims.len() - other.len();
        for (d, &o) in dims[lead..].iter_mut().zip(&other) {
            match (*d, o) {
                (a, b) if a == b => {}
                (1, b) => *d = b,
                (_, 1) => {}
                (a, b) => return Err(format!("dimensions {a} and {b} do not broadcast")),
            }
        }
    }
    super::mul(&dims)?;
    Ok(dims)
}
