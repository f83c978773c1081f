//! Merkle trees over tensors, traces and descriptors (`docs/program.md`, "Roots").

mod multiproof;
mod tensor;
mod word;

pub use multiproof::{MultiproofError, multiproof, verify_multiproof};
pub use tensor::{Leaf, TensorTree, lane_of, leaf_count, leaf_hash, leaf_of, leaves_root, tensor_depth, tensor_root};
pub use word::{WordTree, fold};

/// Depth of the smallest binary tree with `leaves` leaves: ceil(log2(max(1, leaves))).
pub const fn depth(leaves: u64) -> u32 {
    match leaves {
        0 | 1 => 0,
        n => u64::BITS - (n - 1).leading_zeros(),
    }
}

/// Read access to the nodes of a complete binary tree; level 0 holds the leaves' hashes, level `depth` the root.
pub trait Nodes {
    /// The tree's depth.
    fn depth(&self) -> u32;
    /// The node at `level` above the leaves; padding beyond the last real leaf.
    fn node(&self, level: u32, index: u64) -> crate::hash::Hash;
}
