//! Traces whose roots are right again.

use super::{Dice, bytes};
use crate::checks::cache::subject;
use rand::Rng;
use rebut_engine::program::Source;
use rebut_engine::tree::{Leaf, leaf_count, leaves_root};
use std::ops::Range;

/// Bytes before the first result.
const HEAD: usize = 8 + 32 + 32;

/// The file of a changed trace.
pub fn mutate(file: &[u8], dice: &mut Dice) -> Option<Vec<u8>> {
    let mut file = file.to_vec();
    let results = results();
    let result = results.get(dice.random_range(0..results.len()))?.clone();
    match file.get_mut(result.clone()) {
        Some(leaves) if dice.random_ratio(2, 3) => {
            let at = dice.random_range(0..leaves.len());
            *leaves.get_mut(at)? ^= dice.random_range(1..=u8::MAX);
            let mut tree: Vec<Leaf> = leaves.as_chunks().0.to_vec();
            tree.resize(tree.len().next_power_of_two(), [0; _]);
            let root = leaves_root(&tree)?;
            file.get_mut(result.end..result.end + 32)?.copy_from_slice(&root.0);
        }
        _ => bytes::change(&mut file),
    }
    Some(file)
}

/// Where the leaves of each result are.
fn results() -> Vec<Range<usize>> {
    let mut at = HEAD;
    let values = subject().0.program().values.iter().filter(|v| matches!(v.source, Source::Instruction(_)));
    let range = |size: usize| {
        let start = at;
        at += size + 32;
        start..start + size
    };
    values.map(|v| leaf_count(v.ty.dtype, v.ty.elements()) as usize * 512).map(range).collect()
}
