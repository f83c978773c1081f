//! Trees over 32-byte words, padded with zero words: the trace tree and the descriptor tree.

use super::{Nodes, depth};
use crate::hash::{Hash, node};

/// A complete binary tree over words. Only real nodes are kept; the padding is computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordTree {
    levels: Vec<Vec<Hash>>,
    padding: Vec<Hash>,
}

impl WordTree {
    /// The tree over these words, padded with zero words.
    pub fn new(words: Vec<Hash>) -> Self {
        Self::padded(words, Hash::ZERO)
    }

    pub(super) fn padded(words: Vec<Hash>, pad: Hash) -> Self {
        let depth = depth(words.len() as u64);
        let mut levels = vec![words];
        let mut padding = vec![pad];
        for level in 0..depth as usize {
            let below = &levels[level];
            let pad = padding[level];
            let above = below.chunks(2).map(|pair| node(pair[0], *pair.get(1).unwrap_or(&pad))).collect();
            levels.push(above);
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
        real.or(self.padding.get(level)).copied().unwrap_or(Hash::ZERO)
    }
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
