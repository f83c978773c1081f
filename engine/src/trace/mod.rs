//! Traces: every value of a run, the tree over each, and the tree over all of them.

mod cache;

pub use cache::CacheError;

use crate::exec::{ExecError, Hook, Keep, Options, execute};
use crate::hash::Hash;
use crate::package::Package;
use crate::program::ValueId;
use crate::tensor::Tensor;
use crate::tree::{Leaf, Nodes, TensorTree, WordTree, leaf_of};
use std::borrow::Cow;

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

/// All values of one run with their trees, in memory.
#[derive(Clone, Debug)]
pub struct Trace {
    values: Vec<Tensor>,
    trees: Vec<TensorTree>,
    roots: WordTree,
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
        let values: Vec<Tensor> = values.into_iter().flatten().map(Cow::into_owned).collect();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build();
        let pool = pool.map_err(|_| ExecError::Threads(options.threads))?;
        let trees: Vec<TensorTree> =
            pool.install(|| values.iter().map(|v| TensorTree::with_isa(v, options.isa)).collect());
        Ok(Self::from_parts(values, trees))
    }

    fn from_parts(values: Vec<Tensor>, trees: Vec<TensorTree>) -> Self {
        let roots = WordTree::new(trees.iter().map(TensorTree::root).collect());
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
        self.values.get(usize::try_from(value).ok()?)
    }
}
