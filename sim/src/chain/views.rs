//! The state as it is after a block, or as the waiting transactions would leave it.

use alloy::consensus::constants::KECCAK_EMPTY;
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::primitives::{Address, B256, Bytes, U256};
use revm::context::BlockEnv;
use revm::{Database, DatabaseRef};

use super::Chain;
use super::block::Block;
use super::builder::BlockBuilder;
use super::error::ChainError;
use super::evm::{Overlay, block_env};

/// How far behind the head a block becomes `safe` and `finalized`: one and two epochs.
const SAFE_DEPTH: u64 = 32;
const FINALIZED_DEPTH: u64 = 64;

/// A moment that state can be asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Block(u64),
    Pending,
}

impl Chain {
    pub(crate) fn resolve(&self, id: BlockId) -> Result<At, ChainError> {
        let unknown = || ChainError::Unavailable(format!("unknown block {id}"));
        match id {
            BlockId::Number(BlockNumberOrTag::Pending) => Ok(At::Pending),
            BlockId::Number(tag) => {
                let number = self.number_of(tag);
                self.block(number).map(|_| At::Block(number)).ok_or_else(unknown)
            }
            BlockId::Hash(hash) => {
                let block = self.block_by_hash(hash.block_hash).ok_or_else(unknown)?;
                Ok(At::Block(block.number()))
            }
        }
    }

    /// The number a tag stands for; `pending` counts as the head.
    pub(crate) fn number_of(&self, tag: BlockNumberOrTag) -> u64 {
        let head = self.head().number();
        match tag {
            BlockNumberOrTag::Latest | BlockNumberOrTag::Pending => head,
            BlockNumberOrTag::Safe => head.saturating_sub(SAFE_DEPTH),
            BlockNumberOrTag::Finalized => head.saturating_sub(FINALIZED_DEPTH),
            BlockNumberOrTag::Earliest => 0,
            BlockNumberOrTag::Number(number) => number,
        }
    }

    /// The block that would be mined now.
    pub(crate) fn pending_block(&self) -> Block {
        let mut builder = BlockBuilder::new(Overlay::new(&self.world.state), self.rules(), self.next_block_env());
        builder.fill(&self.world.pool, usize::MAX);
        builder.seal(self.head())
    }

    pub(crate) fn balance(&self, address: Address, at: At) -> U256 {
        let Ok(info) = self.view(at).basic(address);
        info.unwrap_or_default().balance
    }

    pub(crate) fn code(&self, address: Address, at: At) -> Bytes {
        let mut view = self.view(at);
        let Ok(info) = view.basic(address);
        match info {
            Some(info) if info.code_hash != KECCAK_EMPTY => {
                let Ok(code) = view.code_by_hash(info.code_hash);
                code.original_bytes()
            }
            _ => Bytes::new(),
        }
    }

    pub(crate) fn storage(&self, address: Address, slot: U256, at: At) -> B256 {
        let Ok(value) = self.view(at).storage_ref(address, slot);
        value.into()
    }

    pub(crate) fn nonce(&self, address: Address, at: At) -> u64 {
        match at {
            At::Pending => self.world.pool.next_nonce(address, self.account(address).nonce),
            At::Block(_) => {
                let Ok(info) = self.view(at).basic(address);
                info.unwrap_or_default().nonce
            }
        }
    }

    pub(super) fn view(&self, at: At) -> Overlay<'_> {
        let mut view = Overlay::new(&self.world.state);
        match at {
            At::Pending if self.world.pool.iter().next().is_some() => {
                let mut builder = BlockBuilder::new(&mut view, self.rules(), self.next_block_env());
                builder.fill(&self.world.pool, usize::MAX);
            }
            At::Pending => {}
            At::Block(number) => {
                let later = self.world.blocks.iter().rev().take_while(|block| block.number() > number);
                later.for_each(|block| block.undo.apply(&mut view));
            }
        }
        view
    }

    /// The surroundings a call sees: those of the block itself, or of the next one.
    pub(super) fn env_at(&self, at: At) -> BlockEnv {
        match at {
            At::Block(number) if let Some(block) = self.block(number) => {
                block_env(&self.config, number, block.timestamp(), block.base_fee(), block.header.mix_hash)
            }
            _ => self.next_block_env(),
        }
    }
}
