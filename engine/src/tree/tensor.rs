//! The tree over a tensor's 512-byte leaves.

use super::word::WordTree;
use super::{Nodes, depth};
use crate::arith::Isa;
use crate::hash::{Hash, keccak, keccak_each};
use crate::program::{DType, TensorType, limits::LEAF};
use crate::tensor::Tensor;
use rayon::prelude::*;

/// Leaves that one task hashes: they stay in the nearest cache.
const TASK: usize = 32;

/// The pre-image of a tensor tree's leaf: big-endian lanes.
pub type Leaf = [u8; LEAF];

/// Leaves of a tensor: `max(1, ceil(elements / lanes))`.
pub fn leaf_count(dtype: DType, elements: u64) -> u64 {
    elements.div_ceil((LEAF / dtype.width()) as u64).max(1)
}

/// Depth of a tensor's tree.
pub fn tensor_depth(ty: &TensorType) -> u32 {
    depth(leaf_count(ty.dtype, ty.elements()))
}

/// Hash of a leaf.
pub fn leaf_hash(leaf: &Leaf) -> Hash {
    keccak(leaf)
}

/// Leaf `index` of a tensor in row-major order; lanes beyond the last element are zero.
pub fn leaf_of(tensor: &Tensor, index: u64) -> Leaf {
    let mut leaf = [0; LEAF];
    let lanes = LEAF / tensor.dtype().width();
    let Some(start) = usize::try_from(index).ok().and_then(|i| i.checked_mul(lanes)) else { return leaf };
    macro_rules! write {
        ($a:expr, $w:literal) => {{
            let elements = $a.as_slice().unwrap_or_default();
            let from = elements.get(start..).unwrap_or_default();
            for (lane, x) in leaf.as_chunks_mut::<$w>().0.iter_mut().zip(from) {
                *lane = x.to_be_bytes();
            }
        }};
    }
    match tensor {
        Tensor::F32(a) => write!(a, 4),
        Tensor::I32(a) => write!(a, 4),
        Tensor::I64(a) => write!(a, 8),
        Tensor::I8(a) => write!(a, 1),
        Tensor::U16(a) | Tensor::F16(a) | Tensor::BF16(a) => write!(a, 2),
        Tensor::I16(a) => write!(a, 2),
        Tensor::U8(a) | Tensor::Bool(a) => write!(a, 1),
    }
    leaf
}

/// A tensor's tree without its leaves' contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorTree(WordTree);

impl TensorTree {
    /// The tree of a tensor; hashes on the current thread pool.
    ///
    /// The tensor must be in standard layout, as every tensor inside the engine is.
    pub fn new(tensor: &Tensor) -> Self {
        Self::with_isa(tensor, Isa::Auto)
    }

    /// As [`new`](Self::new), with the instructions that may be used: the same hashes.
    pub fn with_isa(tensor: &Tensor, isa: Isa) -> Self {
        // As large as the tensor's elements, which are in memory.
        let leaves = leaf_count(tensor.dtype(), tensor.len() as u64) as usize;
        let mut hashes = vec![[0; 32]; leaves];
        hashes.par_chunks_mut(TASK).enumerate().for_each(|(task, hashes)| {
            let first = (task * TASK) as u64;
            let leaves: Vec<Leaf> = (first..).take(hashes.len()).map(|i| leaf_of(tensor, i)).collect();
            keccak_each(&leaves, hashes, isa);
        });
        Self(WordTree::padded(hashes, leaf_hash(&[0; LEAF]), isa))
    }

    /// The tensor root.
    pub fn root(&self) -> Hash {
        self.0.root()
    }
}

impl Nodes for TensorTree {
    fn depth(&self) -> u32 {
        self.0.depth()
    }

    fn node(&self, level: u32, index: u64) -> Hash {
        self.0.node(level, index)
    }
}

/// Tensor root of a tensor.
pub fn tensor_root(tensor: &Tensor) -> Hash {
    TensorTree::new(tensor).root()
}
