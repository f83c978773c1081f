//! Keccak-256 and the 32-byte word that every tree is made of.

mod lanes;

pub(crate) use lanes::keccak_each;

use sha3::{Digest, Keccak256};
use std::fmt;

/// A 32-byte hash or tree word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The zero word: the padding of trace and descriptor trees.
    pub const ZERO: Self = Self([0; 32]);
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Keccak-256 of `bytes`, as the EVM computes it.
pub fn keccak(bytes: &[u8]) -> Hash {
    Hash(Keccak256::digest(bytes).into())
}

/// The parent of two tree nodes: keccak(left | right).
pub fn node(left: Hash, right: Hash) -> Hash {
    let mut pair = [0; 64];
    pair[..32].copy_from_slice(&left.0);
    pair[32..].copy_from_slice(&right.0);
    keccak(&pair)
}
