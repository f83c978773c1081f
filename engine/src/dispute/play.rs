//! Moves: the leftmost difference and what the mover reveals there.

use super::position::{Position, Stage};
use crate::hash::{Hash, node};
use crate::package::Package;
use crate::program::limits::{FANOUT_BITS, LEAF};
use crate::program::{Source, ValueId, encode_descriptor};
use crate::trace::{TraceView, Unavailable};
use crate::tree::{Leaf, Nodes, multiproof, tensor_depth};

/// What a side sends when it is its turn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Play {
    /// One level down inside a tree.
    Move {
        /// The leftmost difference.
        index: u64,
        /// The opponent's child and the siblings.
        path: Vec<Hash>,
        /// The mover's next list.
        list: Vec<Hash>,
    },
    /// Out of the trace tree into a value.
    Enter {
        /// The leftmost difference.
        index: u64,
        /// The opponent's child and the siblings.
        path: Vec<Hash>,
        /// The value.
        value: ValueId,
        /// Its descriptor; empty for padding.
        descriptor: Vec<u8>,
        /// The descriptor's proof; empty for padding.
        descriptor_proof: Vec<Hash>,
        /// The mover's first list in the value, or its tensor root where the right root is known.
        list: Vec<Hash>,
    },
    /// Both leaves are out.
    RevealLeaf {
        /// The mover's leaf.
        own: Box<Leaf>,
        /// The opponent's leaf, from its last list.
        opponent: Box<Leaf>,
    },
}

/// Why there is no move to play.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DisputeError {
    /// The opponent's list has the wrong length for this position.
    #[error("the opponent's list has {got} words, {expected} were expected")]
    List {
        /// Words that the position needs.
        expected: usize,
        /// Words given.
        got: usize,
    },
    /// The lists are equal: there is nothing to dispute here.
    #[error("the lists do not differ")]
    NoDifference,
    /// The position does not belong to this program.
    #[error("the position is not one of this program's")]
    Position,
    /// A part of the own trace is lost: no move can be made of it.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// The list that goes with a commitment: the trace root's descendants.
pub fn first_list(trace: &dyn TraceView) -> Vec<Hash> {
    let depth = trace.trace_depth();
    let span = depth.min(FANOUT_BITS);
    (0..1 << span).map(|i| trace.trace_node(depth - span, i)).collect()
}

/// The next play of a side whose opponent revealed `opponent` last.
///
/// # Errors
/// When the position or the list is not one that a dispute over this program can have.
pub fn play(package: &Package, trace: &dyn TraceView, at: &Position, opponent: &[Hash]) -> Result<Play, DisputeError> {
    let span = at.span();
    let level = at.remaining - span;
    let own = |index: u64| match at.stage {
        Stage::Trace => Ok(trace.trace_node(level, index)),
        Stage::Tensor { value, .. } => trace.tensor_node(value, level, index),
    };
    if let Stage::Tensor { value, .. } = at.stage
        && at.remaining == 0
    {
        let opponent = leaf_from_words(opponent)?;
        return Ok(Play::RevealLeaf { own: Box::new(trace.leaf(value, at.index)?), opponent: Box::new(opponent) });
    }
    let width = 1usize << span;
    if opponent.len() != width {
        return Err(DisputeError::List { expected: width, got: opponent.len() });
    }
    let first = at.index << span;
    let own_list: Vec<Hash> = (first..first + width as u64).map(own).collect::<Result<_, _>>()?;
    let index = own_list.iter().zip(opponent).position(|(a, b)| a != b).ok_or(DisputeError::NoDifference)?;
    let path = path(&own_list, opponent, index);
    let child = first + index as u64;
    match at.stage {
        Stage::Trace if level == 0 => enter(package, trace, index as u64, path, child, own_list[index]),
        Stage::Trace | Stage::Tensor { .. } => {
            let below = Position { stage: at.stage, index: child, remaining: level };
            Ok(Play::Move { index: index as u64, path, list: descendants(trace, &below)? })
        }
    }
}

