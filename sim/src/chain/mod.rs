//! The chain itself: state, blocks, pool and clock. It knows nothing of JSON.

mod block;
mod builder;
mod calls;
mod clock;
mod error;
mod estimate;
mod evm;
mod fees;
mod filters;
mod history;
mod logs;
mod mining;
mod pool;
mod views;

use std::collections::HashMap;
use std::sync::Arc;

use alloy::primitives::{Address, B256, U256};
use revm::DatabaseRef;
use revm::context::CfgEnv;
use revm::state::AccountInfo;

pub(crate) use block::{Block, waiting_transaction};
pub(crate) use error::ChainError;
pub(crate) use fees::SUGGESTED_TIP;
pub(crate) use filters::{FilterKind, FilterNews, Filters};
pub(crate) use views::At;

use crate::{ChainConfig, DEV_BALANCE, dev_accounts};
use clock::Clock;
use evm::State;
use pool::Pool;

/// What a snapshot keeps.
#[derive(Clone)]
struct World {
    state: State,
    blocks: Vec<Arc<Block>>,
    numbers: HashMap<B256, u64>,
    /// Block number and index of every mined transaction.
    mined: HashMap<B256, (u64, usize)>,
    pool: Pool,
    clock: Clock,
    forced_base_fee: Option<u64>,
}

pub(crate) struct Chain {
    config: ChainConfig,
    world: World,
    automine: bool,
    snapshots: Vec<World>,
    pub(crate) filters: Filters,
}

impl Chain {
    pub(crate) fn new(config: ChainConfig) -> Self {
        let mut state = State::default();
        for account in dev_accounts(usize::MAX) {
            state.insert_account_info(account.address(), AccountInfo::from_balance(DEV_BALANCE));
        }
        let first = evm::block_env(&config, 0, config.genesis_time, config.base_fee, B256::ZERO);
        let world = World {
            state,
            blocks: Vec::new(),
            numbers: HashMap::new(),
            mined: HashMap::new(),
            pool: Pool::default(),
            clock: Clock::new(config.block_time),
            forced_base_fee: None,
        };
        let automine = config.automine;
        let mut chain = Self { config, world, automine, snapshots: Vec::new(), filters: Filters::default() };
        chain.append(builder::genesis(&first));
        chain
    }

    pub(crate) fn chain_id(&self) -> u64 {
        self.config.chain_id
    }

    pub(crate) fn head(&self) -> &Arc<Block> {
        self.world.blocks.last().expect("block 0 always exists")
    }

    pub(crate) fn block(&self, number: u64) -> Option<&Arc<Block>> {
        self.world.blocks.get(usize::try_from(number).ok()?)
    }

    pub(crate) fn block_by_hash(&self, hash: B256) -> Option<&Arc<Block>> {
        self.block(*self.world.numbers.get(&hash)?)
    }

    /// The block that holds a transaction, and where in it.
    pub(crate) fn mined(&self, hash: B256) -> Option<(&Arc<Block>, usize)> {
        let (number, index) = *self.world.mined.get(&hash)?;
        Some((self.block(number)?, index))
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.world.pool
    }

    pub(crate) fn drop_transaction(&mut self, hash: B256) -> bool {
        self.world.pool.remove(hash)
    }

    pub(crate) fn set_balance(&mut self, address: Address, wei: U256) {
        let mut info = self.account(address);
        info.balance = wei;
        self.world.state.insert_account_info(address, info);
    }

    pub(crate) fn fund(&mut self, address: Address, wei: U256) {
        let balance = self.account(address).balance.saturating_add(wei);
        self.set_balance(address, balance);
    }

    pub(crate) fn skip_time(&mut self, seconds: u64) -> Result<u64, ChainError> {
        let now = self.head().timestamp();
        self.world.clock.skip(seconds, now)
    }

    pub(crate) fn set_next_timestamp(&mut self, timestamp: u64) -> Result<(), ChainError> {
        let now = self.head().timestamp();
        self.world.clock.set_next(timestamp, now)
    }

    pub(crate) fn set_block_time(&mut self, seconds: u64) -> Result<(), ChainError> {
        self.world.clock.set_block_time(seconds)
    }

    pub(crate) fn force_base_fee(&mut self, wei: u64) {
        self.world.forced_base_fee = Some(wei);
    }

    pub(crate) fn next_base_fee(&self) -> u64 {
        self.world.forced_base_fee.unwrap_or_else(|| fees::base_fee_after(self.head()))
    }

    /// The id to go back to.
    pub(crate) fn snapshot(&mut self) -> u64 {
        self.snapshots.push(self.world.clone());
        self.snapshots.len() as u64 - 1
    }

    /// Goes back to a snapshot, which is used up together with all later ones.
    pub(crate) fn revert(&mut self, id: u64) -> bool {
        let Some(index) = usize::try_from(id).ok().filter(|index| *index < self.snapshots.len()) else {
            return false;
        };
        self.snapshots.truncate(index + 1);
        let Some(world) = self.snapshots.pop() else { return false };
        self.world = world;
        self.filters.rewind(self.head().number());
        true
    }

    fn rules(&self) -> CfgEnv {
        evm::rules(&self.config)
    }

    fn account(&self, address: Address) -> AccountInfo {
        let Ok(info) = self.world.state.basic_ref(address);
        info.unwrap_or_default()
    }

    fn append(&mut self, block: Block) {
        let number = block.number();
        self.world.state.cache.block_hashes.insert(U256::from(number), block.hash());
        self.world.numbers.insert(block.hash(), number);
        for (index, transaction) in block.transactions.iter().enumerate() {
            self.world.mined.insert(*transaction.tx_hash(), (number, index));
        }
        self.world.blocks.push(Arc::new(block));
    }
}
