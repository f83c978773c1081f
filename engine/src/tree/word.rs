//! Trees over 32-byte words, padded with zero words: the trace tree and the descriptor tree.

use super::{Nodes, depth};
use crate::arith::Isa;
use crate::hash::{Hash, keccak_each, node};
use crate::tasks;

/// Pairs that one task hashes.
const TASK: usize = 1 << 10;

/// A complete binary tree over words. Only real nodes are kept; the padding is computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordTree {
    levels: Vec<Vec<[u8; 32]>>,
    padding: Vec<Hash>,
}

impl WordTree {
    /// The tree over these words, padded with zero words.
    pub fn new(words: Vec<Hash>) -> Self {
        Self::padded(words.into_iter().map(|w| w.0).collect(), Hash::ZERO, Isa::Auto)
    }

    /// The tree over these words, padded with `pad`; hashes on the threads of the run that this is called in.
    pub(super) fn padded(words: Vec<[u8; 32]>, pad: Hash, isa: Isa) -> Self {
        let depth = depth(words.len() as u64);
        let mut levels = vec![words];
        let mut padding = vec![pad];
        for level in 0..depth as usize {
            let pad = padding[level];
            levels.push(parents(&levels[level], pad, isa));
            padding.push(node(pad, pad));
        }
        Self { levels, padding }
    }

    /// The root.
    pub fn root(&self) -> Hash {
        self.node(self.depth(), 0)
    }
}

impl Nodes for WordTree {
    fn depth(&self) -> u32 {
        (self.levels.len() - 1) as u32
    }

    fn node(&self, level: u32, index: u64) -> Hash {
        let level = level as usize;
        let real = self.levels.get(level).zip(usize::try_from(index).ok()).and_then(|(l, i)| l.get(i));
        real.map(|&word| Hash(word)).or(self.padding.get(level).copied()).unwrap_or(Hash::ZERO)
    }
}

/// The level above: the last of an odd number has `pad` beside it.
pub(super) fn parents(below: &[[u8; 32]], pad: Hash, isa: Isa) -> Vec<[u8; 32]> {
    let (pairs, _) = below.as_flattened().as_chunks::<64>();
    let mut above = vec![[0; 32]; pairs.len()];
    tasks::each_part(&mut above, TASK, |task, above| {
        keccak_each(&pairs[task * TASK..][..above.len()], above, isa);
    });
    if below.len() % 2 == 1 {
        above.extend(below.last().map(|&last| node(Hash(last), pad).0));
    }
    above
}

/// The root of a list of `2^n` nodes; `None` for any other length.
pub fn fold(list: &[Hash]) -> Option<Hash> {
    if !list.len().is_power_of_two() {
        return None;
    }
    let mut level = list.to_vec();
    while level.len() > 1 {
        level = level.chunks(2).map(|pair| node(pair[0], pair[1])).collect();
    }
    level.first().copied()
}
