//! Traces: every value of a run, the tree over each, and the tree over all of them.
//!
//! A trace keeps the upper levels of each tree. Leaves come from values in memory, of which there are as many as the user allows, else from a
//! file, else from a run that makes them again.

mod cache;
mod elsewhere;
mod storage;

pub use cache::CacheError;
pub use storage::{Storage, TraceError, Tracer};

use crate::exec::{ExecError, Hook, Options, Stepwise, Wanted};
use crate::hash::Hash;
use crate::package::Package;
use crate::program::ValueId;
use crate::tensor::Tensor;
use crate::tree::{Leaf, Nodes, TensorTree, WordTree, leaf_of, leaves_root};
use elsewhere::Elsewhere;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// A part of a trace that can neither be read nor be made again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("value {value} of the trace is lost: {reason}")]
pub struct Unavailable {
    /// The value.
    pub value: ValueId,
    /// What went wrong.
    pub reason: String,
}

/// What a side of a dispute knows of its own trace. An adversary implements it with whatever it likes.
pub trait TraceView {
    /// Node of the trace tree, `level` above the tensor roots.
    fn trace_node(&self, level: u32, index: u64) -> Hash;
    /// Depth of the trace tree.
    fn trace_depth(&self) -> u32;
    /// Node of a value's tensor tree, `level` above its leaves.
    ///
    /// # Errors
    /// When the value is not in memory and cannot be had again.
    fn tensor_node(&self, value: ValueId, level: u32, index: u64) -> Result<Hash, Unavailable>;
    /// Pre-image of a value's leaf.
    ///
    /// # Errors
    /// When the value is not in memory and cannot be had again.
    fn leaf(&self, value: ValueId, index: u64) -> Result<Leaf, Unavailable>;

    /// The trace root.
    fn root(&self) -> Hash {
        self.trace_node(self.trace_depth(), 0)
    }
}

/// The trace of one run; traces that follow from one another share what is the same.
#[derive(Clone, Debug)]
pub struct Trace {
    parts: Vec<Part>,
    roots: WordTree,
    elements: u64,
    /// Where values are that are not in memory.
    elsewhere: Option<Arc<Elsewhere>>,
}

/// A value of a trace.
#[derive(Clone, Debug)]
struct Part {
    tree: Arc<TensorTree>,
    tensor: Option<Arc<Tensor>>,
}

impl Part {
    /// The part, if `tensor` is the very tensor that it has in memory.
    fn if_same(self, tensor: &Tensor) -> Option<Self> {
        self.tensor.as_deref().is_some_and(|own| std::ptr::eq(own, tensor)).then_some(self)
    }

    /// A constant, which its package has in memory.
    fn constant(package: &Package, value: ValueId) -> Option<Self> {
        let (tensor, tree) = package.committed(value)?;
        Some(Self { tree: tree.clone(), tensor: Some(tensor.clone()) })
    }
}

/// Parts of a trace that are there before the run, if they are of this tensor.
type Parts<'g> = &'g (dyn Fn(ValueId, &Tensor) -> Option<Part> + Sync);

impl Trace {
    /// Runs the program, commits to every value and keeps all in memory.
    ///
    /// # Errors
    /// When the inputs do not fit the program, or the trace does not fit in memory.
    pub fn new(package: &Package, inputs: &[Tensor], options: &Options) -> Result<Self, ExecError> {
        Self::with_hook(package, inputs, options, &mut |_, _| {})
    }

