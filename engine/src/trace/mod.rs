//! Traces: every value of a run, the tree over each, and the tree over all of them.

mod cache;

pub use cache::CacheError;

use crate::arith::Isa;
use crate::exec::{ExecError, Hook, Keep, Options, execute, execute_knowing};
use crate::hash::Hash;
use crate::package::Package;
use crate::program::{Source, ValueId};
use crate::tensor::Tensor;
use crate::tree::{Leaf, Nodes, TensorTree, WordTree, leaf_of};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a side of a dispute knows of its own trace. An adversary implements it with whatever it likes.
pub trait TraceView {
    /// Node of the trace tree, `level` above the tensor roots.
    fn trace_node(&self, level: u32, index: u64) -> Hash;
    /// Depth of the trace tree.
    fn trace_depth(&self) -> u32;
    /// Node of a value's tensor tree, `level` above its leaves.
    fn tensor_node(&self, value: ValueId, level: u32, index: u64) -> Hash;
    /// Pre-image of a value's leaf.
    fn leaf(&self, value: ValueId, index: u64) -> Leaf;
    /// The value itself.
    fn tensor(&self, value: ValueId) -> Option<&Tensor>;

    /// The trace root.
    fn root(&self) -> Hash {
        self.trace_node(self.trace_depth(), 0)
    }
}

/// All values of one run with their trees, in memory; traces that follow from one another share what is the same.
#[derive(Clone, Debug)]
pub struct Trace {
    values: Vec<Arc<Tensor>>,
    trees: Vec<Arc<TensorTree>>,
    roots: WordTree,
}

/// A value of a trace to be made.
enum Part {
    /// Without a tree yet.
    New(Arc<Tensor>),
    /// As it is in another trace.
    Shared(Arc<Tensor>, Arc<TensorTree>),
}

impl Trace {
    /// Runs the program and commits to every value.
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
        let values = execute(package, inputs, options, Keep::All, hook)?;
        let values = values.into_iter().flatten().map(Cow::into_owned);
        let parts = values.map(|tensor| Part::New(Arc::new(tensor))).collect();
        Self::committed(parts, options)
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
            if let Source::Instruction(i) = &value.source
                && i.operands.iter().any(|o| read(&o.value))
            {
                depends.insert(id);
            }
        }
        let known = |id: ValueId| if depends.contains(&id) { None } else { self.tensor(id) };
        let values = execute_knowing(package, inputs, options, Keep::All, &known, hook)?;
        let parts = values.into_iter().flatten().zip(self.values.iter().zip(&self.trees));
        let parts = parts.map(|(value, (tensor, tree))| match value {
            Cow::Borrowed(_) => Part::Shared(tensor.clone(), tree.clone()),
            Cow::Owned(tensor) => Part::New(Arc::new(tensor)),
        });
        Self::committed(parts.collect(), options)
    }

    fn committed(parts: Vec<Part>, options: &Options) -> Result<Self, ExecError> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build();
        let pool = pool.map_err(|_| ExecError::Threads(options.threads))?;
        Ok(pool.install(|| Self::from_parts(parts, options.isa)))
    }

    fn from_parts(parts: Vec<Part>, isa: Isa) -> Self {
        let with_tree = |part| match part {
            Part::New(tensor) => {
                let tree = Arc::new(TensorTree::with_isa(&tensor, isa));
                (tensor, tree)
            }
            Part::Shared(tensor, tree) => (tensor, tree),
        };
        let (values, trees): (Vec<_>, Vec<_>) = parts.into_iter().map(with_tree).unzip();
        let roots = WordTree::new(trees.iter().map(|tree| tree.root()).collect());
        Self { values, trees, roots }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Tensor root of a value.
    pub fn tensor_root(&self, value: ValueId) -> Hash {
        self.roots.node(0, value)
    }

    /// Elements of all values together.
    pub fn elements(&self) -> u64 {
        self.values.iter().map(|v| v.len() as u64).sum()
    }
}

impl TraceView for Trace {
    fn trace_node(&self, level: u32, index: u64) -> Hash {
        self.roots.node(level, index)
    }

    fn trace_depth(&self) -> u32 {
        self.roots.depth()
    }

    fn tensor_node(&self, value: ValueId, level: u32, index: u64) -> Hash {
        let tree = usize::try_from(value).ok().and_then(|v| self.trees.get(v));
        tree.map_or(Hash::ZERO, |tree| tree.node(level, index))
    }

    fn leaf(&self, value: ValueId, index: u64) -> Leaf {
        self.tensor(value).map_or([0; _], |t| leaf_of(t, index))
    }

    fn tensor(&self, value: ValueId) -> Option<&Tensor> {
        self.values.get(usize::try_from(value).ok()?).map(AsRef::as_ref)
    }
}
