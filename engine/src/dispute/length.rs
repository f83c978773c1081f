//! How long a dispute can take.

use crate::program::limits::FANOUT_BITS;
use crate::program::{Program, Source};
use crate::tree::{depth, tensor_depth};

/// Turns between the executor's commitment and the step, when a dispute comes down to an element of a tensor of this depth in a trace of
/// that depth: a list for every four levels (the first one is in the commitment, the one that enters the tensor is its first), the leaf,
/// and its answer. Sides take turns, the challenger first.
pub const fn turns(trace_depth: u32, tensor_depth: u32) -> u32 {
    trace_depth.div_ceil(FANOUT_BITS).saturating_sub(1) + 1 + tensor_depth.div_ceil(FANOUT_BITS) + 1
}

/// Most turns of any dispute about a program.
pub fn most_turns(program: &Program) -> u32 {
    let computed = program.values.iter().filter(|v| matches!(v.source, Source::Instruction(_)));
    let deepest = computed.map(|v| tensor_depth(&v.ty)).max().unwrap_or(0);
    turns(depth(program.values.len() as u64), deepest)
}
