//! Taking transactions in and mining them.

use alloy::consensus::Transaction;
use alloy::primitives::{B256, keccak256};
use revm::context::BlockEnv;

use super::Chain;
use super::builder::BlockBuilder;
use super::error::ChainError;
use super::evm::{block_env, check_form, transaction_env};
use super::pool::{check_funds, decode, highest_cost};

/// So many blocks may be mined with one request.
const MOST_BLOCKS: u64 = 100_000;

impl Chain {
    /// Checks a signed transaction as a node's pool does, keeps it and, when automining, mines what is ready.
    pub(crate) fn submit(&mut self, raw: &[u8]) -> Result<B256, ChainError> {
        let transaction = decode(raw)?;
        let hash = *transaction.tx_hash();
        check_form(self.rules(), self.next_block_env(), transaction_env(&transaction))?;
        if transaction.gas_limit() > self.config.block_gas_limit {
            return Err(ChainError::Rejected("exceeds block gas limit".into()));
        }
        let (sender, nonce) = (transaction.signer(), transaction.nonce());
        let account = self.account(sender);
        if nonce < account.nonce {
            return Err(ChainError::Rejected(format!("nonce too low: next nonce {}, tx nonce {nonce}", account.nonce)));
        }
        let committed = self.world.pool.committed(sender, nonce);
        check_funds(account.balance, committed.saturating_add(highest_cost(&transaction)))?;
        self.world.pool.insert(transaction)?;
        self.filters.transaction_arrived(hash);
        if self.automine {
            self.mine_ready();
        }
        Ok(hash)
    }

    pub(crate) fn automine(&self) -> bool {
        self.automine
    }

    pub(crate) fn set_automine(&mut self, automine: bool) {
        self.automine = automine;
        if automine {
            self.mine_ready();
        }
    }

    pub(crate) fn mine(&mut self, blocks: u64) -> Result<(), ChainError> {
        if blocks > MOST_BLOCKS {
            return Err(ChainError::InvalidParameter(format!("cannot mine more than {MOST_BLOCKS} blocks at once")));
        }
        for _ in 0..blocks {
            self.mine_block(usize::MAX, true);
        }
        Ok(())
    }

    /// A block for each transaction that can be executed.
    fn mine_ready(&mut self) {
        while self.mine_block(1, false) {}
    }

    /// Mines a block of at most `limit` transactions, and none at all if it would be empty and may not be.
    fn mine_block(&mut self, limit: usize, may_be_empty: bool) -> bool {
        let env = self.next_block_env();
        let rules = self.rules();
        let world = &mut self.world;
        let mut builder = BlockBuilder::new(&mut world.state, rules, env);
        for hash in builder.fill(&world.pool, limit) {
            world.pool.remove(hash);
        }
        if builder.is_empty() && !may_be_empty {
            return false;
        }
        let Some(parent) = world.blocks.last() else { return false };
        let block = builder.seal(parent);
        for transaction in &block.transactions {
            world.pool.remove(*transaction.tx_hash());
        }
        world.clock.block_mined();
        world.forced_base_fee = None;
        self.append(block);
        true
    }

    pub(super) fn next_block_env(&self) -> BlockEnv {
        let parent = self.head();
        let timestamp = self.world.clock.next(parent.timestamp());
        let randao = keccak256(parent.hash());
        block_env(&self.config, parent.number() + 1, timestamp, self.next_base_fee(), randao)
    }
}