    /// As [`new`](Self::new), with a hook that sees each value before anything reads it.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_hook(
        package: &Package,
        inputs: &[Tensor],
        options: &Options,
        hook: Hook<'_>,
    ) -> Result<Self, ExecError> {
        let part = |id, tensor: &Tensor| Part::constant(package, id)?.if_same(tensor);
        let wanted = Wanted { kept: &|_| true, known: &mut |_| None };
        Self::of_run(&mut Stepwise::once(package, options)?, inputs, wanted, &part, hook, &mut |_, _, _| {})
    }

    /// The trace in which `changed` values are what the hook makes of them, and what reads them is computed from that. The hook sees every
    /// value, in order, and may change no others.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn departing(
        &self,
        package: &Package,
        inputs: &[Tensor],
        options: &Options,
        changed: &BTreeSet<ValueId>,
        hook: Hook<'_>,
    ) -> Result<Self, ExecError> {
        let mut depends: BTreeSet<ValueId> = BTreeSet::new();
        for (id, value) in (0..).zip(&package.program().values) {
            let read = |value: &ValueId| changed.contains(value) || depends.contains(value);
            if let Some(i) = value.instruction()
                && i.operands.iter().any(|o| read(&o.value))
            {
                depends.insert(id);
            }
        }
        let mut known = |id: ValueId| {
            let own = if depends.contains(&id) { None } else { self.tensor(id) };
            own.map(Cow::Borrowed)
        };
        let part = |id, tensor: &Tensor| self.part(id)?.clone().if_same(tensor);
        let wanted = Wanted { kept: &|_| true, known: &mut known };
        Self::of_run(&mut Stepwise::once(package, options)?, inputs, wanted, &part, hook, &mut |_, _, _| {})
    }

    /// Runs the program; `made` sees each value after the hook, with its tree.
    fn of_run<'a, 'p: 'a>(
        run: &mut Stepwise<'p>,
        inputs: &'a [Tensor],
        wanted: Wanted<'_, 'a>,
        part: Parts<'_>,
        hook: Hook<'_>,
        made: &mut (dyn FnMut(ValueId, &Tensor, &TensorTree) + Send),
    ) -> Result<Self, ExecError> {
        let mut parts: Vec<Part> = Vec::new();
        let mut elements = 0;
        let isa = run.isa();
        let mut commit = |id: ValueId, tensor: &mut Cow<'_, Tensor>| {
            hook(id, tensor);
            let part = part(id, tensor);
            let part = part.unwrap_or_else(|| Part { tree: Arc::new(TensorTree::in_run(tensor, isa)), tensor: None });
            made(id, tensor, &part.tree);
            elements += tensor.len() as u64;
            parts.push(part);
        };
        let values = run.run(inputs, wanted, &mut commit)?;
        for (part, value) in parts.iter_mut().zip(values) {
            if let (None, Some(value)) = (&part.tensor, value) {
                part.tensor = Some(Arc::new(value.into_owned()));
            }
        }
        let roots = WordTree::new(parts.iter().map(|part| part.tree.root()).collect());
        Ok(Self { parts, roots, elements, elsewhere: None })
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Tensor root of a value.
    pub fn tensor_root(&self, value: ValueId) -> Hash {
        self.roots.node(0, value)
    }

    /// Elements of all values together.
    pub fn elements(&self) -> u64 {
        self.elements
    }

    /// A value, if it is in memory.
    pub fn tensor(&self, value: ValueId) -> Option<&Tensor> {
        self.part(value)?.tensor.as_deref()
    }

    fn part(&self, value: ValueId) -> Option<&Part> {
        self.parts.get(usize::try_from(value).ok()?)
    }

    /// Leaves of one group of a value; those behind the last are zero.
    fn leaves(&self, value: ValueId, leaves: Range<u64>) -> Result<Vec<Leaf>, Unavailable> {
        let of = |tensor: &Tensor| leaves.clone().map(|i| leaf_of(tensor, i)).collect();
        match (self.part(value), &self.elsewhere) {
            (None, _) => Ok(leaves.map(|_| [0; _]).collect()),
            (Some(Part { tensor: Some(tensor), .. }), _) => Ok(of(tensor)),
            (Some(part), Some(elsewhere)) => elsewhere.leaves(self, value, &part.tree, leaves),
            (Some(_), None) => Err(Unavailable { value, reason: "it is not in memory".into() }),
        }
    }
}

impl TraceView for Trace {
    fn trace_node(&self, level: u32, index: u64) -> Hash {
        self.roots.node(level, index)
    }

    fn trace_depth(&self) -> u32 {
        self.roots.depth()
    }

    fn tensor_node(&self, value: ValueId, level: u32, index: u64) -> Result<Hash, Unavailable> {
        let Some(part) = self.part(value) else { return Ok(Hash::ZERO) };
        if let Some(node) = part.tree.node(level, index) {
            return Ok(node);
        }
        // Below the kept levels: at most half a group.
        let first = index.saturating_mul(1 << level);
        let leaves = self.leaves(value, first..first.saturating_add(1 << level))?;
        Ok(leaves_root(&leaves).unwrap_or_default())
    }

    fn leaf(&self, value: ValueId, index: u64) -> Result<Leaf, Unavailable> {
        let leaves = self.leaves(value, index..index.saturating_add(1))?;
        Ok(leaves.first().copied().unwrap_or([0; _]))
    }
}
