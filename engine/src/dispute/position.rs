//! Where a dispute stands.

use crate::program::{DType, ValueId};

/// A side of a dispute.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Side {
    /// The side that claimed.
    Executor,
    /// The side that rebuts.
    Challenger,
}

impl Side {
    /// The other side.
    pub const fn other(self) -> Self {
        match self {
            Self::Executor => Self::Challenger,
            Self::Challenger => Self::Executor,
        }
    }
}

/// Which tree the disputed node is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// A node of the trace tree.
    Trace,
    /// A node of one value's tensor tree.
    Tensor {
        /// The value.
        value: ValueId,
        /// Its element type.
        dtype: DType,
        /// Its number of elements.
        elements: u64,
    },
}

/// A disputed node: the two sides have different words there, and the same everywhere left of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// The tree.
    pub stage: Stage,
    /// Index of the node on its level.
    pub index: u64,
    /// Levels below the node.
    pub remaining: u32,
}

impl Position {
    /// Where every dispute begins: the trace roots.
    pub const fn start(trace_depth: u32) -> Self {
        Self { stage: Stage::Trace, index: 0, remaining: trace_depth }
    }

    /// Binary levels that the next list covers.
    pub fn span(&self) -> u32 {
        self.remaining.min(crate::program::limits::FANOUT_BITS)
    }
}
