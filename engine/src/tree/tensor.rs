//! The tree over a tensor's 512-byte leaves.

use super::word::{WordTree, fold, parents};
use super::{Nodes, depth};
use crate::arith::{Isa, for_each_level};
use crate::hash::{Hash, keccak, keccak_each, node};
use crate::program::{DType, TensorType, limits::LEAF};
use crate::tasks;
use crate::tensor::Tensor;
use std::ops::Range;

/// Leaves that are hashed at once: they stay in the nearest cache.
const AT_ONCE: usize = 32;
/// Levels of a tree that are not kept: a node there is hashed again from its group, 64 leaves or fewer.
const GROUP_DEPTH: u32 = 6;

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
    let mut leaf = [[0; LEAF]];
    write_leaves(tensor, index, &mut leaf, Isa::Auto);
    leaf[0]
}

/// Leaves of a tensor from number `first` on, as many as there is room for.
fn write_leaves(tensor: &Tensor, first: u64, leaves: &mut [Leaf], isa: Isa) {
    let lanes = LEAF / tensor.dtype().width();
    let start = usize::try_from(first).ok().and_then(|i| i.checked_mul(lanes)).unwrap_or(usize::MAX);
    write_lanes(isa.level(), tensor, start, leaves.as_flattened_mut());
}

for_each_level!(fn write_lanes = lanes, (tensor: &Tensor, start: usize, to: &mut [u8]) -> ());

/// Elements from `start` on in big-endian order, then zeros.
#[inline(always)]
fn lanes(_: bool, tensor: &Tensor, start: usize, to: &mut [u8]) {
    macro_rules! write {
        ($a:expr, $w:literal) => {{
            let from = $a.as_slice().unwrap_or_default().get(start..).unwrap_or_default();
            let to = to.as_chunks_mut::<$w>().0;
            let (to, rest) = to.split_at_mut(from.len().min(to.len()));
            for (lane, x) in to.iter_mut().zip(from) {
                *lane = x.to_be_bytes();
            }
            rest.fill([0; $w]);
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
}

/// Register of a lane of a leaf of this type (canonical: see `docs/program.md`); 0 for a lane beyond the leaf.
pub fn lane_of(leaf: &Leaf, dtype: DType, lane: usize) -> i64 {
    fn read<const W: usize>(leaf: &Leaf, lane: usize) -> [u8; W] {
        leaf.as_chunks().0.get(lane).copied().unwrap_or([0; W])
    }
    let register = match dtype {
        DType::F32 => u32::from_be_bytes(read(leaf, lane)).into(),
        DType::U8 => read::<1>(leaf, lane)[0].into(),
        DType::Bool => (read::<1>(leaf, lane)[0] != 0).into(),
        DType::I8 => i8::from_be_bytes(read(leaf, lane)).into(),
        DType::U16 | DType::F16 | DType::BF16 => u16::from_be_bytes(read(leaf, lane)).into(),
        DType::I16 => i16::from_be_bytes(read(leaf, lane)).into(),
        DType::I32 => i32::from_be_bytes(read(leaf, lane)).into(),
        DType::I64 => i64::from_be_bytes(read(leaf, lane)),
    };
    dtype.canonical(register)
}

/// The root over `2^n` leaves; `None` for any other number.
pub fn leaves_root(leaves: &[Leaf]) -> Option<Hash> {
    let mut hashes = vec![[0; 32]; leaves.len()];
    keccak_each(leaves, &mut hashes, Isa::Auto);
    fold(&hashes.into_iter().map(Hash).collect::<Vec<_>>())
}

/// The upper levels of a tensor's tree, from the roots of its groups up: about a five-hundredth of the tensor.
///
/// A group is 64 neighbouring leaves, or all that a smaller tree has. What lies below is [`leaves_root`] of the node's leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorTree {
    upper: WordTree,
    group_depth: u32,
}

impl TensorTree {
    /// The tree of a tensor, hashed on all cores.
    ///
    /// The tensor must be in standard layout, as every tensor inside the engine is.
    pub fn new(tensor: &Tensor) -> Self {
        Self::with_isa(tensor, Isa::Auto)
    }

    /// As [`new`](Self::new), with the instructions that may be used: the same hashes.
    pub fn with_isa(tensor: &Tensor, isa: Isa) -> Self {
        if Self::is_one_task(tensor) {
            return Self::in_run(tensor, isa);
        }
        tasks::together(|| Self::in_run(tensor, isa))
    }

    /// As [`with_isa`](Self::with_isa), on the threads of the run that this is called in, or else on the caller's alone.
    pub fn in_run(tensor: &Tensor, isa: Isa) -> Self {
        // As large as the tensor's elements, which are in memory.
        let leaves = leaf_count(tensor.dtype(), tensor.len() as u64) as usize;
        let mut hashes = vec![[0; 32]; leaves];
        let share = tasks::share(leaves, AT_ONCE, usize::MAX).next_multiple_of(AT_ONCE);
        tasks::each_part(&mut hashes, share, |task, hashes| {
            let mut room = vec![[0; LEAF]; hashes.len().min(AT_ONCE)];
            for (n, hashes) in hashes.chunks_mut(AT_ONCE).enumerate() {
                let room = &mut room[..hashes.len()];
                write_leaves(tensor, (task * share + n * AT_ONCE) as u64, room, isa);
                keccak_each(room, hashes, isa);
            }
        });
        let group_depth = depth(leaves as u64).min(GROUP_DEPTH);
        let mut pad = leaf_hash(&[0; LEAF]);
        for _ in 0..group_depth {
            hashes = parents(&hashes, pad, isa);
            pad = node(pad, pad);
        }
        Self { upper: WordTree::padded(hashes, pad, isa), group_depth }
    }

    /// Whether a tensor's tree is too small for more than one thread.
    fn is_one_task(tensor: &Tensor) -> bool {
        leaf_count(tensor.dtype(), tensor.len() as u64) <= AT_ONCE as u64
    }

    /// The tensor root.
    pub fn root(&self) -> Hash {
        self.upper.root()
    }

    /// Node `index` at `level` above the leaves, if it is one of those that are kept.
    pub fn node(&self, level: u32, index: u64) -> Option<Hash> {
        Some(self.upper.node(level.checked_sub(self.group_depth)?, index))
    }

    /// The group of a leaf, and the group's leaves.
    pub fn group(&self, leaf: u64) -> (u64, Range<u64>) {
        let group = leaf >> self.group_depth;
        let first = group << self.group_depth;
        (group, first..first.saturating_add(1 << self.group_depth))
    }

    /// The root over a group's leaves.
    pub fn group_root(&self, group: u64) -> Hash {
        self.upper.node(0, group)
    }
}

/// Tensor root of a tensor.
pub fn tensor_root(tensor: &Tensor) -> Hash {
    TensorTree::new(tensor).root()
}