fn enter(
    package: &Package,
    trace: &dyn TraceView,
    index: u64,
    path: Vec<Hash>,
    value: ValueId,
    own: Hash,
) -> Result<Play, DisputeError> {
    let program = package.program();
    let Some(entry) = usize::try_from(value).ok().and_then(|v| program.values.get(v)) else {
        let (descriptor, descriptor_proof) = (Vec::new(), Vec::new());
        return Ok(Play::Enter { index, path, value, descriptor, descriptor_proof, list: vec![own] });
    };
    let descriptor = encode_descriptor(entry).map_err(|_| DisputeError::Position)?;
    let proof = multiproof(&package.identity().descriptors, &[value]).map_err(|_| DisputeError::Position)?;
    let list = match entry.source {
        Source::Input | Source::Constant { .. } => vec![own],
        Source::Instruction(_) => {
            let stage = Stage::Tensor { value, dtype: entry.ty.dtype, elements: entry.ty.elements() };
            descendants(trace, &Position { stage, index: 0, remaining: tensor_depth(&entry.ty) })?
        }
    };
    Ok(Play::Enter { index, path, value, descriptor, descriptor_proof: proof, list })
}

/// The list of a node: its descendants up to four levels down, or the words of its leaf.
fn descendants(trace: &dyn TraceView, at: &Position) -> Result<Vec<Hash>, Unavailable> {
    let span = at.span();
    let level = at.remaining - span;
    let first = at.index << span;
    match at.stage {
        Stage::Trace => Ok((first..first + (1 << span)).map(|i| trace.trace_node(level, i)).collect()),
        Stage::Tensor { value, .. } if at.remaining == 0 => Ok(leaf_words(&trace.leaf(value, at.index)?)),
        Stage::Tensor { value, .. } => {
            (first..first + (1 << span)).map(|i| trace.tensor_node(value, level, i)).collect()
        }
    }
}

/// The opponent's child, then from the bottom up the shared left sibling, or the mover's and the opponent's right sibling.
fn path(own: &[Hash], opponent: &[Hash], index: usize) -> Vec<Hash> {
    let mut path = vec![opponent[index]];
    let (mut own, mut opponent, mut i) = (own.to_vec(), opponent.to_vec(), index);
    while own.len() > 1 {
        if i % 2 == 1 {
            path.push(own[i - 1]);
        } else {
            path.extend([own[i + 1], opponent[i + 1]]);
        }
        let up = |list: &[Hash]| list.chunks(2).map(|pair| node(pair[0], pair[1])).collect::<Vec<_>>();
        (own, opponent, i) = (up(&own), up(&opponent), i / 2);
    }
    path
}

/// A leaf as 32-byte words.
fn leaf_words(leaf: &Leaf) -> Vec<Hash> {
    leaf.as_chunks::<32>().0.iter().map(|w| Hash(*w)).collect()
}

fn leaf_from_words(words: &[Hash]) -> Result<Leaf, DisputeError> {
    let expected = LEAF / 32;
    if words.len() != expected {
        return Err(DisputeError::List { expected, got: words.len() });
    }
    let mut leaf = [0; LEAF];
    leaf.as_chunks_mut::<32>().0.iter_mut().zip(words).for_each(|(to, word)| *to = word.0);
    Ok(leaf)
}

/// The trace tree of a view, as a tree.
pub(super) struct TraceNodes<'a>(pub(super) &'a dyn TraceView);

impl Nodes for TraceNodes<'_> {
    fn depth(&self) -> u32 {
        self.0.trace_depth()
    }

    fn node(&self, level: u32, index: u64) -> Hash {
        self.0.trace_node(level, index)
    }
}

/// Siblings that prove one value's tensor root under the trace root; used to open a challenge at a differing output.
///
/// # Errors
/// When the value is not in the trace.
pub fn output_proof(trace: &dyn TraceView, value: ValueId) -> Result<Vec<Hash>, DisputeError> {
    multiproof(&TraceNodes(trace), &[value]).map_err(|_| DisputeError::Position)
}

/// Multiproof that the trace ends in the outputs' tensor roots; used to commit.
///
/// # Errors
/// When the trace is not one of this program.
pub fn outputs_proof(package: &Package, trace: &dyn TraceView) -> Result<Vec<Hash>, DisputeError> {
    let outputs: Vec<ValueId> = package.program().output_ids().collect();
    multiproof(&TraceNodes(trace), &outputs).map_err(|_| DisputeError::Position)
}
