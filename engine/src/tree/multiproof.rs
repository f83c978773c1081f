//! One proof for several leaves of one tree. Canonical: it has exactly the siblings that the indices need.

use super::Nodes;
use crate::hash::{Hash, node};

/// Why a multiproof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MultiproofError {
    /// Indices must be strictly increasing, at least one, and inside the tree.
    #[error("leaf indices must be strictly increasing and inside the tree")]
    Indices,
    /// The proof ends before the root is reached.
    #[error("the proof is too short")]
    TooShort,
    /// The proof has words that nothing needs.
    #[error("the proof is too long")]
    TooLong,
}

fn check(depth: u32, indices: &[u64]) -> Result<(), MultiproofError> {
    let inside = indices.last().is_some_and(|&last| depth >= u64::BITS || last >> depth == 0);
    if inside && indices.is_sorted_by(|a, b| a < b) { Ok(()) } else { Err(MultiproofError::Indices) }
}

/// The siblings that prove these leaves.
///
/// # Errors
/// When the indices are not strictly increasing or not inside the tree.
pub fn multiproof(tree: &impl Nodes, indices: &[u64]) -> Result<Vec<Hash>, MultiproofError> {
    check(tree.depth(), indices)?;
    let mut known = indices.to_vec();
    let mut proof = Vec::new();
    for level in 0..tree.depth() {
        let mut above = Vec::with_capacity(known.len());
        let mut i = 0;
        while i < known.len() {
            let index = known[i];
            let paired = index & 1 == 0 && known.get(i + 1) == Some(&(index + 1));
            if !paired {
                proof.push(tree.node(level, index ^ 1));
            }
            above.push(index >> 1);
            i += if paired { 2 } else { 1 };
        }
        known = above;
    }
    Ok(proof)
}

/// The root that a multiproof folds to; the twin of the contract's `Merkle.multiproof`.
///
/// # Errors
/// When indices are out of order or the proof has too few or too many words.
pub fn verify_multiproof(depth: u32, leaves: &[(u64, Hash)], proof: &[Hash]) -> Result<Hash, MultiproofError> {
    check(depth, &leaves.iter().map(|l| l.0).collect::<Vec<_>>())?;
    let mut known = leaves.to_vec();
    let mut proof = proof.iter();
    for _ in 0..depth {
        let mut above = Vec::with_capacity(known.len());
        let mut i = 0;
        while i < known.len() {
            let (index, hash) = known[i];
            let sibling = known.get(i + 1).filter(|next| index & 1 == 0 && next.0 == index + 1);
            i += if sibling.is_some() { 2 } else { 1 };
            let other = match sibling {
                Some(next) => next.1,
                None => *proof.next().ok_or(MultiproofError::TooShort)?,
            };
            above.push((index >> 1, if index & 1 == 0 { node(hash, other) } else { node(other, hash) }));
        }
        known = above;
    }
    if proof.next().is_some() { Err(MultiproofError::TooLong) } else { Ok(known[0].1) }
}
