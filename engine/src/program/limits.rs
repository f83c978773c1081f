//! The numbers that bound a program. `docs/program.md` states them; a test holds the Solidity constants against these.

/// Version of the program format, part of every program's id.
pub const VERSION: u16 = 3;
/// Elements that one reduction window may have, and so one chunk.
pub const CHUNK: u64 = 256;
/// Lanes of a float or integer sum.
pub const SUM_LANES: usize = 16;
/// Bytes of a leaf.
pub const LEAF: usize = 512;
/// Greatest rank of a tensor and greatest number of e axes.
pub const MAX_RANK: usize = 8;
/// Greatest number of reduction axes.
pub const MAX_REDUCTION_AXES: usize = 5;
/// Axis number of the first reduction axis.
pub const FIRST_REDUCTION_AXIS: u8 = 8;
/// Greatest number of operands of an instruction.
pub const MAX_OPERANDS: usize = 6;
/// Greatest number of views of an instruction.
pub const MAX_VIEWS: usize = 16;
/// Greatest number of accesses of a view.
pub const MAX_ACCESSES: usize = 4;
/// Greatest number of guards of an access.
pub const MAX_GUARDS: usize = 4;
/// Greatest number of indirect terms of an access.
pub const MAX_INDIRECTS: usize = 4;
/// Greatest number of nodes of an expression.
pub const MAX_NODES: usize = 32;
/// Greatest length of a descriptor in bytes.
pub const MAX_DESCRIPTOR: usize = 1024;
/// Dimensions, extents and element counts are below this.
pub const DIM_LIMIT: u64 = 1 << 40;
/// Affine forms stay strictly within plus and minus this.
pub const AFFINE_LIMIT: i128 = 1 << 62;
/// Nodes of a tree that one move reveals: 2^FANOUT_BITS.
pub const FANOUT_BITS: u32 = 4;
